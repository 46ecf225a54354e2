//! The daemon's socket: blocking, one call after the other. What the calls say is left to the topics.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use protocol::call::{self, Method, Position, Replies};
use protocol::frame::{self, FrameBuffer};
use protocol::manage::Hello;

use crate::failure::Failure;

/// How long a single answer may take. A stream may be silent for as long as nothing happens.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection on which both sides agreed on a version.
pub struct Connection {
    stream: UnixStream,
    arrived: FrameBuffer,
    patience: Duration,
}

impl Connection {
    /// Connects, and agrees on a version of the protocol.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] if nothing answers there, else as for [`Connection::call`].
    pub fn open(socket: &Path) -> Result<Self, Failure> {
        Connection::open_within(socket, PATIENCE)
    }

    /// The same, with another limit for each answer.
    ///
    /// # Errors
    /// As for [`Connection::open`].
    pub fn open_within(socket: &Path, patience: Duration) -> Result<Self, Failure> {
        let stream = UnixStream::connect(socket)
            .map_err(|cause| Failure::Unreachable { socket: socket.to_owned(), cause })?;
        stream.set_write_timeout(Some(patience)).map_err(Failure::Socket)?;
        let mut connection = Connection { stream, arrived: FrameBuffer::default(), patience };
        let hello = connection.call(&Hello { protocol: protocol::VERSION })?;
        if protocol::speaks(hello.protocol) { Ok(connection) } else { Err(Failure::OtherVersion) }
    }

    /// Asks, and waits for the one answer.
    ///
    /// # Errors
    /// [`Failure`]: refused, silent for 30 seconds, hung up, or not to be understood.
    pub fn call<M: Method>(&mut self, method: &M) -> Result<M::Reply, Failure> {
        self.stream.set_read_timeout(Some(self.patience)).map_err(Failure::Socket)?;
        self.send(method, Replies::One)?;
        match self.receive::<M>()? {
            (reply, Position::Last) => Ok(reply),
            (_, Position::Continues) => Err(Failure::Malformed),
        }
    }

    /// Asks, and hands each answer to `each` as it comes, until the last.
    ///
    /// # Errors
    /// As for [`Connection::call`], but silence is none; and whatever `each` fails with, at once.
    pub fn stream<M: Method>(
        &mut self,
        method: &M,
        mut each: impl FnMut(M::Reply) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.stream.set_read_timeout(None).map_err(Failure::Socket)?;
        self.send(method, Replies::Many)?;
        loop {
            let (reply, position) = self.receive::<M>()?;
            each(reply)?;
            if position == Position::Last {
                return Ok(());
            }
        }
    }

    fn send<M: Method>(&mut self, method: &M, replies: Replies) -> Result<(), Failure> {
        match frame::write_frame(&mut self.stream, &call::outgoing(method, replies)) {
            // mfad may have said why before it hung up; if not, the read finds that it did.
            Err(frame::FrameError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(frame::FrameError::TooLong) => Err(Failure::RequestTooLong),
            sent => Ok(sent?),
        }
    }

    fn receive<M: Method>(&mut self) -> Result<(M::Reply, Position), Failure> {
        let frame = frame::read_frame(&mut self.stream, &mut self.arrived)?;
        Ok(call::parse_reply::<M>(&frame)?)
    }
}
