//! Forgets the oldest events. The chain then begins behind the last one that is forgotten: its link becomes the anchor, in
//! the same transaction.

use rusqlite::{Connection, OptionalExtension, params};

use super::chain::{Ring, keep, mark};
use crate::audit::chain::{Link, Mark, Place};
use crate::store::{Rest, Retention};
use crate::vault::Vault;

/// Events that are forgotten in one transaction: others wait for it.
const BATCH: i64 = 512;

/// Forgets a batch of what is too old or too much at `now`, in milliseconds since 1970.
///
/// Only from the beginning on, never out of the middle: an event with a time in the future (of a clock that was wrong)
/// keeps those behind it.
pub(super) fn sweep(
    connection: &Connection,
    vault: &Vault,
    retention: Retention,
    now: u64,
) -> rusqlite::Result<Rest> {
    let sql = "SELECT min(id), max(id) FROM event";
    let (first, last): (Option<i64>, Option<i64>) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(first), Some(last)) = (first, last) else { return Ok(Rest::None) };
    let too_many = last.saturating_sub(i64::try_from(retention.events).unwrap_or(i64::MAX));
    let oldest = retention.age.map_or(0, |age| now.saturating_sub(millis(age)));
    let sql = "SELECT max(id) FROM (SELECT id, at, min(id <= ?2 OR at < ?3) OVER (ORDER BY id) AS goes
        FROM event WHERE id < ?1) WHERE goes";
    let until: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row(params![first + BATCH, too_many, i64::try_from(oldest).unwrap_or(i64::MAX)], |row| {
            row.get(0)
        })?;
    let Some(until) = until else { return Ok(Rest::None) };
    forget(connection, vault, first, until)?;
    Ok(if until == first + BATCH - 1 { Rest::More } else { Rest::None })
}

fn forget(connection: &Connection, vault: &Vault, first: i64, until: i64) -> rusqlite::Result<()> {
    let sql = "SELECT link FROM event WHERE id = ?1";
    let link: Option<Link> = connection.query_row(sql, [until], |row| row.get(0)).optional().unwrap_or(None);
    let before = mark(connection, Mark::Anchor, &Ring::load(connection, vault)?)?;
    connection.prepare_cached("DELETE FROM event WHERE id <= ?1")?.execute([until])?;
    // A forged beginning stays one, and so does a gap behind it: time makes neither good.
    if let (Some(before), Some(link)) = (before, link)
        && before.id + 1 == first
    {
        let anchor = Place { id: until, link };
        keep(connection, Mark::Anchor.name(), &anchor.mark(Mark::Anchor, vault.audit_key()))?;
    }
    Ok(())
}

fn millis(age: std::time::Duration) -> u64 {
    u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
}
