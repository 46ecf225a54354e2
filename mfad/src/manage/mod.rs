//! What mfactl may ask, one file a topic, and the table of who may ask it.

mod accounts;
mod events;
mod health;
mod mail;

use std::io;
use std::sync::Arc;

use protocol::call::{Call, Fault, Method, Position};
use protocol::manage as wire;

use crate::daemon::Daemon;
use crate::listen::{Connection, Peer};
use crate::people::LookupError;
use crate::store::StoreError;

/// Members may ask everything.
const ADMINISTRATORS: &str = "mfad-admin";

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    /// Whoever can connect.
    Anybody,
    /// Root and the administrators' group.
    Administrator,
}

/// The table. A method that is not in it does not exist.
const METHODS: [(&str, Caller); 11] = [
    (wire::Hello::NAME, Caller::Anybody),
    (wire::ListUsers::NAME, Caller::Administrator),
    (wire::ShowUser::NAME, Caller::Administrator),
    (wire::EnableUser::NAME, Caller::Administrator),
    (wire::DisableUser::NAME, Caller::Administrator),
    (wire::UnlockUser::NAME, Caller::Administrator),
    (wire::SetEmail::NAME, Caller::Administrator),
    (wire::CheckConfig::NAME, Caller::Administrator),
    (wire::TestMail::NAME, Caller::Administrator),
    (wire::Events::NAME, Caller::Administrator),
    (wire::Health::NAME, Caller::Administrator),
];

/// Why a request was understood and refused. Each is a fact and a remedy.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("there is no user {0}. Check the name with `getent passwd {0}`")]
    NoSuchUser(String),
    #[error("{0:?} is no user name")]
    NoName(String),
    #[error("{0:?} is no address: {1}")]
    Address(String, crate::address::AddressError),
    #[error(
        "{user} had uid {bound} when the account was made and has uid {now} now: this is somebody else. \
             If the old one is to be forgotten: mfactl user disable {user}, then again"
    )]
    UidChanged { user: String, bound: u32, now: u32 },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

/// Answers a call; none if the interface has no such method.
pub async fn answer(
    connection: &mut Connection,
    peer: Peer,
    daemon: &Arc<Daemon>,
    call: &Call<'_>,
) -> Option<io::Result<()>> {
    let (method, caller) = *METHODS.iter().find(|(name, _)| *name == call.method)?;
    if !may(daemon, peer, caller).await {
        return Some(connection.fault(Fault::PermissionDenied).await);
    }
    let administration = Administration { daemon, peer };
    let replied = match method {
        wire::Hello::NAME => single(connection, call, async |hello| administration.hello(&hello)).await,
        wire::ListUsers::NAME => single(connection, call, async |list| administration.list(list).await).await,
        wire::ShowUser::NAME => single(connection, call, async |show| administration.show(show).await).await,
        wire::EnableUser::NAME => {
            single(connection, call, async |enable| administration.enable(enable).await).await
        }
        wire::DisableUser::NAME => {
            single(connection, call, async |disable| administration.disable(disable).await).await
        }
        wire::UnlockUser::NAME => {
            single(connection, call, async |unlock| administration.unlock(unlock).await).await
        }
        wire::SetEmail::NAME => {
            single(connection, call, async |set| administration.set_email(set).await).await
        }
        wire::CheckConfig::NAME => {
            single(connection, call, async |_: wire::CheckConfig| Ok(administration.check_config())).await
        }
        wire::Health::NAME => {
            single(connection, call, async |_: wire::Health| Ok(administration.health().await)).await
        }
        wire::TestMail::NAME => mail::test(connection, daemon, call).await,
        _ => events::stream(connection, daemon, call).await,
    };
    Some(replied)
}

/// The requests that have one reply.
struct Administration<'a> {
    daemon: &'a Arc<Daemon>,
    peer: Peer,
}

impl Administration<'_> {
    fn hello(&self, hello: &wire::Hello) -> Result<wire::HelloReply, Refused> {
        // A caller of another version learns ours, and gives up by itself.
        let _ = hello;
        Ok(wire::HelloReply { protocol: protocol::VERSION, release: env!("CARGO_PKG_VERSION").to_owned() })
    }
}

async fn may(daemon: &Daemon, peer: Peer, caller: Caller) -> bool {
    if caller == Caller::Anybody || peer.uid == 0 {
        return true;
    }
    // A name service that fails is no reason to let anybody through.
    daemon.people.is_member(peer.uid, ADMINISTRATORS).await.unwrap_or(false)
}

async fn single<M: Method>(
    connection: &mut Connection,
    call: &Call<'_>,
    serve: impl AsyncFnOnce(M) -> Result<M::Reply, Refused>,
) -> io::Result<()> {
    let parameters = match call.parameters::<M>() {
        Ok(parameters) => parameters,
        Err(fault) => return connection.fault(fault).await,
    };
    match serve(parameters).await {
        Ok(reply) => connection.reply(&reply, Position::Last).await,
        Err(refused) => connection.refuse(wire::REFUSED, &refused.to_string()).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_interface_has_its_row_and_only_the_greeting_is_for_all() {
        let described: Vec<String> = wire::DESCRIPTION
            .lines()
            .filter_map(|line| line.strip_prefix("method ")?.split('(').next())
            .map(|name| format!("{}.{name}", wire::INTERFACE))
            .collect();
        let known: Vec<&str> = METHODS.iter().map(|(name, _)| *name).collect();
        assert_eq!(described, known);
        let open: Vec<&str> =
            METHODS.iter().filter(|(_, caller)| *caller == Caller::Anybody).map(|(name, _)| *name).collect();
        assert_eq!(open, [wire::Hello::NAME]);
    }
}
