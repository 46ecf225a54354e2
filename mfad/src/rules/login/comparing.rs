//! Comparing and spending: everything that the person has is compared with a guess, and what matched is spent. The caller
//! has claimed a try before, and runs both in the one transaction.

use super::round;
use crate::audit::Kind;
use crate::factor::mailed::Comparison;
use crate::factor::recovery::Writing;
use crate::factor::sealed::Place;
use crate::factor::shape::{Shape, normalised, shape};
use crate::factor::{FactorId, hotp, totp};
use crate::rules::account::{Account, Scope};
use crate::rules::enrolled::Proof;
use crate::rules::news::News;
use crate::rules::policy::{Plan, is_good};
use crate::rules::trust;
use crate::rules::{Context, Ledger};

/// A right proof that is not spent yet. It opens nothing.
pub(super) struct Matched {
    proof: Right,
}

/// What was right.
enum Right {
    Sent(String),
    Totp(FactorId, totp::StepMatch),
    Hotp(FactorId, hotp::CounterMatch),
    Recovery,
    Bypass,
    Outside(String),
}

/// Proof that something was spent in this transaction.
#[derive(Debug, PartialEq, Eq)]
pub struct Spent(Means);

/// What somebody proved themselves by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// A factor of every day.
    Usual,
    /// A code for bad days: a recovery code, or one of an administrator.
    Emergency,
}

impl Spent {
    /// The first code of a factor, spent where it was confirmed.
    pub(in crate::rules) fn by_enrolment() -> Self {
        Spent(Means::Usual)
    }

    /// What it was.
    pub(in crate::rules) fn means(&self) -> Means {
        self.0
    }
}

/// How a guess compared with everything.
pub(super) enum Judged {
    Right(Matched),
    Wrong(Wrong),
}

/// A guess that is none of the person's codes.
#[derive(Default)]
pub(super) struct Wrong {
    /// The factors that it was compared with.
    pub(super) compared: Vec<String>,
    /// Whose code it was, if it had opened a door before.
    pub(super) reused: Option<FactorId>,
    /// Seconds that an app's clock seems to be off.
    pub(super) clock_off: Option<i64>,
    /// A factor whose secret does not open.
    pub(super) tampered: Option<FactorId>,
}

/// Compares a guess with everything that the plan allows. The caller has claimed a try.
pub(super) fn compare(account: &mut Account, context: &Context<'_>, plan: &Plan, typed: &str) -> Judged {
    let mut wrong = Wrong::default();
    let plain = normalised(typed);
    let typed = plain.expose();
    let found = match shape(typed) {
        Shape::Digits(_) => compare_sent(account, context, plan, typed, &mut wrong)
            .or_else(|| compare_apps(account, context, plan, typed, &mut wrong))
            .or_else(|| compare_recovery(account, plan, typed, &mut wrong)),
        Shape::Recovery => compare_recovery(account, plan, typed, &mut wrong)
            .or_else(|| compare_bypass(account, context, plan, typed)),
        Shape::Empty | Shape::Junk | Shape::Other => None,
    };
    match found {
        Some(proof) => Judged::Right(Matched { proof }),
        None => Judged::Wrong(wrong),
    }
}

/// Codes that were sent and are out.
fn compare_sent(
    account: &Account,
    context: &Context<'_>,
    plan: &Plan,
    typed: &str,
    wrong: &mut Wrong,
) -> Option<Right> {
    let user = context.attempt.user.as_str();
    let mut found = None;
    for code in round(account, context)?.codes() {
        let factor = code.channel.factor();
        let judged_outside = context.config.judge(factor).is_some();
        if code.is_expired(context.now) || !plan.sends_to(&code.channel) || judged_outside {
            continue;
        }
        wrong.compared.push(factor.to_owned());
        if code.is(user, typed, context.keys) == Comparison::Same {
            found = Some(Right::Sent(factor.to_owned()));
        }
    }
    found
}

