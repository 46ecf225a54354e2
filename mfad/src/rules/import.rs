//! Factors of another program, taken over as they are: the person has used them, so they are active at once.

use protocol::Secret;
use protocol::manage::{Change, Run};
use zeroize::Zeroizing;

use super::account::Account;
use super::enrolled::{Proof, Stage};
use super::{Context, Ledger, change};
use crate::factor::hotp::Hotp;
use crate::factor::oath::{Algorithm, Digits};
use crate::factor::recovery::{NoScratchCode, RecoverySet};
use crate::factor::sealed::Place;
use crate::factor::totp::{History, StepLength, Totp};

/// The longest key, in bytes: the block of the longest hash has twice that.
const LONGEST: usize = 64;

/// Seconds that a last step may lie ahead: about what a very wrong clock explains. One farther ahead would keep the person
/// out until then.
const FARTHEST_AHEAD: u64 = 24 * 3600;

/// What is taken over.
#[derive(Debug, Clone)]
pub struct Import {
    /// What it counts.
    pub app: App,
    /// The key.
    pub key: AppKey,
    /// Scratch codes of eight digits.
    pub scratch: Vec<Secret>,
    /// Whether it is only tried.
    pub run: Run,
}

/// An app or a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum App {
    /// It counts time.
    Totp(Algorithm, Digits, StepLength, History),
    /// It counts uses; the next counter.
    Hotp(Algorithm, Digits, u64),
}

/// The key of an app, opened.
#[derive(Clone)]
pub struct AppKey(Zeroizing<Vec<u8>>);

/// Random bytes for an import.
#[derive(Clone)]
pub struct Seed {
    /// The nonce that the key is sealed with.
    pub nonce: [u8; 24],
    /// The salt of the scratch codes.
    pub salt: [u8; 16],
}

/// Why nothing was taken over. Each is a fact and a remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotImported {
    /// The key is no base 32.
    #[error("the key is not base 32: letters A to Z and digits 2 to 7. Copy it anew")]
    NoKey,
    /// It has the wrong length.
    #[error("the key has {0} bytes; 1 to {LONGEST} are possible. Copy it anew")]
    KeyLength(usize),
    /// A scratch code.
    #[error(transparent)]
    Scratch(#[from] NoScratchCode),
    /// Nobody can have used a code of so late a time.
    #[error(
        "the last used code is of a time more than a day ahead. Check this host's clock, or enrol the person anew"
    )]
    StepAhead,
    /// There are as many factors as there may be.
    #[error("there are 16 factors already. Remove one first")]
    TooMany,
}

impl AppKey {
    /// Reads base 32 as people and programs write it: either case, with spaces, dashes or padding.
    ///
    /// # Errors
    /// [`NotImported::NoKey`], [`NotImported::KeyLength`].
    pub fn read(text: &Secret) -> Result<Self, NotImported> {
        let letters =
            text.expose().chars().filter(|letter| !letter.is_whitespace() && !matches!(letter, '-' | '='));
        let plain = Zeroizing::new(letters.map(|letter| letter.to_ascii_uppercase()).collect::<String>());
        let key = lenient().decode(plain.as_bytes()).map_err(|_| NotImported::NoKey)?;
        let key = Zeroizing::new(key);
        if key.is_empty() || key.len() > LONGEST {
            return Err(NotImported::KeyLength(key.len()));
        }
        Ok(AppKey(key))
    }
}

/// Some programs leave stray bits in the last letter; they are worth nothing.
fn lenient() -> data_encoding::Encoding {
    let mut specification = data_encoding::BASE32_NOPAD.specification();
    specification.check_trailing_bits = false;
    specification.encoding().unwrap_or(data_encoding::BASE32_NOPAD)
}

impl std::fmt::Debug for AppKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppKey")
    }
}

