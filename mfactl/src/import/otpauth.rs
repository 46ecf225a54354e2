//! otpauth URIs, one a line, as apps and password managers export them
//! (<https://github.com/google/google-authenticator/wiki/Key-Uri-Format>). The user's name may stand before the URI;
//! else it is taken from the label. What Google's app exports goes to [`super::migration`].

use data_encoding::HEXLOWER_PERMISSIVE;
use protocol::Secret;
use zeroize::Zeroizing;

use super::shared_secret::from_base32;
use super::{Algorithm, Digits, Imported, Kind, Place, Reason, Refusal, Step, migration, number};

const SCHEME: &str = "otpauth://";

/// Reads URIs: an outcome for each entry of each line that is not empty and no comment.
pub fn parse(text: &str) -> Vec<Result<Imported, Refusal>> {
    let lines = text.lines().enumerate().map(|(index, line)| (index, line.trim()));
    let entries = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    entries.flat_map(|(index, line)| read_line(Place::at_line(index), line)).collect()
}

fn read_line(place: Place, line: &str) -> Vec<Result<Imported, Refusal>> {
    let (user, uri) = match line.split_once(char::is_whitespace) {
        Some((user, uri)) if without_prefix(line, "otpauth").is_none() => (Some(user), uri.trim_start()),
        _ => (None, line),
    };
    let refuse = |reason| Refusal { place, user: user.map(str::to_owned), reason };
    if let Some(export) = without_prefix(uri, migration::SCHEME) {
        let query = export.split_once('?').map_or("", |(_, query)| query);
        return match query_value(query, "data") {
            Ok(Some(data)) => migration::parse(&data, place, user),
            Ok(None) => vec![Err(refuse(Reason::Migration))],
            Err(reason) => vec![Err(refuse(reason))],
        };
    }
    vec![entry(uri, user, place)]
}

fn entry(uri: &str, user: Option<&str>, place: Place) -> Result<Imported, Refusal> {
    let parts =
        Parts::split(uri).map_err(|reason| Refusal { place, user: user.map(str::to_owned), reason })?;
    let (named, notes) = match user {
        Some(user) => (Some(user.to_owned()), Vec::new()),
        None => account(&parts.label),
    };
    let refuse = |reason| Refusal { place, user: named.clone(), reason };
    let kind = kind(&parts).map_err(refuse)?;
    let secret = secret(&parts).map_err(refuse)?;
    Ok(Imported { user: named, kind, secret, scratch: Vec::new(), notes })
}

/// A URI, cut where its punctuation is; the label is decoded.
struct Parts<'a> {
    kind: &'a str,
    label: String,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn split(uri: &'a str) -> Result<Self, Reason> {
        let rest = without_prefix(uri, SCHEME).ok_or(Reason::Uri)?;
        let (path, query) = rest.split_once('?').ok_or(Reason::NoSecret)?;
        let (kind, label) = path.split_once('/').ok_or(Reason::Uri)?;
        Ok(Parts { kind, label: decoded(label)?.to_string(), query })
    }

    fn value(&self, name: &'static str) -> Result<Option<Zeroizing<String>>, Reason> {
        query_value(self.query, name)
    }

    fn number(&self, name: &'static str) -> Result<Option<u64>, Reason> {
        self.value(name)?.map(|value| number(&value, name)).transpose()
    }
}

fn kind(parts: &Parts<'_>) -> Result<Kind, Reason> {
    let algorithm = parts.value("algorithm")?.map_or(Ok(Algorithm::Sha1), |name| algorithm(&name))?;
    let digits = parts.number("digits")?.map_or(Ok(Digits::SIX), Digits::new)?;
    if parts.value("encoder")?.is_some() {
        // Steam's: letters instead of digits.
        return Err(Reason::Algorithm("specially written"));
    }
    match parts.kind.to_ascii_lowercase().as_str() {
        "totp" => {
            let step = parts.number("period")?.map_or(Ok(Step::HALF_A_MINUTE), Step::new)?;
            Ok(Kind::Totp { algorithm, digits, step, drift: 0, last_step: None })
        }
        "hotp" => {
            let counter = parts.number("counter")?.ok_or(Reason::NoCounter)?;
            Ok(Kind::Hotp { algorithm, digits, counter })
        }
        _ => Err(Reason::NoKind),
    }
}

fn algorithm(name: &str) -> Result<Algorithm, Reason> {
    let name = name.to_ascii_uppercase().replace('-', "");
    match name.strip_prefix("HMAC").unwrap_or(&name) {
        "SHA1" => Ok(Algorithm::Sha1),
        "SHA256" => Ok(Algorithm::Sha256),
        "SHA512" => Ok(Algorithm::Sha512),
        "MD5" => Err(Reason::Algorithm("MD5")),
        _ => Err(Reason::Algorithm("such")),
    }
}

fn secret(parts: &Parts<'_>) -> Result<Secret, Reason> {
    from_base32(&parts.value("secret")?.ok_or(Reason::NoSecret)?)
}

/// The account of a label `issuer:account` or `account`, and what to know about it.
pub(super) fn account(label: &str) -> (Option<String>, Vec<String>) {
    let account = label.split_once(':').map_or(label, |(_, account)| account).trim();
    if account.is_empty() {
        return (None, Vec::new());
    }
    let mut notes = Vec::new();
    if account.contains('@') {
        notes.push(
            "its name looks like an address: if the login is another, write that before the URI".to_owned(),
        );
    }
    (Some(account.to_owned()), notes)
}

/// The decoded value of one parameter. Names are compared without regard to case.
fn query_value(query: &str, name: &'static str) -> Result<Option<Zeroizing<String>>, Reason> {
    let pairs = query.split('#').next().unwrap_or_default().split('&');
    let mut values = pairs.filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.eq_ignore_ascii_case(name).then_some(value)
    });
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Reason::Twice(name));
    }
    decoded(value).map(Some)
}

/// Percent-decoding (RFC 3986, 2.1). A plus sign stays one: these URIs are no forms.
fn decoded(text: &str) -> Result<Zeroizing<String>, Reason> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (pair, after) = after.split_at_checked(2).ok_or(Reason::Uri)?;
        bytes.extend(HEXLOWER_PERMISSIVE.decode(pair).map_err(|_| Reason::Uri)?);
        rest = after;
    }
    String::from_utf8(bytes).map(Zeroizing::new).map_err(|_| Reason::Uri)
}

/// The rest after a prefix of ASCII letters, in either case.
fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests;
