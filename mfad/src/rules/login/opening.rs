//! Which way is asked for: the preferred one, the one that the person chose in the menu, or the next where one fails.

use super::sending::{self, letter};
use super::{Asked, Letter, Opening, Required, refuse, required, round};
use crate::config::{FactorKind, Hook, HookProof, OnFailure};
use crate::factor::mailed::{ChallengeId, Channel, Delivery, SentCode, Terms};
use crate::factor::recovery::Writing;
use crate::rules::account::{Account, Scope};
use crate::rules::enrolled::Proof;
use crate::rules::grant::{Decision, Grant, Refusal};
use crate::rules::policy::{self, Plan, Requirement, Way};
use crate::rules::round::State;
use crate::rules::trust::{self, Recognised};
use crate::rules::{Context, Ledger};

/// What comes after a way that failed.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum After {
    /// Nothing.
    End(Decision),
    /// Another way; an announcement of it needs no answer, for the person is there.
    Other(Opening),
}

/// Begins a login, or finds its live question again. Nothing is sent because of this alone: whether somebody is there to
/// read is known after the announcement.
pub fn begin(account: &mut Account, context: &Context<'_>, ledger: &mut Ledger) -> Opening {
    if let Some(recognised) = recognised(account, context, ledger) {
        return Opening::End(Decision::Granted(Grant::from(recognised)));
    }
    let plan = match proving(account, context, ledger) {
        Ok(plan) => plan,
        Err(opening) => return opening,
    };
    let chosen = chosen(account, context, &plan).cloned();
    let ways = chosen.iter().chain(&plan.ways);
    first_open(account, context, ledger, &plan, ways)
}

/// Somebody who proved a factor before, and is not asked again. Neither used-up tries nor a lock stand against it: they may
/// be the work of somebody elsewhere.
fn recognised(account: &mut Account, context: &Context<'_>, ledger: &mut Ledger) -> Option<Recognised> {
    if !trust::is_given(context.terms()) {
        return None;
    }
    match policy::decide(account, context) {
        Requirement::Prove(_) | Requirement::Refuse(Refusal::Locked) => {
            trust::recognise(account, context, ledger)
        }
        Requirement::Exempt(_) | Requirement::DryRun(..) | Requirement::Enrol | Requirement::Refuse(_) => {
            None
        }
    }
}

/// The ways that are open; else the opening that there is instead.
fn proving(account: &Account, context: &Context<'_>, ledger: &mut Ledger) -> Result<Plan, Opening> {
    match required(account, context, ledger) {
        Required::Prove(plan) => Ok(plan),
        Required::Enrol => Err(Opening::Enrol),
        Required::End(decision) => Err(Opening::End(decision)),
    }
}

/// The way that the person chose in this round, if it is still open.
fn chosen<'a>(account: &Account, context: &Context<'_>, plan: &'a Plan) -> Option<&'a Way> {
    let round = round(account, context)?;
    let open = round.state(context.login(), context.now) == State::Open;
    plan.find(round.chosen.as_deref().filter(|_| open)?)
}

/// The first of these ways that nothing stands against.
fn first_open<'a>(
    account: &mut Account,
    context: &Context<'_>,
    ledger: &mut Ledger,
    plan: &Plan,
    ways: impl Iterator<Item = &'a Way>,
) -> Opening {
    let mut last = Refusal::NotSent;
    for way in ways {
        match open(account, context, plan, way) {
            Ok(opening) => return opening,
            Err(refusal) => last = refusal,
        }
    }
    Opening::End(refuse(context, ledger, last))
}

