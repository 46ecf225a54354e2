//! Enrolment: started, pending, confirmed by a code. The same steps serve `mfactl enrol` and a person at a login who has
//! no factor yet.

use protocol::Secret;
use zeroize::Zeroizing;

use super::account::{Account, Scope};
use super::enrolled::{Proof, Stage};
use super::grant::{Decision, Refusal};
use super::login::{self, Letter, Spent};
use super::news::News;
use super::policy::{self, Purpose, Requirement};
use super::{Context, Ledger};
use crate::address::EmailAddress;
use crate::audit::Kind;
use crate::factor::FactorId;
use crate::factor::hotp::{self, Hotp};
use crate::factor::mailed::{ChallengeId, Channel, Comparison};
use crate::factor::oath::{Algorithm, Digits};
use crate::factor::otpauth;
use crate::factor::recovery::{CODES, RecoverySet};
use crate::factor::sealed::Place;
use crate::factor::totp::{self, StepLength, Totp};

/// Bytes of a new secret (RFC 4226, 4 R6 recommends 160 bits).
pub const SECRET_BYTES: usize = 20;

/// What somebody wants to enrol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// An app that counts time.
    Totp(Algorithm, Digits, StepLength),
    /// An app or token that counts uses.
    Hotp(Digits),
    /// An address that codes are mailed to.
    Email(EmailAddress),
    /// A contact that a hook reaches.
    Hook(String, String),
    /// A hook that judges by itself, and what it needs to know of the person: nothing here can confirm it, so an
    /// administrator's word does.
    Judged(String, String),
}

/// Random bytes for a start.
#[derive(Clone)]
pub struct Seed {
    /// The secret of an app.
    pub secret: Zeroizing<[u8; SECRET_BYTES]>,
    /// The nonce that it is sealed with.
    pub nonce: [u8; 24],
    /// Names a code that is sent.
    pub code: ChallengeId,
}

/// Random bytes for a set of recovery codes.
#[derive(Clone)]
pub struct RecoverySeed {
    /// The codes.
    pub codes: [[u8; 10]; CODES],
    /// The salt of their digests.
    pub salt: [u8; 16],
}

/// An enrolment that waits for its code.
#[derive(Debug, PartialEq)]
pub struct Started {
    /// Names it.
    pub id: FactorId,
    /// What goes into the app.
    pub key: Option<Key>,
    /// A code to be sent, to prove that the contact is the person's.
    pub letter: Option<Letter>,
}

/// The key of an app, as it is shown.
#[derive(Debug, PartialEq)]
pub struct Key {
    /// In base 32.
    pub secret: Secret,
    /// For apps that take one: <https://github.com/google/google-authenticator/wiki/Key-Uri-Format>.
    pub uri: Secret,
}

/// Why nothing was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotStarted {
    /// There are as many as there may be.
    #[error("there are 16 factors already. Remove one first")]
    TooMany,
    /// The account's pending secret does not open.
    #[error("a stored secret does not open; the log has the cause")]
    Tampered,
    /// The person has a factor meanwhile, or the ticket is gone.
    #[error("this enrolment is not open any more")]
    Closed,
    /// Too many codes were sent.
    #[error("too many codes were sent lately. Try again later")]
    MailCap,
}

/// What came of a confirmation.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum Confirmed {
    /// It is active; and the new recovery codes, where the person had none.
    Active(Spent, Vec<Secret>),
    /// The code is wrong; so many tries are left.
    Wrong(u32),
    /// Nothing waits under this id.
    Unknown,
    /// Not now.
    Refused(Decision),
}

