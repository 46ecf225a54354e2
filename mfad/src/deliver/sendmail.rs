//! Mail through a program that reads a message, such as sendmail of any MTA.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use super::child::{self, ChildError, Ended, Leftovers};
use super::{Cause, Courier, Delivery, DeliveryError, Message, Progress, Receipt};

/// Runs a program for each message, and gives it the message on standard input with lines ending in LF.
pub struct SendmailCourier {
    argv: Vec<String>,
    deadline: Duration,
}

impl SendmailCourier {
    /// `argv` is used as it is: recipients are in the message, so it holds `-t` or its like.
    pub fn new(argv: Vec<String>, deadline: Duration) -> Self {
        SendmailCourier { argv, deadline }
    }

    async fn carry(&self, message: &Message, progress: Progress<'_>) -> Result<Receipt, DeliveryError> {
        let program = self.argv.first().map_or("sendmail", String::as_str);
        let input = message.unix_lines();
        progress(&format!("running {program}"));
        let ended = child::run(&self.argv, &input, self.deadline, Leftovers::Stay).await;
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

/// Exit codes as <sysexits.h> names them.
fn refused(program: &str, ended: &Ended) -> DeliveryError {
    let Some(code) = ended.status.code() else {
        let signal = ended.status.signal().unwrap_or_default();
        let text = format!("{program}: killed by signal {signal}; {}", remedy(&ended.said()));
        return DeliveryError::new(Cause::Misconfigured, text);
    };
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
    DeliveryError::new(cause, format!("{program}: {name} (exit code {code}); {}", remedy(&ended.said())))
}

fn remedy(said: &str) -> String {
    match said {
        "" => "see the log of the mail system".to_owned(),
        said => format!("it said: {said}"),
    }
}
