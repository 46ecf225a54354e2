//! The keys that are not in the database, and what is made with them: codes, their digests, sealed secrets.
//!
//! The key file has a line for each master key. The first is in use; those below it only open what they sealed, until it
//! is sealed again. From each master key one key a purpose is derived (RFC 5869).

mod audit;
mod seal;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use arc_swap::ArcSwap;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use protocol::Secret;
use sha2::Sha256;
use zeroize::Zeroizing;

pub use self::audit::{AuditKey, AuditKeyId};
use self::seal::SealKey;
use crate::factor::mailed::{ChallengeId, CodeDigest, CodeKeys};

/// Bytes of the master key.
const KEY_BYTES: usize = 32;

/// Why there is no key. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No file, and no credential.
    #[error(
        "there is no key at {0}. Make one, once: (umask 377; head -c 32 /dev/urandom | base64 >{0}); \
         without the old key all stored secrets are lost"
    )]
    Missing(PathBuf),
    /// The file cannot be read.
    #[error("the key {0} cannot be read: {1}")]
    Unreadable(PathBuf, io::Error),
    /// Others may read or change it.
    #[error(
        "the key {0} has mode {1:o}: others may read it. Make a new one, or `chmod 400 {0}` if nobody did"
    )]
    Exposed(PathBuf, u32),
    /// A key is gone that is in use, or that may have sealed what is still there.
    #[error("the key {0} lost a key that is still needed. Put its line back below the first one")]
    Lost(PathBuf),
    /// A line that is not 32 bytes.
    #[error(
        "the key {0}, line {1}, is not 32 bytes in base 64. Put the key back that was there; every line is one key, \
         the one in use first"
    )]
    Malformed(PathBuf, usize),
}

/// A key of one purpose.
type Key = Zeroizing<[u8; KEY_BYTES]>;

/// The keys of one host.
pub struct Vault {
    current: Keys,
    old: Vec<Keys>,
}

/// The keys in force: a reload replaces them for all who share them.
pub type SharedVault = Arc<ArcSwap<Vault>>;

/// What is derived from one master key.
struct Keys {
    code: Key,
    digest: Key,
    seal: SealKey,
    audit: AuditKey,
    check: String,
}

impl Vault {
    /// Reads the keys: the credential `mfad-key` where the service manager gave one, else the file.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open(file: &Path, credentials: Option<&Path>) -> Result<Self, KeyError> {
        let credential = credentials.map(|directory| directory.join("mfad-key")).filter(|path| path.exists());
        let path = credential.as_deref().unwrap_or(file);
        let exposed = |mode: u32| credential.is_none() && mode & 0o037 != 0;
        let text = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeyError::Missing(path.to_owned()));
            }
            Err(error) => return Err(KeyError::Unreadable(path.to_owned(), error)),
            Ok(metadata) if exposed(mode(&metadata)) => {
                return Err(KeyError::Exposed(path.to_owned(), mode(&metadata)));
            }
            Ok(_) => fs::read(path).map_err(|error| KeyError::Unreadable(path.to_owned(), error))?,
        };
        let text = Zeroizing::new(text);
        let masters = masters(&text).map_err(|line| KeyError::Malformed(path.to_owned(), line))?;
        let (current, old) = masters.split_first().ok_or_else(|| KeyError::Malformed(path.to_owned(), 1))?;
        Ok(Vault { current: Keys::derive(current), old: old.iter().map(|old| Keys::derive(old)).collect() })
    }

    /// The keys of one master key.
    pub fn from_master(master: &[u8; KEY_BYTES]) -> Self {
        Vault::from_masters(master, &[])
    }

    /// The keys of the master key in use, and of those before it.
    pub fn from_masters(current: &[u8; KEY_BYTES], old: &[[u8; KEY_BYTES]]) -> Self {
        Vault { current: Keys::derive(current), old: old.iter().map(Keys::derive).collect() }
    }

    /// A value for each master key, the one in use first, that tells it from another and gives nothing of it away: the
    /// database keeps the one that it was made with, or moved to.
    pub fn checks(&self) -> Vec<&str> {
        self.all().map(|keys| keys.check.as_str()).collect()
    }

    fn all(&self) -> impl Iterator<Item = &Keys> {
        std::iter::once(&self.current).chain(&self.old)
    }
}

impl Keys {
    fn derive(master: &[u8; KEY_BYTES]) -> Self {
        let derive = Hkdf::<Sha256>::new(None, master);
        let key = |purpose: &str| {
            let mut key = Key::default();
            // 32 bytes are within HKDF's limit of 255 blocks.
            let _ = derive.expand(purpose.as_bytes(), key.as_mut_slice());
            key
        };
        Keys {
            code: key("mfad code 1"),
            digest: key("mfad code digest 1"),
            seal: SealKey::new(&key("mfad key id 1"), key("mfad seal 1")),
            audit: AuditKey::new(&key("mfad key id 1"), key("mfad audit 1")),
            check: data_encoding::BASE64.encode(&*key("mfad check 1")),
        }
    }
}

