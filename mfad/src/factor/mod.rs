//! The factors: pure. One file a factor; what it keeps in the account, and how an answer is compared.
//!
//! Time, randomness and keys are arguments. `sealed` keeps shared secrets; `oath` makes the codes of TOTP and HOTP;
//! `letters` and `digest` are the codes that are shown once; `shape` tells what somebody typed before it is compared.

pub mod bypass;
mod digest;
pub mod hotp;
mod letters;
pub mod mailed;
pub mod oath;
pub mod otpauth;
pub mod recovery;
pub mod sealed;
pub mod shape;
pub mod totp;

#[cfg(test)]
mod against_oathtool;
#[cfg(test)]
mod properties;

use std::fmt;

use serde::{Deserialize, Serialize};

/// What the factors need of the keys that are kept outside the database.
pub trait Keys: mailed::CodeKeys + sealed::SealKeys + Sync {}

impl<T: mailed::CodeKeys + sealed::SealKeys + Sync> Keys for T {}

/// Characters of a [`FactorId`], at most.
const ID_LENGTH: usize = 64;

/// Names one factor of a person, such as `totp-1`: a letter, then letters, digits and dashes, all lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FactorId(String);

impl FactorId {
    /// Reads one; none if it is no name of a factor.
    pub fn parse(text: &str) -> Option<Self> {
        let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        let all = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        (first && all && text.len() <= ID_LENGTH).then(|| FactorId(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FactorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for FactorId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        FactorId::parse(&text).ok_or("the name of a factor has lower case letters, digits and dashes")
    }
}

impl From<FactorId> for String {
    fn from(id: FactorId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factors_name_is_short_and_plain() {
        let longest = "a".repeat(ID_LENGTH);
        for good in ["totp-1", "sms", "email", &longest] {
            assert_eq!(FactorId::parse(good).unwrap().as_str(), good);
        }
        let too_long = "a".repeat(ID_LENGTH + 1);
        for bad in ["", "1totp", "-", "Totp-1", "totp 1", "totp\n", "tötp", &too_long] {
            assert_eq!(FactorId::parse(bad), None, "{bad:?}");
            assert!(serde_json::from_value::<FactorId>(bad.into()).is_err());
        }
    }
}
