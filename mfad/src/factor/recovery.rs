//! Recovery codes: ten of 80 bits, shown once, each good for one login.
//!
//! A set that was imported from google-authenticator has scratch codes of eight digits instead. Those hold 26 bits only:
//! whoever has the database finds them by trying, so people are best given a new set soon.

use protocol::Secret;
use serde::{Deserialize, Serialize};

use super::digest::{Digest, Salt};
use super::letters;
use super::shape::normalised;

/// Codes of a new set.
pub const CODES: usize = 10;

/// Digits of a scratch code of google-authenticator.
const SCRATCH_DIGITS: usize = 8;

/// The codes that are left, as digests. The codes themselves are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoverySet {
    salt: Salt,
    digests: Vec<Digest>,
    #[serde(default)]
    writing: Writing,
}

/// What the codes of a set are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Writing {
    /// Sixteen letters and digits: our own.
    #[default]
    Letters,
    /// Eight digits: imported.
    Digits,
}

/// A text that is no scratch code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("scratch code {place} is not eight digits. Correct it, or leave it out")]
pub struct NoScratchCode {
    /// Which of them, from 1.
    pub place: usize,
}

impl RecoverySet {
    /// Makes a set out of random bytes, and its codes as they are shown, once.
    pub fn make(random: &[[u8; 10]; CODES], salt: [u8; 16]) -> (Self, Vec<Secret>) {
        let salt = Salt::from_random(salt);
        let codes: Vec<Secret> = random.iter().map(letters::write).collect();
        let digests = codes.iter().map(|code| salt.digest(normalised(code.expose()).expose())).collect();
        (RecoverySet { salt, digests, writing: Writing::Letters }, codes)
    }

    /// Takes over scratch codes of google-authenticator.
    ///
    /// # Errors
    /// [`NoScratchCode`]: nothing is taken over.
    pub fn import(codes: &[&str], salt: [u8; 16]) -> Result<Self, NoScratchCode> {
        let salt = Salt::from_random(salt);
        let digest = |(index, code): (usize, &&str)| {
            let plain = scratch(code).ok_or(NoScratchCode { place: index + 1 })?;
            Ok(salt.digest(plain.expose()))
        };
        let digests = codes.iter().enumerate().map(digest).collect::<Result<_, _>>()?;
        Ok(RecoverySet { digests, salt, writing: Writing::Digits })
    }

    /// Spends a code: it is compared with all that are left, whichever it is, and never matches again. Answers how many
    /// are left; none if it was not one of them.
    #[must_use]
    pub fn spend(&mut self, typed: &str) -> Option<usize> {
        let plain = letters::read(typed).or_else(|| scratch(typed))?;
        let digest = self.salt.digest(plain.expose());
        let before = self.digests.len();
        self.digests.retain(|kept| *kept != digest);
        (self.digests.len() < before).then_some(self.digests.len())
    }

    /// What its codes are written in.
    pub fn writing(&self) -> Writing {
        self.writing
    }

    /// Codes left.
    pub fn left(&self) -> usize {
        self.digests.len()
    }
}

/// A scratch code to its eight digits; none if it is not one.
fn scratch(typed: &str) -> Option<Secret> {
    let plain = normalised(typed);
    let digits = plain.expose().bytes().all(|byte| byte.is_ascii_digit());
    (digits && plain.expose().len() == SCRATCH_DIGITS).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random() -> [[u8; 10]; CODES] {
        std::array::from_fn(|code| std::array::from_fn(|byte| u8::try_from(code * 16 + byte * 7).unwrap()))
    }

    /// As the store does it between two steps.
    fn restarted(set: &RecoverySet) -> RecoverySet {
        serde_json::from_str(&serde_json::to_string(set).unwrap()).unwrap()
    }

    #[test]
    fn a_recovery_code_is_spent_once() {
        let (mut set, codes) = RecoverySet::make(&random(), [7; 16]);
        assert_eq!(set.left(), CODES);
        for (spent, code) in codes.iter().enumerate().rev() {
            let typed = code.expose().to_uppercase().replace('-', " ").replace('0', "O").replace('1', "l");
            assert_eq!(set.spend(&typed), Some(spent));
            set = restarted(&set);
            assert_eq!(set.spend(code.expose()), None);
            assert_eq!(set.left(), spent);
        }
        assert_eq!(set.spend(codes[0].expose()), None);
    }

    #[test]
    fn a_wrong_code_and_another_sets_code_spend_nothing() {
        let (mut set, _) = RecoverySet::make(&random(), [7; 16]);
        let (_, others) = RecoverySet::make(&[[0xfe; 10]; CODES], [7; 16]);
        for typed in ["", "123456", "12345678", "0000-0000-0000-000", others[0].expose()] {
            assert_eq!(set.spend(typed), None, "{typed:?}");
        }
        assert_eq!(set.left(), CODES);
    }

    #[test]
    fn no_code_is_in_what_is_kept_and_equal_codes_have_different_digests() {
        let (set, codes) = RecoverySet::make(&random(), [7; 16]);
        let (other, _) = RecoverySet::make(&random(), [8; 16]);
        let kept = serde_json::to_string(&set).unwrap();
        for code in &codes {
            assert!(!kept.contains(code.expose()) && !kept.contains(&code.expose().replace('-', "")));
        }
        assert!(set.digests.iter().all(|digest| !other.digests.contains(digest)));
    }

    #[test]
    fn imported_scratch_codes_are_spent_once_even_if_one_is_listed_twice() {
        let mut set = RecoverySet::import(&["12345678", "8765 4321", "12345678"], [1; 16]).unwrap();
        assert_eq!(set.spend("1234-5678"), Some(1));
        assert_eq!(restarted(&set).spend("12345678"), None);
        assert_eq!(set.spend("87654321"), Some(0));
        for bad in ["1234567", "123456789", "1234567a", ""] {
            assert_eq!(RecoverySet::import(&["12345678", bad], [1; 16]), Err(NoScratchCode { place: 2 }));
        }
    }
}
