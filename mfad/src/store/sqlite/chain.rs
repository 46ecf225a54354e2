//! Keeps the audit's chain (`audit::chain`) in the database: a link a row, and two marks. All of it is written in the
//! transaction of the events themselves, so a commit has both or neither.

use data_encoding::HEXLOWER;
use protocol::manage::EventLine;
use rusqlite::{Connection, OptionalExtension, params};

use super::reader;
use crate::audit::chain::{self, Link, Mark, Place};
use crate::factor::sealed::{Freshness, Sealed};
use crate::session::random;
use crate::vault::{AuditKey, AuditKeyId, SharedVault, Vault};

/// What keys that are no longer in the key file are kept under, followed by their name.
const KEPT_KEY: &str = "audit-key-";

/// The end of the chain, for the one who writes.
pub(super) struct Chain {
    keys: SharedVault,
    /// As it is in the database.
    committed: Place,
    /// As it will be with what the transaction has so far.
    pending: Place,
    /// The number of the last row, ours or not: what somebody else put there is for `verify` to find.
    last_row: i64,
}

/// What was found at the end of the chain at the start.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum End {
    Whole(Place),
    /// Somebody was there, and how it is seen.
    Damaged(String),
}

impl Chain {
    /// Takes the chain up where it ends. At a damaged end nothing is mended: the next link does not fit there for ever.
    pub(super) fn load(connection: &Connection, keys: SharedVault) -> rusqlite::Result<(Self, End)> {
        let vault = keys.load_full();
        let ring = Ring::load(connection, &vault)?;
        let marked = mark(connection, Mark::Head, &ring)?;
        let sql = "SELECT id, link FROM event ORDER BY id DESC LIMIT 1";
        let last: Option<(i64, Vec<u8>)> = connection
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1).unwrap_or_default())))
            .optional()?;
        let last_row = last.as_ref().map_or(0, |(id, _)| *id);
        let is_last = |head: Place| match &last {
            Some((id, link)) => *id == head.id && link[..] == head.link,
            None => mark(connection, Mark::Anchor, &ring).is_ok_and(|anchor| anchor == Some(head)),
        };
        let end = match marked {
            Some(head) if is_last(head) => End::Whole(head),
            Some(head) => End::Damaged(format!("event {} was the last one, and {last_row} is now", head.id)),
            None => End::Damaged("the mark behind its last event is gone or forged".to_owned()),
        };
        let head = marked.unwrap_or(Place { id: last_row, link: chain::ORIGIN });
        Ok((Chain { keys, committed: head, pending: head, last_row }, end))
    }

    /// Gives an event its number and its link, and tells whose key made it.
    pub(super) fn append(&mut self, event: &mut EventLine) -> (Link, AuditKeyId) {
        event.id = self.pending.id.max(self.last_row) + 1;
        let vault = self.keys.load();
        let key = vault.audit_key();
        self.pending = Place { id: event.id, link: chain::link(key, &self.pending.link, event) };
        (self.pending.link, key.id())
    }

    /// Marks the end of what the transaction added.
    pub(super) fn mark(&self, connection: &Connection) -> rusqlite::Result<()> {
        if self.pending == self.committed {
            return Ok(());
        }
        let text = self.pending.mark(Mark::Head, self.keys.load().audit_key());
        keep(connection, Mark::Head.name(), &text)
    }

    pub(super) fn committed(&mut self) {
        self.committed = self.pending;
        self.last_row = self.last_row.max(self.pending.id);
    }

    pub(super) fn rolled_back(&mut self) {
        self.pending = self.committed;
    }

    /// Somebody else wrote to the database: no number is given out twice.
    pub(super) fn look_again(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = "SELECT coalesce(max(id), 0) FROM event";
        self.last_row = connection.query_row(sql, [], |row| row.get(0))?;
        Ok(())
    }

    /// The end, as it is in the database.
    pub(super) fn head(&self) -> Place {
        self.committed
    }

    pub(super) fn keys(&self) -> &SharedVault {
        &self.keys
    }
}

