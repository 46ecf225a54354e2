//! The link to mfad: a blocking socket, one call and one reply at a time. Everything the daemon can make us wait for
//! comes out of one budget, so that no daemon, however slow or hostile, holds a login program for longer.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, UnixAddr, sockopt};
use nix::sys::time::TimeVal;
use protocol::call::{CallError, Method, Position, Replies, outgoing, parse_reply};
use protocol::frame::{FrameBuffer, FrameError, encode, read_frame};
use protocol::login::{Begin, Cancel, Expect, Shape, Step};
use zeroize::Zeroizing;

use crate::dialogue::{Link, Request};
use crate::outcome::Failure;

/// How long a daemon may be away before a login begins: a restart takes less than 2 s.
const PATIENCE: Duration = Duration::from_secs(3);

/// The same within a login: the person has typed something that is worth more patience.
const PATIENCE_WITHIN: Duration = Duration::from_secs(10);

/// Between two tries to connect.
const PAUSE: Duration = Duration::from_millis(100);

/// For the word that the person gave up. The socket's buffer takes it at once, or the daemon need not know.
const FAREWELL: Duration = Duration::from_millis(500);

/// Whether what is at the other end is mfad.
pub(crate) trait Guard {
    /// Before connecting: whether only root can have put the socket there.
    ///
    /// # Errors
    /// [`Failure::Foreign`], or [`Failure::Unreachable`] if there is nothing.
    fn inspect(&self, socket: &Path) -> Result<(), Failure>;

    /// After connecting: whether the process that listens may give verdicts.
    fn admits(&self, uid: u32) -> bool;
}

/// The module's end. Connects when there is something to say.
pub(crate) struct Client<'a, G> {
    path: &'a Path,
    guard: &'a G,
    /// The whole budget, for the log.
    timeout: Duration,
    /// What is left of it.
    left: Duration,
    /// How much longer a daemon that is away is waited for; renewed by each reply.
    patience: Duration,
    connection: Option<Connection>,
}

struct Connection {
    stream: UnixStream,
    buffer: FrameBuffer,
}

impl<'a, G: Guard> Client<'a, G> {
    /// A client for the socket at `path`, which will wait no longer than `timeout` in all its calls together.
    pub(crate) fn new(path: &'a Path, guard: &'a G, timeout: Duration) -> Self {
        Client { path, guard, timeout, left: timeout, patience: PATIENCE.min(timeout), connection: None }
    }

    /// Asks which codes a person can append to a password. Nothing is lost by asking again, so it is.
    ///
    /// # Errors
    /// [`Failure`]: nobody can say.
    pub(crate) fn expect(&mut self, call: &Expect) -> Result<Vec<Shape>, Failure> {
        loop {
            match self.exchange(frame(call)).and_then(|reply| read::<Expect>(&reply)) {
                Err(Failure::Lost) => {}
                outcome => return outcome.map(|reply| reply.shapes),
            }
        }
    }

    /// One call, on the connection at hand or a new one. Any failure closes it.
    fn exchange(&mut self, call: Result<Frame, FrameError>) -> Result<Frame, Failure> {
        let deadline = Deadline::after(self.left);
        let mut outcome = self.try_exchange(call, &deadline);
        if outcome.is_ok() {
            self.patience = PATIENCE_WITHIN;
        } else {
            self.connection = None;
        }
        if matches!(outcome, Err(Failure::Lost)) && !self.pause(&deadline) {
            outcome =
                Err(Failure::Unreachable(format!("{}: it closes every connection", self.path.display())));
        }
        self.left = deadline.left().unwrap_or_default();
        outcome
    }

