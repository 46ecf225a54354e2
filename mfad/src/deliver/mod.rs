//! Hands messages to the outside: SMTP relays, a sendmail program, Maildirs, programs of the site. Every courier says exactly what became of
//! a message, because the person it is for is waiting at a prompt. What a message says is made in [`message`]; when one
//! is sent, and what follows from a failure, is decided by the rules.

mod body;
pub mod child;
pub mod hook;
pub mod maildir;
pub mod memory;
pub mod message;
pub mod sendmail;
mod sendmail_socket;
pub mod smtp;
pub mod template;

use std::pin::Pin;

use protocol::text::printable;

pub use body::Body;
pub use message::{Letter, Message, Sender};
pub use template::Template;

/// Hears each step of a delivery in words for people: `mfactl test mail` shows them, the daemon drops them.
pub type Progress<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// What a courier answers, later.
pub type Delivery<'a> = Pin<Box<dyn Future<Output = Result<Receipt, DeliveryError>> + Send + 'a>>;

/// Whoever carries a message away.
pub trait Courier: Send + Sync {
    /// Hands one message over. Dropping the future ends the attempt and leaves nothing behind that a later delivery
    /// could trip over; whether the message went out is then unknown.
    ///
    /// # Errors
    /// [`DeliveryError`]: the message was not handed over, except after [`Cause::Unknown`], where it may have been.
    fn deliver<'a>(&'a self, message: &'a Message, progress: Progress<'a>) -> Delivery<'a>;
}

/// Proof that somebody else is responsible for the message now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Who took it: `relay.example:465`, `/usr/sbin/sendmail`, a directory.
    pub by: String,
    /// What the taker said, printable and short.
    pub answer: String,
}

/// Why a message was not handed over. `text` is for the log: a fact and a remedy, one printable line, no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct DeliveryError {
    /// Whose fault it is, and whether another try makes sense.
    pub cause: Cause,
    /// Fact and remedy.
    pub text: String,
}

/// The kinds of failed delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Nobody listens, the name does not resolve, or the connection broke before the message was sent.
    Unreachable,
    /// No answer in time, and the message was not sent.
    Timeout,
    /// A permanent refusal (5xx): this message will never be taken as it is.
    Rejected,
    /// A temporary refusal (4xx): the same message may be taken later.
    Deferred,
    /// Encryption was required, and missing or not trustworthy. Nothing of the message was sent.
    Insecure,
    /// The operator's settings are wrong: login refused, a file missing, a program that cannot run.
    Misconfigured,
    /// The message was sent, and the answer never came. It may arrive; it must not be sent elsewhere again.
    Unknown,
}

impl DeliveryError {
    /// An error with a sanitised text.
    pub fn new(cause: Cause, text: impl AsRef<str>) -> Self {
        DeliveryError { cause, text: printable(text.as_ref()) }
    }
}

/// The longest answer of somebody else that is shown or logged, in characters.
const ANSWER_LIMIT: usize = 300;

/// Makes an answer from outside fit for a log: printable, one line, short.
pub(crate) fn quotable(answer: &str) -> String {
    let line = printable(answer.trim());
    match line.char_indices().nth(ANSWER_LIMIT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_from_outside_is_printable_and_short_before_it_is_shown() {
        assert_eq!(quotable(" 550 \x1b[2Jno\r\nway \n"), "550 ?[2Jno??way");
        assert_eq!(quotable(&"ä".repeat(5000)).chars().count(), ANSWER_LIMIT + 1);
    }
}
