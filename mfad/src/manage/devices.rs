//! Remembered devices: told with the account, and forgotten here.

use protocol::manage as wire;

use super::{Administration, Refused};
use crate::moment::Moment;
use crate::rules::account::Account;
use crate::rules::trust::{self, Device, Which};
use crate::store::Store;

impl Administration<'_> {
    /// Whoever takes a device away makes nothing weaker, so nobody is asked for a proof.
    pub(super) async fn revoke_devices(
        &self,
        asked: wire::RevokeDevices,
    ) -> Result<wire::RevokeDevicesReply, Refused> {
        let subject = match &asked.user {
            Some(user) => self.known(user).await?,
            None => self.person(None).await?,
        };
        let account = self.daemon.store.account(&subject.name).await?.unwrap_or_default();
        self.may_read(&subject, &account)?;
        let which = asked.id.map_or(Which::All, Which::One);
        let steps = self.steps(&subject);
        let revoked =
            steps.run(move |account, context, ledger| trust::revoke(account, context, which, ledger));
        let revoked = u32::try_from(revoked.await?).unwrap_or(u32::MAX);
        Ok(wire::RevokeDevicesReply { revoked })
    }
}

/// Those that are remembered now.
pub(super) fn lines(account: &Account, now: Moment) -> Vec<wire::DeviceLine> {
    account.trusted.devices(now).map(line).collect()
}

fn line(device: &Device) -> wire::DeviceLine {
    wire::DeviceLine {
        id: device.id,
        service: device.service.as_str().to_owned(),
        source: device.marks.source.map(|network| network.to_string()),
        ssh_key: device.marks.ssh_key.clone(),
        since: device.since.wall,
        until: device.until(),
        last_used: device.last_used,
    }
}
