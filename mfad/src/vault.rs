//! The key that is not in the database, and what is made with it: codes and their digests.

use std::path::{Path, PathBuf};
use std::{fs, io};

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use protocol::Secret;
use sha2::Sha256;
use zeroize::Zeroizing;

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
    /// Not 32 bytes.
    #[error("the key {0} is not 32 bytes in base 64")]
    Malformed(PathBuf),
}

/// Keys derived from the master key, one a purpose (RFC 5869).
pub struct Vault {
    code: Zeroizing<[u8; KEY_BYTES]>,
    digest: Zeroizing<[u8; KEY_BYTES]>,
    check: String,
}

impl Vault {
    /// Reads the key: the credential `mfad-key` where the service manager gave one, else the file.
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
        let master = master(&text).ok_or_else(|| KeyError::Malformed(path.to_owned()))?;
        Ok(Vault::from_master(&master))
    }

    /// Derives the keys.
    pub fn from_master(master: &[u8; KEY_BYTES]) -> Self {
        let derive = Hkdf::<Sha256>::new(None, master);
        let key = |purpose: &str| {
            let mut key = Zeroizing::new([0u8; KEY_BYTES]);
            // 32 bytes are within HKDF's limit of 255 blocks.
            let _ = derive.expand(purpose.as_bytes(), key.as_mut_slice());
            key
        };
        let check = data_encoding::BASE64.encode(&*key("mfad check 1"));
        Vault { code: key("mfad code 1"), digest: key("mfad code digest 1"), check }
    }

    /// A value that tells this key from another and gives nothing of it away: the database keeps it.
    pub fn check(&self) -> &str {
        &self.check
    }
}

impl CodeKeys for Vault {
    fn code(&self, challenge: &ChallengeId, user: &str, digits: u8) -> Secret {
        let mut code = String::with_capacity(usize::from(digits));
        for block in 0u32.. {
            let mac = Zeroizing::new(mac(&self.code, &[challenge.as_str(), user, &block.to_string()]));
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
        CodeDigest::from_mac(&mac(&self.digest, &[challenge.as_str(), user, code]))
    }
}

fn mac(key: &[u8; KEY_BYTES], parts: &[&str]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        // Each part with its length: no two lists of parts have the same bytes.
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

fn master(text: &[u8]) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let bytes = if text.len() == KEY_BYTES {
        Zeroizing::new(text.to_vec())
    } else {
        Zeroizing::new(data_encoding::BASE64.decode(text.trim_ascii()).ok()?)
    };
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
