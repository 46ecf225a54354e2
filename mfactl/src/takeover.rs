//! Factors of other programs, handed to mfad entry by entry. mfad judges each, also in a dry run, so that what is told
//! beforehand is what happens. The files are only read.

use std::path::Path;

use protocol::manage::{Change, ImportFactor, Run};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Ending;
use crate::arguments::administration::{GoogleAuthenticator, ImportVerb};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::import::homes::{self, Found};
use crate::import::progress::Progress;
use crate::import::table::{Row, table};
use crate::import::{Algorithm, FOLLOWED, Imported, Kind, Refusal, google_authenticator, oath, otpauth};
use crate::output::Output;

/// Takes over what the files hold, or tells what would be. [`Ending::Refused`] if an entry cannot be taken over.
///
/// # Errors
/// [`Failure`] if nothing could be read, or mfad did not answer. What was taken over until then is told, and stays.
pub fn carry_out(verb: &ImportVerb, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let (entries, run) = match verb {
        ImportVerb::GoogleAuthenticator(wanted) => (states(wanted)?, wanted.decision.run()),
        ImportVerb::Oath(wanted) => (entries(&oath::parse(&text(&wanted.file)?)), wanted.decision.run()),
        ImportVerb::Otpauth(wanted) => {
            (entries(&otpauth::parse(&text(&wanted.file)?)), wanted.decision.run())
        }
    };
    if entries.is_empty() {
        output.remark("Nothing to import was found.");
        return Ok(Ending::Done);
    }
    let mut report = Report { run, entries: Vec::with_capacity(entries.len()) };
    let handed_over = hand_over(entries, daemon, &mut report);
    show(&report, output)?;
    handed_over?;
    let refused = report.entries.iter().any(|line| line.fate == Fate::Refused);
    Ok(if refused { Ending::Refused } else { Ending::Done })
}

/// What was found for one factor: its row, and the factor itself if the parser can read it and knows whose it is.
struct Entry {
    row: Row,
    factor: Option<Imported>,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fate {
    /// It was, or would be, taken over.
    Taken,
    /// The person has the same key already.
    There,
    /// It cannot be.
    Refused,
}

/// An entry and its fate, told.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    user: String,
    what: String,
    fate: Fate,
    detail: String,
}

/// What became of all entries.
#[derive(Debug, Serialize, Deserialize)]
struct Report {
    run: Run,
    entries: Vec<Line>,
}

fn states(wanted: &GoogleAuthenticator) -> Result<Vec<Entry>, Failure> {
    match (&wanted.user, &wanted.file) {
        (None, _) => Ok(in_homes(homes::everybody()?)),
        (Some(user), None) => {
            let home = homes::of(user)?.ok_or_else(|| Failure::NoSuchUser(user.clone()))?;
            Ok(in_homes([home]))
        }
        (Some(user), Some(file)) => {
            Ok(entries(&[google_authenticator::parse(&text(file)?, Some(user.as_str()))]))
        }
    }
}

fn in_homes(homes: impl IntoIterator<Item = homes::Home>) -> Vec<Entry> {
    let entry = |found: Found| Entry { row: Row::from(&found), factor: found.outcome.ok() };
    homes::find_google_authenticator(homes).map(entry).collect()
}

fn entries(outcomes: &[Result<Imported, Refusal>]) -> Vec<Entry> {
    let named =
        |outcome: &Result<Imported, Refusal>| outcome.clone().ok().filter(|factor| factor.user.is_some());
    outcomes.iter().map(|outcome| Entry { row: Row::from(outcome), factor: named(outcome) }).collect()
}

fn text(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let read = std::fs::read_to_string(path).map(Zeroizing::new);
    read.map_err(|cause| Failure::File { path: path.to_owned(), cause })
}

/// Asks mfad about each entry. Those that it answered are in the report, also after a failure.
fn hand_over(entries: Vec<Entry>, daemon: &mut Connection, report: &mut Report) -> Result<(), Failure> {
    let mut progress = Progress::on_stderr(entries.len());
    for Entry { row: Row { user, what, taken }, factor } in entries {
        let (fate, detail) = match factor {
            None => (Fate::Refused, taken),
            Some(factor) => judged(&factor, taken, report.run, daemon)?,
        };
        report.entries.push(Line { user, what, fate, detail });
        progress.advance();
    }
    Ok(())
}

fn judged(
    factor: &Imported,
    taken: String,
    run: Run,
    daemon: &mut Connection,
) -> Result<(Fate, String), Failure> {
    match daemon.call(&request(factor, run)) {
        Ok(reply) => Ok(match reply.change {
            Change::Changed => (Fate::Taken, taken),
            Change::Unchanged => (Fate::There, "no: the person has the same key already".to_owned()),
        }),
        Err(Failure::Refused(reason)) => Ok((Fate::Refused, format!("no: {}", reason))),
        Err(failure) => Err(failure),
    }
}

/// A clock that is off by more than mfad follows is taken for a right one; the parser has told so.
fn request(factor: &Imported, run: Run) -> ImportFactor {
    let asked = ImportFactor {
        user: factor.user.clone().unwrap_or_default(),
        factor: String::new(),
        secret: factor.secret.clone(),
        algorithm: None,
        digits: None,
        step: None,
        counter: None,
        drift: None,
        last_step: None,
        scratch: factor.scratch.clone(),
        run,
    };
    match factor.kind {
        Kind::Totp { algorithm, digits, step, drift, last_step } => ImportFactor {
            factor: "totp".to_owned(),
            algorithm: Some(on_the_wire(algorithm).to_owned()),
            digits: Some(digits.count().into()),
            step: Some(step.seconds().into()),
            drift: (drift.unsigned_abs() <= FOLLOWED).then_some(drift.into()),
            last_step,
            ..asked
        },
        Kind::Hotp { algorithm, digits, counter } => ImportFactor {
            factor: "hotp".to_owned(),
            algorithm: Some(on_the_wire(algorithm).to_owned()),
            digits: Some(digits.count().into()),
            counter: Some(counter),
            ..asked
        },
    }
}

fn on_the_wire(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Sha1 => "SHA1",
        Algorithm::Sha256 => "SHA256",
        Algorithm::Sha512 => "SHA512",
    }
}

fn show(report: &Report, output: &mut Output) -> Result<(), Failure> {
    output.answer(report, |report| {
        let row = |line: &Line| Row {
            user: line.user.clone(),
            what: line.what.clone(),
            taken: line.detail.clone(),
        };
        table(&report.entries.iter().map(row).collect::<Vec<_>>())
    })?;
    let taken = report.entries.iter().filter(|line| line.fate == Fate::Taken).count();
    let rest = report.entries.len() - taken;
    output.remark(&match report.run {
        Run::Dry => format!(
            "A dry run: nothing was changed. {taken} would be taken over, {rest} not. To do it, add --yes."
        ),
        Run::Real => format!("{taken} taken over, {rest} not. The files were not touched."),
    });
    Ok(())
}
