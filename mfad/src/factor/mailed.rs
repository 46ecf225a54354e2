//! The mailed code: 6 to 10 digits, a short life, few tries, spent once.
//!
//! The code itself is never stored. It is derived from the challenge's random id under a key that is not in the
//! database, so that it can be sent again after a crash; what is stored is a keyed digest to compare with.

use std::time::Duration;

use protocol::Secret;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::address::EmailAddress;
use crate::moment::Moment;

/// What this factor needs of the key that is kept outside the database.
pub trait CodeKeys {
    /// The code of a challenge: `digits` decimal digits, each equally likely.
    fn code(&self, challenge: &ChallengeId, user: &str, digits: u8) -> Secret;

    /// The digest of a code typed or sent for a challenge.
    fn digest(&self, challenge: &ChallengeId, user: &str, code: &str) -> CodeDigest;
}

/// 128 random bits in base 32: names a challenge, and is what its code is derived from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChallengeId(String);

impl ChallengeId {
    /// Takes random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        ChallengeId(data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// HMAC-SHA256 of a code, in base 64.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CodeDigest(String);

impl CodeDigest {
    /// Takes a MAC.
    pub fn from_mac(mac: &[u8]) -> Self {
        CodeDigest(data_encoding::BASE64.encode(mac))
    }
}

impl PartialEq for CodeDigest {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

/// Whether the mail with the code is known to be on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// It has to be sent, again perhaps, and counted when it is.
    Owed,
    /// Not known: it is being sent now, or the daemon died while it was.
    Pending,
    /// A courier accepted it.
    Done,
}

/// A code that is out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// Names it.
    pub id: ChallengeId,
    /// Where the code went.
    pub address: EmailAddress,
    /// When it was made.
    pub opened: Moment,
    /// When a mail with it was last handed to a courier.
    pub last_sent: Moment,
    /// Whether the mail is on its way.
    pub delivery: Delivery,
    /// Milliseconds from `opened`.
    lifetime: u64,
    digits: u8,
    digest: CodeDigest,
    tries_left: u32,
    /// When the last try was used, if it was.
    used_up: Option<Moment>,
}

/// How one guess was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Comparison {
    /// The code is right.
    Right,
    /// It is wrong; so many tries are left.
    Wrong(u32),
    /// The code's life is over; nothing was compared.
    Expired,
    /// No try was left; nothing was compared.
    UsedUp,
}

/// What a new challenge is made of.
pub struct Terms<'a> {
    /// Digits of the code.
    pub digits: u8,
    /// Its life.
    pub lifetime: Duration,
    /// Its tries.
    pub tries: u32,
    /// Where it goes.
    pub address: &'a EmailAddress,
}

impl Challenge {
    /// Makes a code for `user`, good from `now`.
    pub fn open(id: ChallengeId, user: &str, terms: &Terms<'_>, keys: &dyn CodeKeys, now: Moment) -> Self {
        let code = keys.code(&id, user, terms.digits);
        Challenge {
            digest: keys.digest(&id, user, code.expose()),
            id,
            address: terms.address.clone(),
            opened: now,
            last_sent: now,
            delivery: Delivery::Pending,
            lifetime: u64::try_from(terms.lifetime.as_millis()).unwrap_or(u64::MAX),
            digits: terms.digits,
            tries_left: terms.tries,
            used_up: None,
        }
    }

    /// The code, to send it (again).
    pub fn code(&self, user: &str, keys: &dyn CodeKeys) -> Secret {
        keys.code(&self.id, user, self.digits)
    }

    /// Compares one guess. The try is used up before the code is looked at.
    pub fn compare(&mut self, user: &str, typed: &str, keys: &dyn CodeKeys, now: Moment) -> Comparison {
        if self.is_expired(now) {
            return Comparison::Expired;
        }
        let Some(left) = self.tries_left.checked_sub(1) else {
            return Comparison::UsedUp;
        };
        self.tries_left = left;
        if left == 0 {
            self.used_up = Some(now);
        }
        if keys.digest(&self.id, user, typed) == self.digest {
            return Comparison::Right;
        }
        Comparison::Wrong(left)
    }

    /// True after the code's life, and where the clock went back behind its birth.
    pub fn is_expired(&self, now: Moment) -> bool {
        now.at_most_since(self.opened) >= Duration::from_millis(self.lifetime)
    }

    /// True if no try is left.
    pub fn is_used_up(&self) -> bool {
        self.tries_left == 0
    }

    /// How long after the last try a new code must wait; none if tries are left or the wait is over.
    pub fn wait_after_use(&self, wait: Duration, now: Moment) -> Option<Duration> {
        let used_up = self.used_up?;
        wait.checked_sub(now.at_least_since(used_up)).filter(|left| !left.is_zero())
    }

    /// Tries left.
    pub fn tries_left(&self) -> u32 {
        self.tries_left
    }

    /// Digits of the code.
    pub fn digits(&self) -> u8 {
        self.digits
    }

    /// When it ends, by the wall clock; milliseconds since 1970.
    pub fn expires(&self) -> u64 {
        self.opened.wall.saturating_add(self.lifetime)
    }
}

/// What a typed text is, judged by its shape alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// As many digits as the code has, spaces and dashes aside.
    Code,
    /// Nothing.
    Empty,
    /// What sshd sends in place of an answer that it will not accept anyway (OpenSSH auth-pam.c), or what the module
    /// sends in place of an answer that cannot be a code.
    Junk,
    /// Something else.
    Other,
}

/// Judges the shape of what was typed. No try is spent on anything but [`Shape::Code`].
pub fn shape(typed: &str, digits: u8) -> Shape {
    let plain = normalised(typed);
    let plain = plain.expose();
    if typed.starts_with("\u{8}\n\r\u{7f}") || typed.contains('\u{fffd}') {
        Shape::Junk
    } else if plain.is_empty() {
        Shape::Empty
    } else if plain.len() == usize::from(digits) && plain.bytes().all(|byte| byte.is_ascii_digit()) {
        Shape::Code
    } else {
        Shape::Other
    }
}

/// What was typed without the spaces and dashes that people put between digits.
pub fn normalised(typed: &str) -> Secret {
    Secret::new(typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_number_of_digits_is_a_code() {
        for (typed, expected) in [
            ("123456", Shape::Code),
            (" 123 456 ", Shape::Code),
            ("123-456", Shape::Code),
            ("12345", Shape::Other),
            ("1234567", Shape::Other),
            ("12345a", Shape::Other),
            ("１２３４５６", Shape::Other),
            ("", Shape::Empty),
            ("  ", Shape::Empty),
            ("\u{8}\n\r\u{7f}INCORRECT", Shape::Junk),
            ("\u{8}\n\r\u{7f}IN", Shape::Junk),
            ("\u{fffd}", Shape::Junk),
        ] {
            assert_eq!(shape(typed, 6), expected, "{typed:?}");
        }
    }
}
