//! Codes on their way: what is sent, how often, and what follows from how it went.

use std::time::Duration;

use super::opening::{After, fall_back};
use super::{Letter, RESEND_COOLDOWN, refuse, round};
use crate::audit::Kind;
use crate::config::{EvenRoot, OnFailure};
use crate::factor::mailed::{ChallengeId, Channel, Delivery};
use crate::moment::Moment;
use crate::rules::account::{Account, Scope};
use crate::rules::grant::{Decision, Grant, Refusal};
use crate::rules::policy::{self, Exemption, Purpose};
use crate::rules::throttle;
use crate::rules::{Context, Ledger};

/// What came of asking for the code again.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum Resend {
    /// Send this.
    Send(Letter),
    /// Not yet.
    TooSoon(Duration),
    /// Not now, for all of them together.
    Capped(Duration),
    /// There is nothing to send.
    End(Decision),
}

/// A code that nobody took.
pub struct Undelivered<'a> {
    /// The code.
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

/// Counts a code that goes out again. The first time was counted when it was made; it is counted again, and capped, if it
/// was given back because nobody took it.
pub(super) fn count_again(
    account: &mut Account,
    context: &Context<'_>,
    id: &ChallengeId,
) -> Result<(), Refusal> {
    let wait = mail_wait(account, context);
    let now = context.now;
    let Some(code) = account.round_mut(&Scope::from(context.attempt)).and_then(|round| round.code_mut(id))
    else {
        return Err(Refusal::Gone);
    };
    if code.delivery != Delivery::Owed {
        return Ok(());
    }
    if let Some(wait) = wait {
        return Err(Refusal::MailCap(wait));
    }
    code.delivery = Delivery::Pending;
    code.last_sent = now;
    account.mails.push(now);
    Ok(())
}

/// A code that is out, to be sent; none if it is gone.
pub(super) fn letter(account: &Account, context: &Context<'_>, id: &ChallengeId) -> Option<Letter> {
    let round = round(account, context).filter(|round| !round.is_used_up())?;
    let code = round.code(id)?;
    let judged_outside = context.config.judge(code.channel.factor()).is_some();
    Some(Letter {
        challenge: code.id.clone(),
        channel: code.channel.clone(),
        code: if judged_outside {
            protocol::Secret::new(String::new())
        } else {
            code.code(context.attempt.user.as_str(), context.keys)
        },
        expires: code.expires(),
        asked: code.last_sent,
    })
}

/// Sends the same code again, not more often than the cooldown and the caps allow.
pub fn resend(account: &mut Account, context: &Context<'_>, id: &ChallengeId, ledger: &mut Ledger) -> Resend {
    let Some(letter) = letter(account, context, id) else {
        return Resend::End(refuse(context, ledger, Refusal::Gone));
    };
    if let Some(wait) = mail_wait(account, context) {
        return Resend::Capped(wait);
    }
    let passed = context.now.at_least_since(letter.asked);
    if passed < RESEND_COOLDOWN {
        return Resend::TooSoon(RESEND_COOLDOWN.saturating_sub(passed));
    }
    let now = context.now;
    update(account, context, id, |_, last_sent| *last_sent = now);
    account.mails.push(now);
    Resend::Send(Letter { asked: now, ..letter })
}

/// Notes that somebody took the code.
pub fn sent(account: &mut Account, context: &Context<'_>, letter: &Letter, by: &str, ledger: &mut Ledger) {
    update(account, context, &letter.challenge, |delivery, _| *delivery = Delivery::Done);
    let address = letter.channel.masked();
    let kind = match &letter.channel {
        Channel::Email(_) => Kind::CodeSent { address, by: by.to_owned() },
        Channel::Hook { name, .. } => Kind::CodeSent { address, by: format!("hook {name}") },
    };
    ledger.record(context.event(kind));
}