/// Makes a chain of the events that are there: of a database from before there was one.
pub(super) fn begin(connection: &Connection, key: &AuditKey) -> rusqlite::Result<()> {
    let mut select = connection.prepare("SELECT * FROM event ORDER BY id")?;
    let mut update = connection.prepare("UPDATE event SET link = ?2, linked_by = ?3 WHERE id = ?1")?;
    let mut rows = select.query([])?;
    let mut place: Option<Place> = None;
    while let Some(row) = rows.next()? {
        let event = reader::event(row)?;
        let before = match place {
            Some(place) => place,
            None => {
                let first = Place { id: event.id - 1, link: chain::ORIGIN };
                keep(connection, Mark::Anchor.name(), &first.mark(Mark::Anchor, key))?;
                first
            }
        };
        let link = chain::link(key, &before.link, &event);
        update.execute(params![event.id, link, key.id()])?;
        place = Some(Place { id: event.id, link });
    }
    if place.is_none() {
        keep(connection, Mark::Anchor.name(), &Place::START.mark(Mark::Anchor, key))?;
    }
    keep(connection, Mark::Head.name(), &place.unwrap_or(Place::START).mark(Mark::Head, key))
}

/// A mark, if it is there and a key of ours made it.
pub(super) fn mark(connection: &Connection, mark: Mark, ring: &Ring<'_>) -> rusqlite::Result<Option<Place>> {
    let mut select = connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    let text: Option<String> = select.query_row([mark.name()], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| Place::read(&text, mark, |id| ring.key(id))))
}

/// Keeps a value beside the accounts.
pub(super) fn keep(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    connection.prepare_cached(sql)?.execute([name, value]).map(drop)
}

/// Every audit key that is known: those of the key file, and those that were kept when their line left it.
pub(super) struct Ring<'v> {
    vault: &'v Vault,
    kept: Vec<(AuditKey, Freshness)>,
}

impl<'v> Ring<'v> {
    pub(super) fn load(connection: &Connection, vault: &'v Vault) -> rusqlite::Result<Self> {
        let sql = "SELECT name, value FROM meta WHERE name LIKE ?1 || '%'";
        let mut select = connection.prepare(sql)?;
        let mut rows = select.query([KEPT_KEY])?;
        let mut kept = Vec::new();
        while let Some(row) = rows.next()? {
            let (name, sealed): (String, String) = (row.get(0)?, row.get(1)?);
            kept.extend(read_kept(vault, &name, sealed));
        }
        Ok(Ring { vault, kept })
    }

    pub(super) fn key(&self, id: AuditKeyId) -> Option<&AuditKey> {
        let kept = self.kept.iter().map(|(key, _)| key);
        self.vault.audit_keys().chain(kept).find(|key| key.id() == id)
    }

    /// Seals those that are not in use by the master key in use, so that the older ones may go.
    pub(super) fn keep(&self, connection: &Connection) -> rusqlite::Result<()> {
        let old = self.vault.audit_keys().skip(1);
        let stale = self.kept.iter().filter(|(_, freshness)| *freshness == Freshness::Old);
        for key in old.chain(stale.map(|(key, _)| key)) {
            let name = format!("{KEPT_KEY}{}", HEXLOWER.encode(&key.id()));
            let sealed = self.vault.wrap(key, random());
            keep(connection, &name, sealed.text())?;
        }
        Ok(())
    }
}

/// A key that was kept; one that does not open is left alone, and what it made is reported as not provable.
fn read_kept(vault: &Vault, name: &str, sealed: String) -> Option<(AuditKey, Freshness)> {
    let id = HEXLOWER.decode(name.strip_prefix(KEPT_KEY)?.as_bytes()).ok()?.try_into().ok()?;
    let sealed = Sealed::from_text(sealed);
    Some((vault.unwrap(id, &sealed)?, vault.is_wrapped_freshly(&sealed)))
}
