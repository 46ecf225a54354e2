//! One connection: whole frames in, whole frames out, each under a deadline.

use std::io;
use std::time::Duration;

use protocol::call::{self, Fault, Position};
use protocol::frame::{self, FrameBuffer};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// A new connection says something within this.
const FIRST_BYTE: Duration = Duration::from_secs(2);

/// A frame that began ends within this; a reply is taken within this.
const FRAME: Duration = Duration::from_secs(5);

/// A person may think for this long; then the login program is gone anyway.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// A connection.
pub struct Connection {
    stream: UnixStream,
    buffer: FrameBuffer,
    patience: Duration,
}

impl Connection {
    /// Takes an accepted stream.
    pub fn new(stream: UnixStream) -> Self {
        Connection { stream, buffer: FrameBuffer::default(), patience: FIRST_BYTE }
    }

    /// The next frame; none when the peer hung up, was too slow, or sent what is no frame.
    pub async fn receive(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let mut chunk = Zeroizing::new([0u8; 4096]);
        loop {
            if let Some(frame) = self.buffer.next_frame().ok()? {
                self.patience = IDLE;
                return Some(frame);
            }
            let patience = if self.buffer.is_inside_frame() { FRAME } else { self.patience };
            let count = timeout(patience, self.stream.read(chunk.as_mut_slice())).await.ok()?.ok()?;
            if count == 0 {
                return None;
            }
            self.buffer.push(&chunk[..count]);
        }
    }

    /// Answers a call.
    ///
    /// # Errors
    /// The peer does not read, or is gone.
    pub async fn reply<T: Serialize>(&mut self, reply: &T, position: Position) -> io::Result<()> {
        self.send(&call::success(reply, position)).await
    }

    /// Answers with an error that the protocol knows.
    ///
    /// # Errors
    /// As for [`Connection::reply`].
    pub async fn fault(&mut self, fault: Fault) -> io::Result<()> {
        self.send(&call::failure(fault.name(), &fault.to_string())).await
    }

    /// Answers with an error of an interface, and a sentence for people.
    ///
    /// # Errors
    /// As for [`Connection::reply`].
    pub async fn refuse(&mut self, name: &str, reason: &str) -> io::Result<()> {
        self.send(&call::failure(name, reason)).await
    }

    /// Waits until the peer hangs up, or says something although it should listen.
    pub async fn hung_up(&self) {
        let _ = self.stream.readable().await;
    }

    async fn send<T: Serialize>(&mut self, message: &T) -> io::Result<()> {
        let bytes = frame::encode(message).map_err(io::Error::other)?;
        timeout(FRAME, self.stream.write_all(&bytes)).await?
    }
}
