//! What TOTP and HOTP share: a code is a number of a few digits, out of a shared secret and a counter (RFC 4226, 5.3).

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The hash inside the HMAC. Most apps know SHA-1 only; its weaknesses do not touch HMAC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// HMAC-SHA-1, the one of RFC 4226.
    #[default]
    Sha1,
    /// HMAC-SHA-256 (RFC 6238).
    Sha256,
    /// HMAC-SHA-512 (RFC 6238).
    Sha512,
}

impl Algorithm {
    /// Its name in a key URI.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
            Algorithm::Sha512 => "SHA512",
        }
    }
}

/// Digits of a code: 6 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Digits(u8);

impl Digits {
    /// Six: what every app knows.
    pub const SIX: Self = Digits(6);

    /// Takes a number of digits; none if it is not 6 to 8.
    pub const fn new(count: u8) -> Option<Self> {
        if matches!(count, 6..=8) { Some(Digits(count)) } else { None }
    }

    /// The number.
    pub const fn count(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Digits {
    type Error = &'static str;

    fn try_from(count: u8) -> Result<Self, Self::Error> {
        Digits::new(count).ok_or("codes have 6 to 8 digits")
    }
}

impl From<Digits> for u8 {
    fn from(digits: Digits) -> Self {
        digits.0
    }
}

/// The codes of one secret, by counter.
pub(crate) struct Codes(totp_rs::Totp);

impl Codes {
    /// None for an empty secret: everybody knows its codes.
    pub(crate) fn of(secret: &[u8], algorithm: Algorithm, digits: Digits) -> Option<Self> {
        let algorithm = match algorithm {
            Algorithm::Sha1 => totp_rs::Algorithm::SHA1,
            Algorithm::Sha256 => totp_rs::Algorithm::SHA256,
            Algorithm::Sha512 => totp_rs::Algorithm::SHA512,
        };
        // Steps of one second turn its time into the counter. What the builder calls not compliant are the secrets of
        // 80 bits that google-authenticator once made; digits and step are checked here, by their types.
        let codes = totp_rs::Builder::new()
            .with_algorithm(algorithm)
            .with_digits(digits.count())
            .with_secret(secret)
            .with_step_duration(1)
            .build_noncompliant();
        (!secret.is_empty()).then_some(Codes(codes))
    }

    /// The code of a counter.
    pub(crate) fn code(&self, counter: u64) -> Zeroizing<String> {
        Zeroizing::new(self.0.generate(counter).to_string())
    }

    /// Those of some counters that have this code. All are computed, and each is compared in constant time: how long a
    /// wrong code takes tells nothing of the right one.
    pub(super) fn matching(&self, counters: impl Iterator<Item = u64>, typed: &str) -> Vec<u64> {
        let matches = |counter: &u64| self.code(*counter).as_bytes().ct_eq(typed.as_bytes()).into();
        counters.filter(matches).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn the_codes_are_those_of_rfc_4226_appendix_d() {
        let codes = Codes::of(SECRET, Algorithm::Sha1, Digits::SIX).unwrap();
        let expected = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        for (counter, code) in (0..).zip(expected) {
            assert_eq!(*codes.code(counter), code);
        }
    }

    #[test]
    fn an_empty_secret_has_no_codes_and_a_short_one_has() {
        assert!(Codes::of(b"", Algorithm::Sha1, Digits::SIX).is_none());
        assert!(Codes::of(&SECRET[..10], Algorithm::Sha1, Digits::SIX).is_some());
    }

    #[test]
    fn codes_have_six_to_eight_digits() {
        for count in [0, 1, 5, 9, 10, 12, 255] {
            assert_eq!(Digits::new(count), None);
            assert!(serde_json::from_str::<Digits>(&count.to_string()).is_err());
        }
        for count in 6..=8 {
            assert_eq!(serde_json::from_str::<Digits>(&count.to_string()).unwrap().count(), count);
        }
    }
}
