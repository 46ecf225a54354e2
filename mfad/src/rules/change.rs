//! Changes that somebody asks for outside a login: what an administrator gives out or takes away, and what people do with
//! their own factors. Enrolment has a module of its own.

use std::time::Duration;

use protocol::Secret;
use protocol::manage::Change;

use super::account::Account;
use super::news::News;
use super::policy::{self, Requirement};
use super::{Context, Ledger};
use crate::audit::Kind;
use crate::factor::FactorId;
use crate::factor::bypass::{Bypass, NotIssued, Randomness, Terms};
use crate::factor::sealed::{Freshness, Place, SealKeys};
use crate::moment::span;

/// Codes of administrators that one person may have at once.
pub const BYPASSES: usize = 5;

/// Nonces that sealing an account anew may need: one for each factor that a person may have.
pub type Nonces = [[u8; 24]; super::enrolled::LIMIT];

/// What entitles somebody to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entitlement {
    /// An administrator asks, or the person has proved lately who they are.
    Established,
    /// The person asks, and has proved nothing: enough only where there is nothing to prove with.
    Unproved,
}

/// The person has a factor, and has to prove it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofNeeded;

/// Why an administrator's code was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoBypass {
    /// The terms.
    #[error(transparent)]
    Terms(#[from] NotIssued),
    /// There are as many as there may be.
    #[error("there are {BYPASSES} codes out already. Make them void first: mfactl bypass revoke")]
    TooMany,
}

/// A code that is shown once, and when it ends.
#[derive(Debug, PartialEq, Eq)]
pub struct Issued {
    /// The code.
    pub code: Secret,
    /// Milliseconds since 1970.
    pub expires: u64,
}

/// What sealing anew came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Secrets that the key in use seals now.
    pub resealed: u64,
    /// Secrets that no key opens.
    pub lost: u64,
}

/// Whether a change may go on. Asked inside its transaction: a factor that was enrolled since the person began counts.
///
/// # Errors
/// [`ProofNeeded`].
pub fn permit(account: &Account, context: &Context<'_>, entitlement: Entitlement) -> Result<(), ProofNeeded> {
    match entitlement {
        Entitlement::Established => Ok(()),
        Entitlement::Unproved => match policy::decide(account, context) {
            Requirement::Exempt(_) => Ok(()),
            Requirement::DryRun(..) | Requirement::Prove(_) | Requirement::Enrol | Requirement::Refuse(_) => {
                Err(ProofNeeded)
            }
        },
    }
}

/// Records a change.
pub fn note(context: &Context<'_>, change: &str, ledger: &mut Ledger) {
    ledger.record(context.event(Kind::Changed { change: change.to_owned(), by: context.by }));
}

/// Records a change, and tells the person.
pub fn note_and_tell(context: &Context<'_>, change: &str, ledger: &mut Ledger) {
    note(context, change, ledger);
    ledger.tell(News::for_security_too(format!("{change}.")));
}

/// Chooses the factor that is asked for first, by its kind; none for the site's order.
pub fn prefer(
    account: &mut Account,
    context: &Context<'_>,
    factor: Option<&str>,
    ledger: &mut Ledger,
) -> Change {
    if account.preferred.as_deref() == factor {
        return Change::Unchanged;
    }
    match factor {
        Some(factor) => super::login::prefer(account, context, factor, ledger),
        None => {
            account.preferred = None;
            let change = "factors are asked for in the site's order again";
            note(context, change, ledger);
            ledger.tell(News::of(format!("{change}.")));
        }
    }
    Change::Changed
}

/// The kind of factor that a word names: the id of one that is active, or the name of a way that is open.
pub fn kind_of(account: &Account, context: &Context<'_>, word: &str) -> Option<String> {
    let by_id = account.factors.active().find(|factor| factor.id.as_str() == word);
    let by_id = by_id.map(|factor| factor.proof.factor().to_owned());
    by_id.or_else(|| {
        policy::ways(account, context).iter().any(|way| way.factor() == word).then(|| word.to_owned())
    })
}

/// Clears the address.
pub fn clear_email(account: &mut Account, context: &Context<'_>, ledger: &mut Ledger) -> Option<()> {
    account.email.as_ref()?;
    account.set_email(None);
    note_and_tell(context, "mail address cleared", ledger);
    Some(())
}

