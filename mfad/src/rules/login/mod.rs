//! A login, step by step: announce, send, ask, judge, spend. Each step is one function from an account to what happens
//! next, run by the store inside one transaction; it may be run again, so it changes nothing but its arguments.
//!
//! [`opening`] which way is asked for · [`sending`] codes on their way · [`judging`] answers · [`comparing`] a guess with
//! what the person has · [`appended`] a code that came along with the password.

mod appended;
mod comparing;
mod judging;
mod opening;
mod sending;

use std::time::Duration;

use protocol::Secret;

pub use appended::{Appended, appended, shapes};
pub use comparing::{Means, Spent};
pub(super) use judging::count_wrong;
pub use judging::{Again, Answered, Outside, Refuted, answer, judged_outside, not_judged, prefer};
pub(super) use opening::code_for;
pub use opening::{After, begin, choose, fall_back, send};
pub use sending::{MailFailure, Resend, Undelivered, not_sent, note_not_sent, resend, sent, sent_in_doubt};

use super::account::{Account, Scope};
use super::grant::{Decision, Grant, Refusal};
use super::policy::{self, Plan, Requirement, Way};
use super::round::{Round, State};
use super::{Context, Ledger};
use crate::audit::Kind;
use crate::factor::mailed::{ChallengeId, Channel};
use crate::moment::Moment;

/// The same code may go out again after this long.
pub const RESEND_COOLDOWN: Duration = Duration::from_secs(30);

/// A question that can be answered now.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// What it asks for.
    pub way: Way,
    /// The sent code behind it, if it asks for one.
    pub code: Option<ChallengeId>,
    /// Tries left.
    pub tries_left: u32,
    /// How many digits a code can have.
    pub digits: Vec<u8>,
    /// Every way that is open, this one among them.
    pub ways: Vec<Way>,
}

/// A code to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// Names the code.
    pub challenge: ChallengeId,
    /// Which way, and where to.
    pub channel: Channel,
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
    Announce(Channel),
    /// Ask. Where a code is not known to be on its way, it must be sent before anybody is asked.
    Ask(Box<Asked>, Option<Box<Letter>>),
    /// The person has no factor, and may enrol one.
    Enrol,
}

/// Ends a login without a judgement.
pub fn end(context: &Context<'_>, refusal: Refusal, ledger: &mut Ledger) -> Decision {
    refuse(context, ledger, refusal)
}

/// The ways that are open; else how the login ends, before any code is looked at.
enum Required {
    Prove(Plan),
    Enrol,
    End(Decision),
}

/// What the policy and the throttle say.
fn required(account: &Account, context: &Context<'_>, ledger: &mut Ledger) -> Required {
    match policy::decide(account, context) {
        Requirement::Exempt(exemption) => {
            ledger.record(context.event(Kind::Exempted { rule: exemption.rule().to_owned() }));
            Required::End(Decision::Granted(Grant::from(exemption)))
        }
        Requirement::DryRun(exemption, would) => {
            let rule = exemption.rule().to_owned();
            ledger.record(context.event(Kind::TriedOut { rule, would: would.text() }));
            Required::End(Decision::Granted(Grant::from(exemption)))
        }
        Requirement::Refuse(refusal) => Required::End(refuse(context, ledger, refusal)),
        Requirement::Enrol => match throttled(account, context) {
            None => Required::Enrol,
            Some(refusal) => Required::End(refuse(context, ledger, refusal)),
        },
        Requirement::Prove(plan) => match throttled(account, context) {
            None => Required::Prove(plan),
            Some(refusal) => Required::End(refuse(context, ledger, refusal)),
        },
    }
}

/// Why no guess is looked at now, if none is.
pub(super) fn throttled(account: &Account, context: &Context<'_>) -> Option<Refusal> {
    let login = context.login();
    if let Some(wait) = account.failures.throttled(&login.throttle, context.now) {
        return Some(Refusal::Throttled(wait));
    }
    match round(account, context).map(|round| round.state(login, context.now)) {
        Some(State::UsedUp(wait)) => Some(Refusal::TriesUsedUp(wait)),
        Some(State::Open | State::Over) | None => None,
    }
}

/// Takes one try, for a guess that is not made at a question of this module.
pub(super) fn claim(account: &mut Account, context: &Context<'_>) -> Result<(), Refusal> {
    if let Some(refusal) = throttled(account, context) {
        return Err(refusal);
    }
    let round = account.enter(&Scope::from(context.attempt), context.login(), context.now);
    let claimed = round.claim(context.now).map(drop);
    claimed.ok_or(Refusal::TriesUsedUp(context.login().throttle.within))
}

/// Tries left in this login's round.
pub(super) fn tries_left(account: &Account, context: &Context<'_>) -> u32 {
    round(account, context).map_or(context.login().tries, Round::tries_left)
}

/// The round of this login's service and place.
fn round<'a>(account: &'a Account, context: &Context<'_>) -> Option<&'a Round> {
    account.round(&Scope::from(context.attempt))
}

fn refuse(context: &Context<'_>, ledger: &mut Ledger, why: Refusal) -> Decision {
    ledger.record(context.event(Kind::Refused { why }));
    Decision::Refused(why)
}
