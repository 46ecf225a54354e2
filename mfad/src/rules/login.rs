//! A login, step by step: announce, send, ask, judge, spend. Each step is one function from an account to what happens
//! next, run by the store inside one transaction; it may be run again, so it changes nothing but its arguments.

use std::time::Duration;

use protocol::Secret;

use super::Ledger;
use super::account::{Account, Scope};
use super::attempt::Attempt;
use super::grant::{Decision, Grant, Refusal};
use super::policy::{self, Exemption, KnownAddress, Plan, Requirement};
use super::throttle::{self, Hold};
use crate::address::EmailAddress;
use crate::audit::{Event, Kind};
use crate::config::{Config, OnFailure};
use crate::factor::mailed::{self, Challenge, ChallengeId, CodeKeys, Comparison, Delivery};
use crate::moment::Moment;

/// The same mail may go out again after this long.
pub const RESEND_COOLDOWN: Duration = Duration::from_secs(30);

/// What every step may look at.
pub struct Context<'a> {
    /// The configuration in force when the step began.
    pub config: &'a Config,
    /// The key that is not in the database.
    pub keys: &'a dyn CodeKeys,
    /// The time of the step.
    pub now: Moment,
    /// Who wants in.
    pub attempt: &'a Attempt,
    /// The uid that the name service gave.
    pub uid: u32,
    /// What each configured source knows of the person's address.
    pub known: &'a [KnownAddress],
    /// The login's reference.
    pub reference: &'a str,
}

/// A question that can be answered now.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The challenge behind it.
    pub challenge: ChallengeId,
    /// Where its code went.
    pub address: EmailAddress,
    /// Tries left.
    pub tries_left: u32,
    /// Digits of the code.
    pub digits: u8,
}

/// What a mail is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// The challenge.
    pub challenge: ChallengeId,
    /// Where to.
    pub to: EmailAddress,
    /// The code.
    pub code: Secret,
    /// When the code ends; milliseconds since 1970.
    pub expires: u64,
    /// When it was asked for: the entry in the account's count of mails.
    pub asked: Moment,
}

/// How a login opens.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum Opening {
    /// It is over already.
    End(Decision),
    /// A code will be sent there, once somebody is seen to be there.
    Announce(EmailAddress),
    /// A code is out. Where its mail is not known to be on its way, it must be sent before anybody is asked.
    Ask(Asked, Option<Letter>),
}

/// What came of asking for the mail again.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum Resend {
    /// Send this.
    Send(Letter),
    /// Not yet.
    TooSoon(Duration),
    /// Not now, for all mails together.
    Capped(Duration),
    /// There is nothing to send.
    End(Decision),
}

/// What came of an answer.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum Answered {
    /// It is over.
    End(Decision),
    /// Wrong; ask again.
    Again(Asked),
}

/// A right code that is not spent yet. It opens nothing.
struct Matched<'a> {
    account: &'a mut Account,
    scope: Scope,
}

/// Proof that the code was spent in this transaction.
#[derive(Debug, PartialEq, Eq)]
pub struct Spent(());

impl Matched<'_> {
    fn spend(self, now: Moment) -> Spent {
        self.account.forget(&self.scope);
        self.account.failures.forgive();
        self.account.last_login = Some(now.wall);
        Spent(())
    }
}

/// Begins a login, or finds its live code again. No mail follows from this alone: whether somebody is there to read is
/// known after the announcement.
pub fn begin(account: &mut Account, context: &Context<'_>, ledger: &mut Ledger) -> Opening {
    let plan = match required(account, context, ledger) {
        Ok(plan) => plan,
        Err(decision) => return Opening::End(decision),
    };
    match live(account, context) {
        Live::Code(asked) if is_delivered(account, context) => Opening::Ask(asked, None),
        // It is being sent now, or the daemon died while it was.
        Live::Code(asked) => Opening::Announce(asked.address),
        Live::UsedUp(wait) => Opening::End(refuse(context, ledger, Refusal::TriesUsedUp(wait))),
        Live::None => match mail_wait(account, context) {
            Some(wait) => Opening::End(refuse(context, ledger, Refusal::MailCap(wait))),
            None => Opening::Announce(plan.address),
        },
    }
}

