//! What an import would do, as a table for people. It shows no secret, and nothing that a terminal obeys.

use protocol::text::printable;

use super::homes::Found;
use super::{Imported, Kind, Refusal};
use crate::output;

const HEADINGS: [&str; 3] = ["USER", "WHAT", "TAKEN"];

/// One entry, told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Whose it is; "?" if that is not known.
    pub user: String,
    /// What it is; "-" if that is not known.
    pub what: String,
    /// Whether it is taken, and what to know about it, or why not and what to do.
    pub taken: String,
}

impl From<&Result<Imported, Refusal>> for Row {
    fn from(outcome: &Result<Imported, Refusal>) -> Self {
        match outcome {
            Ok(imported) => Row::taken(imported),
            Err(refusal) => Row::refused(refusal.user.as_deref(), &refusal.to_string()),
        }
    }
}

impl From<&Found> for Row {
    fn from(found: &Found) -> Self {
        match &found.outcome {
            Ok(imported) => Row::taken(imported),
            Err(why) => Row::refused(Some(&found.home.user), &format!("{}: {why}", found.path().display())),
        }
    }
}

impl Row {
    fn taken(imported: &Imported) -> Self {
        let taken = match (&imported.user, imported.notes.as_slice()) {
            (None, _) => "no: it does not say whose it is. Write the user before it".to_owned(),
            (Some(_), []) => "yes".to_owned(),
            (Some(_), notes) => format!("yes; {}", notes.join("; ")),
        };
        Row::of(imported.user.as_deref(), what(imported), taken)
    }

    fn refused(user: Option<&str>, why: &str) -> Self {
        Row::of(user, "-".to_owned(), format!("no: {why}"))
    }

    fn of(user: Option<&str>, what: String, taken: String) -> Self {
        Row { user: printable(user.unwrap_or("?")), what, taken: printable(&taken) }
    }
}

/// The table; nothing for no rows.
pub fn table(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let headings = HEADINGS.map(str::to_owned).to_vec();
    let cells = rows.iter().map(|row| vec![row.user.clone(), row.what.clone(), row.taken.clone()]);
    output::table(std::iter::once(headings).chain(cells))
}

fn what(imported: &Imported) -> String {
    let factor = match imported.kind {
        Kind::Totp { algorithm, digits, step, .. } => {
            format!("TOTP, {}, {} digits, {} s", algorithm.name(), digits.count(), step.seconds())
        }
        Kind::Hotp { algorithm, digits, counter } => {
            format!("HOTP, {}, {} digits, counter {counter}", algorithm.name(), digits.count())
        }
    };
    match imported.scratch.len() {
        0 => factor,
        1 => format!("{factor}, 1 scratch code"),
        codes => format!("{factor}, {codes} scratch codes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{google_authenticator, otpauth};

    const SECRET: &str = "GEZDGNBVGY3TQOJQ";

    #[test]
    fn each_entry_is_told_in_a_line_and_no_secret_is_shown() {
        let state = format!("{SECRET}\n\" WINDOW_SIZE 17\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n12345678\n");
        let uris = format!(
            "otpauth://hotp/Site:bob?secret={SECRET}&counter=7\n\
             otpauth://totp/e%1Bve?secret={SECRET}&algorithm=MD5\notpauth://totp/?secret={SECRET}\nrubbish"
        );
        let mut outcomes = vec![google_authenticator::parse(&state, Some("ada"))];
        outcomes.extend(otpauth::parse(&uris));
        let rows: Vec<_> = outcomes.iter().map(Row::from).collect();
        let told = table(&rows);
        let expected = [
            "USER  WHAT                                         TAKEN",
            "ada   TOTP, SHA-1, 6 digits, 30 s, 1 scratch code  yes; its window of 17 codes was not taken over: mfad has one for everybody",
            "bob   HOTP, SHA-1, 6 digits, counter 7             yes",
            "e?ve  -                                            no: line 2: MD5 codes are not known to mfad. Enrol the person anew",
            "?     TOTP, SHA-1, 6 digits, 30 s                  no: it does not say whose it is. Write the user before it",
            "?     -                                            no: line 4: it is not an otpauth URI in UTF-8. Copy the whole URI again, one a line: otpauth://totp/NAME?secret=BASE32",
        ];
        assert_eq!(told.lines().map(str::trim_end).collect::<Vec<_>>(), expected);
        assert!(!told.contains(SECRET) && !told.contains("12345678"));
        assert_eq!(table(&[]), "");
    }
}
