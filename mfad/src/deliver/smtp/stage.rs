//! How far a dialogue with a relay came, and what a failure there means: the one table from SMTP faults to causes.

use std::error::Error as _;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::{Code, Response, Severity};

use crate::deliver::{Cause, DeliveryError, quotable};

/// The steps of a dialogue, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Resolve,
    Connect,
    Greeting,
    Encrypt,
    Login,
    Sender,
    Recipient,
    Data,
    /// The message is on its way: from here on, silence means that nobody knows what became of it.
    Content,
}

impl Stage {
    fn words(self) -> &'static str {
        match self {
            Stage::Resolve => "the look-up of its name",
            Stage::Connect => "the connection attempt",
            Stage::Greeting => "its greeting and EHLO",
            Stage::Encrypt => "STARTTLS",
            Stage::Login => "AUTH",
            Stage::Sender => "MAIL FROM",
            Stage::Recipient => "RCPT TO",
            Stage::Data => "DATA",
            Stage::Content => "the message",
        }
    }
}

/// Remembers the stage outside of the future that a deadline may drop.
#[derive(Debug)]
pub(super) struct Marker {
    relay: String,
    stage: Mutex<Stage>,
}

impl Marker {
    pub(super) fn new(relay: &str) -> Self {
        Marker { relay: relay.to_owned(), stage: Mutex::new(Stage::Resolve) }
    }

    pub(super) fn enter(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    pub(super) fn stage(&self) -> Stage {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An error at this relay: `fact` ends with its remedy.
    pub(super) fn error(&self, cause: Cause, fact: &str) -> DeliveryError {
        DeliveryError::new(cause, format!("{}: {fact}", self.relay))
    }

    /// The relay's time was up.
    pub(super) fn timeout(&self, share: Duration) -> DeliveryError {
        let (stage, seconds) = (self.stage(), share.as_secs_f32());
        if stage == Stage::Content {
            return self.unknown("no answer came in time");
        }
        let fact = format!(
            "no answer to {} within {seconds:.1} s; check that the relay is up and that no firewall drops packets",
            stage.words()
        );
        self.error(Cause::Timeout, &fact)
    }

    /// The library reported an error.
    pub(super) fn explain(&self, error: &Error) -> DeliveryError {
        let stage = self.stage();
        if let Some(code) = error.status() {
            let said = error.source().map(ToString::to_string).unwrap_or_default();
            return self.refused(code, &said);
        }
        if stage == Stage::Content {
            return self.unknown(&deepest(error));
        }
        let shaking_hands = stage <= Stage::Encrypt;
        if let Some(fault) = tls_fault(error).filter(|_| shaking_hands) {
            return self.insecure(fault);
        }
        let why = quotable(&deepest(error));
        if stage == Stage::Encrypt || shaking_hands && was_cut(error) {
            return self
                .error(Cause::Insecure, &format!("the TLS handshake failed ({why}); nothing was sent"));
        }
        if error.is_client() {
            return self.error(Cause::Misconfigured, &why);
        }
        let fact = match stage {
            Stage::Resolve | Stage::Connect => {
                format!("cannot connect ({why}); check the host, the port and the firewall")
            }
            _ if error.is_response() => format!(
                "the answer to {} is not SMTP, or the relay hung up ({why}); check the port and the relay's log",
                stage.words()
            ),
            _ => format!("the connection broke at {} ({why}); see the relay's log", stage.words()),
        };
        self.error(Cause::Unreachable, &fact)
    }

    /// An answer that is positive, and still not the one this step needs.
    pub(super) fn unexpected(&self, answer: &Response) -> DeliveryError {
        let said = quotable(&spoken(answer));
        if self.stage() == Stage::Content {
            return self.unknown(&format!("an answer that does not fit: {said}"));
        }
        let fact =
            format!("the answer to {} does not fit ({said}); see the relay's log", self.stage().words());
        self.error(Cause::Unreachable, &fact)
    }

    fn unknown(&self, why: &str) -> DeliveryError {
        let fact = format!(
            "the message was sent, but not acknowledged ({}); it may arrive, see the relay's log",
            quotable(why)
        );
        self.error(Cause::Unknown, &fact)
    }

    fn refused(&self, code: Code, said: &str) -> DeliveryError {
        let stage = self.stage();
        let permanent = code.severity == Severity::PermanentNegativeCompletion;
        let number = u16::from(code);
        let (cause, remedy) = match stage {
            Stage::Encrypt => (Cause::Insecure, "nothing was sent; repair TLS on the relay"),
            _ if !permanent => (Cause::Deferred, "the relay asks to try later; see its log"),
            Stage::Login => (Cause::Misconfigured, "check the user and the password-file"),
            Stage::Sender if number == 530 => {
                (Cause::Misconfigured, "set a user and a password-file, or TLS")
            }
            Stage::Sender => {
                (Cause::Misconfigured, "check email.from, and that the relay lets this host send")
            }
            Stage::Recipient => {
                (Cause::Rejected, "check the address, and that the relay lets this host send there")
            }
            Stage::Data | Stage::Content => (Cause::Rejected, "see the relay's log"),
            _ => (Cause::Misconfigured, "check that the relay lets this host connect"),
        };
        let said = quotable(&format!("{number} {said}"));
        self.error(cause, &format!("refused {} ({said}); {remedy}", stage.words()))
    }

    fn insecure(&self, fault: &rustls::Error) -> DeliveryError {
        use rustls::{CertificateError as Certificate, Error};
        let remedy = match fault {
            Error::InvalidCertificate(Certificate::UnknownIssuer) => "set ca-file to the CA that signed it",
            Error::InvalidCertificate(
                Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
            ) => "write the relay's name as its certificate has it",
            Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
                "renew it, or check this host's clock"
            }
            Error::InvalidCertificate(_) => {
                "give the relay a server certificate, not a CA's own, that ca-file vouches for"
            }
            Error::InvalidMessage(_) => {
                "check the port: smtps:// for TLS from the start, smtp:// for STARTTLS"
            }
            _ => "see the relay's log",
        };
        let fact = format!("TLS failed ({}); nothing was sent; {remedy}", quotable(&fault.to_string()));
        self.error(Cause::Insecure, &fact)
    }
}

/// The answer as the relay said it, on one line.
pub(super) fn spoken(answer: &Response) -> String {
    let lines: Vec<&str> = answer.message().collect();
    quotable(&format!("{} {}", answer.code(), lines.join(" ")))
}

fn tls_fault(error: &Error) -> Option<&rustls::Error> {
    chain(error).find_map(|cause| {
        let io = cause.downcast_ref::<io::Error>()?.get_ref()?;
        io.downcast_ref::<rustls::Error>()
    })
}

fn was_cut(error: &Error) -> bool {
    chain(error).any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|io| io.kind() == io::ErrorKind::UnexpectedEof)
    })
}

fn deepest(error: &Error) -> String {
    chain(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

fn chain<'e>(error: &'e Error) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}