/// Makes the code that was announced, unless another connection has made one meanwhile; then its mail may still have to be
/// sent.
pub fn send(
    account: &mut Account,
    context: &Context<'_>,
    fresh: &ChallengeId,
    ledger: &mut Ledger,
) -> Opening {
    let address = match begin(account, context, ledger) {
        Opening::Announce(address) => address,
        other => return other,
    };
    if let Live::Code(asked) = live(account, context) {
        return match count_again(account, context) {
            Ok(()) => Opening::Ask(asked, first_letter(account, context)),
            Err(refusal) => Opening::End(refuse(context, ledger, refusal)),
        };
    }
    let (login, email) = (&context.config.login, &context.config.email);
    let terms = mailed::Terms {
        digits: email.digits,
        lifetime: email.lifetime,
        tries: login.tries,
        address: &address,
    };
    let user = context.attempt.user.as_str();
    let challenge = Challenge::open(fresh.clone(), user, &terms, context.keys, context.now);
    let asked = asked(&challenge);
    account.mails.push(context.now);
    account.uid.get_or_insert(context.uid);
    account.keep(Scope::from(context.attempt), challenge);
    Opening::Ask(asked, first_letter(account, context))
}

fn is_delivered(account: &Account, context: &Context<'_>) -> bool {
    let live = account.challenge(&Scope::from(context.attempt));
    live.is_some_and(|live| live.delivery == Delivery::Done)
}

/// The mail of the live challenge, as it was counted last.
fn first_letter(account: &Account, context: &Context<'_>) -> Option<Letter> {
    let live = account.challenge(&Scope::from(context.attempt))?;
    letter(account, context, &live.id.clone())
}

/// Counts a mail that goes out for a code that is there already. The first one was counted when the code was made; it is
/// counted again, and capped, if it was given back because no courier took it.
fn count_again(account: &mut Account, context: &Context<'_>) -> Result<(), Refusal> {
    let wait = mail_wait(account, context);
    let Some(live) = account.challenge_mut(&Scope::from(context.attempt)) else {
        return Err(Refusal::Gone);
    };
    if live.delivery != Delivery::Owed {
        return Ok(());
    }
    if let Some(wait) = wait {
        return Err(Refusal::MailCap(wait));
    }
    live.delivery = Delivery::Pending;
    live.last_sent = context.now;
    account.mails.push(context.now);
    Ok(())
}

/// The mail of a challenge that is out; none if it is gone.
fn letter(account: &Account, context: &Context<'_>, challenge: &ChallengeId) -> Option<Letter> {
    let live = account.challenge(&Scope::from(context.attempt))?;
    (live.id == *challenge && !live.is_used_up()).then(|| Letter {
        challenge: live.id.clone(),
        to: live.address.clone(),
        code: live.code(context.attempt.user.as_str(), context.keys),
        expires: live.expires(),
        asked: live.last_sent,
    })
}

/// Sends the same code again, not more often than the cooldown and the caps allow.
pub fn resend(
    account: &mut Account,
    context: &Context<'_>,
    challenge: &ChallengeId,
    ledger: &mut Ledger,
) -> Resend {
    let Some(letter) = letter(account, context, challenge) else {
        return Resend::End(refuse(context, ledger, Refusal::Gone));
    };
    if let Some(wait) = mail_wait(account, context) {
        return Resend::Capped(wait);
    }
    let Some(live) = account.challenge_mut(&Scope::from(context.attempt)) else {
        return Resend::End(refuse(context, ledger, Refusal::Gone));
    };
    let passed = context.now.at_least_since(live.last_sent);
    if passed < RESEND_COOLDOWN {
        return Resend::TooSoon(RESEND_COOLDOWN.saturating_sub(passed));
    }
    live.last_sent = context.now;
    account.mails.push(context.now);
    Resend::Send(Letter { asked: context.now, ..letter })
}

