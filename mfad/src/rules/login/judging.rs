//! Answers: a try is claimed first, then everything is compared, and what is wrong is counted; all in the one transaction
//! that the caller runs.

use super::comparing::{Judged, Matched, Wrong, compare};
use super::opening::ask;
use super::{Asked, Required, end, refuse, required, round};
use crate::audit::Kind;
use crate::factor::mailed::Channel;
use crate::factor::shape::{Shape, shape};
use crate::rules::account::{Account, Scope};
use crate::rules::grant::{Decision, Grant, Refusal};
use crate::rules::news::News;
use crate::rules::policy::{self, Plan, Purpose, Way};
use crate::rules::round::State;
use crate::rules::{Context, Ledger};

/// What came of an answer.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum Answered {
    /// It is over.
    End(Decision),
    /// Ask again, and say why.
    Again(Asked, Again),
    /// A hook judges it: a try was claimed for that.
    Outside(Outside),
}

/// Why somebody is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// The code is wrong.
    Wrong,
    /// The code was right once, and opened a door then.
    Reused,
}

/// A guess that a hook judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// The hook's name.
    pub hook: String,
    /// The person's contact there.
    pub contact: String,
    /// The factors that the guess was counted against.
    pub counted: Vec<String>,
}

/// Judges one guess.
pub fn answer(
    account: &mut Account,
    context: &Context<'_>,
    asked: &Asked,
    typed: &str,
    ledger: &mut Ledger,
) -> Answered {
    let plan = match required(account, context, ledger) {
        Required::End(decision) => return Answered::End(decision),
        Required::Enrol => return Answered::End(refuse(context, ledger, Refusal::Gone)),
        Required::Prove(plan) => plan,
    };
    if let Some(refusal) = is_gone(account, context, asked, &plan) {
        return Answered::End(refuse(context, ledger, refusal));
    }
    let scope = Scope::from(context.attempt);
    if account.enter(&scope, context.login(), context.now).claim(context.now).is_none() {
        let refusal = Refusal::TriesUsedUp(context.login().throttle.within);
        return Answered::End(refuse(context, ledger, refusal));
    }
    match compare(account, context, &plan, typed) {
        Judged::Right(matched) => {
            Answered::End(Decision::Granted(Grant::from(matched.spend(account, context, ledger))))
        }
        Judged::Wrong(wrong) => match judge_outside(account, context, asked, &wrong, typed) {
            Some(outside) => {
                // Counted before anybody judges it, however many ask the hook at once. A right one makes it good.
                let factors: Vec<&str> = outside.counted.iter().map(String::as_str).collect();
                count_against(account, context, &factors, ledger);
                Answered::Outside(outside)
            }
            None => refute(account, context, asked, &wrong, ledger),
        },
    }
}

/// Decides after a hook has judged a guess that [`answer`] claimed a try for, and counted. The try may have been the last
/// one, and the count the one too many: the guess was within the budget, and is still judged.
pub fn judged_outside(
    account: &mut Account,
    context: &Context<'_>,
    asked: &Asked,
    accepted: Result<(), Refuted>,
    ledger: &mut Ledger,
) -> Answered {
    if account.uid.is_some_and(|bound| bound != context.uid) {
        return Answered::End(refuse(context, ledger, Refusal::UidChanged));
    }
    match accepted {
        // Another connection was let in by it, or the person has it no more.
        Ok(()) if !is_live(account, context, asked) => Answered::End(refuse(context, ledger, Refusal::Gone)),
        Ok(()) => {
            let matched = Matched::by_hook(asked.way.factor());
            Answered::End(Decision::Granted(Grant::from(matched.spend(account, context, ledger))))
        }
        Err(Refuted) => {
            let tries_left = super::tries_left(account, context);
            ledger.record(context.event(Kind::WrongCode { tries_left, clock_off: None }));
            ask_again(account, context, asked, Again::Wrong, ledger)
        }
    }
}

/// Takes a guess back that no hook could judge: nothing was learned from it, and it was not wrong. Its try stays used.
pub fn not_judged(
    account: &mut Account,
    context: &Context<'_>,
    outside: &Outside,
    cause: &str,
    ledger: &mut Ledger,
) {
    account.failures.take_back(&outside.counted);
    ledger.record(context.event(Kind::Fault { cause: cause.to_owned() }));
}

/// Makes a factor the one that is asked for first.
pub fn prefer(account: &mut Account, context: &Context<'_>, factor: &str, ledger: &mut Ledger) {
    account.preferred = Some(factor.to_owned());
    let change = format!("{factor} is asked for first from now on");
    ledger.tell(News::of(format!("{change}.")));
    ledger.record(context.event(Kind::Changed { change, by: context.by }));
}

/// A hook said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refuted;

