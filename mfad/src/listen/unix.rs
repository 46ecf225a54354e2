//! Accepts connections on the two Unix sockets and serves each in a task of its own, until told to drain.

use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::call::{Call, Fault, Position};
use protocol::{login, manage};
use tokio::io::Interest;
use tokio::sync::watch;

use super::connection::watch;
use super::{Caps, Connection, Peer, introspection};
use crate::daemon::Daemon;
use crate::metrics::{Histogram, METRICS};
use crate::rules::policy::Purpose;
use crate::session::Session;

/// Which interface a socket speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// `io.mfad.Login`.
    Login,
    /// `io.mfad.Manage`.
    Manage,
}

/// Tells every connection to end after the call that it is answering. Dropping the other half of it is the signal.
pub type Drain = watch::Receiver<()>;

/// Accepts until the drain.
///
/// # Errors
/// A socket that cannot be used at all; failures of single connections are not errors.
pub async fn serve(
    door: Door,
    listener: UnixListener,
    daemon: Arc<Daemon>,
    caps: Caps,
    mut drain: Drain,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = watch(listener)?;
    loop {
        let accepted = tokio::select! {
            accepted = listener.async_io(Interest::READABLE, UnixListener::accept) => accepted,
            _ = drain.changed() => return Ok(()),
        };
        match accepted {
            Ok((stream, _)) => admit(door, stream, &daemon, &caps, &drain),
            // Out of descriptors or memory: accepting at once again would only spin.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

fn admit(door: Door, stream: UnixStream, daemon: &Arc<Daemon>, caps: &Caps, drain: &Drain) {
    let Ok(connection) = stream.set_nonblocking(true).and_then(|()| Connection::new(stream)) else { return };
    let Ok(peer) = connection.peer() else { return };
    let Some(place) = caps.admit(peer) else {
        METRICS.connections_refused.add(1);
        return;
    };
    let (daemon, drain) = (daemon.clone(), drain.clone());
    let presence = METRICS.connections.enter();
    tokio::spawn(async move {
        match door {
            Door::Login => logins(connection, peer, daemon, drain).await,
            Door::Manage => requests(connection, peer, daemon, drain).await,
        }
        drop((place, presence));
    });
}

/// Serves `io.mfad.Login`. A call that began is answered, also while draining: somebody waits.
async fn logins(mut connection: Connection, peer: Peer, daemon: Arc<Daemon>, mut drain: Drain) {
    let mut session = Session::new(daemon, peer, Purpose::Login);
    loop {
        let frame = tokio::select! {
            biased;
            frame = connection.receive() => frame,
            _ = drain.changed() => return,
        };
        let Some(frame) = frame else {
            return session.hang_up().await;
        };
        let replied = match Call::parse(&frame) {
            Ok(call) => login_call(&mut connection, &mut session, &call).await,
            Err(fault) => connection.fault(fault).await,
        };
        if replied.is_err() {
            return session.hang_up().await;
        }
    }
}

/// Notes how long a call took.
async fn timed<T>(histogram: &Histogram, call: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let answer = call.await;
    histogram.note(start.elapsed());
    answer
}

/// The table of `io.mfad.Login`'s methods.
async fn login_call(connection: &mut Connection, session: &mut Session, call: &Call<'_>) -> io::Result<()> {
    let step = match call.method.as_ref() {
        "io.mfad.Login.Begin" => match call.parameters() {
            Ok(begin) => timed(&METRICS.begins, session.begin(begin)).await,
            Err(fault) => Err(fault),
        },
        "io.mfad.Login.Continue" => match call.parameters() {
            Ok(proceed) => timed(&METRICS.continues, session.proceed(proceed)).await,
            Err(fault) => Err(fault),
        },
        "io.mfad.Login.Answer" => match call.parameters() {
            Ok(answer) => timed(&METRICS.answers, session.answer(answer)).await,
            Err(fault) => Err(fault),
        },
        "io.mfad.Login.Expect" => {
            let expected = match call.parameters() {
                Ok(expect) => session.expect(expect).await,
                Err(fault) => Err(fault),
            };
            return match expected {
                Ok(shapes) => connection.reply(&login::ExpectReply { shapes }, Position::Last).await,
                Err(fault) => connection.fault(fault).await,
            };
        }
        "io.mfad.Login.Cancel" => {
            let cancelled = match call.parameters() {
                Ok(cancel) => session.cancel(&cancel).await,
                Err(fault) => Err(fault),
            };
            return match cancelled {
                Ok(()) => connection.reply(&login::CancelReply {}, Position::Last).await,
                Err(fault) => connection.fault(fault).await,
            };
        }
        _ => return describe(connection, call, &[(login::INTERFACE, login::DESCRIPTION)]).await,
    };
    match step {
        // The three replies that carry a step are the same on the wire.
        Ok(step) => connection.reply(&login::AnswerReply { step }, Position::Last).await,
        Err(fault) => connection.fault(fault).await,
    }
}

/// Serves `io.mfad.Manage`.
///
/// `io.mfad.Login` is served as well: who logs in to their own account here has proved who they are, and may change their
/// factors over this connection.
async fn requests(mut connection: Connection, peer: Peer, daemon: Arc<Daemon>, mut drain: Drain) {
    let mut session = Session::new(daemon.clone(), peer, Purpose::Proof);
    loop {
        let frame = tokio::select! {
            frame = connection.receive() => frame,
            _ = drain.changed() => return,
        };
        let Some(frame) = frame else { return session.hang_up().await };
        let replied = match Call::parse(&frame) {
            // Streams may go on for ever; what has one reply is answered, also while draining.
            Ok(call) if call.more => tokio::select! {
                replied = manage_call(&mut connection, &mut session, &daemon, &call) => replied,
                _ = drain.changed() => return,
            },
            Ok(call) => manage_call(&mut connection, &mut session, &daemon, &call).await,
            Err(fault) => connection.fault(fault).await,
        };
        if replied.is_err() {
            return session.hang_up().await;
        }
    }
}

async fn manage_call(
    connection: &mut Connection,
    session: &mut Session,
    daemon: &Arc<Daemon>,
    call: &Call<'_>,
) -> io::Result<()> {
    if let Some(replied) = crate::manage::answer(connection, session, daemon, call).await {
        return replied;
    }
    if call.method.strip_prefix(login::INTERFACE).is_some_and(|rest| rest.starts_with('.')) {
        return login_call(connection, session, call).await;
    }
    let known = [(manage::INTERFACE, manage::DESCRIPTION), (login::INTERFACE, login::DESCRIPTION)];
    describe(connection, call, &known).await
}

async fn describe(connection: &mut Connection, call: &Call<'_>, known: &[(&str, &str)]) -> io::Result<()> {
    match introspection::answer(call, known) {
        Some(Ok(reply)) => connection.reply(&reply, Position::Last).await,
        Some(Err(fault)) => connection.fault(fault).await,
        None => connection.fault(Fault::MethodNotFound).await,
    }
}