/// Notes that a courier has the mail.
pub fn sent(account: &mut Account, context: &Context<'_>, letter: &Letter, by: &str, ledger: &mut Ledger) {
    if let Some(live) = account.challenge_mut(&Scope::from(context.attempt))
        && live.id == letter.challenge
    {
        live.delivery = Delivery::Done;
    }
    let kind = Kind::CodeSent { address: letter.to.masked(), by: by.to_owned() };
    ledger.record(Event::of_login(context.attempt, context.reference, kind));
}

/// Notes that nobody knows whether a courier has the mail. It stays counted; the next attempt sends the same code again.
pub fn sent_in_doubt(
    account: &mut Account,
    context: &Context<'_>,
    challenge: &ChallengeId,
    cause: &str,
    ledger: &mut Ledger,
) {
    if let Some(live) = account.challenge_mut(&Scope::from(context.attempt))
        && live.id == *challenge
    {
        live.delivery = Delivery::Owed;
    }
    let kind = Kind::CodeNotSent { cause: cause.to_owned() };
    ledger.record(Event::of_login(context.attempt, context.reference, kind));
}

/// A mail that no courier took.
pub struct Undelivered<'a> {
    /// The mail.
    pub letter: &'a Letter,
    /// What kind of failure it is.
    pub failure: MailFailure,
    /// Why, and what to do.
    pub cause: &'a str,
}

/// Whether a failed delivery may count as "mail is down" where the site opens the door for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailFailure {
    /// Mail is down: no relay answers.
    Down,
    /// Anything that somebody could bring about, or a wrong setting: never a reason to open.
    Untrusted,
}

/// Decides after no courier took the mail. The code stays: the next attempt sends the same one.
pub fn not_sent(
    account: &mut Account,
    context: &Context<'_>,
    undelivered: &Undelivered<'_>,
    ledger: &mut Ledger,
) -> Decision {
    let went_out_before = is_delivered(account, context);
    note_not_sent(account, context, undelivered, ledger);
    if let Some(live) = account.challenge_mut(&Scope::from(context.attempt))
        && live.id == undelivered.letter.challenge
        && live.delivery == Delivery::Pending
    {
        live.delivery = Delivery::Owed;
    }
    let opens = context.config.email.on_failure == OnFailure::Bypass
        && undelivered.failure == MailFailure::Down
        && !went_out_before
        && context.uid != 0;
    if !opens {
        return refuse(context, ledger, Refusal::NotSent);
    }
    let exemption = Exemption::mail_failed();
    let kind = Kind::Opened { rule: exemption.rule(), cause: undelivered.cause.to_owned() };
    ledger.record(Event::of_login(context.attempt, context.reference, kind));
    Decision::Granted(Grant::from(exemption))
}

/// Notes that no courier took a mail, and gives it back to the person's count of mails.
pub fn note_not_sent(
    account: &mut Account,
    context: &Context<'_>,
    undelivered: &Undelivered<'_>,
    ledger: &mut Ledger,
) {
    if let Some(counted) = account.mails.iter().position(|sent| *sent == undelivered.letter.asked) {
        account.mails.remove(counted);
    }
    let kind = Kind::CodeNotSent { cause: undelivered.cause.to_owned() };
    ledger.record(Event::of_login(context.attempt, context.reference, kind));
}

/// Judges one guess. It is counted, and a right code is spent, in the same transaction.
pub fn answer(
    account: &mut Account,
    context: &Context<'_>,
    challenge: &ChallengeId,
    typed: &str,
    ledger: &mut Ledger,
) -> Answered {
    if let Err(decision) = required(account, context, ledger) {
        return Answered::End(decision);
    }
    let scope = Scope::from(context.attempt);
    let Some(live) = account.challenge_mut(&scope).filter(|live| live.id == *challenge) else {
        return Answered::End(refuse(context, ledger, Refusal::Gone));
    };
    let user = context.attempt.user.as_str();
    let code = mailed::normalised(typed);
    match live.compare(user, code.expose(), context.keys, context.now) {
        Comparison::Right => {
            let spent = Matched { account, scope }.spend(context.now);
            let kind = Kind::Allowed { factor: "email" };
            ledger.record(Event::of_login(context.attempt, context.reference, kind));
            Answered::End(Decision::Granted(Grant::from(spent)))
        }
        Comparison::Wrong(tries_left) => wrong(account, context, tries_left, ledger),
        Comparison::Expired => {
            account.forget(&scope);
            Answered::End(refuse(context, ledger, Refusal::Expired))
        }
        Comparison::UsedUp => {
            let wait = context.config.login.throttle.within;
            Answered::End(refuse(context, ledger, Refusal::TriesUsedUp(wait)))
        }
    }
}