/// Codes of apps and tokens.
fn compare_apps(
    account: &mut Account,
    context: &Context<'_>,
    plan: &Plan,
    typed: &str,
    wrong: &mut Wrong,
) -> Option<Right> {
    let user = context.attempt.user.as_str();
    let seconds = context.now.wall / 1000;
    for factor in account.factors.active_mut() {
        let kind = factor.proof.factor().to_owned();
        if plan.find(&kind).is_none() {
            continue;
        }
        let place = Place { user, factor: &factor.id };
        let (Proof::Totp(totp::Totp { secret: sealed, .. }) | Proof::Hotp(hotp::Hotp { secret: sealed, .. })) =
            &factor.proof
        else {
            continue;
        };
        let Ok(secret) = context.keys.open(&place, sealed) else {
            wrong.tampered = Some(factor.id.clone());
            continue;
        };
        if !wrong.compared.contains(&kind) {
            wrong.compared.push(kind);
        }
        match &mut factor.proof {
            Proof::Totp(totp) => match totp.compare(&secret, typed, seconds, context.config.time.skew) {
                totp::Comparison::Right(step) => return Some(Right::Totp(factor.id.clone(), step)),
                totp::Comparison::Reused => wrong.reused = Some(factor.id.clone()),
                totp::Comparison::Wrong { clock_off } => wrong.clock_off = wrong.clock_off.or(clock_off),
            },
            Proof::Hotp(hotp) => match hotp.compare(&secret, typed) {
                hotp::Comparison::Right(counter) => return Some(Right::Hotp(factor.id.clone(), counter)),
                hotp::Comparison::Reused => wrong.reused = Some(factor.id.clone()),
                hotp::Comparison::Wrong { .. } => {}
            },
            Proof::Contact { .. } => {}
        }
    }
    None
}

/// Recovery codes, of the writing of this text. A right one is used up here.
fn compare_recovery(account: &mut Account, plan: &Plan, typed: &str, wrong: &mut Wrong) -> Option<Right> {
    plan.find("recovery")?;
    let set = account.recovery.as_mut()?;
    let written_so = match set.writing() {
        Writing::Letters => shape(typed) == Shape::Recovery,
        Writing::Digits => shape(typed) == Shape::Digits(8),
    };
    if !written_so {
        return None;
    }
    // Our own have 80 bits: nobody guesses one, so nobody needs a lock that keeps the owner from the last way in.
    if set.writing() == Writing::Digits {
        wrong.compared.push("recovery".to_owned());
    }
    set.spend(typed).map(|_| Right::Recovery)
}

/// Codes of administrators. A right one loses a use here.
fn compare_bypass(account: &mut Account, context: &Context<'_>, plan: &Plan, typed: &str) -> Option<Right> {
    plan.find("bypass")?;
    account.bypasses.iter_mut().find_map(|bypass| bypass.spend(typed, context.now))?;
    account.bypasses.retain(|bypass| is_good(bypass, context));
    Some(Right::Bypass)
}

impl Matched {
    /// What a hook accepted.
    pub(super) fn by_hook(hook: &str) -> Self {
        Matched { proof: Right::Outside(hook.to_owned()) }
    }

    pub(super) fn spend(self, account: &mut Account, context: &Context<'_>, ledger: &mut Ledger) -> Spent {
        let factor = self.proof.factor().to_owned();
        let means = match self.proof {
            Right::Recovery | Right::Bypass => Means::Emergency,
            Right::Totp(..) | Right::Hotp(..) | Right::Sent(_) | Right::Outside(_) => Means::Usual,
        };
        match self.proof {
            Right::Totp(id, step) => {
                if let Some(Proof::Totp(totp)) = account.factors.find_mut(&id).map(|found| &mut found.proof) {
                    step.spend(totp);
                }
            }
            Right::Hotp(id, counter) => {
                if let Some(Proof::Hotp(hotp)) = account.factors.find_mut(&id).map(|found| &mut found.proof) {
                    counter.spend(hotp);
                }
            }
            Right::Recovery => {
                let left = account.recovery.as_ref().map_or(0, |set| set.left());
                ledger.record(context.event(Kind::RecoveryUsed { left }));
                ledger.tell(News::of(format!("A recovery code was used; {left} are left.")));
            }
            Right::Bypass => ledger.tell(News::of("A bypass code of an administrator was used.")),
            Right::Sent(_) | Right::Outside(_) => {}
        }
        // With the round goes the code that was sent, and every other one that is out for this service and place.
        account.forget(&Scope::from(context.attempt));
        account.failures.forgive();
        trust::note_proof(account, context, &factor);
        account.last_login = Some(context.now.wall);
        ledger.record(context.event(Kind::Allowed { factor }));
        Spent(means)
    }
}

impl Right {
    fn factor(&self) -> &str {
        match self {
            Right::Sent(factor) | Right::Outside(factor) => factor,
            Right::Totp(..) => "totp",
            Right::Hotp(..) => "hotp",
            Right::Recovery => "recovery",
            Right::Bypass => "bypass",
        }
    }
}
