//! The whole database: handed out while mfad runs, and handed in to take its place.

use std::fs::File;
use std::io::{self, Read};

use data_encoding::BASE64;
use protocol::Secret;
use protocol::call::{Call, Position};
use protocol::manage::{self as wire, Run};
use zeroize::Zeroizing;

use super::{Administration, Refused};
use crate::audit::{Event, Kind, Priority};
use crate::daemon::Daemon;
use crate::listen::{Connection, Peer};
use crate::store::sqlite::Contents;

/// Bytes a reply: in base 64 well within a frame.
const PART: usize = 32 * 1024;

/// Sends a copy as of now.
pub(super) async fn hand_out(
    connection: &mut Connection,
    peer: Peer,
    daemon: &std::sync::Arc<Daemon>,
    call: &Call<'_>,
) -> io::Result<()> {
    if let Err(fault) = call.parameters::<wire::Backup>() {
        return connection.fault(fault).await;
    }
    if !call.more {
        return connection.refuse(wire::REFUSED, "a copy takes more than one reply: call with more").await;
    }
    let copy = match daemon.store.snapshot().await {
        Ok(copy) => copy,
        Err(error) => return connection.refuse(wire::REFUSED, &error.to_string()).await,
    };
    let change = "the database was handed out for a backup".to_owned();
    daemon.record(Event::of_host(Kind::Changed { change, by: peer.uid }, None));
    send(connection, copy).await
}

async fn send(connection: &mut Connection, mut copy: File) -> io::Result<()> {
    let size = copy.metadata()?.len();
    let mut sent = 0;
    loop {
        let mut part = Zeroizing::new(Vec::with_capacity(PART));
        // What was just written is in memory: reading it does not keep the event loop waiting.
        let read = (&mut copy).take(PART as u64).read_to_end(&mut part)?;
        sent += read as u64;
        let reply = wire::BackupReply { part: Secret::new(BASE64.encode(&part)), size };
        if sent >= size || read == 0 {
            return connection.reply(&reply, Position::Last).await;
        }
        connection.reply(&reply, Position::Continues).await?;
        tokio::task::yield_now().await;
    }
}

impl Administration<'_> {
    pub(super) async fn take_part(
        &self,
        handed: wire::RestorePart,
    ) -> Result<wire::RestorePartReply, Refused> {
        let part = BASE64.decode(handed.part.expose().as_bytes());
        let part = Zeroizing::new(part.map_err(|_| Refused::Parameter("the part is not base 64"))?);
        Ok(wire::RestorePartReply { length: self.daemon.store.stage(handed.offset, part).await? })
    }

    pub(super) async fn restore(&self, asked: wire::Restore) -> Result<wire::RestoreReply, Refused> {
        let store = &self.daemon.store;
        let Contents { accounts, events, newest } = match asked.run {
            Run::Dry => store.examine(asked.digest).await?,
            Run::Real => {
                let contents = store.line_up(asked.digest, self.peer.uid).await?;
                let text = format!("a backup takes the place of the database, by uid {}", self.peer.uid);
                self.daemon.log.note(Priority::Alert, &text);
                self.daemon.start_again.notify_one();
                contents
            }
        };
        Ok(wire::RestoreReply { accounts, events, newest })
    }
}