/// How one way opens.
fn open(account: &mut Account, context: &Context<'_>, plan: &Plan, way: &Way) -> Result<Opening, Refusal> {
    let Way::Sent(channel) = way else {
        return Ok(Opening::Ask(Box::new(ask(account, context, plan, way, None)), None));
    };
    let live = round(account, context)
        .and_then(|round| round.resumable(channel, context.login(), context.now))
        .cloned();
    match live {
        Some(code) if code.delivery == Delivery::Done => {
            Ok(Opening::Ask(Box::new(ask(account, context, plan, way, Some(&code))), None))
        }
        // It is being sent now, or the daemon died while it was.
        Some(code) => Ok(Opening::Announce(code.channel)),
        None => match sending::mail_wait(account, context) {
            Some(wait) => Err(Refusal::MailCap(wait)),
            None => Ok(Opening::Announce(channel.clone())),
        },
    }
}

/// Makes the code that was announced, unless another connection has made one meanwhile; then it may still have to be sent.
pub fn send(
    account: &mut Account,
    context: &Context<'_>,
    channel: &Channel,
    fresh: &ChallengeId,
    ledger: &mut Ledger,
) -> Opening {
    let plan = match proving(account, context, ledger) {
        Ok(plan) => plan,
        Err(opening) => return opening,
    };
    // The address may have changed since the announcement: the policy's is the one that counts.
    let Some(way) = plan.find(channel.factor()).cloned() else {
        return Opening::End(refuse(context, ledger, Refusal::Gone));
    };
    let opened = match open(account, context, &plan, &way) {
        Ok(Opening::Announce(_)) => make(account, context, &plan, &way, fresh),
        opened => opened,
    };
    opened.unwrap_or_else(|refusal| Opening::End(refuse(context, ledger, refusal)))
}

/// The code of an announcement: the one that is there already, or a new one.
fn make(
    account: &mut Account,
    context: &Context<'_>,
    plan: &Plan,
    way: &Way,
    fresh: &ChallengeId,
) -> Result<Opening, Refusal> {
    let Way::Sent(channel) = way else { return Err(Refusal::Gone) };
    let login = context.login();
    let live =
        round(account, context).and_then(|round| round.resumable(channel, login, context.now)).cloned();
    let code = match live {
        Some(code) => {
            sending::count_again(account, context, &code.id)?;
            code
        }
        None => open_code(account, context, channel, fresh),
    };
    let letter = letter(account, context, &code.id).map(Box::new);
    Ok(Opening::Ask(Box::new(ask(account, context, plan, way, Some(&code))), letter))
}

/// Makes a code and counts it.
fn open_code(
    account: &mut Account,
    context: &Context<'_>,
    channel: &Channel,
    fresh: &ChallengeId,
) -> SentCode {
    let code = new_code(context, channel, fresh);
    account.mails.push(context.now);
    account.uid.get_or_insert(context.uid);
    let scope = Scope::from(context.attempt);
    account.enter(&scope, context.login(), context.now).keep(code.clone(), context.now);
    code
}

/// A code to a contact that is not the person's yet.
pub(in crate::rules) fn code_for(
    account: &mut Account,
    context: &Context<'_>,
    channel: &Channel,
    fresh: &ChallengeId,
) -> Result<Letter, Refusal> {
    if let Some(wait) = sending::mail_wait(account, context) {
        return Err(Refusal::MailCap(wait));
    }
    let code = open_code(account, context, channel, fresh);
    letter(account, context, &code.id).ok_or(Refusal::Gone)
}

fn new_code(context: &Context<'_>, channel: &Channel, fresh: &ChallengeId) -> SentCode {
    let email = &context.config.email;
    let hook = context.config.hook(channel.factor());
    let (digits, lifetime) = match hook {
        Some(Hook { proof: HookProof::Sent { digits, .. }, lifetime, .. }) => (*digits, *lifetime),
        Some(hook) => (email.digits, hook.lifetime),
        None => (email.digits, email.lifetime),
    };
    let terms = Terms { digits, lifetime, channel };
    SentCode::open(fresh.clone(), context.attempt.user.as_str(), &terms, context.keys, context.now)
}

