//! Remembered devices, and the grace after a login: who proved a factor a while ago is recognised, and not asked again.
//!
//! What recognises somebody lies here and nowhere else. A device is recognised by what sshd or the kernel vouch for, never
//! by anything that it says of itself; nothing is built on what a program of the person says. Use makes nothing longer.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::account::Account;
use super::attempt::{Attempt, Service, Source, ToldBy};
use super::news::News;
use super::policy::{self, Purpose, Way};
use super::{Context, Ledger};
use crate::audit::Kind;
use crate::config::{AskFirst, Bind, EvenRoot, Terms, Trust};
use crate::moment::Moment;

/// How many devices of one person are remembered; the oldest goes where there are more.
const DEVICES: usize = 20;

/// How many logins of one person are kept for a while.
const RECENT: usize = 8;

/// How long somebody may think about whether a device is to be trusted.
const THINKING: Duration = Duration::from_secs(15 * 60);

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Devices and graces of one person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trusted {
    devices: Vec<Device>,
    /// The number of the last device: none is used twice.
    last: u32,
    /// Logins with a factor, kept for a while where the site trusts devices or gives grace.
    recent: Vec<Recent>,
}

/// A device that was remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Names it within the account.
    pub id: u32,
    /// The PAM service that it was remembered at.
    pub service: Service,
    /// What it is recognised by.
    pub marks: Marks,
    /// When.
    pub since: Moment,
    /// For how long, in days.
    pub days: u32,
    /// What was proved there, as [`Way::proves`] names it: it must still be a way in.
    by: String,
    /// When it last spared the person a factor; milliseconds since 1970.
    pub last_used: Option<u64>,
}

/// What a device is recognised by; one of them is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    /// The network that it comes from.
    pub source: Option<IpNet>,
    /// The fingerprint of the SSH key that it proves.
    pub ssh_key: Option<String>,
}

/// A login a moment ago.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recent {
    service: Service,
    source: IpAddr,
    ssh_key: Option<String>,
    since: Moment,
    /// What was proved.
    by: String,
    /// Logins of its grace.
    used: u32,
}

/// Somebody was recognised. Private fields: only this module makes one.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Recognised(());

/// Whether a device may be remembered after this login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// No.
    None,
    /// The person is asked first; for so many days.
    Ask(u32),
    /// It is remembered silently.
    Silently,
}

/// Whether anything is built on an earlier login under these terms. Where it is not, nothing has to be looked for.
pub(super) fn is_given(terms: &Terms) -> bool {
    terms.trust.days > 0 || terms.login.grace.is_some()
}

/// Recognises somebody by a device or by a login of a moment ago, and counts it.
pub(super) fn recognise(
    account: &mut Account,
    context: &Context<'_>,
    ledger: &mut Ledger,
) -> Option<Recognised> {
    let place = Place::of(context)?;
    let terms = context.terms();
    let ways: Vec<String> = policy::ways(account, context).iter().map(Way::proves).collect();
    if let Some(device) = account.trusted.device(context, &place, &ways) {
        device.last_used = Some(context.now.wall);
        let rule = terms.saying_of("trust.days", "trust-days", &terms.trust.days.to_string());
        ledger.record(context.event(Kind::Recognised { by: device.to_string(), rule }));
        return Some(Recognised(()));
    }
    let settings = terms.login.grace?;
    let now = context.now;
    let grace = account.trusted.recent.iter_mut().find(|grace| {
        grace.is_of(&place)
            && ways.contains(&grace.by)
            && now.at_most_since(grace.since) < settings.within
            && grace.used < settings.logins
    })?;
    grace.used += 1;
    let by = format!("login {} of {} after one with a factor", grace.used, settings.logins);
    let rule = terms.saying("grace", &format!("{} s", settings.within.as_secs()));
    ledger.record(context.event(Kind::Recognised { by, rule }));
    Some(Recognised(()))
}

/// Whether the device of this login may be remembered.
pub fn offer(context: &Context<'_>) -> Offer {
    let trust = &context.terms().trust;
    match Place::of(context).and_then(|place| place.marks(trust)) {
        Some(_) if trust.days > 0 => match trust.ask {
            AskFirst::Yes => Offer::Ask(trust.days),
            AskFirst::No => Offer::Silently,
        },
        _ => Offer::None,
    }
}

/// Remembers the device of a login that was just proved. One that was remembered before by the same marks goes.
pub fn remember(account: &mut Account, context: &Context<'_>, ledger: &mut Ledger) {
    let trust = &context.terms().trust;
    let Some(place) = Place::of(context) else { return };
    let Some(marks) = place.marks(trust).filter(|_| trust.days > 0) else { return };
    let service = context.attempt.service.clone();
    let trusted = &mut account.trusted;
    let (now, days) = (context.now, trust.days);
    // Whoever was reset, or changed their factors, since this login was proved trusts nothing by it.
    let is_it = |login: &&Recent| login.is_of(&place) && now.at_most_since(login.since) < THINKING;
    let Some(by) = trusted.recent.iter().find(is_it).map(|login| login.by.clone()) else { return };
    trusted
        .devices
        .retain(|device| (device.marks != marks || device.service != service) && device.is_live(now));
    if trusted.devices.len() >= DEVICES {
        trusted.devices.remove(0);
    }
    trusted.last = trusted.last.saturating_add(1);
    let device = Device { id: trusted.last, service, marks, since: now, days, by, last_used: None };
    let change = format!("{device} is trusted for {days} days");
    trusted.devices.push(device);
    ledger.tell(News::of(format!("{change}. Revoke it: mfactl devices revoke {}", trusted.last)));
    ledger.record(context.event(Kind::Changed { change, by: context.by }));
}

