//! Who must prove what. This version has the default rule of `[login]`; rules of sites will stand before it.

use super::Context;
use super::account::Account;
use super::enrolled::Proof;
use super::grant::Refusal;
use crate::address::EmailAddress;
use crate::config::{AddressSource, EnrolTicket, FactorKind, NoAddress, Require, Unenrolled};
use crate::factor::bypass::Bypass;
use crate::factor::mailed::Channel;
use protocol::manage::Switch;

/// What a login has to do. Must be looked at: forgetting it would be a door.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Requirement {
    /// A rule asks nothing.
    Exempt(Exemption),
    /// One of several proofs.
    Prove(Plan),
    /// The person has no factor, and may enrol now.
    Enrol,
    /// No.
    Refuse(Refusal),
}

/// Why somebody is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To let them in.
    Login,
    /// To let them change their own factors: no rule makes an exception from that.
    Proof,
}

/// Names the rule that asks nothing of a login, so that the audit can. Only this module and an opening that the
/// configuration names make one.
#[derive(Debug, PartialEq, Eq)]
pub struct Exemption {
    rule: &'static str,
}

impl Exemption {
    /// The rule, as a key of the configuration with its value.
    pub fn rule(&self) -> &'static str {
        self.rule
    }

    /// `[email] on-failure = "bypass"`: the site lets people in while mail fails.
    pub(super) fn mail_failed() -> Self {
        Exemption { rule: "email.on-failure = bypass" }
    }
}

/// The ways to prove, the preferred one first; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The ways.
    pub ways: Vec<Way>,
}

/// A way to prove who one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A code of an app that counts time.
    Totp,
    /// A code of an app or token that counts uses.
    Hotp,
    /// A code that is sent.
    Sent(Channel),
    /// A text that a hook judges.
    Checked {
        /// The hook's name.
        hook: String,
        /// The person's contact there.
        contact: String,
    },
    /// A recovery code.
    Recovery,
    /// A code of an administrator.
    Bypass,
}

impl Way {
    /// The factor's name.
    pub fn factor(&self) -> &str {
        match self {
            Way::Totp => "totp",
            Way::Hotp => "hotp",
            Way::Sent(channel) => channel.factor(),
            Way::Checked { hook, .. } => hook,
            Way::Recovery => "recovery",
            Way::Bypass => "bypass",
        }
    }
}

impl Plan {
    /// The way with this factor's name.
    pub fn find(&self, factor: &str) -> Option<&Way> {
        self.ways.iter().find(|way| way.factor() == factor)
    }

    /// Whether a code that went there is one of the ways. One that went to an address which is yet to be confirmed is not.
    pub fn sends_to(&self, channel: &Channel) -> bool {
        self.ways.iter().any(|way| matches!(way, Way::Sent(own) if own == channel))
    }
}

/// The address that one configured source knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAddress {
    /// The source.
    pub source: AddressSource,
    /// What it knows; the account's own address is in the account.
    pub address: Option<EmailAddress>,
}

/// Decides by the default rule.
pub fn decide(account: &Account, context: &Context<'_>) -> Requirement {
    let login = &context.config.login;
    if context.purpose == Purpose::Login {
        if login.require == Require::Never {
            return exempt("login.require = never");
        }
        if login.require == Require::Enrolled && !account.is_enrolled() {
            return exempt("login.require = enrolled");
        }
    }
    if account.uid.is_some_and(|bound| bound != context.uid) {
        return Requirement::Refuse(Refusal::UidChanged);
    }
    let mut ways = ways(account, context);
    if ways.is_empty() {
        return without_a_factor(account, context);
    }
    ways.retain(|way| !account.failures.is_locked(way.factor(), login));
    if ways.is_empty() {
        return Requirement::Refuse(Refusal::Locked);
    }
    if let Some(preferred) = &account.preferred {
        ways.sort_by_key(|way| way.factor() != preferred);
    }
    Requirement::Prove(Plan { ways })
}