/// Starts an enrolment; it replaces one of the same kind that waits. At a login, the key that waits is shown again to the
/// service and place that it was shown to, so that who was cut off goes on with what is in the app already. Nobody else sees
/// it: it could be copied.
///
/// # Errors
/// [`NotStarted`].
pub fn start(
    account: &mut Account,
    context: &Context<'_>,
    wish: &Wish,
    seed: &Seed,
    ledger: &mut Ledger,
) -> Result<Started, NotStarted> {
    account.factors.forget_stale(context.now);
    if !is_open(account, context) {
        return Err(NotStarted::Closed);
    }
    match wish {
        Wish::Totp(..) | Wish::Hotp(_) => app(account, context, wish, seed),
        Wish::Email(address) => {
            let proof = Proof::Contact { hook: "email".to_owned(), contact: address.to_string() };
            contact(account, context, proof, Channel::Email(address.clone()), seed)
        }
        Wish::Hook(name, to) => {
            let proof = Proof::Contact { hook: name.clone(), contact: to.clone() };
            let channel = Channel::Hook { name: name.clone(), contact: to.clone() };
            contact(account, context, proof, channel, seed)
        }
        Wish::Judged(name, to) => {
            let proof = Proof::Contact { hook: name.clone(), contact: to.clone() };
            let id = account.factors.next_id(name);
            let stage = Stage::Active(context.now.wall);
            account.factors.add(id.clone(), proof, stage).map_err(|_| NotStarted::TooMany)?;
            account.uid.get_or_insert(context.uid);
            super::change::note_and_tell(context, &format!("{id} was enrolled by an administrator"), ledger);
            Ok(Started { id, key: None, letter: None })
        }
    }
}

/// An enrolment at a login is for people without a factor, from its first step to its last: what was true when it began
/// may not be true any more. Others are let in by what entitled them.
fn is_open(account: &Account, context: &Context<'_>) -> bool {
    context.purpose != Purpose::Login || policy::decide(account, context) == Requirement::Enrol
}

fn app(
    account: &mut Account,
    context: &Context<'_>,
    wish: &Wish,
    seed: &Seed,
) -> Result<Started, NotStarted> {
    let user = context.attempt.user.as_str();
    let kind = if matches!(wish, Wish::Hotp(_)) { "hotp" } else { "totp" };
    let waiting = account.factors.all().iter().find(|factor| {
        let here = Some(Scope::from(context.attempt));
        matches!(factor.stage, Stage::Pending(_))
            && context.purpose == Purpose::Login
            && factor.shown_to == here
            && wish.fits(&factor.proof)
    });
    if let Some(waiting) = waiting {
        let sealed = waiting.proof.sealed().ok_or(NotStarted::Tampered)?;
        let place = Place { user, factor: &waiting.id };
        let secret = context.keys.open(&place, sealed).map_err(|_| NotStarted::Tampered)?;
        let key = key(context, &waiting.proof, &secret);
        return Ok(Started { id: waiting.id.clone(), key: Some(key), letter: None });
    }
    let id = account.factors.next_id(kind);
    let sealed = context.keys.seal(&Place { user, factor: &id }, &*seed.secret, seed.nonce);
    let proof = match *wish {
        Wish::Totp(algorithm, digits, step) => Proof::Totp(Totp::new(sealed, algorithm, digits, step)),
        Wish::Hotp(digits) => Proof::Hotp(Hotp::new(sealed, Algorithm::Sha1, digits, 0)),
        Wish::Email(_) | Wish::Hook(..) | Wish::Judged(..) => return Err(NotStarted::Tampered),
    };
    let key = key(context, &proof, &*seed.secret);
    let stage = Stage::Pending(context.now);
    account.factors.add(id.clone(), proof, stage).map_err(|_| NotStarted::TooMany)?;
    if let Some(added) = account.factors.find_mut(&id).filter(|_| context.purpose == Purpose::Login) {
        added.shown_to = Some(Scope::from(context.attempt));
    }
    account.uid.get_or_insert(context.uid);
    Ok(Started { id, key: Some(key), letter: None })
}

fn key(context: &Context<'_>, proof: &Proof, secret: &[u8]) -> Key {
    let label = otpauth::Label { host: context.host, user: context.attempt.user.as_str() };
    let uri = match proof {
        Proof::Hotp(hotp) => otpauth::hotp(&label, secret, hotp),
        Proof::Totp(totp) => otpauth::totp(&label, secret, totp),
        Proof::Contact { .. } => Secret::new(String::new()),
    };
    Key { secret: otpauth::base32(secret), uri }
}

fn contact(
    account: &mut Account,
    context: &Context<'_>,
    proof: Proof,
    channel: Channel,
    seed: &Seed,
) -> Result<Started, NotStarted> {
    let letter = login::code_for(account, context, &channel, &seed.code).map_err(|_| NotStarted::MailCap)?;
    let id = account.factors.next_id(proof.factor());
    let stage = Stage::Pending(context.now);
    account.factors.add(id.clone(), proof, stage).map_err(|_| NotStarted::TooMany)?;
    account.uid.get_or_insert(context.uid);
    Ok(Started { id, key: None, letter: Some(letter) })
}

