//! Bypass codes: an administrator lets somebody in who has no factor at hand, for a reason, for a while.
//!
//! The code looks like a recovery code and is kept as one. It ends by its uses or by its life, whichever is first.

use std::time::Duration;

use protocol::Secret;
use serde::{Deserialize, Serialize};

use super::digest::{Digest, Salt};
use super::letters;
use super::shape::normalised;
use crate::moment::Moment;

/// The longest life.
pub const LONGEST: Duration = Duration::from_hours(72);

/// Characters of a reason, at most.
const REASON_LENGTH: usize = 200;

/// A bypass code that is out. The code itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bypass {
    /// Names it among the bypass codes of a person.
    pub id: u32,
    /// Why it was issued, in the words of who did.
    pub reason: String,
    /// The uid of who issued it.
    pub issued_by: u32,
    /// When it was issued.
    pub opened: Moment,
    /// Milliseconds from `opened`.
    lifetime: u64,
    uses_left: u32,
    salt: Salt,
    digest: Digest,
}

/// What a new bypass code is made of.
pub struct Terms<'a> {
    /// Names it among the bypass codes of a person.
    pub id: u32,
    /// Why it is issued.
    pub reason: &'a str,
    /// How many logins it is good for.
    pub uses: u32,
    /// For how long, at most [`LONGEST`].
    pub lifetime: Duration,
    /// The uid of who issues it.
    pub issued_by: u32,
}

/// What a new bypass code has of randomness.
pub struct Randomness {
    /// The code.
    pub code: [u8; 10],
    /// The salt of its digest.
    pub salt: [u8; 16],
}

/// Why no bypass code was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotIssued {
    /// No reason, or too many words.
    #[error("a bypass needs a reason of at most {REASON_LENGTH} characters. Say it with --reason")]
    Reason,
    /// Not one use.
    #[error("a bypass needs at least one use. Say how many with --uses")]
    Uses,
    /// No time, or too much.
    #[error("a bypass lives for at most 72 hours. Say how long with --for, and issue another one later")]
    Lifetime,
}

impl Bypass {
    /// Makes a code, good from `now`, and the text that is shown, once.
    ///
    /// # Errors
    /// [`NotIssued`].
    pub fn issue(terms: &Terms<'_>, random: &Randomness, now: Moment) -> Result<(Self, Secret), NotIssued> {
        let reason = terms.reason.trim();
        if reason.is_empty() || reason.chars().count() > REASON_LENGTH {
            return Err(NotIssued::Reason);
        }
        if terms.uses == 0 {
            return Err(NotIssued::Uses);
        }
        if terms.lifetime.is_zero() || terms.lifetime > LONGEST {
            return Err(NotIssued::Lifetime);
        }
        let code = letters::write(&random.code);
        let salt = Salt::from_random(random.salt);
        let bypass = Bypass {
            id: terms.id,
            reason: reason.to_owned(),
            issued_by: terms.issued_by,
            opened: now,
            lifetime: u64::try_from(terms.lifetime.as_millis()).unwrap_or(0),
            uses_left: terms.uses,
            digest: salt.digest(normalised(code.expose()).expose()),
            salt,
        };
        Ok((bypass, code))
    }

    /// Uses the code up by one. Answers how many uses are left; none if it is not this code, or no longer good.
    #[must_use]
    pub fn spend(&mut self, typed: &str, now: Moment) -> Option<u32> {
        let plain = letters::read(typed)?;
        let right = self.salt.digest(plain.expose()) == self.digest;
        let left = self.uses_left.checked_sub(1)?;
        if !right || self.is_expired(now) {
            return None;
        }
        self.uses_left = left;
        Some(left)
    }

    /// True after the code's life, and where the clock went back behind its birth.
    pub fn is_expired(&self, now: Moment) -> bool {
        now.at_most_since(self.opened) >= Duration::from_millis(self.lifetime).min(LONGEST)
    }

    /// Uses left.
    pub fn uses_left(&self) -> u32 {
        self.uses_left
    }

    /// When it ends, by the wall clock; milliseconds since 1970.
    pub fn expires(&self) -> u64 {
        self.opened.wall.saturating_add(self.lifetime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn moment(seconds: u64) -> Moment {
        Moment { wall: 1_700_000_000_000 + seconds * 1000, boot: 10_000 + seconds * 1000, boot_id: 1 }
    }

    fn issue(reason: &str, uses: u32, lifetime: Duration) -> Result<(Bypass, Secret), NotIssued> {
        let terms = Terms { id: 1, reason, uses, lifetime, issued_by: 0 };
        Bypass::issue(&terms, &Randomness { code: [0x5a; 10], salt: [3; 16] }, moment(0))
    }

    #[test]
    fn a_bypass_code_is_good_for_its_uses() {
        let (mut bypass, code) = issue("lost phone", 2, HOUR).unwrap();
        assert_eq!(bypass.spend("0000-0000-0000-0000", moment(1)), None);
        assert_eq!(bypass.spend("", moment(1)), None);
        assert_eq!(bypass.spend(code.expose(), moment(1)), Some(1));
        bypass = serde_json::from_str(&serde_json::to_string(&bypass).unwrap()).unwrap();
        assert_eq!(bypass.spend(&code.expose().to_uppercase(), moment(2)), Some(0));
        assert_eq!(bypass.spend(code.expose(), moment(3)), None);
        assert!(!serde_json::to_string(&bypass).unwrap().contains(code.expose()));
    }

    #[test]
    fn a_bypass_code_ends_with_its_life_and_with_a_clock_that_nobody_knows() {
        let (bypass, code) = issue("lost phone", 2, HOUR).unwrap();
        assert_eq!(bypass.clone().spend(code.expose(), moment(3599)), Some(1));
        assert_eq!(bypass.clone().spend(code.expose(), moment(3600)), None);
        let back = Moment { wall: 1_600_000_000_000, ..moment(5) };
        assert_eq!(bypass.clone().spend(code.expose(), back), None);
    }

    #[test]
    fn a_bypass_code_needs_a_reason_a_use_and_a_life_of_at_most_three_days() {
        assert!(issue("lost phone", 1, LONGEST).is_ok());
        assert_eq!(issue(" ", 1, HOUR).unwrap_err(), NotIssued::Reason);
        assert_eq!(issue(&"x".repeat(201), 1, HOUR).unwrap_err(), NotIssued::Reason);
        assert_eq!(issue("lost phone", 0, HOUR).unwrap_err(), NotIssued::Uses);
        assert_eq!(issue("lost phone", 1, Duration::ZERO).unwrap_err(), NotIssued::Lifetime);
        assert_eq!(issue("lost phone", 1, LONGEST + HOUR).unwrap_err(), NotIssued::Lifetime);
    }
}