fn without_a_factor(account: &Account, context: &Context<'_>) -> Requirement {
    let login = &context.config.login;
    if context.purpose == Purpose::Proof {
        return exempt("nothing to prove with");
    }
    if account.is_enrolled() {
        return match login.no_address {
            NoAddress::Skip if lacks_only_an_address(account, context) => exempt("login.no-address = skip"),
            NoAddress::Skip | NoAddress::Deny | NoAddress::OtherFactor => {
                Requirement::Refuse(Refusal::NoAddress)
            }
        };
    }
    match login.unenrolled {
        Unenrolled::AllowUntil(end) if context.now.wall < end => exempt("login.unenrolled = allow-until"),
        Unenrolled::Enrol => may_enrol(account, context),
        Unenrolled::AllowUntil(_) | Unenrolled::Deny => Requirement::Refuse(Refusal::NotEnrolled),
    }
}

/// True for somebody who is switched on for mail alone: a person with an app that the site allows no longer is not let in
/// for want of an address.
fn lacks_only_an_address(account: &Account, context: &Context<'_>) -> bool {
    account.switch == Switch::Enabled
        && account.factors.active().next().is_none()
        && context.config.login.factors.contains(&FactorKind::Email)
}

/// Whether the person has this way still, locked or not.
pub(super) fn has(account: &Account, context: &Context<'_>, way: &Way) -> bool {
    ways(account, context).contains(way)
}

/// Whether the person has any way but mail, locked or not.
pub(super) fn has_more_than_mail(account: &Account, context: &Context<'_>) -> bool {
    ways(account, context).iter().any(|way| !matches!(way, Way::Sent(Channel::Email(_))))
}

/// Who may enrol at a login: whoever an administrator gave a ticket, or everybody where the site says so.
fn may_enrol(account: &Account, context: &Context<'_>) -> Requirement {
    let has_ticket = account.ticket.as_ref().is_some_and(|ticket| is_good(ticket, context));
    match context.config.login.enrol_ticket {
        EnrolTicket::Required if !has_ticket => Requirement::Refuse(Refusal::NotEnrolled),
        EnrolTicket::Required | EnrolTicket::None => Requirement::Enrol,
    }
}

/// What the person has and the site allows, in the site's order.
pub(super) fn ways(account: &Account, context: &Context<'_>) -> Vec<Way> {
    context.config.login.factors.iter().filter_map(|kind| way(kind, account, context)).collect()
}

fn way(kind: &FactorKind, account: &Account, context: &Context<'_>) -> Option<Way> {
    let has = |name: &str| account.factors.active().any(|factor| factor.proof.factor() == name);
    match kind {
        FactorKind::Totp => has("totp").then_some(Way::Totp),
        FactorKind::Hotp => has("hotp").then_some(Way::Hotp),
        FactorKind::Email => {
            let (address, _) = address(account, context.known)?;
            Some(Way::Sent(Channel::Email(address.clone())))
        }
        FactorKind::Recovery => account.recovery.as_ref().filter(|set| set.left() > 0).map(|_| Way::Recovery),
        FactorKind::Bypass => {
            account.bypasses.iter().any(|bypass| is_good(bypass, context)).then_some(Way::Bypass)
        }
        FactorKind::Hook(name) => hooked(name, account, context),
    }
}

/// Whether an administrator's code can still be used.
pub(super) fn is_good(bypass: &Bypass, context: &Context<'_>) -> bool {
    bypass.uses_left() > 0 && !bypass.is_expired(context.now)
}

fn hooked(name: &str, account: &Account, context: &Context<'_>) -> Option<Way> {
    let hook = context.config.hooks.iter().find(|hook| hook.name == name)?;
    let contact = account.factors.active().find_map(|factor| match &factor.proof {
        Proof::Contact { hook, contact } if hook == name => Some(contact.clone()),
        _ => None,
    })?;
    let name = name.to_owned();
    Some(if hook.send().is_some() {
        Way::Sent(Channel::Hook { name, contact })
    } else {
        Way::Checked { hook: name, contact }
    })
}

/// The address that a code goes to, and the source that named it: the first that knows one.
pub fn address<'a>(
    account: &'a Account,
    known: &'a [KnownAddress],
) -> Option<(&'a EmailAddress, &'a AddressSource)> {
    known.iter().find_map(|candidate| {
        let address = match candidate.source {
            AddressSource::Account => account.email.as_ref(),
            _ => candidate.address.as_ref(),
        };
        address.map(|address| (address, &candidate.source))
    })
}

fn exempt(rule: &'static str) -> Requirement {
    Requirement::Exempt(Exemption { rule })
}
