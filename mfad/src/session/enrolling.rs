//! Enrolment at a login, where the rule says so: a ticket, a choice, a key or a code to an address, the first code, and
//! recovery codes to save. Who is cut off goes on at the next login with the same key.

use protocol::Secret;
use protocol::login::{Notice, Step};

use super::telling::info;
use super::{PATIENCE, Session, Stage, random};
use crate::address::EmailAddress;
use crate::config::{EnrolTicket, FactorKind};
use crate::factor::FactorId;
use crate::factor::mailed::ChallengeId;
use crate::factor::oath::{Algorithm, Digits};
use crate::factor::totp::StepLength;
use crate::qr::{self, Ground};
use crate::rules::enrol::{self, Confirmed, FirstCode, Key, RecoverySeed, Seed, Started, Wish};
use crate::rules::grant::{Decision, Grant, Refusal};
use crate::words;

/// Where an enrolment is.
pub(super) enum Enrolment {
    /// It needs a ticket.
    Ticket,
    /// A factor is to be chosen.
    Choosing,
    /// An address is to be typed.
    Address,
    /// A first code is to be typed; the key is there to be shown again.
    Confirming(FactorId, Option<Key>),
    /// The person is in once the recovery codes are saved.
    Saving(Decision),
}

impl Enrolment {
    /// The stage's part of the question's id.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Enrolment::Ticket => "ticket",
            Enrolment::Choosing => "choose",
            Enrolment::Address => "address",
            Enrolment::Confirming(..) => "confirm",
            Enrolment::Saving(_) => "save",
        }
    }
}

