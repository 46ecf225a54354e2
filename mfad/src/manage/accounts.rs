//! Accounts: list, show, switch on and off, address, unlock.

use std::time::Duration;

use protocol::manage::{self as wire, Change, Lock, Switch};

use super::{Administration, Refused};
use crate::address::EmailAddress;
use crate::audit::{Event, Kind};
use crate::config::AddressSource;
use crate::moment::Moment;
use crate::people::Found;
use crate::rules::account::Account;
use crate::rules::attempt::UserName;
use crate::rules::policy;
use crate::rules::throttle::Hold;
use crate::store::{Rest, Store, transact};

impl Administration<'_> {
    pub(super) async fn list(&self, list: wire::ListUsers) -> Result<wire::ListUsersReply, Refused> {
        let page = self.daemon.store.accounts(list.after, list.filter).await?;
        let more = page.rest == Rest::More;
        let next = page.accounts.last().filter(|_| more).map(|(name, _)| name.to_string());
        let mut users = Vec::with_capacity(page.accounts.len());
        for (name, account) in page.accounts {
            let lock = account.as_ref().map_or(Lock::Damaged, |account| self.lock(account).0);
            let account = account.unwrap_or_default();
            users.push(wire::UserLine {
                user: name.to_string(),
                uid: account.uid,
                switch: account.switch,
                email: account.email.as_ref().map(ToString::to_string),
                lock,
                last_login: account.last_login,
            });
        }
        Ok(wire::ListUsersReply { users, next })
    }

    pub(super) async fn show(&self, show: wire::ShowUser) -> Result<wire::ShowUserReply, Refused> {
        let (name, found) = self.find(&show.user).await?;
        let kept = self.daemon.store.account(&name).await?;
        if kept.is_none() && found.person.is_none() {
            return Err(Refused::NoSuchUser(show.user));
        }
        let account = kept.unwrap_or_default();
        let now = self.daemon.clock.now();
        let (lock, throttled) = self.lock(&account);
        let sends_to = policy::address(&account, &found.known);
        let live = account.challenges().iter().filter(|out| !out.challenge.is_expired(now));
        let detail = wire::UserDetail {
            user: name.to_string(),
            uid: account.uid.or(found.person.map(|person| person.uid)),
            switch: account.switch,
            email: account.email.as_ref().map(ToString::to_string),
            sends_to: sends_to.map(|(address, _)| address.to_string()),
            sends_to_source: sends_to.map(|(_, source)| source_name(source)),
            factors: if sends_to.is_some() { vec!["email".to_owned()] } else { vec![] },
            lock,
            throttled_until: throttled.map(|wait| now.wall_after(wait)),
            consecutive_failures: account.failures.consecutive,
            mails_today: mails_today(&account, now),
            challenges: live
                .map(|out| wire::ChallengeLine {
                    service: out.scope.service.as_str().to_owned(),
                    source: out.scope.source.to_string(),
                    opened: out.challenge.opened.wall,
                    expires: out.challenge.expires(),
                    tries_left: out.challenge.tries_left(),
                })
                .collect(),
            last_login: account.last_login,
        };
        Ok(wire::ShowUserReply { account: detail })
    }

    pub(super) async fn enable(&self, enable: wire::EnableUser) -> Result<wire::EnableUserReply, Refused> {
        let (name, found) = self.find(&enable.user).await?;
        let uid = found.person.as_ref().ok_or(Refused::NoSuchUser(enable.user))?.uid;
        let changed = self
            .change(&name, "second factor switched on", move |account| {
                account.bind(uid)?;
                account.switch = Switch::Enabled;
                Ok(())
            })
            .await?
            .map_err(|bound| Refused::UidChanged { user: name.to_string(), bound, now: uid })?;
        let account = self.daemon.store.account(&name).await?.unwrap_or_default();
        let unreachable = policy::address(&account, &found.known).is_none();
        let warning = unreachable.then(|| {
            format!(
                "no mail address is known for {name}, and logins without one are refused. \
                 Set it: mfactl user email {name} ADDRESS"
            )
        });
        Ok(wire::EnableUserReply { change: changed, warning })
    }

    /// Also for a name that the name service no longer knows, and for one that is somebody else's now.
    pub(super) async fn disable(
        &self,
        disable: wire::DisableUser,
    ) -> Result<wire::DisableUserReply, Refused> {
        let name = name(&disable.user)?;
        let change = self
            .change(&name, "second factor switched off", |account| {
                account.switch = Switch::Disabled;
                Ok(())
            })
            .await?
            .unwrap_or(Change::Unchanged);
        Ok(wire::DisableUserReply { change })
    }

    pub(super) async fn unlock(&self, unlock: wire::UnlockUser) -> Result<wire::UnlockUserReply, Refused> {
        let (name, found) = self.find(&unlock.user).await?;
        if found.person.is_none() && self.daemon.store.account(&name).await?.is_none() {
            return Err(Refused::NoSuchUser(unlock.user));
        }
        let change = self
            .change(&name, "unlocked", |account| {
                account.unlock();
                Ok(())
            })
            .await?;
        Ok(wire::UnlockUserReply { change: change.unwrap_or(Change::Unchanged) })
    }

    pub(super) async fn set_email(&self, set: wire::SetEmail) -> Result<wire::SetEmailReply, Refused> {
        let (name, found) = self.find(&set.user).await?;
        let uid = found.person.as_ref().ok_or(Refused::NoSuchUser(set.user))?.uid;
        let address = match set.address {
            Some(text) => Some(EmailAddress::parse(&text).map_err(|error| Refused::Address(text, error))?),
            None => None,
        };
        let wanted = address.clone();
        let what = if address.is_some() { "mail address changed" } else { "mail address cleared" };
        let change = self
            .change(&name, what, move |account| {
                account.bind(uid)?;
                account.set_email(wanted.clone());
                Ok(())
            })
            .await?
            .map_err(|bound| Refused::UidChanged { user: name.to_string(), bound, now: uid })?;
        Ok(wire::SetEmailReply { change, address: address.map(String::from) })
    }

    /// Changes an account, with its record; the inner error is the change's own refusal.
    async fn change(
        &self,
        name: &UserName,
        what: &'static str,
        mut change: impl FnMut(&mut Account) -> Result<(), u32> + Send + 'static,
    ) -> Result<Result<Change, u32>, Refused> {
        let (user, by) = (name.to_string(), self.peer.uid);
        let run = move |account: &mut Account, ledger: &mut crate::rules::Ledger| {
            let before = account.clone();
            change(account)?;
            if *account == before {
                return Ok(Change::Unchanged);
            }
            let kind = Kind::Changed { change: what.to_owned(), by };
            ledger.record(Event::of_user(&user, kind));
            Ok(Change::Changed)
        };
        Ok(transact(&*self.daemon.store, name, run).await?)
    }

    async fn find(&self, user: &str) -> Result<(UserName, Found), Refused> {
        let name = name(user)?;
        let sources = self.daemon.live().config.email.address.clone();
        let found = self.daemon.people.find(name.clone(), sources).await?;
        let canonical = found.person.as_ref().map_or(name, |person| person.name.clone());
        Ok((canonical, found))
    }

    fn lock(&self, account: &Account) -> (Lock, Option<Duration>) {
        match account.failures.hold(&self.daemon.live().config.login, self.daemon.clock.now()) {
            None => (Lock::Open, None),
            Some(Hold::Throttled(wait)) => (Lock::Throttled, Some(wait)),
            Some(Hold::Locked) => (Lock::Locked, None),
        }
    }
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

fn name(user: &str) -> Result<UserName, Refused> {
    UserName::parse(user).ok_or_else(|| Refused::NoName(user.to_owned()))
}

fn mails_today(account: &Account, now: Moment) -> u32 {
    let day = Duration::from_secs(24 * 3600);
    let recent = account.mails.iter().filter(|sent| now.at_least_since(**sent) < day).count();
    u32::try_from(recent).unwrap_or(u32::MAX)
}
