//! Codes that an administrator gives out: bypasses, and tickets for an enrolment at a login.

use std::time::Duration;

use protocol::manage as wire;

use super::subject::bind;
use super::{Administration, Refused};
use crate::config::FactorKind;
use crate::factor::bypass::Randomness;
use crate::rules::change::{self, Wanted};
use crate::session::random;

impl Administration<'_> {
    pub(super) async fn issue_bypass(
        &self,
        asked: wire::IssueBypass,
    ) -> Result<wire::IssueBypassReply, Refused> {
        let subject = self.person(Some(&asked.user)).await?;
        self.allowed(&FactorKind::Bypass, "bypass")?;
        let random = randomness();
        let issued = self.change(&subject, move |account, context, ledger| {
            bind(account, context)?;
            let lifetime = Duration::from_millis(asked.lifetime);
            let wanted = Wanted { reason: &asked.reason, uses: asked.uses, lifetime };
            Ok(change::issue_bypass(account, context, &wanted, &random, ledger)?)
        });
        let issued = issued.await?;
        Ok(wire::IssueBypassReply { code: issued.code, expires: issued.expires })
    }

    pub(super) async fn revoke_bypass(
        &self,
        asked: wire::RevokeBypass,
    ) -> Result<wire::RevokeBypassReply, Refused> {
        let subject = self.known(&asked.user).await?;
        let change = self.change(&subject, |account, context, ledger| {
            Ok(change::revoke_bypasses(account, context, ledger))
        });
        Ok(wire::RevokeBypassReply { change: change.await? })
    }

    pub(super) async fn issue_ticket(
        &self,
        asked: wire::IssueTicket,
    ) -> Result<wire::IssueTicketReply, Refused> {
        let subject = self.person(Some(&asked.user)).await?;
        let random = randomness();
        let issued = self.change(&subject, move |account, context, ledger| {
            bind(account, context)?;
            let lifetime = Duration::from_millis(asked.lifetime);
            Ok(change::issue_ticket(account, context, lifetime, &random, ledger)?)
        });
        let issued = issued.await?;
        Ok(wire::IssueTicketReply { code: issued.code, expires: issued.expires })
    }
}

fn randomness() -> Randomness {
    Randomness { code: random(), salt: random() }
}
