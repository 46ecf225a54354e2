//! Mail through a program that reads a message, such as sendmail of any MTA: run here, or behind a socket by somebody
//! whose privileges it needs.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Duration;

use super::child::{self, ChildError, Ended, Leftovers};
use super::{Cause, Courier, Delivery, DeliveryError, Message, Progress, Receipt, sendmail_socket};
use crate::config::Sendmail;

/// Has a program run for each message, which gets the message on standard input with lines ending in LF.
pub struct SendmailCourier {
    sendmail: Sendmail,
    deadline: Duration,
}

impl SendmailCourier {
    /// An argument vector is used as it is: recipients are in the message, so it holds `-t` or its like.
    pub fn new(sendmail: Sendmail, deadline: Duration) -> Self {
        SendmailCourier { sendmail, deadline }
    }

    async fn carry(&self, message: &Message, progress: Progress<'_>) -> Result<Receipt, DeliveryError> {
        let input = message.unix_lines();
        let socket = Path::new(Sendmail::SOCKET);
        match &self.sendmail {
            Sendmail::Program(argv) => self.run(argv, &input, progress).await,
            Sendmail::Socket(path) => sendmail_socket::carry(path, &input, self.deadline, progress).await,
            // Looked for each time: it may be switched on while mfad runs. /run is root's, so it is nobody else's.
            Sendmail::OfThisHost if socket.exists() => {
                sendmail_socket::carry(socket, &input, self.deadline, progress).await
            }
            Sendmail::OfThisHost => self.run(&Sendmail::default_program(), &input, progress).await,
        }
    }

    async fn run(
        &self,
        argv: &[String],
        input: &[u8],
        progress: Progress<'_>,
    ) -> Result<Receipt, DeliveryError> {
        let program = argv.first().map_or("sendmail", String::as_str);
        progress(&format!("running {program}"));
        let ended = child::run(argv, input, self.deadline, Leftovers::Stay).await;
        let ended = ended.map_err(|error| explain(program, &error))?;
        if !ended.status.success() {
            return Err(refused(program, &ended));
        }
        progress(&format!("accepted by {program}"));
        Ok(Receipt { by: program.to_owned(), answer: ended.said() })
    }
}

impl Courier for SendmailCourier {
    fn deliver<'a>(&'a self, message: &'a Message, progress: Progress<'a>) -> Delivery<'a> {
        Box::pin(self.carry(message, progress))
    }
}

fn explain(program: &str, error: &ChildError) -> DeliveryError {
    let (cause, remedy) = match error {
        ChildError::Empty => (Cause::Misconfigured, "set email.sendmail"),
        ChildError::Start(_) => (Cause::Misconfigured, "check email.sendmail, and that mfad may run it"),
        // It was given the whole message, so it may have queued it before it hung.
        ChildError::Deadline => (Cause::Unknown, "see the log of the mail system"),
    };
    DeliveryError::new(cause, format!("{program}: {error}; {remedy}"))
}

fn refused(program: &str, ended: &Ended) -> DeliveryError {
    let remedy = match ended.said().as_str() {
        "" => "see the log of the mail system".to_owned(),
        said => format!("it said: {said}"),
    };
    if let Some(code) = ended.status.code() {
        return by_exit_code(program, code, &remedy);
    }
    let signal = ended.status.signal().unwrap_or_default();
    DeliveryError::new(Cause::Misconfigured, format!("{program}: killed by signal {signal}; {remedy}"))
}

/// Exit codes as <sysexits.h> names them.
pub(super) fn by_exit_code(program: &str, code: i32, remedy: &str) -> DeliveryError {
    let (name, cause) = match code {
        65 => ("the message is wrong", Cause::Rejected),
        67 => ("no such user", Cause::Rejected),
        68 => ("no such host", Cause::Rejected),
        69 => ("the mail system is unavailable or refuses", Cause::Rejected),
        77 => ("not permitted", Cause::Rejected),
        71 | 74 | 75 => ("try later", Cause::Deferred),
        64 => ("wrong arguments", Cause::Misconfigured),
        78 => ("the mail system is misconfigured", Cause::Misconfigured),
        _ => ("failed", Cause::Misconfigured),
    };
    DeliveryError::new(cause, format!("{program}: {name} (exit code {code}); {remedy}"))
}
