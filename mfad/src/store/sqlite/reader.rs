//! Queries that change nothing.

use protocol::manage::EventLine;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::rules::account::Account;
use crate::rules::attempt::UserName;
use crate::store::{EventQuery, Page, Rest, StoreError};

/// Accounts a page.
const PAGE: usize = 100;

pub(super) fn accounts(
    connection: &Connection,
    after: Option<&str>,
    filter: Option<&str>,
) -> rusqlite::Result<Page> {
    let sql = "SELECT user, body FROM account
        WHERE user > ?1 AND (?2 IS NULL OR instr(user, ?2) > 0 OR instr(coalesce(email, ''), ?2) > 0)
        ORDER BY user LIMIT ?3";
    let mut select = connection.prepare(sql)?;
    let rows = select.query_map(
        params![after.unwrap_or(""), filter, i64::try_from(PAGE + 1).unwrap_or(i64::MAX)],
        |row| Ok((row.get::<_, String>(0)?, row.get_ref(1)?.as_bytes()?.to_vec())),
    )?;
    let mut accounts = Vec::new();
    for row in rows {
        let (name, body) = row?;
        let Some(user) = UserName::parse(&name) else { continue };
        let account = parse(&user, &body);
        accounts.push((user, account));
    }
    let rest = if accounts.len() > PAGE { Rest::More } else { Rest::None };
    accounts.truncate(PAGE);
    Ok(Page { accounts, rest })
}

pub(super) fn account(
    connection: &Connection,
    user: &UserName,
) -> rusqlite::Result<Option<Result<Account, StoreError>>> {
    let body: Option<Vec<u8>> = connection
        .query_row("SELECT body FROM account WHERE user = ?1", [user.as_str()], |row| {
            Ok(row.get_ref(0)?.as_bytes()?.to_vec())
        })
        .optional()?;
    Ok(body.map(|body| parse(user, &body)))
}

pub(super) fn events(connection: &Connection, query: &EventQuery) -> rusqlite::Result<Vec<EventLine>> {
    let newest = "SELECT * FROM (SELECT * FROM event
        WHERE id > ?1 AND (?2 IS NULL OR user = ?2) AND (?3 IS NULL OR at >= ?3) AND (?5 IS NULL OR uid = ?5)
            AND (?6 IS NULL OR kind = ?6)
        ORDER BY id DESC LIMIT ?4) ORDER BY id";
    let oldest = "SELECT * FROM event
        WHERE id > ?1 AND (?2 IS NULL OR user = ?2) AND (?3 IS NULL OR at >= ?3) AND (?5 IS NULL OR uid = ?5)
            AND (?6 IS NULL OR kind = ?6)
        ORDER BY id LIMIT ?4";
    let sql = if query.last.is_some() { newest } else { oldest };
    let limit = query.last.unwrap_or(query.limit).min(query.limit);
    let since = query.since.map(|since| i64::try_from(since).unwrap_or(i64::MAX));
    let mut select = connection.prepare(sql)?;
    select.query_map(params![query.after, query.user, since, limit, query.uid, query.kind], event)?.collect()
}

pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<EventLine> {
    Ok(EventLine {
        id: row.get("id")?,
        at: u64::try_from(row.get::<_, i64>("at")?).unwrap_or(0),
        kind: row.get("kind")?,
        priority: row.get("priority")?,
        user: row.get("user")?,
        uid: row.get("uid")?,
        service: row.get("service")?,
        source: row.get("source")?,
        reference: row.get("reference")?,
        text: row.get("text")?,
    })
}

fn parse(user: &UserName, body: &[u8]) -> Result<Account, StoreError> {
    serde_json::from_slice(body)
        .map_err(|error| StoreError::Damaged { user: user.to_string(), cause: error.to_string() })
}