/// Keeps for a while that a factor was proved here, where something may be built on it.
pub(super) fn note_proof(account: &mut Account, context: &Context<'_>, factor: &str) {
    let Some(place) = Place::of(context).filter(|_| is_given(context.terms())) else { return };
    let ways = policy::ways(account, context);
    let by = ways.iter().find(|way| way.factor() == factor).map_or(factor.to_owned(), Way::proves);
    let recent = &mut account.trusted.recent;
    recent.retain(|login| !login.is_of(&place));
    if recent.len() >= RECENT {
        recent.remove(0);
    }
    recent.push(Recent {
        service: context.attempt.service.clone(),
        source: place.source,
        ssh_key: place.ssh_key().map(str::to_owned),
        since: context.now,
        by,
        used: 0,
    });
}

/// Which devices are to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one of this number.
    One(u32),
    /// All of them, and what runs of a grace.
    All,
}

/// Forgets devices; answers how many there were.
pub fn revoke(account: &mut Account, context: &Context<'_>, which: Which, ledger: &mut Ledger) -> usize {
    let trusted = &mut account.trusted;
    let before = trusted.devices.len();
    match which {
        // What was proved there a moment ago counts no more either.
        Which::One(id) => {
            trusted.devices.retain(|device| device.id != id);
            trusted.recent.clear();
        }
        Which::All => trusted.clear(),
    }
    let gone = before - trusted.devices.len();
    if gone > 0 {
        let change = match which {
            Which::One(id) => format!("device {id} is trusted no more"),
            Which::All => "no device is trusted any more".to_owned(),
        };
        super::change::note_and_tell(context, &change, ledger);
    }
    gone
}

/// What was trusted with other factors is trusted no more: to be called after whatever may have changed them.
pub fn follow_factors(before: &[String], account: &mut Account) {
    if account.ways_of_own() != before {
        account.trusted.clear();
    }
}

/// A login that somebody can be recognised at: it is one, its facts are vouched for, and it comes from somewhere.
struct Place<'a> {
    attempt: &'a Attempt,
    source: IpAddr,
}

impl<'a> Place<'a> {
    fn of(context: &Context<'a>) -> Option<Self> {
        let attempt = context.attempt;
        let may_be_spared = context.uid != 0 || context.login().even_root == EvenRoot::Yes;
        let is_vouched_for = attempt.told_by == ToldBy::Root && context.purpose == Purpose::Login;
        match attempt.source {
            Source::Address(source) if may_be_spared && is_vouched_for => Some(Place { attempt, source }),
            _ => None,
        }
    }

    fn ssh_key(&self) -> Option<&'a str> {
        self.attempt.ssh_key.as_ref().map(|key| key.fingerprint.as_str())
    }

    /// What the device of this login is recognised by; none if something of it is not known.
    fn marks(&self, trust: &Trust) -> Option<Marks> {
        let mut marks = Marks { source: None, ssh_key: None };
        for bind in &trust.bind {
            match bind {
                Bind::Source(network) => marks.source = Some(network.of(self.source)),
                Bind::SshKey => marks.ssh_key = Some(self.ssh_key()?.to_owned()),
            }
        }
        Some(marks)
    }
}

impl Trusted {
    /// Those that are remembered now.
    pub fn devices(&self, now: Moment) -> impl Iterator<Item = &Device> {
        self.devices.iter().filter(move |device| device.is_live(now))
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.devices.clear();
        self.recent.clear();
    }

    /// The device of this login, if it is remembered by all that the site asks for now.
    fn device(&mut self, context: &Context<'_>, place: &Place<'_>, ways: &[String]) -> Option<&mut Device> {
        let trust = &context.terms().trust;
        let asked = place.marks(trust).filter(|_| trust.days > 0)?;
        let now = context.now;
        let shared = |service: &Service| trust.services.iter().any(|name| name == service.as_str());
        let here = &context.attempt.service;
        self.devices.iter_mut().find(|device| {
            device.is_live(now)
                && ways.contains(&device.by)
                && now.at_most_since(device.since) < DAY.saturating_mul(trust.days)
                && (device.service == *here || (shared(&device.service) && shared(here)))
                && device.marks.meet(&asked, place)
        })
    }
}

impl Device {
    fn is_live(&self, now: Moment) -> bool {
        now.at_most_since(self.since) < DAY.saturating_mul(self.days)
    }

    /// When it is forgotten: milliseconds since 1970.
    pub fn until(&self) -> u64 {
        self.since.wall_after(DAY.saturating_mul(self.days))
    }
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "device {}", self.id)?;
        if let Some(source) = self.marks.source {
            write!(f, " at {source}")?;
        }
        if let Some(key) = &self.marks.ssh_key {
            write!(f, " with key {key}")?;
        }
        Ok(())
    }
}

impl Marks {
    /// Whether a device with these marks is the one at hand. All that it was remembered by must be the same, and the site
    /// may have come to ask for more since.
    fn meet(&self, asked: &Marks, place: &Place<'_>) -> bool {
        let own_source = self.source.is_none_or(|network| network.contains(&place.source));
        let own_key = self.ssh_key.as_deref().is_none_or(|key| place.ssh_key() == Some(key));
        let asked_source =
            asked.source.is_none_or(|asked| self.source.is_some_and(|own| asked.contains(&own)));
        let asked_key = asked.ssh_key.is_none() || self.ssh_key.is_some();
        own_source && own_key && asked_source && asked_key
    }
}

impl Recent {
    fn is_of(&self, place: &Place<'_>) -> bool {
        self.service == place.attempt.service
            && self.source == place.source
            && self.ssh_key.as_deref() == place.ssh_key()
    }
}

#[cfg(test)]
mod tests;