/// Notes that nobody knows whether the code is on its way. It stays counted; the next attempt sends the same one again.
pub fn sent_in_doubt(
    account: &mut Account,
    context: &Context<'_>,
    id: &ChallengeId,
    cause: &str,
    ledger: &mut Ledger,
) {
    update(account, context, id, |delivery, _| *delivery = Delivery::Owed);
    ledger.record(context.event(Kind::CodeNotSent { cause: cause.to_owned() }));
}

/// Decides after nobody took the code. The code stays: the next attempt sends the same one. `failed` are the factors that
/// failed in this login, this one last.
pub fn not_sent(
    account: &mut Account,
    context: &Context<'_>,
    undelivered: &Undelivered<'_>,
    failed: &[String],
    ledger: &mut Ledger,
) -> After {
    let id = &undelivered.letter.challenge;
    let went_out = anything_went_out(account, context);
    let before = round(account, context).and_then(|round| round.code(id)).map(|code| code.delivery);
    note_not_sent(account, context, undelivered, ledger);
    if before == Some(Delivery::Pending) {
        update(account, context, id, |delivery, _| *delivery = Delivery::Owed);
    }
    let channel = &undelivered.letter.channel;
    let may_open = context.terms.is_ok()
        && undelivered.failure == MailFailure::Down
        && !went_out
        && !policy::has_more_than(account, context, channel.factor())
        && context.purpose == Purpose::Login
        && (context.uid != 0 || context.login().even_root == EvenRoot::Yes);
    match on_failure(context, channel) {
        OnFailure::Bypass if may_open => {
            After::End(open_the_door(context, channel, undelivered.cause, ledger))
        }
        OnFailure::Bypass | OnFailure::Deny | OnFailure::OtherFactor => {
            fall_back(account, context, failed, ledger)
        }
    }
}

/// What the site wants to happen.
fn on_failure(context: &Context<'_>, channel: &Channel) -> OnFailure {
    match channel {
        Channel::Email(_) => context.terms().on_email_failure,
        Channel::Hook { .. } => context.login().on_hook_failure,
    }
}

/// Whether a code of this round is known to be on its way: then mail is not down for everybody.
fn anything_went_out(account: &Account, context: &Context<'_>) -> bool {
    round(account, context)
        .is_some_and(|round| round.codes().iter().any(|code| code.delivery == Delivery::Done))
}

fn open_the_door(context: &Context<'_>, channel: &Channel, cause: &str, ledger: &mut Ledger) -> Decision {
    let exemption = match channel {
        Channel::Email(_) => Exemption::mail_failed(context.terms()),
        Channel::Hook { .. } => Exemption::hook_failed(context.terms()),
    };
    let rule = exemption.rule().to_owned();
    ledger.record(context.event(Kind::Opened { rule, cause: cause.to_owned() }));
    Decision::Granted(Grant::from(exemption))
}

/// Notes that nobody took a code, and gives it back to the person's count of mails.
pub fn note_not_sent(
    account: &mut Account,
    context: &Context<'_>,
    undelivered: &Undelivered<'_>,
    ledger: &mut Ledger,
) {
    // A program may have sent its code before it failed: only mail that was refused is given back.
    let is_mail = matches!(undelivered.letter.channel, Channel::Email(_));
    if is_mail && let Some(counted) = account.mails.iter().position(|sent| *sent == undelivered.letter.asked)
    {
        account.mails.remove(counted);
    }
    ledger.record(context.event(Kind::CodeNotSent { cause: undelivered.cause.to_owned() }));
}

/// How long until another code may be sent; none if it may now.
pub(super) fn mail_wait(account: &mut Account, context: &Context<'_>) -> Option<Duration> {
    throttle::mail_wait(&mut account.mails, &context.config.email.per_user, context.now)
}

fn update(
    account: &mut Account,
    context: &Context<'_>,
    id: &ChallengeId,
    change: impl FnOnce(&mut Delivery, &mut Moment),
) {
    let round = account.round_mut(&Scope::from(context.attempt));
    if let Some(code) = round.and_then(|round| round.code_mut(id)) {
        change(&mut code.delivery, &mut code.last_sent);
    }
}
