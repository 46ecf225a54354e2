//! The export of Google's Authenticator app: `otpauth-migration://offline?data=`, base 64 of a protocol buffer. The
//! few lines that decode it are here, for they must survive anything that a camera or a clipboard makes of it.

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
use zeroize::Zeroizing;

use super::otpauth::account;
use super::shared_secret::from_bytes;
use super::{Algorithm, Digits, Imported, Kind, Place, Reason, Refusal, Step};

/// What the URI starts with.
pub(super) const SCHEME: &str = "otpauth-migration://";

/// Reads the value of `data`, percent-decoded: an outcome for each entry. `user` is whose they are, if that is known.
pub fn parse(data: &str, place: Place, user: Option<&str>) -> Vec<Result<Imported, Refusal>> {
    let damaged = || vec![Err(Refusal { place, user: user.map(str::to_owned), reason: Reason::Migration })];
    let Some(bytes) = bytes(data) else { return damaged() };
    let Some(payload) = Payload::decode(&bytes) else { return damaged() };
    let mut entries: Vec<_> = payload
        .entries
        .iter()
        .enumerate()
        .map(|(index, entry)| imported(entry, place.with_entry(index), user))
        .collect();
    if payload.batch_size > 1
        && let Some(Ok(first)) = entries.iter_mut().find(|entry| entry.is_ok())
    {
        let part = payload.batch_index.saturating_add(1);
        first.notes.push(format!("this is part {part} of an export of {}: import each", payload.batch_size));
    }
    entries
}

/// Base 64 in either alphabet, with or without padding; some readers make spaces of plus signs.
fn bytes(data: &str) -> Option<Zeroizing<Vec<u8>>> {
    let data = Zeroizing::new(data.trim_end_matches('=').replace(' ', "+"));
    let url_safe = data.contains(['-', '_']);
    let encoding = if url_safe { BASE64URL_NOPAD } else { BASE64_NOPAD };
    encoding.decode(data.as_bytes()).ok().map(Zeroizing::new)
}

/// `MigrationPayload`.
#[derive(Default)]
struct Payload<'a> {
    entries: Vec<Entry<'a>>,
    batch_size: u64,
    batch_index: u64,
}

impl<'a> Payload<'a> {
    fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut payload = Payload::default();
        for field in Fields(bytes) {
            match field? {
                (1, Value::Bytes(entry)) => payload.entries.push(Entry::decode(entry)?),
                (3, Value::Number(size)) => payload.batch_size = size,
                (4, Value::Number(index)) => payload.batch_index = index,
                _ => {}
            }
        }
        (!payload.entries.is_empty()).then_some(payload)
    }
}

/// `OtpParameters`; a number that is not there is 0.
#[derive(Default)]
struct Entry<'a> {
    secret: &'a [u8],
    name: &'a [u8],
    algorithm: u64,
    digits: u64,
    kind: u64,
    counter: u64,
}

impl<'a> Entry<'a> {
    fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut entry = Entry::default();
        for field in Fields(bytes) {
            match field? {
                (1, Value::Bytes(secret)) => entry.secret = secret,
                (2, Value::Bytes(name)) => entry.name = name,
                (4, Value::Number(algorithm)) => entry.algorithm = algorithm,
                (5, Value::Number(digits)) => entry.digits = digits,
                (6, Value::Number(kind)) => entry.kind = kind,
                (7, Value::Number(counter)) => entry.counter = counter,
                _ => {}
            }
        }
        Some(entry)
    }

    fn kind(&self) -> Result<Kind, Reason> {
        let algorithm = match self.algorithm {
            0 | 1 => Algorithm::Sha1,
            2 => Algorithm::Sha256,
            3 => Algorithm::Sha512,
            4 => return Err(Reason::Algorithm("MD5")),
            _ => return Err(Reason::Algorithm("such")),
        };
        let digits = match self.digits {
            0 | 1 => Digits::SIX,
            2 => Digits::EIGHT,
            _ => return Err(Reason::NotANumber("digits")),
        };
        match self.kind {
            // The counter is signed; a negative one is a very large one here.
            1 if i64::try_from(self.counter).is_err() => Err(Reason::NotANumber("counter")),
            1 => Ok(Kind::Hotp { algorithm, digits, counter: self.counter }),
            2 => Ok(Kind::Totp { algorithm, digits, step: Step::HALF_A_MINUTE, drift: 0, last_step: None }),
            _ => Err(Reason::NoKind),
        }
    }
}

fn imported(entry: &Entry<'_>, place: Place, user: Option<&str>) -> Result<Imported, Refusal> {
    let (user, notes) = match user {
        Some(user) => (Some(user.to_owned()), Vec::new()),
        None => account(&String::from_utf8_lossy(entry.name)),
    };
    let refuse = |reason| Refusal { place, user: user.clone(), reason };
    let kind = entry.kind().map_err(refuse)?;
    let secret = from_bytes(entry.secret).map_err(refuse)?;
    Ok(Imported { user, kind, secret, scratch: Vec::new(), notes })
}

/// The fields of a message, in order; none at the first that cannot be read, and nothing after it
/// (<https://protobuf.dev/programming-guides/encoding>).
struct Fields<'a>(&'a [u8]);

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Four or eight bytes: nothing of ours.
    Other,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.number()?;
        let value = match tag & 7 {
            0 => Value::Number(self.number()?),
            1 => self.take(8).map(|_| Value::Other)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Other)?,
            _ => return None,
        };
        Some((tag >> 3, value))
    }

    /// Seven bits a byte, the lowest first, at most 64 of them.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests;
