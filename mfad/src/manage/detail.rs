//! One account, whole.

use std::time::Duration;

use protocol::manage::{self as wire, Lock};

use super::{Administration, Refused};
use crate::config::AddressSource;
use crate::factor::bypass::Bypass;
use crate::factor::mailed::{Channel, SentCode};
use crate::factor::recovery::RecoverySet;
use crate::moment::Moment;
use crate::rules::account::{Account, Outstanding};
use crate::rules::enrolled::{Enrolled, Proof, Stage};
use crate::rules::policy;
use crate::store::Store;

impl Administration<'_> {
    pub(super) async fn show(&self, show: wire::ShowUser) -> Result<wire::ShowUserReply, Refused> {
        let subject = self.subject(Some(&show.user)).await?;
        let kept = self.daemon.store.account(&subject.name).await?;
        if kept.is_none() && subject.found.person.is_none() {
            return Err(Refused::NoSuchUser(show.user));
        }
        let account = kept.unwrap_or_default();
        self.may_read(&subject, &account)?;
        let (name, found) = (subject.name, subject.found);
        let now = self.daemon.clock.now();
        let (lock, throttled) = self.lock(&account);
        let sends_to = policy::address(&account, &found.known);
        let detail = wire::UserDetail {
            user: name.to_string(),
            uid: account.uid.or(found.person.map(|person| person.uid)),
            switch: account.switch,
            email: account.email.as_ref().map(ToString::to_string),
            sends_to: sends_to.map(|(address, _)| address.to_string()),
            sends_to_source: sends_to.map(|(_, source)| source_name(source)),
            factors: factors(&account, sends_to.is_some()),
            enrolled: account.factors.all().iter().map(enrolled).collect(),
            preferred: account.preferred.clone(),
            recovery_left: account
                .recovery
                .as_ref()
                .map_or(0, |set| u32::try_from(set.left()).unwrap_or(u32::MAX)),
            bypasses: account.bypasses.iter().filter(|bypass| !bypass.is_expired(now)).map(bypass).collect(),
            ticket_until: account
                .ticket
                .as_ref()
                .filter(|ticket| !ticket.is_expired(now))
                .map(Bypass::expires),
            lock,
            throttled_until: throttled.map(|wait| now.wall_after(wait)),
            consecutive_failures: account.failures.most_in_a_row(),
            mails_today: mails_today(&account, now),
            challenges: challenges(&account, now),
            devices: super::devices::lines(&account, now),
            last_login: account.last_login,
        };
        Ok(wire::ShowUserReply { account: detail })
    }

    pub(super) fn lock(&self, account: &Account) -> (Lock, Option<Duration>) {
        // Under any terms: an administrator wants to see what keeps somebody waiting, wherever that is.
        let config = self.daemon.live().config.clone();
        let now = self.daemon.clock.now();
        let waits =
            config.all_terms().filter_map(|terms| account.failures.throttled(&terms.login.throttle, now));
        match waits.max() {
            _ if config.all_terms().any(|terms| account.failures.any_locked(&terms.login)) => {
                (Lock::Locked, None)
            }
            Some(wait) => (Lock::Throttled, Some(wait)),
            None => (Lock::Open, None),
        }
    }
}

fn enrolled(factor: &Enrolled) -> wire::FactorLine {
    let (enrolment, since) = match factor.stage {
        Stage::Pending(since) => (wire::Enrolment::Pending, since.wall),
        Stage::Active(since) => (wire::Enrolment::Active, since),
    };
    let contact = match &factor.proof {
        Proof::Contact { hook, contact } => {
            let channel = Channel::Hook { name: hook.clone(), contact: contact.clone() };
            (!contact.is_empty()).then(|| channel.masked())
        }
        Proof::Totp(_) | Proof::Hotp(_) => None,
    };
    let (id, factor) = (factor.id.to_string(), factor.proof.factor().to_owned());
    wire::FactorLine { id, factor, enrolment, since, contact }
}

fn bypass(bypass: &Bypass) -> wire::BypassLine {
    wire::BypassLine {
        id: bypass.id,
        reason: bypass.reason.clone(),
        issued_by: bypass.issued_by,
        uses_left: bypass.uses_left(),
        expires: bypass.expires(),
    }
}

/// What can be used now, by name.
pub(super) fn factors(account: &Account, has_address: bool) -> Vec<String> {
    let mut names: Vec<String> = account.factors.active().map(|factor| factor.id.to_string()).collect();
    if has_address {
        names.push("email".to_owned());
    }
    if let Some(left) = account.recovery.as_ref().map(RecoverySet::left).filter(|left| *left > 0) {
        names.push(format!("recovery ({left} left)"));
    }
    names
}

/// Codes that are out.
fn challenges(account: &Account, now: Moment) -> Vec<wire::ChallengeLine> {
    let line = |out: &Outstanding| {
        let live: Vec<_> = out.round.codes().iter().filter(|code| !code.is_expired(now)).collect();
        let line = |code: &&SentCode| wire::ChallengeLine {
            service: out.scope.service.as_str().to_owned(),
            source: out.scope.source.to_string(),
            opened: code.opened.wall,
            expires: code.expires(),
            tries_left: out.round.tries_left(),
        };
        live.iter().map(line).collect::<Vec<_>>()
    };
    account.rounds().iter().flat_map(line).collect()
}

/// A source as the configuration spells it.
fn source_name(source: &AddressSource) -> String {
    match source {
        AddressSource::Account => "account".to_owned(),
        AddressSource::Userdb => "userdb".to_owned(),
        AddressSource::Map(path) => format!("map:{}", path.display()),
        AddressSource::Pattern(pattern) => format!("pattern:{pattern}"),
    }
}

fn mails_today(account: &Account, now: Moment) -> u32 {
    let day = Duration::from_secs(24 * 3600);
    let recent = account.mails.iter().filter(|sent| now.at_least_since(**sent) < day).count();
    u32::try_from(recent).unwrap_or(u32::MAX)
}
