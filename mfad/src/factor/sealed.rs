//! Secrets that mfad must be able to read again, such as the key inside an authenticator app.
//!
//! They are kept encrypted, each bound to the person and the factor that it belongs to: a blob that is copied into
//! another row opens no door. What does the sealing is the caller's; it is told by [`SealKeys`] what is needed.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::FactorId;

/// A sealed secret, in base 64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// Takes what a key made.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Sealed(data_encoding::BASE64.encode(bytes))
    }

    /// Takes what [`Sealed::text`] gave.
    pub fn from_text(text: String) -> Self {
        Sealed(text)
    }

    /// As it is kept.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What a key made; none if the text is not base 64.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        data_encoding::BASE64.decode(self.0.as_bytes()).ok()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}

/// Where a secret belongs.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The canonical name of the person.
    pub user: &'a str,
    /// Which of their factors.
    pub factor: &'a FactorId,
}

/// Whether a secret is sealed by the key that is in use now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Freshness {
    /// It is.
    Current,
    /// By an older one, or by none that is known: seal it again, or it is lost with that key.
    Old,
}

/// Why a sealed secret did not open. Either of them denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Tampered {
    /// No key at hand made it.
    #[error(
        "a secret is sealed by a key that is not in the key file. Put the line of the old key back below the \
         first one, and start mfad again"
    )]
    UnknownKey,
    /// It is not what the key made for this person and this factor.
    #[error(
        "a sealed secret was changed or belongs to somebody else. Restore the account from a backup, or remove \
         the factor and enrol it again"
    )]
    Altered,
}

/// What the factors need of the keys that are kept outside the database.
pub trait SealKeys {
    /// Seals by the current key. `nonce` is random and never used twice.
    fn seal(&self, place: &Place<'_>, plain: &[u8], nonce: [u8; 24]) -> Sealed;

    /// Opens what any of the keys sealed for this place.
    ///
    /// # Errors
    /// [`Tampered`].
    fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Tampered>;

    /// Tells what has to be sealed again.
    fn is_current(&self, sealed: &Sealed) -> Freshness;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_it_and_json_is_a_text() {
        let sealed = Sealed::from_bytes(b"blob");
        assert_eq!(format!("{sealed:?}"), "Sealed");
        assert_eq!(serde_json::to_string(&sealed).unwrap(), "\"YmxvYg==\"");
        assert_eq!(serde_json::from_str::<Sealed>("\"YmxvYg==\"").unwrap(), sealed);
    }
}