/// Gives out a code that lets the person in without a factor of theirs.
///
/// # Errors
/// [`NoBypass`].
pub fn issue_bypass(
    account: &mut Account,
    context: &Context<'_>,
    wanted: &Wanted<'_>,
    random: &Randomness,
    ledger: &mut Ledger,
) -> Result<Issued, NoBypass> {
    account.bypasses.retain(|bypass| policy::is_good(bypass, context));
    if account.bypasses.len() >= BYPASSES {
        return Err(NoBypass::TooMany);
    }
    let id = account.last_bypass.saturating_add(1);
    let issued = make(context, wanted, id, random)?;
    account.last_bypass = id;
    let (uses, good_for) = (wanted.uses, span(wanted.lifetime));
    let change =
        format!("bypass code {id} was issued, uses: {uses}, for {good_for}: {}", wanted.reason.trim());
    account.bypasses.push(issued.0);
    note_and_tell(context, &change, ledger);
    Ok(issued.1)
}

/// What a code is wanted for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Why.
    pub reason: &'a str,
    /// How many logins it is good for.
    pub uses: u32,
    /// For how long.
    pub lifetime: Duration,
}

fn make(
    context: &Context<'_>,
    wanted: &Wanted<'_>,
    id: u32,
    random: &Randomness,
) -> Result<(Bypass, Issued), NotIssued> {
    let Wanted { reason, uses, lifetime } = *wanted;
    let terms = Terms { id, reason, uses, lifetime, issued_by: context.by };
    let (bypass, code) = Bypass::issue(&terms, random, context.now)?;
    let expires = bypass.expires();
    Ok((bypass, Issued { code, expires }))
}

/// Makes all codes of administrators void. The ticket stays.
pub fn revoke_bypasses(account: &mut Account, context: &Context<'_>, ledger: &mut Ledger) -> Change {
    let had_good = account.bypasses.iter().any(|bypass| policy::is_good(bypass, context));
    account.bypasses.clear();
    if !had_good {
        return Change::Unchanged;
    }
    note_and_tell(context, "all bypass codes were made void", ledger);
    Change::Changed
}

/// Gives leave to enrol at a login, in the place of an earlier one.
///
/// # Errors
/// [`NotIssued`].
pub fn issue_ticket(
    account: &mut Account,
    context: &Context<'_>,
    lifetime: Duration,
    random: &Randomness,
    ledger: &mut Ledger,
) -> Result<Issued, NotIssued> {
    let wanted = Wanted { reason: "enrolment ticket", uses: 1, lifetime };
    let (ticket, issued) = make(context, &wanted, 0, random)?;
    account.ticket = Some(ticket);
    note_and_tell(context, "a ticket to enrol at a login was issued", ledger);
    Ok(issued)
}

/// Forgets everything that the person enrolled, and every code that is out.
pub fn reset(account: &mut Account, context: &Context<'_>, ledger: &mut Ledger) -> Change {
    let before = account.clone();
    account.reset();
    if *account == before {
        return Change::Unchanged;
    }
    note_and_tell(context, "all factors, recovery and bypass codes were forgotten", ledger);
    Change::Changed
}

/// Whether the key in use seals everything that an account has.
pub fn freshness(account: &Account, keys: &dyn SealKeys) -> Freshness {
    let mut sealed = account.factors.all().iter().filter_map(|factor| factor.proof.sealed());
    match sealed.any(|sealed| keys.is_current(sealed) == Freshness::Old) {
        true => Freshness::Old,
        false => Freshness::Current,
    }
}

/// Seals by the key in use what an older one sealed. A second run finds nothing left to do.
pub fn reseal(account: &mut Account, user: &str, keys: &dyn SealKeys, nonces: &Nonces) -> Resealed {
    let mut came_to = Resealed::default();
    for (factor, nonce) in account.factors.all_mut().iter_mut().zip(nonces) {
        let id: FactorId = factor.id.clone();
        let place = Place { user, factor: &id };
        let Some(sealed) = factor.proof.sealed_mut() else { continue };
        if keys.is_current(sealed) == Freshness::Current {
            continue;
        }
        match keys.open(&place, sealed) {
            Ok(plain) => {
                *sealed = keys.seal(&place, &plain, *nonce);
                came_to.resealed += 1;
            }
            Err(_) => came_to.lost += 1,
        }
    }
    came_to
}