    fn try_exchange(
        &mut self,
        call: Result<Frame, FrameError>,
        deadline: &Deadline,
    ) -> Result<Frame, Failure> {
        let call = call.map_err(|error| self.failure(error))?;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect(deadline)?,
        };
        if connection.buffer.is_inside_frame() {
            return Err(Failure::Malformed("more than one reply to a call"));
        }
        let mut timed = Timed { stream: &connection.stream, deadline };
        timed.write_all(&call).map_err(|error| self.failure(error.into()))?;
        let reply = read_frame(&mut timed, &mut connection.buffer).map_err(|error| self.failure(error))?;
        self.connection = Some(connection);
        Ok(reply)
    }

    /// Connects; a daemon that is away is waited for.
    fn connect(&mut self, deadline: &Deadline) -> Result<Connection, Failure> {
        loop {
            match self.try_connect(deadline) {
                Err(Failure::Unreachable(_)) if self.pause(deadline) => {}
                outcome => return outcome,
            }
        }
    }

    fn try_connect(&self, deadline: &Deadline) -> Result<Connection, Failure> {
        self.guard.inspect(self.path)?;
        let stream = open(self.path, deadline).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => self.overdue(),
            _ => Failure::Unreachable(format!("{}: {error}", self.path.display())),
        })?;
        let peer = socket::getsockopt(&stream, sockopt::PeerCredentials)
            .map_err(|error| Failure::Unreachable(io::Error::from(error).to_string()))?;
        if !self.guard.admits(peer.uid()) {
            return Err(Failure::Foreign(format!("{} is served by uid {}", self.path.display(), peer.uid())));
        }
        Ok(Connection { stream, buffer: FrameBuffer::default() })
    }

    /// Waits a little for a daemon that is away; false if that was long enough.
    fn pause(&mut self, deadline: &Deadline) -> bool {
        let pause = PAUSE.min(self.patience).min(deadline.left().unwrap_or_default());
        self.patience = self.patience.saturating_sub(pause);
        sleep(pause);
        !pause.is_zero()
    }

    fn failure(&self, error: FrameError) -> Failure {
        match error {
            FrameError::TooLong => Failure::Malformed("a frame of more than 64 KiB"),
            FrameError::Io(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                self.overdue()
            }
            FrameError::Closed | FrameError::Io(_) => Failure::Lost,
        }
    }

    fn overdue(&self) -> Failure {
        Failure::Deadline(self.timeout.as_secs())
    }
}

impl<G: Guard> Link for Client<'_, G> {
    fn call(&mut self, request: &Request) -> Result<Step, Failure> {
        let reply = match request {
            Request::Begin(begin) => self.exchange(frame(begin)),
            Request::Continue(proceed) => self.exchange(frame(proceed)),
            Request::Answer(answer) => self.exchange(frame(answer)),
        };
        // Each of them is answered by a step and nothing else, so one parser does; three only add to the size.
        let step = reply.and_then(|reply| read::<Begin>(&reply)).map(|reply| reply.step);
        if step.is_err() {
            self.connection = None;
        }
        step
    }

    fn cancel(&mut self, login: String) {
        if let (Some(connection), Ok(call)) = (self.connection.take(), frame(&Cancel { login })) {
            let deadline = Deadline::after(FAREWELL);
            let _ = Timed { stream: &connection.stream, deadline: &deadline }.write_all(&call);
        }
    }
}

/// Bytes for the wire, wiped when they are dropped.
type Frame = Zeroizing<Vec<u8>>;

fn frame<M: Method>(call: &M) -> Result<Frame, FrameError> {
    encode(&outgoing(call, Replies::One))
}

fn read<M: Method>(reply: &[u8]) -> Result<M::Reply, Failure> {
    match parse_reply::<M>(reply) {
        Ok((reply, Position::Last)) => Ok(reply),
        Ok((_, Position::Continues)) => Err(Failure::Malformed("a stream of replies to a simple call")),
        Err(CallError::Malformed) => Err(Failure::Malformed("something that is no reply")),
        Err(CallError::Refused { name, reason }) => Err(Failure::Refused { name, reason }),
    }
}

/// A moment that waiting must not pass.
struct Deadline {
    start: Instant,
    span: Duration,
}

impl Deadline {
    fn after(span: Duration) -> Self {
        Deadline { start: Instant::now(), span }
    }

    /// What is left; at least a millisecond, because a socket takes zero for "for ever".
    fn left(&self) -> io::Result<Duration> {
        let left = self.span.saturating_sub(self.start.elapsed());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left.max(Duration::from_millis(1))) }
    }
}

/// A socket whose every read and write has only what is left: a peer that sends a byte a second gains nothing.
struct Timed<'a> {
    stream: &'a UnixStream,
    deadline: &'a Deadline,
}

impl Read for Timed<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // Not a read with a timeout: that is woken whenever the daemon takes what was written, a round trip of the
        // scheduler for nothing (unix(7) sockets wake every reader when there is room to write).
        let wanted = &mut [PollFd::new(self.stream.as_fd(), PollFlags::POLLIN)];
        let left = PollTimeout::try_from(self.deadline.left()?).unwrap_or(PollTimeout::MAX);
        if poll(wanted, left)? == 0 {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.read(into)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.deadline.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Connects with the send timeout set before: while the backlog is full, connect(2) blocks, and obeys it (socket(7)).
fn open(path: &Path, deadline: &Deadline) -> io::Result<UnixStream> {
    let socket = socket::socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    let left = deadline.left()?;
    let seconds = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
    socket::setsockopt(&socket, sockopt::SendTimeout, &TimeVal::new(seconds, left.subsec_micros().into()))?;
    socket::connect(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(UnixStream::from(socket))
}

#[cfg(test)]
mod tests;
