//! A new key: the key file is read again, and whatever an older key sealed is sealed anew, an account a transaction. Who
//! is cut off runs it again: it goes on where it stopped.

use std::io;
use std::sync::Arc;

use protocol::call::{Call, Position};
use protocol::manage::{self as wire, RotateKeyReply};

use super::Refused;
use crate::audit::{Event, Kind};
use crate::daemon::Daemon;
use crate::factor::sealed::Freshness;
use crate::listen::{Connection, Peer};
use crate::rules::account::Account;
use crate::rules::attempt::UserName;
use crate::rules::change::{self, Nonces, Resealed};
use crate::session::random;
use crate::store::{Page, Rest, Store, transact};
use crate::vault::Vault;

pub(super) async fn rotate(
    connection: &mut Connection,
    peer: Peer,
    daemon: &Arc<Daemon>,
    call: &Call<'_>,
) -> io::Result<()> {
    if let Err(fault) = call.parameters::<wire::RotateKey>() {
        return connection.fault(fault).await;
    }
    let mut rotation = match Rotation::start(daemon).await {
        Ok(rotation) => rotation,
        Err(refused) => return connection.refuse(wire::REFUSED, &refused.to_string()).await,
    };
    loop {
        match rotation.page().await {
            Ok(Rest::More) if call.more => connection.reply(&rotation.reply, Position::Continues).await?,
            Ok(Rest::More) => {}
            Ok(Rest::None) => break,
            Err(refused) => return connection.refuse(wire::REFUSED, &refused.to_string()).await,
        }
    }
    rotation.record(peer);
    match daemon.adopt_key().await {
        Ok(()) => connection.reply(&rotation.reply, Position::Last).await,
        Err(error) => connection.refuse(wire::REFUSED, &error.to_string()).await,
    }
}

/// A walk through all accounts.
struct Rotation<'a> {
    daemon: &'a Arc<Daemon>,
    keys: Arc<Vault>,
    after: Option<String>,
    reply: RotateKeyReply,
}

impl<'a> Rotation<'a> {
    async fn start(daemon: &'a Arc<Daemon>) -> Result<Self, Refused> {
        // From here on nothing is sealed by an older key: what the walk has passed stays new.
        daemon.read_keys()?;
        // Steps that were queued before have the older one. They are kept first, so that the walk finds them.
        daemon.store.ping().await?;
        let reply = RotateKeyReply { accounts: 0, resealed: 0, lost: 0 };
        Ok(Rotation { daemon, keys: daemon.keys(), after: None, reply })
    }

    /// Goes through one page.
    async fn page(&mut self) -> Result<Rest, Refused> {
        let Page { accounts, rest } = self.daemon.store.accounts(self.after.take(), None).await?;
        self.after = accounts.last().map(|(name, _)| name.to_string());
        for (name, account) in accounts {
            self.reply.accounts += 1;
            // A damaged row is for a person to repair; the key is not adopted before.
            let Ok(account) = account else { continue };
            if change::freshness(&account, &*self.keys) == Freshness::Old {
                let Resealed { resealed, lost } = self.reseal(name).await?;
                self.reply.resealed += resealed;
                self.reply.lost += lost;
            }
        }
        Ok(rest)
    }

    async fn reseal(&self, name: UserName) -> Result<Resealed, Refused> {
        // Made here, and not in the step, which may run again and must do the same then.
        let nonces: Nonces = std::array::from_fn(|_| random());
        let (keys, user) = (self.keys.clone(), name.to_string());
        let step = move |account: &mut Account, _: &mut crate::rules::Ledger| {
            change::reseal(account, &user, &*keys, &nonces)
        };
        Ok(transact(&*self.daemon.store, &name, step).await?)
    }

    fn record(&self, peer: Peer) {
        let RotateKeyReply { resealed, lost, .. } = self.reply;
        let change = format!("{resealed} secrets were sealed anew by the key in use, {lost} are lost");
        let kind = Kind::Changed { change, by: peer.uid };
        self.daemon.record(Event::of_host(kind, None));
    }
}