impl Session {
    /// Begins.
    pub(super) async fn enrol(&mut self) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        match login.steps.terms().login.enrol_ticket {
            EnrolTicket::Required => self.enrolment(Enrolment::Ticket, words::ticket(), vec![]),
            EnrolTicket::None => self.offer().await,
        }
    }

    /// Takes an answer of any stage.
    pub(super) async fn enrol_answer(&mut self, text: Secret) -> Step {
        let Some(login) = &mut self.login else { return self.lost() };
        let typed = text.expose().trim();
        if typed.is_empty() && !matches!(login.stage, Stage::Enrolling(Enrolment::Saving(_))) {
            login.empty_answers += 1;
            if login.empty_answers >= PATIENCE {
                return self.end(Refusal::Cancelled).await;
            }
        } else {
            login.empty_answers = 0;
        }
        let Stage::Enrolling(enrolment) = &login.stage else { return self.lost() };
        match enrolment {
            Enrolment::Ticket => self.ticket(typed.to_owned()).await,
            Enrolment::Choosing => self.chosen(typed).await,
            Enrolment::Address => self.address(typed).await,
            Enrolment::Confirming(id, _) => {
                let id = id.clone();
                self.confirm(id, text.clone()).await
            }
            Enrolment::Saving(_) => self.saved(),
        }
    }

    async fn ticket(&mut self, typed: String) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let shown = login
            .steps
            .run(move |account, context, ledger| enrol::show_ticket(account, context, &typed, ledger));
        match shown.await {
            Ok(Ok(())) => self.offer().await,
            Ok(Err(enrol::Shown::Wrong(left))) => {
                let text = format!("{} {}", words::wrong(left), words::ticket());
                self.enrolment(Enrolment::Ticket, text, vec![])
            }
            Ok(Err(enrol::Shown::Refused(decision))) => self.finish(decision),
            Err(error) => self.store_failed(error),
        }
    }

    /// What may be enrolled at a login.
    fn offered(&self) -> Vec<FactorKind> {
        let Some(login) = &self.login else { return Vec::new() };
        let config = &login.live.config;
        let possible = |kind: &&FactorKind| match kind {
            FactorKind::Totp => true,
            FactorKind::Email => !config.email.self_enrol_domains.is_empty(),
            FactorKind::Hotp | FactorKind::Recovery | FactorKind::Bypass | FactorKind::Hook(_) => false,
        };
        login.steps.terms().login.factors.iter().filter(possible).cloned().collect()
    }

    async fn offer(&mut self) -> Step {
        match self.offered().as_slice() {
            [] => self.end(Refusal::NotEnrolled).await,
            [FactorKind::Totp] => self.key().await,
            [_] => self.enrolment(Enrolment::Address, words::which_address(), vec![]),
            several => {
                let text = words::which_factor(several);
                self.enrolment(Enrolment::Choosing, text, vec![])
            }
        }
    }

    async fn chosen(&mut self, typed: &str) -> Step {
        let offered = self.offered();
        let number = typed.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        match number.and_then(|at| offered.get(at)) {
            Some(FactorKind::Totp) => self.key().await,
            Some(_) => self.enrolment(Enrolment::Address, words::which_address(), vec![]),
            None => {
                let text = words::which_factor(&offered);
                self.enrolment(Enrolment::Choosing, text, vec![])
            }
        }
    }

    async fn address(&mut self, typed: &str) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let domains = &login.live.config.email.self_enrol_domains;
        let allowed = |address: &EmailAddress| domains.iter().any(|domain| domain.covers(address));
        match EmailAddress::parse(typed).ok().filter(allowed) {
            Some(address) => self.begin_enrolment(Wish::Email(address)).await,
            None => {
                let text = format!("{} {}", words::no_such_address(), words::which_address());
                self.enrolment(Enrolment::Address, text, vec![])
            }
        }
    }

    async fn key(&mut self) -> Step {
        let wish = Wish::Totp(Algorithm::Sha1, Digits::SIX, StepLength::THIRTY_SECONDS);
        self.begin_enrolment(wish).await
    }

    async fn begin_enrolment(&mut self, wish: Wish) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let seed = seed();
        let started = login
            .steps
            .run(move |account, context, ledger| enrol::start(account, context, &wish, &seed, ledger));
        match started.await {
            Ok(Ok(Started { id, key: Some(key), .. })) => self.show_key(id, key, Ground::Dark),
            Ok(Ok(Started { id, letter: Some(letter), .. })) => {
                let Some(login) = &self.login else { return self.lost() };
                match login.steps.hand_over(&login.live, &letter).await {
                    Ok(_) => {
                        let text = words::first_code(&letter.channel);
                        self.enrolment(Enrolment::Confirming(id, None), text, vec![])
                    }
                    Err(error) => {
                        self.daemon.fault(login.steps.reference(), &error.text);
                        self.end(Refusal::NotSent).await
                    }
                }
            }
            Ok(Ok(Started { .. })) => self.lost(),
            Ok(Err(error)) => {
                let Some(login) = &self.login else { return self.lost() };
                self.daemon.fault(login.steps.reference(), &error.to_string());
                self.end(Refusal::Unavailable).await
            }
            Err(error) => self.store_failed(error),
        }
    }

    /// Shows a key. sshd's clients show a prompt whole and mangle notices, so there it is part of the prompt.
    fn show_key(&mut self, id: FactorId, key: Key, ground: Ground) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let drawn = qr::draw(&key.uri, ground).ok();
        let shown = words::key(drawn.as_ref(), &key);
        let by_ssh = login.steps.comes_by_ssh();
        let stage = Enrolment::Confirming(id, Some(key));
        if by_ssh {
            return self.enrolment(stage, format!("{shown}\n{}", words::first_app_code()), vec![]);
        }
        self.enrolment(stage, words::first_app_code(), vec![info(shown)])
    }

    async fn confirm(&mut self, id: FactorId, typed: Secret) -> Step {
        let Some(login) = &mut self.login else { return self.lost() };
        if typed.expose().trim().eq_ignore_ascii_case("i")
            && let Stage::Enrolling(Enrolment::Confirming(_, key)) = &mut login.stage
            && let Some(key) = key.take()
        {
            return self.show_key(id, key, Ground::Light);
        }
        let seed = recovery_seed();
        let pending = id.clone();
        let confirmed = login.steps.run(move |account, context, ledger| {
            enrol::confirm(account, context, FirstCode { id: &pending, typed: typed.expose() }, &seed, ledger)
        });
        match confirmed.await {
            Ok(Confirmed::Active(spent, codes)) => {
                self.enrolled(Decision::Granted(Grant::from(spent)), &codes)
            }
            Ok(Confirmed::Wrong(left)) => {
                let text = format!("{} {}", words::wrong(left), words::first_app_code());
                self.enrolment(Enrolment::Confirming(id, None), text, vec![])
            }
            Ok(Confirmed::Unknown) => self.end(Refusal::Gone).await,
            Ok(Confirmed::Refused(decision)) => self.finish(decision),
            Err(error) => self.store_failed(error),
        }
    }

    /// The person is in; the recovery codes are shown once, and are worth an Enter.
    fn enrolled(&mut self, decision: Decision, codes: &[Secret]) -> Step {
        if codes.is_empty() {
            return self.finish(decision);
        }
        let Some(login) = &self.login else { return self.lost() };
        let shown = words::recovery_codes(codes);
        let by_ssh = login.steps.comes_by_ssh();
        let (text, notices) = if by_ssh {
            (format!("{shown}\n{}", words::saved()), vec![])
        } else {
            (words::saved(), vec![info(shown)])
        };
        self.enrolment(Enrolment::Saving(decision), text, notices)
    }

    pub(super) fn saved(&mut self) -> Step {
        let Some(login) = &mut self.login else { return self.lost() };
        let placeholder = Stage::Enrolling(Enrolment::Ticket);
        match std::mem::replace(&mut login.stage, placeholder) {
            Stage::Enrolling(Enrolment::Saving(decision)) => self.finish(decision),
            _ => self.lost(),
        }
    }

    fn enrolment(&mut self, stage: Enrolment, text: String, notices: Vec<Notice>) -> Step {
        let Some(login) = &mut self.login else { return self.lost() };
        login.questions += 1;
        self.pose(Stage::Enrolling(stage), notices, text)
    }
}

/// Random bytes for a start.
pub(crate) fn seed() -> Seed {
    Seed {
        secret: zeroize::Zeroizing::new(random()),
        nonce: random(),
        code: ChallengeId::from_random(random()),
    }
}

/// Random bytes for recovery codes.
pub(crate) fn recovery_seed() -> RecoverySeed {
    RecoverySeed { codes: std::array::from_fn(|_| random()), salt: random() }
}