/// Takes a factor over, unless the person has the same key already.
///
/// # Errors
/// [`NotImported`]: nothing was taken over.
pub fn import(
    account: &mut Account,
    context: &Context<'_>,
    import: &Import,
    seed: &Seed,
    ledger: &mut Ledger,
) -> Result<Change, NotImported> {
    if has(account, context, &import.key) {
        return Ok(Change::Unchanged);
    }
    let mut changed = account.clone();
    let taken = take(&mut changed, context, import, seed)?;
    if import.run == Run::Real {
        *account = changed;
        change::note_and_tell(context, &taken, ledger);
    }
    Ok(Change::Changed)
}

fn take(
    account: &mut Account,
    context: &Context<'_>,
    import: &Import,
    seed: &Seed,
) -> Result<String, NotImported> {
    let id = account.factors.next_id(match import.app {
        App::Totp(..) => "totp",
        App::Hotp(..) => "hotp",
    });
    let place = Place { user: context.attempt.user.as_str(), factor: &id };
    let sealed = context.keys.seal(&place, &import.key.0, seed.nonce);
    let proof = match import.app {
        App::Totp(algorithm, digits, step, history) => {
            may_have_been_used(history, step, context)?;
            Proof::Totp(Totp::new(sealed, algorithm, digits, step).with_history(history))
        }
        App::Hotp(algorithm, digits, counter) => Proof::Hotp(Hotp::new(sealed, algorithm, digits, counter)),
    };
    let stage = Stage::Active(context.now.wall);
    account.factors.add(id.clone(), proof, stage).map_err(|_| NotImported::TooMany)?;
    let scratch: Vec<&str> = import.scratch.iter().map(Secret::expose).collect();
    let set = RecoverySet::import(&scratch, seed.salt)?;
    let has_recovery = account.recovery.as_ref().is_some_and(|set| set.left() > 0);
    if has_recovery || scratch.is_empty() {
        return Ok(format!("{id} was imported"));
    }
    account.recovery = Some(set);
    Ok(format!("{id} was imported with {} scratch codes", scratch.len()))
}

fn may_have_been_used(history: History, step: StepLength, context: &Context<'_>) -> Result<(), NotImported> {
    let latest = (context.now.wall / 1000).saturating_add(FARTHEST_AHEAD) / step.seconds();
    if history.last_step.is_some_and(|last| last > latest) { Err(NotImported::StepAhead) } else { Ok(()) }
}

/// True if an active factor has this key.
fn has(account: &Account, context: &Context<'_>, key: &AppKey) -> bool {
    let user = context.attempt.user.as_str();
    account.factors.active().any(|factor| {
        let opened = factor
            .proof
            .sealed()
            .map(|sealed| context.keys.open(&Place { user, factor: &factor.id }, sealed));
        matches!(opened, Some(Ok(opened)) if opened == key.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<u8>, NotImported> {
        AppKey::read(&Secret::new(text.to_owned())).map(|key| key.0.to_vec())
    }

    #[test]
    fn a_key_is_read_as_people_and_programs_write_it() {
        for text in
            ["GEZDGNBVGY3TQOJQ", "gezd gnbv gy3t qojq", "GEZD-GNBV-GY3T-QOJQ", "gezdgnbvgy3tqojq======\n"]
        {
            assert_eq!(read(text).unwrap(), b"1234567890", "{text:?}");
        }
        assert_eq!(read("GF").unwrap(), b"1", "stray bits in the last letter");
        assert_eq!(read("").unwrap_err(), NotImported::KeyLength(0));
        assert_eq!(read("GEZDGNB1").unwrap_err(), NotImported::NoKey);
        let longest = data_encoding::BASE32_NOPAD.encode(&[7; LONGEST]);
        assert_eq!(read(&longest).unwrap().len(), LONGEST);
        let longer = data_encoding::BASE32_NOPAD.encode(&[7; LONGEST + 1]);
        assert_eq!(read(&longer).unwrap_err(), NotImported::KeyLength(65));
    }
}
