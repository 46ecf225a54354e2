//! Salted digests of codes that are compared but never shown again.
//!
//! A fast hash is enough for a code of 80 random bits: there is no list of likely ones to try, and 2^80 hashes are out
//! of anybody's reach. A slow hash would only be a lever to keep the daemon busy with guesses.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// 16 random bytes in base 64: equal codes of two people have different digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Salt(String);

/// SHA-256 of a salt and a code, in base 64.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Digest(String);

impl Salt {
    pub(super) fn from_random(bytes: [u8; 16]) -> Self {
        Salt(data_encoding::BASE64.encode(&bytes))
    }

    /// The digest of a code that has been read to its plain form.
    pub(super) fn digest(&self, code: &str) -> Digest {
        // The salt with its length: no two pairs of salt and code have the same bytes.
        let hash = Sha256::new()
            .chain_update((self.0.len() as u64).to_be_bytes())
            .chain_update(&self.0)
            .chain_update(code);
        Digest(data_encoding::BASE64.encode(&hash.finalize()))
    }
}

impl PartialEq for Digest {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}
