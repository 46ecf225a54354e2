//! The state file of pam_google_authenticator: the secret, options in lines that start with a quotation mark, then
//! scratch codes. What each means was tried with the module itself (20191231-2 of Debian).

use protocol::Secret;

use super::shared_secret::from_base32;
use super::{Algorithm, Digits, FOLLOWED, Imported, Kind, Place, Reason, Refusal, Step, number};

/// Options that say nothing to mfad: it always throttles, and when somebody last came is in its own log.
const SILENT: [&str; 3] = ["RATE_LIMIT", "RESETTING_TIME_SKEW", "LAST"];

/// Codes that the module compares with unless told otherwise: the one of now, one before, one after.
const USUAL_WINDOW: u64 = 3;

/// Reads one state file.
///
/// # Errors
/// [`Refusal`] with the line that cannot be taken over.
pub fn parse(text: &str, user: Option<&str>) -> Result<Imported, Refusal> {
    let refuse =
        |(index, reason)| Refusal { place: Place::at_line(index), user: user.map(str::to_owned), reason };
    let secret = secret(text.lines().next().unwrap_or_default()).map_err(|reason| refuse((0, reason)))?;
    let options = Options::read(text);
    let kind = kind(&options).map_err(refuse)?;
    let mut notes = notes(&options, &kind);
    let scratch = scratch_codes(text, &mut notes);
    Ok(Imported { user: user.map(str::to_owned), kind, secret, scratch, notes })
}

/// The module takes the digits that look like letters for letters.
fn secret(line: &str) -> Result<Secret, Reason> {
    let as_letters = line.chars().map(|c| match c {
        '0' => 'O',
        '1' => 'L',
        '8' => 'B',
        other => other,
    });
    let mut text = String::with_capacity(line.len());
    text.extend(as_letters);
    from_base32(Secret::new(text).expose())
}

/// Lines that start with a quotation mark: an index from 0, a name, and the rest.
struct Options<'a>(Vec<(usize, &'a str, &'a str)>);

impl<'a> Options<'a> {
    fn read(text: &'a str) -> Self {
        let option = |(index, line): (usize, &'a str)| {
            let option = line.strip_prefix('"')?.trim();
            let (name, value) = option.split_once([' ', '\t']).unwrap_or((option, ""));
            Some((index, name, value.trim()))
        };
        Options(text.lines().enumerate().skip(1).filter_map(option).collect())
    }

    /// The first line of this name: the one that the module reads.
    fn first(&self, name: &str) -> Option<(usize, &'a str)> {
        self.0.iter().find(|option| option.1 == name).map(|&(index, _, value)| (index, value))
    }

    fn number(&self, name: &'static str) -> Result<Option<u64>, (usize, Reason)> {
        let read = |(index, value)| number(value, name).map_err(|reason| (index, reason));
        self.first(name).map(read).transpose()
    }
}

/// A counter of 1 or more makes it HOTP, whatever else is said. It is the one of the next code.
fn kind(options: &Options<'_>) -> Result<Kind, (usize, Reason)> {
    let algorithm = Algorithm::Sha1;
    let digits = Digits::SIX;
    if let Some(counter @ 1..) = options.number("HOTP_COUNTER")? {
        return Ok(Kind::Hotp { algorithm, digits, counter });
    }
    if options.first("TOTP_AUTH").is_none() {
        return Err((0, Reason::NoKind));
    }
    let step = match options.number("STEP_SIZE")? {
        None => Step::HALF_A_MINUTE,
        Some(seconds) => {
            let index = options.first("STEP_SIZE").map_or(0, |(index, _)| index);
            Step::new(seconds).map_err(|reason| (index, reason))?
        }
    };
    let drift = match options.first("TIME_SKEW") {
        None => 0,
        Some((index, value)) => value.parse().map_err(|_| (index, Reason::NotANumber("TIME_SKEW")))?,
    };
    Ok(Kind::Totp { algorithm, digits, step, drift, last_step: last_step(options) })
}

/// After DISALLOW_REUSE come the steps whose codes were used lately. The module keeps them in 32 bits.
fn last_step(options: &Options<'_>) -> Option<u64> {
    let (_, used) = options.first("DISALLOW_REUSE")?;
    used.split_whitespace().filter_map(|step| step.parse::<u32>().ok()).max().map(u64::from)
}

fn notes(options: &Options<'_>, kind: &Kind) -> Vec<String> {
    let mut notes = Vec::new();
    if let Ok(Some(window)) = options.number("WINDOW_SIZE")
        && window > USUAL_WINDOW
    {
        notes.push(format!("its window of {window} codes was not taken over: mfad has one for everybody"));
    }
    if let Kind::Totp { drift, step, .. } = kind {
        if drift.unsigned_abs() > FOLLOWED {
            let seconds = i64::from(*drift) * i64::from(step.seconds());
            notes.push(format!(
                "the app's clock was {seconds} s off, more than mfad follows: set the phone's clock right"
            ));
        }
        if options.first("DISALLOW_REUSE").is_none() {
            notes.push("its codes could be used again; mfad takes each once".to_owned());
        }
    }
    notes.extend(options.0.iter().filter(|option| !is_known(option.1)).map(|(index, ..)| {
        format!("the option in {} was not taken over: mfad does not know it", Place::at_line(*index))
    }));
    notes
}

fn is_known(name: &str) -> bool {
    const READ: [&str; 6] =
        ["TOTP_AUTH", "HOTP_COUNTER", "WINDOW_SIZE", "DISALLOW_REUSE", "STEP_SIZE", "TIME_SKEW"];
    // LAST0, LAST1, …: who came from where, for its grace period.
    READ.contains(&name) || SILENT.contains(&name.trim_end_matches(|c: char| c.is_ascii_digit()))
}

/// Eight digits a line, the first not 0. The module reads none after a line that is something else; nor is one taken.
fn scratch_codes(text: &str, notes: &mut Vec<String>) -> Vec<Secret> {
    let mut codes = Vec::new();
    for (index, line) in text.lines().enumerate().skip(1) {
        if line.is_empty() || line.starts_with('"') {
            continue;
        }
        let is_code =
            line.len() == 8 && !line.starts_with('0') && line.bytes().all(|byte| byte.is_ascii_digit());
        if !is_code {
            notes.push(format!(
                "{} is no scratch code: it and the rest were not taken over",
                Place::at_line(index)
            ));
            break;
        }
        codes.push(Secret::new(line.to_owned()));
    }
    codes
}

#[cfg(test)]
mod tests;