/// Ends a login without a judgement.
pub fn end(context: &Context<'_>, refusal: Refusal, ledger: &mut Ledger) -> Decision {
    refuse(context, ledger, refusal)
}

fn wrong(account: &mut Account, context: &Context<'_>, tries_left: u32, ledger: &mut Ledger) -> Answered {
    let login = &context.config.login;
    account.failures.count(login, context.now);
    let kind = Kind::WrongCode { tries_left };
    ledger.record(Event::of_login(context.attempt, context.reference, kind));
    match account.failures.hold(login, context.now) {
        Some(Hold::Locked) => {
            let kind = Kind::Locked { failures: account.failures.consecutive };
            ledger.record(Event::of_login(context.attempt, context.reference, kind));
            Answered::End(refuse(context, ledger, Refusal::Locked))
        }
        Some(Hold::Throttled(wait)) => Answered::End(refuse(context, ledger, Refusal::Throttled(wait))),
        None => match live(account, context) {
            Live::Code(asked) => Answered::Again(asked),
            Live::UsedUp(wait) => Answered::End(refuse(context, ledger, Refusal::TriesUsedUp(wait))),
            Live::None => Answered::End(refuse(context, ledger, Refusal::Expired)),
        },
    }
}

/// What the policy and the throttle say, before any code is looked at.
fn required(account: &Account, context: &Context<'_>, ledger: &mut Ledger) -> Result<Plan, Decision> {
    match policy::decide(context.config, account, context.uid, context.known, context.now) {
        Requirement::Exempt(exemption) => {
            let kind = Kind::Exempted { rule: exemption.rule() };
            ledger.record(Event::of_login(context.attempt, context.reference, kind));
            Err(Decision::Granted(Grant::from(exemption)))
        }
        Requirement::Refuse(refusal) => Err(refuse(context, ledger, refusal)),
        Requirement::Prove(plan) => match account.failures.hold(&context.config.login, context.now) {
            None => Ok(plan),
            Some(Hold::Locked) => Err(refuse(context, ledger, Refusal::Locked)),
            Some(Hold::Throttled(wait)) => Err(refuse(context, ledger, Refusal::Throttled(wait))),
        },
    }
}

enum Live {
    Code(Asked),
    UsedUp(Duration),
    None,
}

/// The code of this scope: usable, used up and waiting, or none worth keeping.
fn live(account: &Account, context: &Context<'_>) -> Live {
    let login = &context.config.login;
    let Some(challenge) = account.challenge(&Scope::from(context.attempt)) else {
        return Live::None;
    };
    if challenge.is_used_up() {
        return match challenge.wait_after_use(login.throttle.within, context.now) {
            Some(wait) => Live::UsedUp(wait),
            None => Live::None,
        };
    }
    let resumes = context.now.at_most_since(challenge.opened) <= login.resume_window;
    if challenge.is_expired(context.now) || !resumes { Live::None } else { Live::Code(asked(challenge)) }
}

fn asked(challenge: &Challenge) -> Asked {
    Asked {
        challenge: challenge.id.clone(),
        address: challenge.address.clone(),
        tries_left: challenge.tries_left(),
        digits: challenge.digits(),
    }
}

fn mail_wait(account: &mut Account, context: &Context<'_>) -> Option<Duration> {
    throttle::mail_wait(&mut account.mails, &context.config.email.per_user, context.now)
}

fn refuse(context: &Context<'_>, ledger: &mut Ledger, why: Refusal) -> Decision {
    ledger.record(Event::of_login(context.attempt, context.reference, Kind::Refused { why }));
    Decision::Refused(why)
}