/// Why a question cannot be answered any more: its code was used or replaced by another connection, or is too old. Where
/// the person has an app, a code of that may still be typed.
fn is_gone(account: &Account, context: &Context<'_>, asked: &Asked, plan: &Plan) -> Option<Refusal> {
    let id = asked.code.as_ref()?;
    if plan.ways.iter().any(|way| !matches!(way, Way::Sent(_))) {
        return None;
    }
    let live =
        round(account, context).filter(|round| round.state(context.login(), context.now) != State::Over);
    match live.and_then(|round| round.code(id)) {
        None => Some(Refusal::Gone),
        Some(code) if code.is_expired(context.now) => Some(Refusal::Expired),
        Some(_) => None,
    }
}

/// The hook that judges what is asked for, unless the text has the shape of another factor.
fn judge_outside(
    account: &Account,
    context: &Context<'_>,
    asked: &Asked,
    wrong: &Wrong,
    typed: &str,
) -> Option<Outside> {
    let (name, contact) = match &asked.way {
        Way::Checked { hook, contact } => (hook, contact),
        Way::Sent(Channel::Hook { name, contact }) => (name, contact),
        _ => return None,
    };
    let judges = context.config.judge(name).is_some();
    let own = judges && shape(typed) != Shape::Recovery && is_live(account, context, asked);
    let counted = wrong.compared.iter().chain([name]).cloned().collect();
    own.then(|| Outside { hook: name.clone(), contact: contact.clone(), counted })
}

/// Whether a hook may still judge what it was asked for: the person has it, and the code that it sent is out.
fn is_live(account: &Account, context: &Context<'_>, asked: &Asked) -> bool {
    let code_is_out = |id| {
        let code = round(account, context).and_then(|round| round.code(id));
        code.is_some_and(|code| !code.is_expired(context.now))
    };
    policy::has(account, context, &asked.way) && asked.code.as_ref().is_none_or(code_is_out)
}

/// What follows from a guess that was none of the codes.
fn refute(
    account: &mut Account,
    context: &Context<'_>,
    asked: &Asked,
    wrong: &Wrong,
    ledger: &mut Ledger,
) -> Answered {
    let tries_left = round(account, context).map_or(0, |round| round.tries_left());
    if let Some(id) = &wrong.tampered {
        ledger.record(context.event(Kind::Tampered { factor: id.to_string() }));
    }
    let why = if let Some(id) = &wrong.reused {
        ledger.record(context.event(Kind::ReusedCode { factor: id.to_string() }));
        Again::Reused
    } else {
        count(account, context, wrong, tries_left, ledger);
        Again::Wrong
    };
    if wrong.tampered.is_some() && wrong.compared.is_empty() {
        return Answered::End(refuse(context, ledger, Refusal::Damaged));
    }
    ask_again(account, context, asked, why, ledger)
}

/// Asks the same question again, unless that was the last try or the question is gone.
fn ask_again(
    account: &mut Account,
    context: &Context<'_>,
    asked: &Asked,
    why: Again,
    ledger: &mut Ledger,
) -> Answered {
    match required(account, context, ledger) {
        Required::End(decision) => Answered::End(decision),
        Required::Enrol => Answered::End(end(context, Refusal::Gone, ledger)),
        Required::Prove(open) if open.find(asked.way.factor()).is_none() => {
            Answered::End(refuse(context, ledger, Refusal::Locked))
        }
        Required::Prove(plan) => {
            let code = asked.code.as_ref().and_then(|id| round(account, context)?.code(id).cloned());
            if asked.code.is_some() && code.is_none() {
                return Answered::End(refuse(context, ledger, Refusal::Gone));
            }
            Answered::Again(ask(account, context, &plan, &asked.way, code.as_ref()), why)
        }
    }
}

/// Counts a wrong code against each factor that it was compared with.
fn count(account: &mut Account, context: &Context<'_>, wrong: &Wrong, tries_left: u32, ledger: &mut Ledger) {
    ledger.record(context.event(Kind::WrongCode { tries_left, clock_off: wrong.clock_off }));
    let factors: Vec<&str> = wrong.compared.iter().map(String::as_str).collect();
    count_against(account, context, &factors, ledger);
}

/// Counts a wrong code that was not typed at a question of this module.
pub(in crate::rules) fn count_wrong(
    account: &mut Account,
    context: &Context<'_>,
    factors: &[&str],
    ledger: &mut Ledger,
) {
    let tries_left = super::tries_left(account, context);
    ledger.record(context.event(Kind::WrongCode { tries_left, clock_off: None }));
    count_against(account, context, factors, ledger);
}

fn count_against(account: &mut Account, context: &Context<'_>, factors: &[&str], ledger: &mut Ledger) {
    let locked = account.failures.count(factors, context.login(), context.now);
    if account.failures.is_suspicious() && context.purpose == Purpose::Login {
        ledger.tell(News::for_security_too(
            "Several wrong codes in a row were typed after your right password or key. If it was not you, somebody \
             knows your password, or has your key: change it.",
        ));
    }
    for factor in locked {
        let failures = context.login().lock_after;
        ledger.tell(News::of(format!("{factor} is locked after {failures} wrong codes in a row.")));
        ledger.record(context.event(Kind::Locked { factor, failures }));
    }
}
