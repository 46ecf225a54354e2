//! Who must prove what, by the terms that hold for a login: those of the first rule that matches, else the default ones.

use super::Context;
use super::account::Account;
use super::enrolled::Proof;
use super::grant::Refusal;
use crate::address::EmailAddress;
use crate::config::{AddressSource, EnrolTicket, FactorKind, NoAddress, Require, Terms, Unenrolled};
use crate::factor::bypass::Bypass;
use crate::factor::mailed::Channel;
use protocol::manage::Switch;

/// What a login has to do. Must be looked at: forgetting it would be a door.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Requirement {
    /// A rule asks nothing.
    Exempt(Exemption),
    /// A rule asks nothing yet: it only tries out what it would ask.
    DryRun(Exemption, Would),
    /// One of several proofs.
    Prove(Plan),
    /// The person has no factor, and may enrol now.
    Enrol,
    /// No.
    Refuse(Refusal),
}

/// What would happen to somebody whose rule is only tried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Would {
    /// Nothing would be asked.
    Pass,
    /// They would be asked for this factor first.
    Ask(String),
    /// They would have to enrol.
    Enrol,
    /// They would be refused.
    Refuse(Refusal),
}

impl Would {
    /// For the audit.
    pub fn text(&self) -> String {
        match self {
            Would::Pass => "nothing would be asked".to_owned(),
            Would::Ask(factor) => format!("{factor} would be asked for"),
            Would::Enrol => "they would have to enrol".to_owned(),
            Would::Refuse(why) => format!("they would be refused: {}", why.name()),
        }
    }
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
    rule: String,
}

impl Exemption {
    /// The rule, as a key of the configuration with its value.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// `on-email-failure = "bypass"`: the site lets people in while mail fails.
    pub(super) fn mail_failed(terms: &Terms) -> Self {
        Exemption { rule: terms.saying_of("email.on-failure", "on-email-failure", "bypass") }
    }

    /// `on-hook-failure = "bypass"`: the same for hooks.
    pub(super) fn hook_failed(terms: &Terms) -> Self {
        Exemption { rule: terms.saying("on-hook-failure", "bypass") }
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

impl Way {
    /// Names what is proved by it: the factor, and of a sent code where it goes.
    pub fn proves(&self) -> String {
        match self {
            Way::Sent(Channel::Email(address)) => format!("email {address}"),
            Way::Sent(Channel::Hook { name, contact }) | Way::Checked { hook: name, contact } => {
                format!("{name} {contact}")
            }
            Way::Totp | Way::Hotp | Way::Recovery | Way::Bypass => self.factor().to_owned(),
        }
    }
}

impl Plan {
    /// The factor that is asked for first.
    pub fn first(&self) -> &str {
        self.ways.first().map_or("nothing", Way::factor)
    }

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

/// Decides by the terms that hold.
pub fn decide(account: &Account, context: &Context<'_>) -> Requirement {
    if context.terms.is_err() {
        return Requirement::Refuse(Refusal::Unavailable);
    }
    if context.purpose == Purpose::Proof {
        return strictly(account, context);
    }
    match context.login().require {
        Require::Never => exempt(context, "require", "never"),
        Require::Enrolled if !account.is_enrolled() => exempt(context, "require", "enrolled"),
        Require::Enrolled | Require::Always => strictly(account, context),
        Require::DryRun => {
            let rule = context.terms().saying("require", "dry-run");
            Requirement::DryRun(Exemption { rule }, if_required(account, context))
        }
    }
}

/// What would happen if a factor were asked for.
pub fn if_required(account: &Account, context: &Context<'_>) -> Would {
    let terms = context.terms();
    if terms.rule.is_some() && terms.login.require == Require::Never {
        return Would::Pass;
    }
    match strictly(account, context) {
        Requirement::Prove(plan) => Would::Ask(plan.first().to_owned()),
        Requirement::Enrol => Would::Enrol,
        Requirement::Refuse(why) => Would::Refuse(why),
        Requirement::Exempt(_) | Requirement::DryRun(..) => Would::Pass,
    }
}

/// Decides where a factor is required.
fn strictly(account: &Account, context: &Context<'_>) -> Requirement {
    let login = context.login();
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
    let login = context.login();
    if context.purpose == Purpose::Proof {
        return Requirement::Exempt(Exemption { rule: "nothing to prove with".to_owned() });
    }
    if account.is_enrolled() {
        return match login.no_address {
            NoAddress::Skip if lacks_only_an_address(account, context) => {
                exempt(context, "no-address", "skip")
            }
            NoAddress::Skip | NoAddress::Deny | NoAddress::OtherFactor => {
                Requirement::Refuse(Refusal::NoAddress)
            }
        };
    }
    match login.unenrolled {
        Unenrolled::AllowUntil(end) if context.now.wall < end => exempt(context, "unenrolled", "allow-until"),
        Unenrolled::Enrol => may_enrol(account, context),
        Unenrolled::AllowUntil(_) | Unenrolled::Deny => Requirement::Refuse(Refusal::NotEnrolled),
    }
}

/// True for somebody who is switched on for mail alone: a person with an app that the site allows no longer is not let in
/// for want of an address.
fn lacks_only_an_address(account: &Account, context: &Context<'_>) -> bool {
    account.switch == Switch::Enabled
        && account.factors.active().next().is_none()
        && context.login().factors.contains(&FactorKind::Email)
}

/// Whether the person has this way still, locked or not.
pub(super) fn has(account: &Account, context: &Context<'_>, way: &Way) -> bool {
    ways(account, context).contains(way)
}

/// Whether the person has any way but this factor, locked or not.
pub(super) fn has_more_than(account: &Account, context: &Context<'_>, factor: &str) -> bool {
    ways(account, context).iter().any(|way| way.factor() != factor)
}

/// Who may enrol at a login: whoever an administrator gave a ticket, or everybody where the site says so.
fn may_enrol(account: &Account, context: &Context<'_>) -> Requirement {
    let has_ticket = account.ticket.as_ref().is_some_and(|ticket| is_good(ticket, context));
    match context.login().enrol_ticket {
        EnrolTicket::Required if !has_ticket => Requirement::Refuse(Refusal::NotEnrolled),
        EnrolTicket::Required | EnrolTicket::None => Requirement::Enrol,
    }
}

/// What the person has and the site allows, in the site's order.
pub(super) fn ways(account: &Account, context: &Context<'_>) -> Vec<Way> {
    context.login().factors.iter().filter_map(|kind| way(kind, account, context)).collect()
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
    let hook = context.config.hook(name)?;
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

fn exempt(context: &Context<'_>, key: &str, value: &str) -> Requirement {
    Requirement::Exempt(Exemption { rule: context.terms().saying(key, value) })
}
