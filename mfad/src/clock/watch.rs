//! Asks the configured time server every quarter of an hour, beside the event loop and in nobody's way, and says in the
//! log whenever another clock begins to count.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::ntp::{self, NtpError};
use super::{Clock, Fix};
use crate::audit::Priority;
use crate::config::{NtpServer, TimeProvider};
use crate::daemon::Daemon;

const PAUSE: Duration = Duration::from_secs(15 * 60);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(60);

/// Which clock counts, as far as the log was told.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    /// The system's, as configured.
    System,
    /// That of this server.
    Server(String),
    /// The system's, because no server was heard of for too long.
    Fallback,
}

/// Runs until the daemon ends.
pub async fn watch(daemon: Arc<Daemon>) {
    let mut standing = Standing::System;
    let mut was_too_far = false;
    loop {
        let provider = daemon.live().config.time.provider.clone();
        let (now, why) = round(&daemon.clock, &provider).await;
        if now != standing {
            let (priority, text) = announcement(&now, why.as_ref());
            daemon.log.note(priority, &text);
            standing = now;
        } else if let (false, Some(error @ NtpError::TooFar(_))) = (was_too_far, &why) {
            daemon.log.note(Priority::Warning, &error.to_string());
        }
        was_too_far = matches!(why, Some(NtpError::TooFar(_)));
        let pause = match (&provider, &why) {
            // Only another configuration changes that.
            (TimeProvider::System, _) => Duration::MAX,
            (TimeProvider::Ntp(_), None) => PAUSE,
            (TimeProvider::Ntp(_), Some(_)) => PAUSE_AFTER_FAILURE,
        };
        let _ = tokio::time::timeout(pause, daemon.clock.reconsidered()).await;
    }
}

/// Asks once, if there is whom to ask.
async fn round(clock: &Clock, provider: &TimeProvider) -> (Standing, Option<NtpError>) {
    let TimeProvider::Ntp(server) = provider else {
        clock.clear_fix();
        return (Standing::System, None);
    };
    // What a server said that is not configured any more does not count.
    if clock.fix().is_some_and(|(fix, _)| fix.server != server.to_string()) {
        clock.clear_fix();
    }
    let failure = match ask(server).await {
        Ok(fix) => {
            clock.set_fix(fix);
            None
        }
        Err(error) => Some(error),
    };
    let standing = clock.fix().map_or(Standing::Fallback, |(fix, _)| Standing::Server(fix.server.clone()));
    (standing, failure)
}

/// On a thread of its own, and not of the runtime's: a name that does not resolve must not hold up the daemon's end.
async fn ask(server: &NtpServer) -> Result<Fix, NtpError> {
    let (answer, answered) = oneshot::channel();
    let server = server.clone();
    let asking = move || drop(answer.send(ntp::ask(&server)));
    std::thread::Builder::new().name("ntp".to_owned()).spawn(asking).map_err(NtpError::Name)?;
    answered.await.unwrap_or_else(|_| Err(NtpError::Name(std::io::ErrorKind::Interrupted.into())))
}

fn announcement(standing: &Standing, why: Option<&NtpError>) -> (Priority, String) {
    match (standing, why) {
        (Standing::System, _) => (Priority::Notice, "the clock of this host counts".to_owned()),
        (Standing::Server(server), _) => (Priority::Notice, format!("the time of {server} counts")),
        (Standing::Fallback, Some(why)) => {
            (Priority::Warning, format!("the clock of this host counts instead of the time server's: {why}"))
        }
        (Standing::Fallback, None) => {
            (Priority::Warning, "the clock of this host counts instead of the time server's".to_owned())
        }
    }
}
