//! The code that is sent, by mail or by a hook: a few digits, a short life, spent once. Its tries are counted by the
//! round that it belongs to (`rules::round`).
//!
//! The code itself is never stored. It is derived from the challenge's random id under a key that is not in the
//! database, so that it can be sent again after a crash; what is stored is a keyed digest to compare with.

use std::time::Duration;

use protocol::Secret;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

pub use super::shape::normalised;
use crate::address::EmailAddress;
use crate::moment::Moment;

/// What this factor needs of the key that is kept outside the database.
///
/// It is the current key alone: a code lives for ten minutes at most, so one that is out when mfad starts with a new key
/// is simply wrong, and the next mail has a good one. Sealed secrets outlive keys; see [`super::sealed::SealKeys`].
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

/// Which way a code goes to the person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Channel {
    /// By mail.
    Email(EmailAddress),
    /// By a program of the site.
    Hook {
        /// The hook's name.
        name: String,
        /// Where to, as the hook understands it: a telephone number, a name in a chat.
        contact: String,
    },
}

impl Channel {
    /// The factor's name.
    pub fn factor(&self) -> &str {
        match self {
            Channel::Email(_) => "email",
            Channel::Hook { name, .. } => name,
        }
    }

    /// Whether it is this contact of this factor.
    pub fn is(&self, factor: &str, contact: &str) -> bool {
        match self {
            Channel::Email(address) => factor == "email" && address.as_str() == contact,
            Channel::Hook { name, contact: own } => factor == name && own == contact,
        }
    }

    /// Where it goes, as somebody may see it who should know already.
    pub fn masked(&self) -> String {
        match self {
            Channel::Email(address) => address.masked(),
            Channel::Hook { contact, .. } => {
                let last: Vec<char> =
                    contact.chars().rev().take(contact.chars().count().min(6) / 3).collect();
                format!("***{}", last.into_iter().rev().collect::<String>())
            }
        }
    }
}

/// A code that was sent and is out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentCode {
    /// Names it.
    pub id: ChallengeId,
    /// Where the code went.
    pub channel: Channel,
    /// When it was made.
    pub opened: Moment,
    /// When it was last handed to a courier.
    pub last_sent: Moment,
    /// Whether it is on its way.
    pub delivery: Delivery,
    /// Milliseconds from `opened`.
    lifetime: u64,
    digits: u8,
    digest: CodeDigest,
}

/// What a new code is made of.
pub struct Terms<'a> {
    /// Digits of the code.
    pub digits: u8,
    /// Its life.
    pub lifetime: Duration,
    /// Where it goes.
    pub channel: &'a Channel,
}

impl SentCode {
    /// Makes a code for `user`, good from `now`.
    pub fn open(id: ChallengeId, user: &str, terms: &Terms<'_>, keys: &dyn CodeKeys, now: Moment) -> Self {
        let code = keys.code(&id, user, terms.digits);
        SentCode {
            digest: keys.digest(&id, user, code.expose()),
            id,
            channel: terms.channel.clone(),
            opened: now,
            last_sent: now,
            delivery: Delivery::Pending,
            lifetime: u64::try_from(terms.lifetime.as_millis()).unwrap_or(u64::MAX),
            digits: terms.digits,
        }
    }

    /// The code, to send it (again).
    pub fn code(&self, user: &str, keys: &dyn CodeKeys) -> Secret {
        keys.code(&self.id, user, self.digits)
    }

    /// Whether this is the code. The caller has claimed a try before, and looks at the code's life.
    pub fn is(&self, user: &str, typed: &str, keys: &dyn CodeKeys) -> Comparison {
        if keys.digest(&self.id, user, typed) == self.digest { Comparison::Same } else { Comparison::Other }
    }

    /// True after the code's life, and where the clock went back behind its birth.
    pub fn is_expired(&self, now: Moment) -> bool {
        now.at_most_since(self.opened) >= Duration::from_millis(self.lifetime)
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

/// How a guess was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Comparison {
    /// It is the code.
    Same,
    /// It is not.
    Other,
}
