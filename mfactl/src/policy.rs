//! Who is asked and why, who is not asked again, and who would be locked out.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use data_encoding::{BASE64, BASE64_NOPAD};
use protocol::manage::{
    DeviceLine, DryRuns, Explain, ExplainReply, RevokeDevices, Rollout, RolloutLine, RolloutReply, RuleLine,
    ShowUser,
};
use sha2::{Digest, Sha256};

use crate::arguments::policy::{DevicesVerb, Explanation, ReportVerb};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::import::homes;
use crate::import::progress::Progress;
use crate::output::{self, Output, row};
use crate::{Ending, about, myself, time};

/// Names that mfad takes in one request.
const BATCH: usize = 100;

/// Lists or forgets remembered devices.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn devices(verb: &DevicesVerb, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    match verb {
        DevicesVerb::List(whose) => {
            let user = whose.user.clone().map_or_else(myself::name, Ok)?;
            let reply = daemon.call(&ShowUser { user })?;
            if reply.account.devices.is_empty() {
                output.remark("No device is remembered.");
            }
            output.answer(&reply, |reply| {
                output::table(
                    reply.account.devices.iter().map(|line| vec![line.id.to_string(), device(line)]),
                )
            })?;
            Ok(Ending::Done)
        }
        DevicesVerb::Revoke(wanted) => {
            let user = wanted.whose.user.clone();
            let reply = daemon.call(&RevokeDevices { user: user.clone(), id: wanted.which.id })?;
            output.answer(&reply, |reply| {
                let fact = match (reply.revoked, wanted.which.id) {
                    (0, Some(id)) => format!("there is no device {id}."),
                    (0, None) => "no device was remembered.".to_owned(),
                    (1, _) => "1 device forgotten.".to_owned(),
                    (count, _) => format!("{count} devices forgotten."),
                };
                about(user.as_deref(), &fact)
            })?;
            Ok(Ending::Done)
        }
    }
}

/// A device in one line.
pub fn device(line: &DeviceLine) -> String {
    let DeviceLine { service, source, ssh_key, since, until, last_used, .. } = line;
    let source = source.as_ref().map_or(String::new(), |source| format!(" from {source}"));
    let key = ssh_key.as_ref().map_or(String::new(), |key| format!(" with {key}"));
    let used = last_used.map_or("not used yet".to_owned(), |used| format!("last used {}", time::local(used)));
    format!("{service}{source}{key}, since {}, until {}, {used}", time::local(*since), time::local(*until))
}

/// Tells what a login would meet.
///
/// # Errors
/// [`Failure`] if the key cannot be read, or mfad refused or did not answer.
pub fn explain(asked: &Explanation, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let key = asked.key.as_deref().map(key).transpose()?.unwrap_or_default();
    let half_key = key.kind.is_some() != key.fingerprint.is_some();
    let reply = daemon.call(&Explain {
        user: asked.user.clone(),
        service: asked.service.clone(),
        source: asked.from.clone(),
        key_type: key.kind,
        key_fingerprint: key.fingerprint,
        at: asked.at,
    })?;
    output.answer(&reply, explanation)?;
    if half_key {
        output.remark(
            "Half of the key is known: name the file of the public key, or rules may match that do not here.",
        );
    }
    Ok(Ending::Done)
}

#[derive(Default)]
struct Key {
    kind: Option<String>,
    fingerprint: Option<String>,
}

/// A fingerprint, a type, or the file of a public key: `type base64 comment` (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
fn key(argument: &Path) -> Result<Key, Failure> {
    let text = argument.to_string_lossy();
    if text.starts_with("SHA256:") {
        return Ok(Key { kind: None, fingerprint: Some(text.into_owned()) });
    }
    if !argument.exists() {
        return Ok(Key { kind: Some(text.into_owned()), fingerprint: None });
    }
    let unreadable = |cause| Failure::File { path: argument.to_owned(), cause };
    let line = std::fs::read_to_string(argument).map_err(unreadable)?;
    let mut words = line.split_ascii_whitespace();
    let (kind, blob) = (words.next(), words.next().and_then(|blob| BASE64.decode(blob.as_bytes()).ok()));
    let (Some(kind), Some(blob)) = (kind, blob) else {
        return Err(unreadable(io::Error::other("it holds no public key")));
    };
    let digest = BASE64_NOPAD.encode(&Sha256::digest(blob));
    Ok(Key { kind: Some(kind.to_owned()), fingerprint: Some(format!("SHA256:{digest}")) })
}

fn explanation(reply: &ExplainReply) -> String {
    let rules = reply.rules.iter().map(rule).collect::<Vec<_>>();
    let counts = reply.rule.as_ref().map_or("[login]".to_owned(), |rule| format!("rule \"{rule}\""));
    let mut rows = vec![row("what counts", counts), row("outcome", reply.outcome.clone())];
    if !reply.ways.is_empty() {
        rows.push(row("ways", reply.ways.join(", ")));
    }
    rows.push(row("trace", reply.trace.clone()));
    let summary = output::table(rows);
    if rules.is_empty() { summary } else { format!("{}\n\n{summary}", output::table(rules)) }
}

fn rule(line: &RuleLine) -> Vec<String> {
    let RuleLine { name, file, line, failing } = line;
    let verdict = failing.as_ref().map_or("matches".to_owned(), |condition| format!("no: {condition}"));
    vec![name.clone(), verdict, format!("{file}:{line}")]
}

/// Reports who would be locked out.
///
/// # Errors
/// [`Failure`] if nobody can say who there is, or mfad refused or did not answer.
pub fn report(verb: &ReportVerb, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let ReportVerb::Rollout(wanted) = verb;
    let somebody = homes::everybody()?.into_iter().filter(homes::Home::has_a_shell);
    let people: BTreeSet<String> = somebody.map(|home| home.user).collect();
    let mut lines: BTreeMap<String, RolloutLine> = BTreeMap::new();
    let mut progress = Progress::on_stderr(people.len());
    for batch in people.iter().cloned().collect::<Vec<_>>().chunks(BATCH) {
        let reply = daemon.call(&Rollout { users: batch.to_vec(), service: wanted.service.clone() })?;
        lines.extend(reply.lines.into_iter().map(|line| (line.user.clone(), line)));
        batch.iter().for_each(|_| progress.advance());
    }
    drop(progress);
    let mut after = None;
    loop {
        let page = daemon.call(&DryRuns { after: after.clone() })?;
        // Of those who are listed, the account knows better: they may have enrolled since.
        for line in page.lines.into_iter().filter(|line| !people.contains(&line.user)) {
            lines.entry(line.user.clone()).or_insert(line);
        }
        if page.next.is_none() || page.next == after {
            break;
        }
        after = page.next;
    }
    output.remark(&format!(
        "{} people can log in, {} would be locked out. \
         Rules that ask for an address or a key were taken as not matching.",
        people.len(),
        lines.len()
    ));
    let reply = RolloutReply { lines: lines.into_values().collect() };
    output.answer(&reply, |reply| {
        output::table(
            reply.lines.iter().map(|line| vec![line.user.clone(), line.cause.clone(), line.evidence.clone()]),
        )
    })?;
    Ok(Ending::Done)
}