/// Why a ticket does not open an enrolment.
#[derive(Debug, PartialEq)]
pub enum Shown {
    /// It is wrong; so many tries are left.
    Wrong(u32),
    /// Not now.
    Refused(Decision),
}

/// Looks at a ticket. It is used up when the enrolment is confirmed, so that who is cut off can show it again.
///
/// # Errors
/// [`Shown`].
pub fn show_ticket(
    account: &mut Account,
    context: &Context<'_>,
    typed: &str,
    ledger: &mut Ledger,
) -> Result<(), Shown> {
    if let Err(refusal) = login::claim(account, context) {
        return Err(Shown::Refused(login::end(context, refusal, ledger)));
    }
    let right = account.ticket.clone().is_some_and(|mut ticket| ticket.spend(typed, context.now).is_some());
    if right {
        account.forget(&Scope::from(context.attempt));
        let change = "an enrolment ticket was accepted".to_owned();
        ledger.record(context.event(Kind::Changed { change, by: context.by }));
        return Ok(());
    }
    login::count_wrong(account, context, &["ticket"], ledger);
    match login::throttled(account, context) {
        Some(refusal) => Err(Shown::Refused(login::end(context, refusal, ledger))),
        None => Err(Shown::Wrong(login::tries_left(account, context))),
    }
}

/// The first code of a pending factor.
#[derive(Clone, Copy)]
pub struct FirstCode<'a> {
    /// Whose.
    pub id: &'a FactorId,
    /// What was typed.
    pub typed: &'a str,
}

/// Confirms an enrolment by its first code. A try is claimed before anything is compared, and the code is spent.
pub fn confirm(
    account: &mut Account,
    context: &Context<'_>,
    FirstCode { id, typed }: FirstCode<'_>,
    seed: &RecoverySeed,
    ledger: &mut Ledger,
) -> Confirmed {
    account.factors.forget_stale(context.now);
    let pending = |account: &Account| {
        account.factors.find(id).is_some_and(|factor| matches!(factor.stage, Stage::Pending(_)))
    };
    if !pending(account) {
        return Confirmed::Unknown;
    }
    if !is_open(account, context) {
        return Confirmed::Refused(login::end(context, Refusal::Gone, ledger));
    }
    if let Err(refusal) = login::claim(account, context) {
        return Confirmed::Refused(login::end(context, refusal, ledger));
    }
    match first_code(account, context, id, typed) {
        Ok(true) => {}
        Ok(false) => return wrong(account, context, id, ledger),
        Err(Refusal::Damaged) => {
            ledger.record(context.event(Kind::Tampered { factor: id.to_string() }));
            return Confirmed::Refused(login::end(context, Refusal::Damaged, ledger));
        }
        Err(refusal) => return Confirmed::Refused(login::end(context, refusal, ledger)),
    }
    let kind = account.factors.find(id).map(|factor| factor.proof.factor().to_owned()).unwrap_or_default();
    activate(account, context, id, ledger);
    if context.purpose == Purpose::Login {
        account.last_login = Some(context.now.wall);
        ledger.record(context.event(Kind::Allowed { factor: kind }));
    }
    account.forget(&Scope::from(context.attempt));
    account.failures.forgive();
    Confirmed::Active(Spent::by_enrolment(), first_recovery(account, context, seed, ledger))
}

/// Compares the first code of a pending factor, and spends it if it is right.
fn first_code(
    account: &mut Account,
    context: &Context<'_>,
    id: &FactorId,
    typed: &str,
) -> Result<bool, Refusal> {
    let user = context.attempt.user.as_str();
    let code = crate::factor::shape::normalised(typed);
    let typed = code.expose();
    let round = account.round(&Scope::from(context.attempt)).cloned();
    let Some(factor) = account.factors.find_mut(id) else { return Err(Refusal::Gone) };
    let open = |sealed| context.keys.open(&Place { user, factor: id }, sealed).map_err(|_| Refusal::Damaged);
    match &mut factor.proof {
        Proof::Totp(totp) => {
            let secret = open(&totp.secret)?;
            match totp.compare(&secret, typed, context.now.wall / 1000, context.config.time.skew) {
                totp::Comparison::Right(step) => {
                    step.spend(totp);
                    Ok(true)
                }
                totp::Comparison::Reused | totp::Comparison::Wrong { .. } => Ok(false),
            }
        }
        Proof::Hotp(hotp) => {
            let secret = open(&hotp.secret)?;
            match hotp.compare(&secret, typed) {
                hotp::Comparison::Right(counter) => {
                    counter.spend(hotp);
                    Ok(true)
                }
                hotp::Comparison::Reused | hotp::Comparison::Wrong { .. } => Ok(false),
            }
        }
        Proof::Contact { hook, contact } => {
            let round = round.ok_or(Refusal::Gone)?;
            // Not one that went elsewhere: an address in use does not confirm another.
            let sent = round.codes().iter().find(|code| code.channel.is(hook, contact));
            let sent = sent.ok_or(Refusal::Gone)?;
            if sent.is_expired(context.now) {
                return Err(Refusal::Expired);
            }
            Ok(sent.is(user, typed, context.keys) == Comparison::Same)
        }
    }
}

