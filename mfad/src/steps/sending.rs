//! Codes handed over to who carries them, texts to who judges them, and what became of it.

use std::time::Instant;

use jiff::Timestamp;
use protocol::Secret;

use super::{Standing, Steps};
use crate::address::EmailAddress;
use crate::audit::Priority;
use crate::config::{Hook, LogCodes};
use crate::daemon::Live;
use crate::deliver::{self, Cause, DeliveryError, hook};
use crate::factor::mailed::Channel;
use crate::metrics::METRICS;
use crate::rules::grant::Decision;
use crate::rules::login::{self, After, Letter, MailFailure, Outside};

/// What is known of a mail that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// A courier has it.
    Confirmed,
    /// The mail server fell silent after it had the message.
    InDoubt,
}

impl Steps {
    /// Hands a code over to who carries it; answers what they said. A stranger's goes nowhere.
    ///
    /// # Errors
    /// Why nobody took it.
    pub async fn hand_over(&self, live: &Live, letter: &Letter) -> Result<String, DeliveryError> {
        if self.standing == Standing::Stranger {
            tokio::time::sleep(self.daemon.usual_delivery()).await;
            return Ok(String::new());
        }
        let (to, sent) = match &letter.channel {
            Channel::Email(address) => (address.to_string(), self.mail(live, letter, address).await),
            Channel::Hook { name, contact } => {
                let hook = self.hook(name)?;
                let request = self.request(contact, &letter.code);
                let sent = hook::send(hook, &request, hook.timeout).await.map(|receipt| receipt.by);
                (format!("{contact} by {name}"), sent)
            }
        };
        // A hook that judges by itself made its own code, and mfad does not know it.
        if live.config.email.log_codes == LogCodes::Yes && sent.is_ok() && !letter.code.expose().is_empty() {
            let text = format!("code {} sent to {to} for {}", letter.code.expose(), self.user());
            self.daemon.log.note(Priority::Info, &text);
        }
        sent
    }

    async fn mail(&self, live: &Live, letter: &Letter, to: &EmailAddress) -> Result<String, DeliveryError> {
        let attempt = &self.facts.attempt;
        let source = attempt.source.to_string();
        let at = |wall: u64| {
            Timestamp::from_millisecond(i64::try_from(wall).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX)
        };
        let facts = deliver::Letter {
            to,
            code: &letter.code,
            user: attempt.user.as_str(),
            host: &self.daemon.host,
            service: attempt.service.as_str(),
            source: &source,
            time: at(letter.asked.wall),
            expires: at(letter.expires),
        };
        let rendered = deliver::message::render(&live.body, &live.subject, &live.sender, &facts);
        let message =
            rendered.map_err(|error| DeliveryError::new(Cause::Misconfigured, error.to_string()))?;
        self.daemon.note_domain(to.domain());
        let started = Instant::now();
        let sent = live.courier.deliver(&message, &|_| ()).await;
        self.daemon.note_delivery(started.elapsed());
        METRICS.count_mail(&sent);
        sent.map(|receipt| receipt.by)
    }

    /// Lets a hook judge a text.
    ///
    /// # Errors
    /// Why it could not.
    pub async fn check(&self, outside: &Outside, typed: &Secret) -> Result<hook::Judgement, DeliveryError> {
        let hook = self.hook(&outside.hook)?;
        hook::check(hook, &self.request(&outside.contact, typed), hook.timeout).await
    }

    fn hook(&self, name: &str) -> Result<&Hook, DeliveryError> {
        self.facts.config.hook(name).ok_or_else(|| {
            DeliveryError::new(Cause::Misconfigured, format!("the hook {name} is not configured any more"))
        })
    }

