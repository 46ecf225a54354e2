//! A code that was typed behind the password, where a program can ask only once: what it looks like, which is asked before
//! the password is checked, and its judgement, after. See docs/adr/0007-appended-codes.md.

use protocol::login::Shape;

use super::judging::{Again, Answered, answer};
use super::opening::{app_digits, ask};
use super::{Required, required};
use crate::factor::shape::{self, shape};
use crate::rules::account::Account;
use crate::rules::grant::{Decision, Refusal};
use crate::rules::policy::{self, Plan, Requirement, Way};
use crate::rules::{Context, Ledger};

/// What came of an appended code.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum Appended {
    /// It is over.
    End(Decision),
    /// It was wrong, and somebody who can be asked may type another one.
    Wrong(Again, u32),
    /// It cannot be a code of this person: nothing was compared, and no try taken. The login goes on as without it.
    NoCode,
}

/// The shapes of the codes that this person can append, the longest digits first: six of eight digits would leave two in
/// the password. None for whoever has to prove nothing here, so that a password that ends in digits stays whole.
///
/// Mailed codes are not among them, nobody has one yet; nor scratch codes, whose eight digits would hide an app's six.
pub fn shapes(account: &Account, context: &Context<'_>) -> Vec<Shape> {
    let Requirement::Prove(plan) = policy::decide(account, context) else { return Vec::new() };
    let mut counts: Vec<u8> = plan.ways.iter().flat_map(|way| app_digits(account, way)).collect();
    counts.sort_unstable();
    counts.dedup();
    let digits = counts.into_iter().rev().filter_map(|count| match count {
        6 => Some(Shape::SixDigits),
        7 => Some(Shape::SevenDigits),
        8 => Some(Shape::EightDigits),
        _ => None,
    });
    let letters = plan.ways.iter().any(|way| matches!(way, Way::Recovery | Way::Bypass));
    digits.chain(letters.then_some(Shape::Letters)).collect()
}

/// Judges an appended code as an answer to the question for the person's app or recovery code.
pub fn appended(account: &mut Account, context: &Context<'_>, typed: &str, ledger: &mut Ledger) -> Appended {
    let plan = match required(account, context, ledger) {
        Required::Prove(plan) => plan,
        Required::Enrol => return Appended::NoCode,
        Required::End(decision) => return Appended::End(decision),
    };
    let Some(way) = meant(account, &plan, typed) else { return Appended::NoCode };
    let asked = ask(account, context, &plan, way, None);
    match answer(account, context, &asked, typed, ledger) {
        Answered::End(decision) => Appended::End(decision),
        Answered::Again(asked, why) => Appended::Wrong(why, asked.tries_left),
        // A hook is asked for its own way alone, and such a way was not chosen.
        Answered::Outside(_) => Appended::End(super::end(context, Refusal::NoCode, ledger)),
    }
}

/// The way that a text of this shape is meant for.
fn meant<'a>(account: &Account, plan: &'a Plan, typed: &str) -> Option<&'a Way> {
    plan.ways.iter().find(|way| match shape(typed) {
        shape::Shape::Digits(count) => app_digits(account, way).contains(&count),
        shape::Shape::Recovery => matches!(way, Way::Recovery | Way::Bypass),
        shape::Shape::Empty | shape::Shape::Junk | shape::Shape::Other => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::factor::hotp::Hotp;
    use crate::factor::oath::{Algorithm, Digits};
    use crate::factor::recovery::RecoverySet;
    use crate::factor::sealed::{Place, SealKeys};
    use crate::factor::totp::{StepLength, Totp};
    use crate::rules::enrolled::{Proof, Stage};
    use crate::rules::properties::{attempt, context, enabled, settings};
    use crate::vault::Vault;

    /// Somebody with apps whose codes have so many digits, and a token likewise.
    fn person(apps: &[u8], tokens: &[u8]) -> Account {
        let vault = Vault::from_master(&[5; 32]);
        let mut account = enabled();
        let kinds =
            apps.iter().map(|count| ("totp", count)).chain(tokens.iter().map(|count| ("hotp", count)));
        for (kind, count) in kinds {
            let id = account.factors.next_id(kind);
            let sealed = vault.seal(&Place { user: "ada", factor: &id }, b"12345678901234567890", [9; 24]);
            let digits = Digits::new(*count).unwrap();
            let proof = match kind {
                "totp" => Proof::Totp(Totp::new(sealed, Algorithm::Sha1, digits, StepLength::THIRTY_SECONDS)),
                _ => Proof::Hotp(Hotp::new(sealed, Algorithm::Sha1, digits, 0)),
            };
            account.factors.add(id, proof, Stage::Active(0)).unwrap();
        }
        account
    }

    fn with_context<T>(config: &Config, look: impl FnOnce(&Context<'_>) -> T) -> T {
        let vault = Vault::from_master(&[5; 32]);
        look(&context(config, &vault, &attempt(0), &[], 0))
    }

    fn shapes_of(account: &Account) -> Vec<Shape> {
        with_context(&settings(), |context| shapes(account, context))
    }

    #[test]
    fn the_shapes_are_those_of_the_persons_own_codes_the_longest_first() {
        use Shape::{EightDigits, Letters, SevenDigits, SixDigits};
        assert_eq!(shapes_of(&person(&[6], &[])), [SixDigits]);
        assert_eq!(shapes_of(&person(&[6, 8], &[7])), [EightDigits, SevenDigits, SixDigits]);
        assert_eq!(shapes_of(&person(&[6], &[6])), [SixDigits]);
        let mut account = person(&[6], &[]);
        account.recovery = Some(RecoverySet::make(&[[1; 10]; 10], [1; 16]).0);
        assert_eq!(shapes_of(&account), [SixDigits, Letters]);
        let scratch = RecoverySet::import(&["12345678"], [1; 16]).unwrap();
        account.recovery = Some(scratch);
        assert!(!shapes_of(&account).contains(&EightDigits), "an app's six digits would be hidden by them");
    }

    #[test]
    fn nothing_is_split_off_where_nothing_is_to_be_proved_or_a_code_is_yet_to_be_mailed() {
        assert_eq!(shapes_of(&Account::default()), []);
        assert_eq!(shapes_of(&enabled()), [], "mail alone");
        let mut never = settings();
        never.terms.login.require = crate::config::Require::Never;
        assert_eq!(with_context(&never, |context| shapes(&person(&[6], &[]), context)), []);
    }

    #[test]
    fn a_text_that_cannot_be_a_code_of_the_person_costs_no_try() {
        for (mut account, typed) in [
            (person(&[6], &[]), "1234567"),
            (person(&[6], &[]), "0123-4567-89ab-cdef"),
            (person(&[6], &[]), "\u{fffd}"),
            (person(&[6], &[]), ""),
        ] {
            let before = account.clone();
            let mut ledger = Ledger::default();
            let judged =
                with_context(&settings(), |context| appended(&mut account, context, typed, &mut ledger));
            assert_eq!(judged, Appended::NoCode, "{typed:?}");
            assert!(account == before && ledger.is_empty(), "{typed:?}");
        }
    }
}
