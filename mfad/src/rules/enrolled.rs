//! What a person has enrolled: apps and contacts, pending until a code of theirs was typed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::account::Scope;
use crate::factor::FactorId;
use crate::factor::hotp::Hotp;
use crate::factor::sealed::Sealed;
use crate::factor::totp::Totp;
use crate::moment::Moment;

/// How long an enrolment may wait for its code.
pub const PENDING: Duration = Duration::from_secs(24 * 3600);

/// How many factors one person may have.
pub const LIMIT: usize = 16;

/// A person's own factors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factors {
    all: Vec<Enrolled>,
    /// The number in the id of the next one: no id is used twice.
    next: u32,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolled {
    /// Names it within the account.
    pub id: FactorId,
    /// What it is.
    pub proof: Proof,
    /// Whether it can be used.
    pub stage: Stage,
    /// The login at which its key was shown, if it was one.
    #[serde(default)]
    pub shown_to: Option<Scope>,
}

/// What somebody has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Proof {
    /// An app that counts time.
    Totp(Totp),
    /// An app or a token that counts uses.
    Hotp(Hotp),
    /// Somewhere that a hook reaches.
    Contact {
        /// The hook's name.
        hook: String,
        /// As the hook understands it; may be empty for one that judges by the name alone.
        contact: String,
    },
}

/// How far an enrolment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Stage {
    /// It waits for its first code since then.
    Pending(Moment),
    /// It was confirmed then; milliseconds since 1970.
    Active(u64),
}

/// There are as many as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

impl Proof {
    /// The factor's name: of a kind, or of a hook.
    pub fn factor(&self) -> &str {
        match self {
            Proof::Totp(_) => "totp",
            Proof::Hotp(_) => "hotp",
            Proof::Contact { hook, .. } => hook,
        }
    }
}

impl Proof {
    /// The secret, if it has one.
    pub fn sealed(&self) -> Option<&Sealed> {
        match self {
            Proof::Totp(totp) => Some(&totp.secret),
            Proof::Hotp(hotp) => Some(&hotp.secret),
            Proof::Contact { .. } => None,
        }
    }

    /// The same, to seal it anew.
    pub fn sealed_mut(&mut self) -> Option<&mut Sealed> {
        match self {
            Proof::Totp(totp) => Some(&mut totp.secret),
            Proof::Hotp(hotp) => Some(&mut hotp.secret),
            Proof::Contact { .. } => None,
        }
    }
}

impl Factors {
    /// Those that can be used.
    pub fn active(&self) -> impl Iterator<Item = &Enrolled> {
        self.all.iter().filter(|factor| matches!(factor.stage, Stage::Active(_)))
    }

    /// The same, to change them.
    pub fn active_mut(&mut self) -> impl Iterator<Item = &mut Enrolled> {
        self.all.iter_mut().filter(|factor| matches!(factor.stage, Stage::Active(_)))
    }

    /// All of them, the oldest first.
    pub fn all(&self) -> &[Enrolled] {
        &self.all
    }

    /// The same, to change what is inside them.
    pub fn all_mut(&mut self) -> &mut [Enrolled] {
        &mut self.all
    }

    /// One by its id.
    pub fn find(&self, id: &FactorId) -> Option<&Enrolled> {
        self.all.iter().find(|factor| factor.id == *id)
    }

    /// The same, to change it.
    pub fn find_mut(&mut self, id: &FactorId) -> Option<&mut Enrolled> {
        self.all.iter_mut().find(|factor| factor.id == *id)
    }

    /// The id that the next one of this kind gets.
    pub fn next_id(&self, factor: &str) -> FactorId {
        let id = format!("{factor}-{}", self.next + 1);
        FactorId::parse(&id).unwrap_or_else(|| unreachable!("the names of factors and hooks are lower case"))
    }

    /// Adds one. A pending one of the same kind gives way to it: whoever begins anew has lost the first.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn add(&mut self, id: FactorId, proof: Proof, stage: Stage) -> Result<(), TooMany> {
        self.all.retain(|old| old.proof.factor() != proof.factor() || matches!(old.stage, Stage::Active(_)));
        if self.all.len() >= LIMIT {
            return Err(TooMany);
        }
        self.next += 1;
        self.all.push(Enrolled { id, proof, stage, shown_to: None });
        Ok(())
    }

    /// Forgets all of them. Their ids are not used again.
    pub fn clear(&mut self) {
        self.all.clear();
    }

    /// Takes one away.
    pub fn remove(&mut self, id: &FactorId) -> Option<Enrolled> {
        let at = self.all.iter().position(|factor| factor.id == *id)?;
        Some(self.all.remove(at))
    }

    /// Forgets enrolments that nobody confirmed.
    pub fn forget_stale(&mut self, now: Moment) {
        self.all.retain(|factor| match factor.stage {
            Stage::Pending(since) => now.at_most_since(since) < PENDING,
            Stage::Active(_) => true,
        });
    }
}
