//! People's own factors: enrol, confirm, remove, prefer, recovery codes.

use protocol::manage::{self as wire, Change};
use protocol::text::printable;

use super::subject::{Subject, bind};
use super::{Administration, Rank, Refused, detail};
use crate::config::{Config, FactorKind};
use crate::factor::FactorId;
use crate::factor::oath::{Algorithm, Digits};
use crate::factor::totp::StepLength;
use crate::qr::{self, Ground};
use crate::rules::account::Account;
use crate::rules::enrol::{self, Confirmed, Started, Wish};
use crate::rules::enrolled::Stage;
use crate::rules::grant::{Decision, Refusal};
use crate::rules::login::Letter;
use crate::rules::{change, policy};
use crate::session::{recovery_seed, seed};
use crate::steps::Steps;
use crate::words;

/// Characters of a contact, at most.
const LONGEST_CONTACT: usize = 128;

impl Administration<'_> {
    pub(super) async fn start(
        &self,
        asked: wire::StartEnrolment,
    ) -> Result<wire::StartEnrolmentReply, Refused> {
        let subject = self.person(asked.user.as_deref()).await?;
        let wish = self.wish(&asked)?;
        let steps = self.steps(&subject);
        let seed = seed();
        let started = self.change_by(&steps, &subject, move |account, context, ledger| {
            bind(account, context)?;
            Ok(enrol::start(account, context, &wish, &seed, ledger)?)
        });
        let Started { id, key, letter } = started.await?;
        let sent_to = match letter {
            Some(letter) => Some(self.hand_over(&steps, letter).await?),
            None => None,
        };
        let draw = |ground| key.as_ref().and_then(|key| qr::draw(&key.uri, ground).ok());
        Ok(wire::StartEnrolmentReply {
            id: id.to_string(),
            drawing: draw(Ground::Dark),
            drawing_inverted: draw(Ground::Light),
            sent_to,
            secret: key.as_ref().map(|key| key.secret.clone()),
            uri: key.map(|key| key.uri),
        })
    }

    /// Sends the code of an enrolment; answers where to, masked.
    async fn hand_over(&self, steps: &Steps, letter: Letter) -> Result<String, Refused> {
        let masked = letter.channel.masked();
        match steps.hand_over(&self.daemon.live(), &letter).await {
            Ok(by) => {
                steps.note_sent(letter, by);
                Ok(masked)
            }
            Err(error) => {
                let text = error.text.clone();
                steps.note_not_sent(letter, error).await;
                Err(Refused::NotSent(text))
            }
        }
    }

    pub(super) async fn confirm(
        &self,
        asked: wire::ConfirmEnrolment,
    ) -> Result<wire::ConfirmEnrolmentReply, Refused> {
        let subject = self.person(asked.user.as_deref()).await?;
        let steps = self.steps(&subject);
        let seed = recovery_seed();
        let wire::ConfirmEnrolment { id, code, .. } = asked;
        let confirmed = self.change_by(&steps, &subject, move |account, context, ledger| {
            bind(account, context)?;
            account.factors.forget_stale(context.now);
            let id = pending(account, id.as_deref())?;
            let confirmed = enrol::confirm(
                account,
                context,
                enrol::FirstCode { id: &id, typed: code.expose() },
                &seed,
                ledger,
            );
            Ok((id, confirmed))
        });
        let (id, confirmed) = confirmed.await?;
        match confirmed {
            Confirmed::Active(_, recovery) => {
                Ok(wire::ConfirmEnrolmentReply { id: id.to_string(), recovery })
            }
            Confirmed::Wrong(left) => Err(Refused::WrongCode(left)),
            Confirmed::Unknown => Err(Refused::NothingPending),
            Confirmed::Refused(Decision::Refused(refusal)) => Err(ended(refusal, steps.reference())),
            Confirmed::Refused(Decision::Granted(_)) => Err(ended(Refusal::Unavailable, steps.reference())),
        }
    }

    pub(super) async fn remove(&self, asked: wire::RemoveFactor) -> Result<wire::RemoveFactorReply, Refused> {
        let subject = self.mine_or_known(asked.user.as_deref()).await?;
        let (change, left) = self
            .change(&subject, move |account, context, ledger| {
                let gone = match asked.id.as_str() {
                    "email" => change::clear_email(account, context, ledger),
                    id => FactorId::parse(id).and_then(|id| enrol::remove(account, context, &id, ledger)),
                };
                let has_address = policy::address(account, context.known).is_some();
                let change = gone.map_or(Change::Unchanged, |()| Change::Changed);
                Ok((change, detail::factors(account, has_address)))
            })
            .await?;
        Ok(wire::RemoveFactorReply { change, left })
    }

    pub(super) async fn prefer(&self, asked: wire::PreferFactor) -> Result<wire::PreferFactorReply, Refused> {
        let subject = self.person(asked.user.as_deref()).await?;
        let change = self
            .change(&subject, move |account, context, ledger| {
                let kind = match asked.factor.as_deref() {
                    Some(word) => Some(change::kind_of(account, context, word).ok_or_else(|| {
                        let has_address = policy::address(account, context.known).is_some();
                        Refused::NoFactor(word.to_owned(), detail::factors(account, has_address).join(", "))
                    })?),
                    None => None,
                };
                Ok(change::prefer(account, context, kind.as_deref(), ledger))
            })
            .await?;
        Ok(wire::PreferFactorReply { change })
    }

    pub(super) async fn new_recovery(
        &self,
        asked: wire::NewRecovery,
    ) -> Result<wire::NewRecoveryReply, Refused> {
        let subject = self.person(asked.user.as_deref()).await?;
        self.allowed(&FactorKind::Recovery, "recovery")?;
        let seed = recovery_seed();
        let codes = self.change(&subject, move |account, context, ledger| {
            bind(account, context)?;
            Ok(enrol::new_recovery(account, context, &seed, ledger))
        });
        Ok(wire::NewRecoveryReply { codes: codes.await? })
    }

    async fn mine_or_known(&self, user: Option<&str>) -> Result<Subject, Refused> {
        match user {
            Some(user) => self.known(user).await,
            None => self.person(None).await,
        }
    }

    /// Refuses what the site's logins would not take.
    pub(super) fn allowed(&self, kind: &FactorKind, name: &'static str) -> Result<(), Refused> {
        if self.daemon.live().config.factors().contains(&kind) {
            return Ok(());
        }
        Err(Refused::NotAllowed(name))
    }

    fn wish(&self, asked: &wire::StartEnrolment) -> Result<Wish, Refused> {
        let config = self.daemon.live().config.clone();
        let kind = config.factors().into_iter().find(|kind| kind.name() == asked.factor);
        let contact = asked.contact.clone().unwrap_or_default();
        if contact.chars().count() > LONGEST_CONTACT || printable(&contact) != contact {
            return Err(Refused::Parameter("a contact has at most 128 printable characters"));
        }
        match kind {
            Some(FactorKind::Totp) => {
                let (algorithm, digits) = code_form(asked.algorithm.as_deref(), asked.digits)?;
                Ok(Wish::Totp(algorithm, digits, step_length(asked.step)?))
            }
            Some(FactorKind::Hotp) => match code_form(asked.algorithm.as_deref(), asked.digits)? {
                (Algorithm::Sha1, digits) => Ok(Wish::Hotp(digits)),
                _ => Err(Refused::Parameter("hotp has SHA1 alone. Leave the algorithm out")),
            },
            Some(FactorKind::Email) if contact.is_empty() => Err(Refused::NoContact("email".to_owned())),
            Some(FactorKind::Email) => Ok(Wish::Email(self.own_address(&config, &contact)?)),
            Some(FactorKind::Hook(name)) => self.hook_wish(&config, name, contact),
            Some(FactorKind::Recovery | FactorKind::Bypass) | None => {
                Err(Refused::NoSuchFactor(asked.factor.clone(), possible(&config)))
            }
        }
    }

    /// A hook that sends a code which mfad judges, or one that judges by itself.
    fn hook_wish(&self, config: &Config, name: &str, contact: String) -> Result<Wish, Refused> {
        let hook = config.hook(name);
        let judges =
            hook.ok_or_else(|| Refused::NoSuchFactor(name.to_owned(), possible(config)))?.check().is_some();
        match (judges, self.rank) {
            (true, Rank::Person) => Err(Refused::OnlyByAdministrator(name.to_owned())),
            (true, Rank::Administrator) => Ok(Wish::Judged(name.to_owned(), contact)),
            (false, _) if contact.is_empty() => Err(Refused::NoContact(name.to_owned())),
            (false, _) => Ok(Wish::Hook(name.to_owned(), contact)),
        }
    }

    /// An address; people choose their own only in the domains that the site allows for that.
    fn own_address(&self, config: &Config, text: &str) -> Result<crate::address::EmailAddress, Refused> {
        let address = super::accounts::address(text)?;
        let domains = &config.email.self_enrol_domains;
        if self.rank == Rank::Person && !domains.iter().any(|domain| domain.covers(&address)) {
            return Err(Refused::Domain);
        }
        Ok(address)
    }
}

