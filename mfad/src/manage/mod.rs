//! What mfactl may ask, one file a topic, and the table of who may ask it.

mod accounts;
mod audit;
mod backup;
mod bypass;
mod clock;
mod detail;
mod devices;
mod events;
mod explain;
mod factors;
mod health;
mod import;
mod keys;
mod mail;
mod refused;
mod rollout;
mod stats;
mod subject;

use std::io;
use std::sync::Arc;

use protocol::call::{Call, Fault, Method, Position};
use protocol::manage as wire;

use crate::daemon::{self, Daemon};
use crate::listen::{Connection, Peer};
use crate::session::{Proved, Session};
use refused::Refused;

/// Members may ask everything.
const ADMINISTRATORS: &str = "mfad-admin";

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    /// Whoever can connect.
    Anybody,
    /// Administrators about anybody, and everybody about their own account. Who may change what, and that a change
    /// of one's own factors needs a proof, is decided where the subject is looked up.
    Oneself,
    /// Root and the administrators' group.
    Administrator,
}

/// The table. A method that is not in it does not exist.
const METHODS: [(&str, Caller); 33] = [
    (wire::Hello::NAME, Caller::Anybody),
    (wire::ListUsers::NAME, Caller::Administrator),
    (wire::ShowUser::NAME, Caller::Oneself),
    (wire::EnableUser::NAME, Caller::Administrator),
    (wire::DisableUser::NAME, Caller::Administrator),
    (wire::UnlockUser::NAME, Caller::Administrator),
    (wire::SetEmail::NAME, Caller::Administrator),
    (wire::StartEnrolment::NAME, Caller::Oneself),
    (wire::ConfirmEnrolment::NAME, Caller::Oneself),
    (wire::RemoveFactor::NAME, Caller::Oneself),
    (wire::PreferFactor::NAME, Caller::Oneself),
    (wire::NewRecovery::NAME, Caller::Oneself),
    (wire::IssueBypass::NAME, Caller::Administrator),
    (wire::RevokeBypass::NAME, Caller::Administrator),
    (wire::IssueTicket::NAME, Caller::Administrator),
    (wire::ResetUser::NAME, Caller::Administrator),
    (wire::ImportFactor::NAME, Caller::Administrator),
    (wire::RevokeDevices::NAME, Caller::Oneself),
    (wire::Explain::NAME, Caller::Administrator),
    (wire::Rollout::NAME, Caller::Administrator),
    (wire::DryRuns::NAME, Caller::Administrator),
    (wire::RotateKey::NAME, Caller::Administrator),
    (wire::CheckConfig::NAME, Caller::Administrator),
    (wire::Reload::NAME, Caller::Administrator),
    (wire::TestMail::NAME, Caller::Administrator),
    (wire::Events::NAME, Caller::Oneself),
    (wire::VerifyAudit::NAME, Caller::Administrator),
    (wire::Backup::NAME, Caller::Administrator),
    (wire::RestorePart::NAME, Caller::Administrator),
    (wire::Restore::NAME, Caller::Administrator),
    (wire::Stats::NAME, Caller::Administrator),
    (wire::Metrics::NAME, Caller::Administrator),
    (wire::Health::NAME, Caller::Administrator),
];

/// Answers a call; none if the interface has no such method.
pub async fn answer(
    connection: &mut Connection,
    session: &Session,
    daemon: &Arc<Daemon>,
    call: &Call<'_>,
) -> Option<io::Result<()>> {
    let (method, caller) = *METHODS.iter().find(|(name, _)| *name == call.method)?;
    let peer = session.peer();
    let rank = if caller == Caller::Anybody { Rank::Person } else { rank(daemon, peer).await };
    if caller == Caller::Administrator && rank == Rank::Person {
        return Some(connection.fault(Fault::PermissionDenied).await);
    }
    let administration = Administration { daemon, peer, rank, proved: session.proved() };
    Some(match method {
        wire::TestMail::NAME => mail::test(connection, daemon, call).await,
        wire::Events::NAME => events::stream(connection, &administration, call).await,
        wire::Backup::NAME => backup::hand_out(connection, peer, daemon, call).await,
        wire::RotateKey::NAME => keys::rotate(connection, peer, daemon, call).await,
        _ => administration.answer(connection, method, call).await,
    })
}

/// The requests that have one reply.
struct Administration<'a> {
    daemon: &'a Arc<Daemon>,
    peer: Peer,
    rank: Rank,
    proved: Option<&'a Proved>,
}

/// What the caller is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    /// Root, or of the administrators' group.
    Administrator,
    /// Anybody else.
    Person,
}