/// By the key in use alone: a code lives for minutes, so one that was out before a new key simply fails.
impl CodeKeys for Vault {
    fn code(&self, challenge: &ChallengeId, user: &str, digits: u8) -> Secret {
        let mut code = String::with_capacity(usize::from(digits));
        for block in 0u32.. {
            let mac =
                Zeroizing::new(mac(&self.current.code, &[challenge.as_str(), user, &block.to_string()]));
            // 250 is the largest multiple of ten in a byte: each digit is equally likely.
            for byte in mac.iter().filter(|byte| **byte < 250) {
                if code.len() == usize::from(digits) {
                    return Secret::new(code);
                }
                code.push(char::from(b'0' + byte % 10));
            }
        }
        unreachable!("32 random bytes hold digits")
    }

    fn digest(&self, challenge: &ChallengeId, user: &str, code: &str) -> CodeDigest {
        CodeDigest::from_mac(&mac(&self.current.digest, &[challenge.as_str(), user, code]))
    }
}

fn mac<P: AsRef<[u8]>>(key: &[u8; KEY_BYTES], parts: &[P]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        // Each part with its length: no two lists of parts have the same bytes.
        let part = part.as_ref();
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Reads 32 raw bytes, or lines of base 64; the number of the first line that is no key, if one is not.
fn masters(text: &[u8]) -> Result<Vec<Key>, usize> {
    if let Ok(raw) = text.try_into() {
        return Ok(vec![Zeroizing::new(raw)]);
    }
    let lines =
        (1..).zip(text.split(|byte| *byte == b'\n')).map(|(number, line)| (number, line.trim_ascii()));
    let read = |(number, line)| master(line).ok_or(number);
    lines.filter(|(_, line)| !line.is_empty()).map(read).collect()
}

fn master(line: &[u8]) -> Option<Key> {
    let bytes = Zeroizing::new(data_encoding::BASE64.decode(line).ok()?);
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}

fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::MetadataExt;
    metadata.mode() & 0o7777
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> ChallengeId {
        ChallengeId::from_random([byte; 16])
    }

    #[test]
    fn a_code_has_its_digits_and_belongs_to_one_challenge_and_one_user() {
        let vault = Vault::from_master(&[7; 32]);
        for digits in 6..=10 {
            let code = vault.code(&id(1), "ada", digits);
            assert_eq!(code.expose().len(), usize::from(digits));
            assert!(code.expose().bytes().all(|byte| byte.is_ascii_digit()));
        }
        assert_eq!(vault.code(&id(1), "ada", 8), vault.code(&id(1), "ada", 8));
        assert_ne!(vault.code(&id(1), "ada", 8), vault.code(&id(2), "ada", 8));
        assert_ne!(vault.code(&id(1), "ada", 8), vault.code(&id(1), "bob", 8));
        assert_ne!(vault.code(&id(1), "ada", 8), Vault::from_master(&[8; 32]).code(&id(1), "ada", 8));
        assert!(vault.digest(&id(1), "ada", "123456") != vault.digest(&id(1), "bob", "123456"));
        assert!(vault.digest(&id(1), "ada1", "23456") != vault.digest(&id(1), "ada", "123456"));
    }

    #[test]
    fn a_key_file_has_a_line_for_each_key_and_the_first_is_in_use() {
        let line = |byte: u8| data_encoding::BASE64.encode(&[byte; KEY_BYTES]);
        let read = |text: &str| masters(text.as_bytes()).map(|keys| keys.iter().map(|key| key[0]).collect());
        assert_eq!(read(&line(1)), Ok(vec![1]));
        assert_eq!(read(&format!("{}\n{}\r\n\n{}\n", line(1), line(2), line(3))), Ok(vec![1, 2, 3]));
        assert_eq!(read(&format!("{}\nc2hvcnQ=\n", line(1))), Err(2));
        assert_eq!(read(&format!("\n# a remark\n{}\n", line(1))), Err(2));
        assert_eq!(read("\n"), Ok(Vec::<u8>::new()));
        assert_eq!(masters(&[7; KEY_BYTES]).unwrap()[0][0], 7, "raw bytes are one key");
    }

    #[test]
    fn codes_are_made_by_the_key_in_use_and_every_key_has_its_check() {
        let (before, after) = (Vault::from_master(&[1; 32]), Vault::from_masters(&[2; 32], &[[1; 32]]));
        assert_eq!(after.code(&id(1), "ada", 8), Vault::from_master(&[2; 32]).code(&id(1), "ada", 8));
        assert_eq!(after.checks()[1..], before.checks());
        assert_ne!(after.checks()[0], after.checks()[1]);
    }

    #[test]
    fn digits_are_equally_likely() {
        let vault = Vault::from_master(&[9; 32]);
        let mut counts = [0u32; 10];
        for challenge in 0..10_000u32 {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&challenge.to_be_bytes());
            for digit in vault.code(&ChallengeId::from_random(bytes), "ada", 6).expose().bytes() {
                counts[usize::from(digit - b'0')] += 1;
            }
        }
        // Chi-squared with 9 degrees of freedom: 27.9 is exceeded once in a thousand; the input is fixed.
        let expected = 6_000.0;
        let chi: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        assert!(chi < 27.9, "{counts:?} {chi}");
    }
}