/// Takes the way that the person chose in the menu. It is the one that another connection of this round is asked for, too.
pub fn choose(
    account: &mut Account,
    context: &Context<'_>,
    factor: &str,
    fresh: &ChallengeId,
    ledger: &mut Ledger,
) -> Opening {
    let plan = match proving(account, context, ledger) {
        Ok(plan) => plan,
        Err(opening) => return opening,
    };
    let Some(way) = plan.find(factor) else {
        return Opening::End(refuse(context, ledger, Refusal::Gone));
    };
    let scope = Scope::from(context.attempt);
    account.enter(&scope, context.login(), context.now).chosen = Some(factor.to_owned());
    match way {
        Way::Sent(channel) => send(account, context, channel, fresh, ledger),
        way => Opening::Ask(Box::new(ask(account, context, &plan, way, None)), None),
    }
}

/// The way after one that failed. `failed` are the factors that failed in this login; the configured fallback of the last
/// one comes first.
pub fn fall_back(
    account: &mut Account,
    context: &Context<'_>,
    failed: &[String],
    ledger: &mut Ledger,
) -> After {
    let plan = match required(account, context, ledger) {
        Required::End(decision) => return After::End(decision),
        Required::Enrol => return After::End(refuse(context, ledger, Refusal::NotSent)),
        Required::Prove(plan) => plan,
    };
    let last = failed.last().map(String::as_str).unwrap_or_default();
    let hook = context.config.hook(last);
    let fallback = hook.and_then(|hook| hook.fallback.as_ref()).map(FactorKind::name);
    let mut ways: Vec<Way> =
        plan.ways.iter().filter(|way| !failed.iter().any(|name| name == way.factor())).cloned().collect();
    ways.sort_by_key(|way| fallback != Some(way.factor()));
    let on_failure =
        if hook.is_some() { context.login().on_hook_failure } else { context.terms().on_email_failure };
    if on_failure == OnFailure::Deny {
        ways.retain(|way| fallback == Some(way.factor()));
    }
    match first_open(account, context, ledger, &plan, ways.iter()) {
        Opening::End(decision) => After::End(decision),
        opening => After::Other(opening),
    }
}

/// The question for a way.
pub(super) fn ask(
    account: &Account,
    context: &Context<'_>,
    plan: &Plan,
    way: &Way,
    code: Option<&SentCode>,
) -> Asked {
    let login = context.login();
    let live = round(account, context).filter(|round| round.state(login, context.now) == State::Open);
    let mut digits: Vec<u8> = live.iter().flat_map(|round| round.codes()).map(SentCode::digits).collect();
    digits.extend(plan.ways.iter().flat_map(|way| own_digits(account, way)));
    digits.sort_unstable();
    digits.dedup();
    Asked {
        way: way.clone(),
        code: code.map(|code| code.id.clone()),
        tries_left: live.map_or(login.tries, |round| round.tries_left()),
        digits,
        ways: plan.ways.clone(),
    }
}

/// How many digits the codes of an app or token have; none for another way.
pub(super) fn app_digits(account: &Account, way: &Way) -> Vec<u8> {
    let count = |proof: &Proof| match (proof, way) {
        (Proof::Totp(totp), Way::Totp) => Some(totp.digits.count()),
        (Proof::Hotp(hotp), Way::Hotp) => Some(hotp.digits.count()),
        _ => None,
    };
    account.factors.active().filter_map(|factor| count(&factor.proof)).collect()
}

/// The lengths of what proves a way without anything being sent.
fn own_digits(account: &Account, way: &Way) -> Vec<u8> {
    match way {
        Way::Totp | Way::Hotp => app_digits(account, way),
        // Scratch codes that were taken over from google-authenticator have eight digits.
        Way::Recovery if account.recovery.as_ref().is_some_and(|set| set.writing() == Writing::Digits) => {
            vec![8]
        }
        Way::Sent(_) | Way::Checked { .. } | Way::Recovery | Way::Bypass => vec![],
    }
}
