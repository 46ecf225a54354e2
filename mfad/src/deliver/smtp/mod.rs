//! Mail through SMTP relays, in order. One deadline spans them all; a relay that failed a moment ago is tried last.

mod line;
mod password;
mod relay;
mod stage;
mod wire;

use std::time::{Duration, Instant};

use lettre::transport::smtp::extension::ClientId;

use super::{Cause, Courier, Delivery, DeliveryError, Message, Progress, Receipt};
use crate::config;
use relay::Relay;

/// Delivers through the first relay that takes the message.
pub struct SmtpCourier {
    relays: Vec<Relay>,
    deadline: Duration,
}

impl SmtpCourier {
    /// `helo_host` is how this host introduces itself; `deadline` is for one message and all relays.
    pub fn new(relays: Vec<config::Relay>, helo_host: String, deadline: Duration) -> Self {
        let hello = hello(&helo_host);
        let relays = relays.into_iter().map(|settings| Relay::new(settings, hello.clone())).collect();
        SmtpCourier { relays, deadline }
    }

    async fn carry(&self, message: &Message, progress: Progress<'_>) -> Result<Receipt, DeliveryError> {
        let end = Instant::now() + self.deadline;
        let mut failures = Vec::new();
        for (relay, left) in self.order(progress).into_iter().zip((1..=self.relays.len()).rev()) {
            let remaining = end.saturating_duration_since(Instant::now());
            let share = remaining / u32::try_from(left).unwrap_or(u32::MAX);
            match relay.deliver(message, share, progress).await {
                Ok(receipt) => return Ok(receipt),
                Err(error) => {
                    progress(&error.text);
                    let last = is_final(error.cause);
                    failures.push(error);
                    if last {
                        break;
                    }
                }
            }
        }
        Err(summary(failures))
    }

    /// As configured, but those that failed lately last: a dead first relay must not cost each login its time.
    fn order(&self, progress: Progress<'_>) -> Vec<&Relay> {
        let (suspects, mut order): (Vec<&Relay>, Vec<&Relay>) =
            self.relays.iter().partition(|relay| relay.is_suspect());
        if !order.is_empty() {
            for relay in &suspects {
                progress(&format!("{} failed a moment ago and is tried last", relay.name));
            }
        }
        order.extend(suspects);
        order
    }
}

impl Courier for SmtpCourier {
    fn deliver<'a>(&'a self, message: &'a Message, progress: Progress<'a>) -> Delivery<'a> {
        Box::pin(self.carry(message, progress))
    }
}

/// After these no other relay is asked: it would refuse as well, or the person would get the message twice.
fn is_final(cause: Cause) -> bool {
    matches!(cause, Cause::Rejected | Cause::Unknown)
}

/// All failures in one. A final one gives the cause, else the one that is least a matter of mail being down: whoever
/// opens a door for that must not do it for a certificate.
fn summary(failures: Vec<DeliveryError>) -> DeliveryError {
    let last = failures.last().map(|error| error.cause).filter(|cause| is_final(*cause));
    let suspicious = [Cause::Insecure, Cause::Misconfigured, Cause::Deferred];
    let worst = suspicious.into_iter().find(|cause| failures.iter().any(|error| error.cause == *cause));
    let Some(cause) = last.or(worst).or(failures.first().map(|error| error.cause)) else {
        return DeliveryError::new(Cause::Misconfigured, "no relay is configured; set email.smtp");
    };
    let texts: Vec<String> = failures.into_iter().map(|error| error.text).collect();
    DeliveryError::new(cause, texts.join(" | "))
}

/// A name that is not one would end the dialogue, or worse: such a host introduces itself by an address literal.
fn hello(host: &str) -> ClientId {
    let is_name = |name: &String| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
    };
    idna::domain_to_ascii(host).ok().filter(is_name).map_or_else(ClientId::default, ClientId::Domain)
}