    fn request<'a>(&'a self, contact: &'a str, code: &'a Secret) -> hook::Request<'a> {
        let attempt = &self.facts.attempt;
        hook::Request {
            user: &attempt.user,
            contact: (!contact.is_empty()).then_some(contact),
            code: (!code.expose().is_empty()).then_some(code),
            host: &self.daemon.host,
            service: &attempt.service,
            source: attempt.source,
            language: "en",
        }
    }

    /// Sends a code, for the first time or once more, and notes what became of it. `failed` are the factors that fail in
    /// this login if this one does.
    ///
    /// # Errors
    /// How the login goes on without it.
    pub async fn send(&self, live: &Live, letter: &Letter, failed: Vec<String>) -> Result<Sending, After> {
        let letter = letter.clone();
        match self.hand_over(live, &letter).await {
            Ok(by) => {
                self.note_sent(letter, by);
                Ok(Sending::Confirmed)
            }
            // It may well arrive: whoever waits may type the code.
            Err(error) if error.cause == Cause::Unknown => {
                let noted = self.run(move |account, context, ledger| {
                    login::sent_in_doubt(account, context, &letter.challenge, &error.text, ledger);
                });
                let noted = noted.await.map(|()| Sending::InDoubt);
                noted.map_err(|error| After::End(self.unavailable(&error)))
            }
            Err(error) => {
                let decided = self.run(move |account, context, ledger| {
                    let undelivered = login::Undelivered {
                        letter: &letter,
                        failure: error.failure(&letter.channel),
                        cause: &error.text,
                    };
                    login::not_sent(account, context, &undelivered, &failed, ledger)
                });
                let after = decided.await.unwrap_or_else(|error| After::End(self.unavailable(&error)));
                if matches!(after, After::End(Decision::Granted(_))) {
                    METRICS.opened.add(1);
                }
                Err(after)
            }
        }
    }

    /// Notes that a courier took a mail. Queued at once, before any later step of this person, and not waited for.
    pub fn note_sent(&self, letter: Letter, by: String) {
        if self.standing == Standing::Stranger {
            return;
        }
        let facts = self.facts.clone();
        let (keys, now) = (self.daemon.keys(), self.daemon.clock.now());
        let step: crate::store::Step = Box::new(move |account, ledger| {
            login::sent(account, &facts.context(&keys, now), &letter, &by, ledger);
        });
        self.daemon.run_later(self.facts.attempt.user.clone(), step);
    }

    /// Notes that nobody knows what became of a code that was asked for again: it counts as sent.
    pub async fn note_in_doubt(&self, letter: Letter, error: DeliveryError) {
        let noted = self.run(move |account, context, ledger| {
            login::sent_in_doubt(account, context, &letter.challenge, &error.text, ledger);
        });
        if let Err(error) = noted.await {
            self.daemon.fault(self.reference(), &error.to_string());
        }
    }

    /// Notes that no courier took a mail that was asked for again.
    pub async fn note_not_sent(&self, letter: Letter, error: DeliveryError) {
        let noted = self.run(move |account, context, ledger| {
            let undelivered = login::Undelivered {
                letter: &letter,
                failure: error.failure(&letter.channel),
                cause: &error.text,
            };
            login::note_not_sent(account, context, &undelivered, ledger);
        });
        if let Err(error) = noted.await {
            self.daemon.fault(self.reference(), &error.to_string());
        }
    }
}

impl DeliveryError {
    /// Whether the failure is mail's alone: no relay answers. A mailbox that refuses, a mail that may have gone out, a peer
    /// that cannot be trusted and a wrong setting never open a door: somebody could bring them about. A hook may say of
    /// itself that it is down: "try later".
    pub fn failure(&self, channel: &Channel) -> MailFailure {
        match self.cause {
            Cause::Unreachable | Cause::Timeout => MailFailure::Down,
            Cause::Deferred if matches!(channel, Channel::Hook { .. }) => MailFailure::Down,
            Cause::Rejected | Cause::Deferred | Cause::Insecure | Cause::Misconfigured | Cause::Unknown => {
                MailFailure::Untrusted
            }
        }
    }
}