fn wrong(account: &mut Account, context: &Context<'_>, id: &FactorId, ledger: &mut Ledger) -> Confirmed {
    let kind = account.factors.find(id).map(|factor| factor.proof.factor().to_owned()).unwrap_or_default();
    login::count_wrong(account, context, &[&kind], ledger);
    match login::throttled(account, context) {
        Some(refusal) => Confirmed::Refused(login::end(context, refusal, ledger)),
        None => Confirmed::Wrong(login::tries_left(account, context)),
    }
}

fn activate(account: &mut Account, context: &Context<'_>, id: &FactorId, ledger: &mut Ledger) {
    let Some(factor) = account.factors.find_mut(id) else { return };
    factor.stage = Stage::Active(context.now.wall);
    let mail = match &factor.proof {
        Proof::Contact { hook, contact } if hook == "email" => EmailAddress::parse(contact).ok(),
        _ => None,
    };
    if let Some(address) = mail {
        account.factors.remove(id);
        account.set_email(Some(address));
        account.email_confirmed = Some(context.now.wall);
    }
    account.ticket = None;
    let change = format!("{id} was enrolled and confirmed");
    ledger.tell(News::for_security_too(format!("{change}.")));
    ledger.record(context.event(Kind::Changed { change, by: context.by }));
}

/// The first recovery codes of a person who has an app now.
fn first_recovery(
    account: &mut Account,
    context: &Context<'_>,
    seed: &RecoverySeed,
    ledger: &mut Ledger,
) -> Vec<Secret> {
    let allowed = context.login().factors.contains(&crate::config::FactorKind::Recovery);
    let has_some = account.recovery.as_ref().is_some_and(|set| set.left() > 0);
    let has_own = account.factors.active().next().is_some();
    if !allowed || has_some || !has_own {
        return Vec::new();
    }
    new_recovery(account, context, seed, ledger)
}

/// A new set of recovery codes; the old ones end.
pub fn new_recovery(
    account: &mut Account,
    context: &Context<'_>,
    seed: &RecoverySeed,
    ledger: &mut Ledger,
) -> Vec<Secret> {
    let (set, codes) = RecoverySet::make(&seed.codes, seed.salt);
    account.recovery = Some(set);
    let change = "new recovery codes were made".to_owned();
    ledger.tell(News::of(format!("{change}; old ones are void.")));
    ledger.record(context.event(Kind::Changed { change, by: context.by }));
    codes
}

/// Takes a factor away; and what was preferred with it. Answers whether there was one.
pub fn remove(
    account: &mut Account,
    context: &Context<'_>,
    id: &FactorId,
    ledger: &mut Ledger,
) -> Option<()> {
    let gone = account.factors.remove(id)?;
    let kind = gone.proof.factor();
    if account.preferred.as_deref() == Some(kind)
        && !account.factors.active().any(|left| left.proof.factor() == kind)
    {
        account.preferred = None;
    }
    let change = format!("{id} was removed");
    ledger.tell(News::for_security_too(format!("{change}.")));
    ledger.record(context.event(Kind::Changed { change, by: context.by }));
    Some(())
}

impl Wish {
    /// Whether a pending proof is what is wished for.
    fn fits(&self, proof: &Proof) -> bool {
        match (self, proof) {
            (Wish::Totp(algorithm, digits, step), Proof::Totp(totp)) => {
                totp.algorithm == *algorithm && totp.digits == *digits && totp.step == *step
            }
            (Wish::Hotp(digits), Proof::Hotp(hotp)) => hotp.digits == *digits && hotp.counter() == 0,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
