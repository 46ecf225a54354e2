//! Accounts: list, switch on and off, address, unlock, reset.

use protocol::manage::{self as wire, Change, Lock, Switch};

use super::subject::{Subject, bind, name};
use super::{Administration, Refused};
use crate::address::EmailAddress;
use crate::rules::account::Account;
use crate::rules::policy;
use crate::rules::{Context, Ledger, change};
use crate::store::{Rest, Store};

/// Who hears of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    /// The audit alone: nothing gets weaker by it.
    ByAudit,
    /// The person as well, at the address before the change.
    ByPerson,
}

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

    pub(super) async fn enable(&self, enable: wire::EnableUser) -> Result<wire::EnableUserReply, Refused> {
        let subject = self.person(Some(&enable.user)).await?;
        let changed =
            self.alter(&subject, "second factor switched on", Heard::ByAudit, |account, context| {
                bind(account, context)?;
                account.switch = Switch::Enabled;
                Ok(())
            });
        let change = changed.await?;
        let name = &subject.name;
        let account = self.daemon.store.account(name).await?.unwrap_or_default();
        let unreachable = policy::address(&account, &subject.found.known).is_none();
        let warning = (unreachable && account.factors.active().next().is_none()).then(|| {
            format!(
                "no mail address is known for {name}, and logins without one are refused. \
                 Set it: mfactl user email {name} ADDRESS"
            )
        });
        Ok(wire::EnableUserReply { change, warning })
    }

    /// Also for a name that the name service no longer knows, for one that is somebody else's now, and while the name
    /// service fails.
    pub(super) async fn disable(
        &self,
        disable: wire::DisableUser,
    ) -> Result<wire::DisableUserReply, Refused> {
        let subject = match self.subject(Some(&disable.user)).await {
            Err(Refused::Lookup(_)) => Subject::unknown(name(&disable.user)?),
            found => found?,
        };
        let changed = self.alter(&subject, "second factor switched off", Heard::ByPerson, |account, _| {
            account.switch = Switch::Disabled;
            Ok(())
        });
        Ok(wire::DisableUserReply { change: changed.await? })
    }

    pub(super) async fn unlock(&self, unlock: wire::UnlockUser) -> Result<wire::UnlockUserReply, Refused> {
        let subject = self.known(&unlock.user).await?;
        let changed = self.alter(&subject, "unlocked", Heard::ByAudit, |account, _| {
            account.unlock();
            Ok(())
        });
        Ok(wire::UnlockUserReply { change: changed.await? })
    }

    pub(super) async fn set_email(&self, set: wire::SetEmail) -> Result<wire::SetEmailReply, Refused> {
        let subject = self.person(Some(&set.user)).await?;
        let address = set.address.as_deref().map(address).transpose()?;
        let wanted = address.clone();
        let what = if address.is_some() { "mail address changed" } else { "mail address cleared" };
        let changed = self.alter(&subject, what, Heard::ByPerson, move |account, context| {
            bind(account, context)?;
            account.set_email(wanted.clone());
            Ok(())
        });
        Ok(wire::SetEmailReply { change: changed.await?, address: address.map(String::from) })
    }

    pub(super) async fn reset(&self, reset: wire::ResetUser) -> Result<wire::ResetUserReply, Refused> {
        let subject = self.known(&reset.user).await?;
        let change =
            self.change(&subject, |account, context, ledger| Ok(change::reset(account, context, ledger)));
        Ok(wire::ResetUserReply { change: change.await? })
    }

    /// A subject that the name service or the database knows.
    pub(super) async fn known(&self, user: &str) -> Result<Subject, Refused> {
        let subject = self.subject(Some(user)).await?;
        if subject.found.person.is_none() && self.daemon.store.account(&subject.name).await?.is_none() {
            return Err(Refused::NoSuchUser(user.to_owned()));
        }
        Ok(subject)
    }

    /// A change whose record is one sentence, if it changes anything.
    async fn alter(
        &self,
        subject: &Subject,
        what: &'static str,
        heard: Heard,
        mut alter: impl FnMut(&mut Account, &Context<'_>) -> Result<(), Refused> + Send + 'static,
    ) -> Result<Change, Refused> {
        let run = move |account: &mut Account, context: &Context<'_>, ledger: &mut Ledger| {
            let before = account.clone();
            alter(account, context)?;
            if *account == before {
                return Ok(Change::Unchanged);
            }
            match heard {
                Heard::ByAudit => change::note(context, what, ledger),
                Heard::ByPerson => change::note_and_tell(context, what, ledger),
            }
            Ok(Change::Changed)
        };
        self.change(subject, run).await
    }
}

/// Reads an address.
pub(super) fn address(text: &str) -> Result<EmailAddress, Refused> {
    EmailAddress::parse(text).map_err(|error| Refused::Address(text.to_owned(), error))
}