/// The form of an app's codes; SHA1 and six digits unless something else is said.
pub(super) fn code_form(
    algorithm: Option<&str>,
    digits: Option<u32>,
) -> Result<(Algorithm, Digits), Refused> {
    let all = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
    let algorithm = match algorithm {
        None => Algorithm::Sha1,
        Some(name) => all
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
            .ok_or(Refused::Parameter("the algorithm is SHA1, SHA256 or SHA512"))?,
    };
    let digits = match digits {
        None => Some(Digits::SIX),
        Some(count) => u8::try_from(count).ok().and_then(Digits::new),
    };
    Ok((algorithm, digits.ok_or(Refused::Parameter("codes have 6 to 8 digits"))?))
}

/// How long an app shows a code.
pub(super) fn step_length(seconds: Option<u32>) -> Result<StepLength, Refused> {
    let step = match seconds {
        None => Some(StepLength::THIRTY_SECONDS),
        Some(seconds) => u16::try_from(seconds).ok().and_then(StepLength::new),
    };
    step.ok_or(Refused::Parameter("a step has 15 to 120 seconds"))
}

/// The enrolment that is meant: the named one, or the only one that waits.
fn pending(account: &Account, id: Option<&str>) -> Result<FactorId, Refused> {
    let waiting = account.factors.all().iter().filter(|factor| matches!(factor.stage, Stage::Pending(_)));
    let waiting: Vec<FactorId> = waiting.map(|factor| factor.id.clone()).collect();
    match (id, waiting.as_slice()) {
        (Some(id), _) => FactorId::parse(id).filter(|id| waiting.contains(id)).ok_or(Refused::NothingPending),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(Refused::NothingPending),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(FactorId::as_str).collect();
            Err(Refused::SeveralPending(names.join(", ")))
        }
    }
}

fn ended(refusal: Refusal, reference: &str) -> Refused {
    let text = words::farewell(refusal, reference);
    Refused::Ended(text.unwrap_or_else(|| format!("refused: {}", refusal.name())))
}

fn possible(config: &Config) -> String {
    let own = |kind: &&FactorKind| !matches!(kind, FactorKind::Recovery | FactorKind::Bypass);
    config.factors().into_iter().filter(own).map(FactorKind::name).collect::<Vec<_>>().join(", ")
}