impl Administration<'_> {
    async fn answer(&self, to: &mut Connection, method: &str, call: &Call<'_>) -> io::Result<()> {
        match method {
            wire::Hello::NAME => single(to, call, async |hello| self.hello(&hello)).await,
            wire::ListUsers::NAME => single(to, call, async |list| self.list(list).await).await,
            wire::ShowUser::NAME => single(to, call, async |show| self.show(show).await).await,
            wire::EnableUser::NAME => single(to, call, async |enable| self.enable(enable).await).await,
            wire::DisableUser::NAME => single(to, call, async |disable| self.disable(disable).await).await,
            wire::UnlockUser::NAME => single(to, call, async |unlock| self.unlock(unlock).await).await,
            wire::SetEmail::NAME => single(to, call, async |set| self.set_email(set).await).await,
            wire::StartEnrolment::NAME => single(to, call, async |start| self.start(start).await).await,
            wire::ConfirmEnrolment::NAME => single(to, call, async |code| self.confirm(code).await).await,
            wire::RemoveFactor::NAME => single(to, call, async |remove| self.remove(remove).await).await,
            wire::PreferFactor::NAME => single(to, call, async |prefer| self.prefer(prefer).await).await,
            wire::NewRecovery::NAME => single(to, call, async |new| self.new_recovery(new).await).await,
            wire::IssueBypass::NAME => single(to, call, async |issue| self.issue_bypass(issue).await).await,
            wire::RevokeBypass::NAME => single(to, call, async |who| self.revoke_bypass(who).await).await,
            wire::IssueTicket::NAME => single(to, call, async |issue| self.issue_ticket(issue).await).await,
            wire::ResetUser::NAME => single(to, call, async |reset| self.reset(reset).await).await,
            wire::ImportFactor::NAME => single(to, call, async |import| self.import(import).await).await,
            wire::RevokeDevices::NAME => single(to, call, async |wish| self.revoke_devices(wish).await).await,
            wire::Explain::NAME => single(to, call, async |asked| self.explain(asked).await).await,
            wire::Rollout::NAME => single(to, call, async |asked| self.rollout(asked).await).await,
            wire::DryRuns::NAME => single(to, call, async |asked| self.dry_runs(asked).await).await,
            wire::VerifyAudit::NAME => single(to, call, async |asked| self.verify_audit(asked).await).await,
            wire::RestorePart::NAME => single(to, call, async |part| self.take_part(part).await).await,
            wire::Restore::NAME => single(to, call, async |asked| self.restore(asked).await).await,
            wire::Stats::NAME => single(to, call, async |asked| self.stats(asked).await).await,
            wire::Metrics::NAME => single(to, call, async |_: wire::Metrics| Ok(self.metrics())).await,
            wire::CheckConfig::NAME => {
                single(to, call, async |_: wire::CheckConfig| Ok(self.check_config().await)).await
            }
            wire::Reload::NAME => single(to, call, async |_: wire::Reload| self.reload()).await,
            wire::Health::NAME => single(to, call, async |_: wire::Health| Ok(self.health().await)).await,
            _ => to.fault(Fault::MethodNotFound).await,
        }
    }

    fn hello(&self, hello: &wire::Hello) -> Result<wire::HelloReply, Refused> {
        // A caller of another version learns ours, and gives up by itself.
        let _ = hello;
        Ok(wire::HelloReply { protocol: protocol::VERSION, release: env!("CARGO_PKG_VERSION").to_owned() })
    }

    fn reload(&self) -> Result<wire::ReloadReply, Refused> {
        daemon::reload(self.daemon).map(|()| wire::ReloadReply {}).map_err(Refused::Configuration)
    }
}

async fn rank(daemon: &Daemon, peer: Peer) -> Rank {
    // A name service that fails is no reason to let anybody through.
    let is_member = async || daemon.people.is_member(peer.uid, ADMINISTRATORS).await.unwrap_or(false);
    if peer.uid == 0 || is_member().await { Rank::Administrator } else { Rank::Person }
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
        Err(Refused::Fault(fault)) => connection.fault(fault).await,
        Err(refused @ Refused::ProofNeeded) => {
            connection.refuse(wire::PROOF_NEEDED, &refused.to_string()).await
        }
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
        let open = |wanted: Caller| -> Vec<&str> {
            METHODS.iter().filter(|(_, caller)| *caller == wanted).map(|(name, _)| *name).collect()
        };
        assert_eq!(open(Caller::Anybody), [wire::Hello::NAME]);
        let own = [
            wire::ShowUser::NAME,
            wire::StartEnrolment::NAME,
            wire::ConfirmEnrolment::NAME,
            wire::RemoveFactor::NAME,
            wire::PreferFactor::NAME,
            wire::NewRecovery::NAME,
            wire::RevokeDevices::NAME,
            wire::Events::NAME,
        ];
        assert_eq!(open(Caller::Oneself), own);
    }
}
