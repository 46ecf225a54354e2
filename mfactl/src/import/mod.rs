//! What other second factors left behind, read so that mfad can take it over. Text in, values out; nothing is sent.
//!
//! - [`google_authenticator`]: the state file of pam_google_authenticator.  [`homes`]: finds those files, safely.
//! - [`oath`]: the users file of pam_oath.  [`otpauth`]: URIs, one a line; [`migration`]: the export of Google's app.
//! - [`shared_secret`]: base 32 and hexadecimal in.  [`refusal`]: what cannot be taken over, and what to do instead.
//! - [`table`]: what would happen, for people.  [`progress`]: how far it is.

pub mod google_authenticator;
pub mod homes;
pub mod migration;
pub mod oath;
pub mod otpauth;
pub mod progress;
pub mod refusal;
mod shared_secret;
pub mod table;

use std::ops::RangeInclusive;

use protocol::Secret;

pub use refusal::{Place, Reason, Refusal};

/// Digits of a code that mfad takes.
const DIGITS: RangeInclusive<u64> = 6..=8;

/// Seconds of a TOTP step that mfad takes.
const STEP: RangeInclusive<u64> = 15..=120;

/// Steps that mfad follows a clock that is off, either way.
pub const FOLLOWED: u32 = 2;

/// One factor, as it was found elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Whose it is, if the text says so.
    pub user: Option<String>,
    /// What kind of factor, and its parameters.
    pub kind: Kind,
    /// The shared secret in base 32, upper case, without padding.
    pub secret: Secret,
    /// Codes of eight digits that were good once each.
    pub scratch: Vec<Secret>,
    /// What was not taken over, and why; what to know about the rest.
    pub notes: Vec<String>,
}

/// What kind of factor, and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// RFC 6238.
    Totp {
        /// The hash.
        algorithm: Algorithm,
        /// Digits of a code.
        digits: Digits,
        /// How long a code is shown.
        step: Step,
        /// Steps that the app's clock is ahead of the host's; negative if it is behind.
        drift: i32,
        /// The last step whose code was used, if that is known: neither it nor one before it may be used again.
        last_step: Option<u64>,
    },
    /// RFC 4226.
    Hotp {
        /// The hash.
        algorithm: Algorithm,
        /// Digits of a code.
        digits: Digits,
        /// The counter of the next code.
        counter: u64,
    },
}

/// The hash inside the HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA-1.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Algorithm {
    /// The name that people know.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Sha1 => "SHA-1",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512 => "SHA-512",
        }
    }
}

/// Digits of a code: 6 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits(u8);

impl Digits {
    /// What nearly every app shows.
    pub const SIX: Self = Digits(6);
    /// What some hardware tokens show.
    pub const EIGHT: Self = Digits(8);

    /// Takes a number of digits.
    ///
    /// # Errors
    /// [`Reason::Digits`] if it is not 6 to 8.
    pub fn new(count: u64) -> Result<Self, Reason> {
        let fits = DIGITS.contains(&count).then(|| u8::try_from(count).ok()).flatten();
        fits.map(Digits).ok_or(Reason::Digits(count))
    }

    /// The number.
    pub fn count(self) -> u8 {
        self.0
    }
}

/// Seconds of a TOTP step: 15 to 120.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step(u16);

impl Step {
    /// What nearly every app uses.
    pub const HALF_A_MINUTE: Self = Step(30);

    /// Takes a number of seconds.
    ///
    /// # Errors
    /// [`Reason::Step`] if it is not 15 to 120.
    pub fn new(seconds: u64) -> Result<Self, Reason> {
        let fits = STEP.contains(&seconds).then(|| u16::try_from(seconds).ok()).flatten();
        fits.map(Step).ok_or(Reason::Step(seconds))
    }

    /// The number of seconds.
    pub fn seconds(self) -> u16 {
        self.0
    }
}

/// A number in decimal digits and nothing else: no sign, no space.
fn number(text: &str, field: &'static str) -> Result<u64, Reason> {
    let digits_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits_only.then(|| text.parse().ok()).flatten().ok_or(Reason::NotANumber(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_daemon_takes_has_a_type() {
        for count in [0, 5, 9, 12, u64::MAX] {
            assert_eq!(Digits::new(count), Err(Reason::Digits(count)));
        }
        for seconds in [0, 14, 121, u64::MAX] {
            assert_eq!(Step::new(seconds), Err(Reason::Step(seconds)));
        }
        assert_eq!([6, 7, 8].map(|count| Digits::new(count).unwrap().count()), [6, 7, 8]);
        assert_eq!([15, 60, 120].map(|seconds| Step::new(seconds).unwrap().seconds()), [15, 60, 120]);
    }

    #[test]
    fn a_number_has_digits_and_nothing_else() {
        assert_eq!(number("18446744073709551615", "counter"), Ok(u64::MAX));
        for bad in ["", "+1", "-1", " 1", "1 ", "1a", "18446744073709551616", "١"] {
            assert_eq!(number(bad, "counter"), Err(Reason::NotANumber("counter")), "{bad:?}");
        }
    }
}
