//! One connection: whole frames in, whole frames out, each under a deadline.

use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{MsgFlags, getsockopt, recv};

use protocol::call::{self, Fault, Position};
use protocol::frame::{self, FrameBuffer};
use serde::Serialize;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::Peer;

/// A new connection says something within this.
const FIRST_BYTE: Duration = Duration::from_secs(2);

/// A frame that began ends within this; a reply is taken within this.
const FRAME: Duration = Duration::from_secs(5);

/// A person may think for this long; then the login program is gone anyway.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// A peer that does not read is looked at again after this.
const RETRY: Duration = Duration::from_millis(5);

/// Watches a socket for reading.
///
/// # Errors
/// The operating system's.
#[allow(deprecated)] // What replaces it is unsafe, for types that change their descriptor; std's sockets do not.
pub(super) fn watch<T: AsRawFd>(socket: T) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(socket, Interest::READABLE)
}

/// A connection. It is watched for reading alone: a reply fits into an empty socket, and being woken each time that a
/// peer has taken one would double the wakings of a login.
pub struct Connection {
    stream: AsyncFd<UnixStream>,
    buffer: FrameBuffer,
    patience: Duration,
}

impl Connection {
    /// Takes an accepted stream, which must be non-blocking.
    ///
    /// # Errors
    /// The operating system's, if it cannot be watched.
    pub fn new(stream: UnixStream) -> io::Result<Self> {
        Ok(Connection { stream: watch(stream)?, buffer: FrameBuffer::default(), patience: FIRST_BYTE })
    }

    /// Who is on the other end.
    ///
    /// # Errors
    /// The operating system's.
    pub fn peer(&self) -> io::Result<Peer> {
        let credentials = getsockopt(self.stream.get_ref(), PeerCredentials)?;
        Ok(Peer { uid: credentials.uid() })
    }

    /// The next frame; none when the peer hung up, was too slow, or sent what is no frame.
    pub async fn receive(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let mut chunk = Zeroizing::new([0u8; 1024]);
        loop {
            if let Some(frame) = self.buffer.next_frame().ok()? {
                self.patience = IDLE;
                return Some(frame);
            }
            let patience = if self.buffer.is_inside_frame() { FRAME } else { self.patience };
            let read = |mut stream: &UnixStream| stream.read(chunk.as_mut_slice());
            let count = timeout(patience, self.stream.async_io(Interest::READABLE, read)).await.ok()?.ok()?;
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
        let peek = |stream: &UnixStream| {
            let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
            recv(stream.as_raw_fd(), &mut [0], flags).map_err(io::Error::from)
        };
        let _ = self.stream.async_io(Interest::READABLE, peek).await;
    }

    async fn send<T: Serialize>(&mut self, message: &T) -> io::Result<()> {
        let bytes = frame::encode(message).map_err(io::Error::other)?;
        let mut stream = self.stream.get_ref();
        let mut rest = bytes.as_slice();
        let end = Instant::now() + FRAME;
        while !rest.is_empty() {
            match stream.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < end => {
                    tokio::time::sleep(RETRY).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
