//! Queries that change nothing.

use protocol::manage::EventLine;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

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
    let order = if query.last.is_some() { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT * FROM (SELECT * FROM event
            WHERE id > :after AND (:user IS NULL OR user = :user) AND (:uid IS NULL OR uid = :uid)
                AND (:since IS NULL OR at >= :since) AND (:kind IS NULL OR kind = :kind)
                AND (:service IS NULL OR service = :service) AND (:source IS NULL OR source = :source)
                AND (:reference IS NULL OR instr(reference, :reference) = 1)
            ORDER BY id {order} LIMIT :limit) ORDER BY id"
    );
    let limit = query.last.unwrap_or(query.limit).min(query.limit);
    let since = query.since.map(|since| i64::try_from(since).unwrap_or(i64::MAX));
    let parameters = named_params! {
        ":after": query.after, ":user": query.user, ":uid": query.uid, ":since": since, ":kind": query.kind,
        ":service": query.service, ":source": query.source, ":reference": query.reference, ":limit": limit,
    };
    connection.prepare(&sql)?.query_map(parameters, event)?.collect()
}

/// How many logins ended so, in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginCount {
    /// Hours since 1970.
    pub hour: u64,
    /// The kind of the event.
    pub kind: String,
    /// What was proved, if anything was.
    pub factor: Option<String>,
    /// How many.
    pub count: u64,
}

/// Counts the ends of logins since a time, in milliseconds since 1970.
pub(super) fn count_logins(connection: &Connection, since: u64) -> rusqlite::Result<Vec<LoginCount>> {
    let sql = "SELECT at / 3600000, kind, CASE kind WHEN 'login-allowed' THEN text END AS proved, count(*)
        FROM event WHERE at >= ?1 AND kind LIKE 'login-%' GROUP BY 1, 2, 3";
    let count = |row: &Row<'_>| {
        let proved: Option<String> = row.get(2)?;
        Ok(LoginCount {
            hour: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
            kind: row.get(1)?,
            factor: proved.map(|text| text.trim_start_matches("let in with ").to_owned()),
            count: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
        })
    };
    let since = i64::try_from(since).unwrap_or(i64::MAX);
    connection.prepare(sql)?.query_map([since], count)?.collect()
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
