//! Properties of a login with an app, a token, recovery codes and mail, all at once: whatever is typed wherever in
//! whatever order, nothing grants twice, nothing but a right code grants, and no budget is exceeded. To see them fail, let
//! `Matched::spend` spend nothing, or let `answer` compare before it claims.

use std::collections::HashSet;

use proptest::prelude::*;
use protocol::login::Verdict;

use super::account::Account;
use super::attempt::Attempt;
use super::enrolled::{Proof, Stage};
use super::login::{self, Answered, Appended, Asked, Opening};
use super::policy::KnownAddress;
use super::properties::{attempt, context, enabled, moment, settings};
use super::{Context, Ledger};
use crate::audit::Kind;
use crate::config::{AddressSource, Config};
use crate::factor::hotp::Hotp;
use crate::factor::mailed::ChallengeId;
use crate::factor::oath::{Algorithm, Codes, Digits};
use crate::factor::recovery::RecoverySet;
use crate::factor::sealed::{Place, SealKeys};
use crate::factor::totp::{StepLength, Totp};
use crate::vault::Vault;

const SECRET: &[u8] = b"12345678901234567890";
const OTHER: &[u8] = b"abcdefghijklmnopqrst";

/// What can happen.
#[derive(Debug, Clone)]
enum Happening {
    Begin(usize),
    /// The app's code so many steps away.
    Totp(usize, i64),
    /// The token's code so many presses after the first.
    Hotp(usize, u64),
    /// A recovery code.
    Recovery(usize, usize),
    /// The first factor in the menu that is a mail.
    Mail(usize),
    Wrong(usize),
    /// One of those above, typed behind the password.
    Appended(Box<Happening>),
    Pass(u64),
    Restart,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        10 => typed(),
        4 => typed().prop_map(|typed| Happening::Appended(Box::new(typed))),
        2 => (0..3usize).prop_map(Happening::Begin),
        1 => (0..3usize).prop_map(Happening::Mail),
        3 => (0..100u64).prop_map(Happening::Pass),
        1 => Just(Happening::Restart),
    ]
}

/// A code that needs no mail, right or wrong.
fn typed() -> impl Strategy<Value = Happening> {
    let place = 0..3usize;
    prop_oneof![
        4 => (place.clone(), -2..=2i64).prop_map(|(place, off)| Happening::Totp(place, off)),
        3 => (place.clone(), 0..12u64).prop_map(|(place, press)| Happening::Hotp(place, press)),
        2 => (place.clone(), 0..10usize).prop_map(|(place, code)| Happening::Recovery(place, code)),
        3 => place.prop_map(Happening::Wrong),
    ]
}

struct World {
    config: Config,
    vault: Vault,
    account: Account,
    recovery: Vec<String>,
    seconds: u64,
    asked: [Option<Asked>; 3],
    granted: HashSet<String>,
    evaluated: Vec<u64>,
    made: u8,
    /// What is typed is typed behind the password.
    appending: bool,
}

impl World {
    fn new() -> Self {
        let vault = Vault::from_master(&[5; 32]);
        let mut account = enabled();
        let mut add = |kind: &str, secret: &[u8], proof: &dyn Fn(crate::factor::sealed::Sealed) -> Proof| {
            let id = account.factors.next_id(kind);
            let sealed = vault.seal(&Place { user: "ada", factor: &id }, secret, [9; 24]);
            account.factors.add(id, proof(sealed), Stage::Active(0)).unwrap();
        };
        add("totp", SECRET, &|sealed| {
            Proof::Totp(Totp::new(sealed, Algorithm::Sha1, Digits::SIX, StepLength::THIRTY_SECONDS))
        });
        add("hotp", OTHER, &|sealed| Proof::Hotp(Hotp::new(sealed, Algorithm::Sha1, Digits::SIX, 0)));
        let random: [[u8; 10]; 10] = std::array::from_fn(|at| [u8::try_from(at).unwrap() + 1; 10]);
        let (set, codes) = RecoverySet::make(&random, [1; 16]);
        account.recovery = Some(set);
        World {
            config: settings(),
            vault,
            account,
            recovery: codes.iter().map(|code| code.expose().to_owned()).collect(),
            seconds: 0,
            asked: [None, None, None],
            granted: HashSet::new(),
            evaluated: Vec::new(),
            made: 0,
            appending: false,
        }
    }

    fn step<T>(
        &mut self,
        place: usize,
        step: impl FnOnce(&mut Account, &Context<'_>, &mut Ledger) -> T,
    ) -> (T, Ledger) {
        let attempt: Attempt = attempt(u8::try_from(place).unwrap());
        let known = [KnownAddress { source: AddressSource::Account, address: None }];
        let context = context(&self.config, &self.vault, &attempt, &known, self.seconds);
        let mut ledger = Ledger::default();
        let outcome = step(&mut self.account, &context, &mut ledger);
        (outcome, ledger)
    }

    fn opened(&mut self, place: usize, opening: Opening) {
        match opening {
            Opening::End(decision) => assert_ne!(decision.verdict(), Verdict::Allow, "nothing was typed"),
            Opening::Announce(_) => {}
            Opening::Ask(asked, _) => self.asked[place] = Some(*asked),
            Opening::Enrol => panic!("the person has factors"),
        }
    }

    /// Types a text; `right` names it if it is a code that may grant once.
    fn answer(&mut self, place: usize, typed: &str, right: Option<String>) {
        let (answered, ledger) = if self.appending {
            self.appended(place, typed)
        } else {
            let Some(asked) = self.asked[place].clone() else { return };
            self.step(place, |account, context, ledger| {
                login::answer(account, context, &asked, typed, ledger)
            })
        };
        let counted = |kind: &Kind| matches!(kind, Kind::WrongCode { .. });
        self.evaluated
            .extend(ledger.events().iter().filter(|event| counted(&event.kind)).map(|_| self.seconds));
        match answered {
            Answered::End(decision) => {
                assert!(!ledger.events().is_empty(), "a decision has a record");
                if decision.verdict() == Verdict::Allow {
                    let right = right.expect("nothing but a right code grants");
                    assert!(self.granted.insert(right), "a code grants once");
                    self.evaluated.clear();
                }
            }
            Answered::Again(asked, _) => self.asked[place] = Some(asked),
            Answered::Outside(_) => panic!("there is no hook"),
        }
    }

    /// The same text behind the password: nothing is asked, and nothing is asked again.
    fn appended(&mut self, place: usize, typed: &str) -> (Answered, Ledger) {
        let (appended, ledger) =
            self.step(place, |account, context, ledger| login::appended(account, context, typed, ledger));
        let answered = match appended {
            Appended::End(decision) => Answered::End(decision),
            Appended::Wrong(why, _) => {
                let (opening, _) = self.step(place, login::begin);
                self.opened(place, opening);
                let Some(asked) = self.asked[place].clone() else { panic!("an app can be asked for") };
                Answered::Again(asked, why)
            }
            Appended::NoCode => panic!("these are codes of this person's shapes"),
        };
        (answered, ledger)
    }

    fn code(secret: &[u8], counter: u64) -> String {
        Codes::of(secret, Algorithm::Sha1, Digits::SIX).unwrap().code(counter).to_string()
    }

    fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::Begin(place) => {
                let (opening, _) = self.step(place, login::begin);
                self.opened(place, opening);
            }
            Happening::Totp(place, off) => {
                let now = moment(self.seconds).wall / 1000 / 30;
                let step = now.checked_add_signed(off).unwrap();
                self.answer(place, &World::code(SECRET, step), Some(format!("totp {step}")));
            }
            Happening::Hotp(place, counter) => {
                self.answer(place, &World::code(OTHER, counter), Some(format!("hotp {counter}")));
            }
            Happening::Recovery(place, at) => {
                let code = self.recovery[at].clone();
                self.answer(place, &code, Some(code.clone()));
            }
            Happening::Mail(place) => self.mail(place),
            Happening::Wrong(place) => self.answer(place, "000000", None),
            Happening::Appended(ref typed) => {
                self.appending = true;
                self.happen(typed);
                self.appending = false;
            }
            Happening::Pass(seconds) => self.seconds += seconds,
            Happening::Restart => {
                let kept = serde_json::to_string(&self.account).unwrap();
                self.account = serde_json::from_str(&kept).unwrap();
            }
        }
    }

    /// Takes the mail from the menu, and types its code.
    fn mail(&mut self, place: usize) {
        self.made = self.made.wrapping_add(1);
        let fresh = ChallengeId::from_random([self.made; 16]);
        let (opening, _) = self
            .step(place, |account, context, ledger| login::choose(account, context, "email", &fresh, ledger));
        let Opening::Ask(asked, Some(letter)) = opening else { return };
        assert_eq!(asked.way.factor(), "email");
        self.asked[place] = Some(*asked);
        let code = letter.code.expose().to_owned();
        self.answer(place, &code, Some(format!("mail {}", letter.challenge.as_str())));
    }

    fn check_budgets(&self) {
        let login = &self.config.terms.login;
        for start in &self.evaluated {
            let window = *start..start + login.throttle.within.as_secs();
            let within = self.evaluated.iter().filter(|at| window.contains(at)).count();
            assert!(within <= login.throttle.failures as usize, "guesses of one window");
        }
        assert!(self.account.failures.most_in_a_row() <= login.lock_after);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_answers_grants_twice_or_without_a_code_or_over_budget(
        happenings in prop::collection::vec(happening(), 1..60)
    ) {
        let mut world = World::new();
        for place in 0..3 {
            world.happen(&Happening::Begin(place));
        }
        for happening in &happenings {
            world.happen(happening);
            world.check_budgets();
        }
    }
}

#[test]
fn each_of_the_persons_codes_grants_and_none_of_them_twice() {
    let mut world = World::new();
    for right in [Happening::Totp(0, 0), Happening::Hotp(0, 0), Happening::Recovery(0, 3), Happening::Mail(0)]
    {
        world.happen(&Happening::Begin(0));
        let before = world.granted.len();
        world.happen(&right);
        assert_eq!(world.granted.len(), before + 1, "{right:?}: the properties above are about something");
    }
    for used in [Happening::Totp(1, 0), Happening::Hotp(1, 0), Happening::Recovery(1, 3)] {
        world.happen(&Happening::Begin(1));
        world.happen(&used);
    }
    assert_eq!(world.granted.len(), 4);
}

#[test]
fn a_code_behind_the_password_grants_once_wherever_it_is_typed_again() {
    let mut world = World::new();
    let appended = |typed| Happening::Appended(Box::new(typed));
    for (right, again) in [
        (appended(Happening::Totp(0, 0)), Happening::Totp(0, 0)),
        (Happening::Hotp(0, 0), appended(Happening::Hotp(0, 0))),
        (appended(Happening::Recovery(0, 3)), appended(Happening::Recovery(0, 3))),
    ] {
        world.happen(&Happening::Begin(0));
        let before = world.granted.len();
        world.happen(&right);
        assert_eq!(world.granted.len(), before + 1, "{right:?}");
        world.happen(&Happening::Begin(0));
        world.happen(&again);
        assert_eq!(world.granted.len(), before + 1, "{again:?}");
    }
}

#[test]
fn a_locked_factor_is_unlocked_by_another_of_the_person() {
    let mut world = World::new();
    for _ in 0..world.config.terms.login.lock_after {
        world.happen(&Happening::Pass(1000));
        world.happen(&Happening::Begin(0));
        world.happen(&Happening::Wrong(0));
    }
    let login = world.config.terms.login.clone();
    assert!(world.account.failures.is_locked("totp", &login));
    world.happen(&Happening::Pass(1000));
    world.happen(&Happening::Begin(0));
    world.happen(&Happening::Totp(0, 0));
    assert!(world.granted.is_empty(), "a locked factor does not grant");
    world.happen(&Happening::Pass(1000));
    world.happen(&Happening::Begin(0));
    world.happen(&Happening::Recovery(0, 0));
    assert_eq!(world.granted.len(), 1);
    assert!(!world.account.failures.is_locked("totp", &login));
}

#[test]
fn mail_that_is_down_opens_nothing_for_somebody_with_an_app() {
    let mut world = World::new();
    world.config.terms.on_email_failure = crate::config::OnFailure::Bypass;
    let fresh = ChallengeId::from_random([1; 16]);
    let (opening, _) =
        world.step(0, |account, context, ledger| login::choose(account, context, "email", &fresh, ledger));
    let Opening::Ask(_, Some(letter)) = opening else { panic!("the mail goes out") };
    let failed = ["email".to_owned()];
    let mut after = || {
        let undelivered =
            login::Undelivered { letter: &letter, failure: login::MailFailure::Down, cause: "test" };
        world.step(0, |account, context, ledger| {
            login::not_sent(account, context, &undelivered, &failed, ledger)
        })
    };
    assert!(matches!(after().0, login::After::Other(Opening::Ask(..))), "the app is asked for");
    world.account.factors = super::enrolled::Factors::default();
    world.account.recovery = None;
    let (opening, _) =
        world.step(0, |account, context, ledger| login::choose(account, context, "email", &fresh, ledger));
    assert!(matches!(opening, Opening::Ask(..)));
    let undelivered =
        login::Undelivered { letter: &letter, failure: login::MailFailure::Down, cause: "test" };
    let (after, _) = world
        .step(0, |account, context, ledger| login::not_sent(account, context, &undelivered, &failed, ledger));
    let login::After::End(decision) = after else { panic!("there is no other way") };
    assert_eq!(decision.verdict(), Verdict::Exempt, "who has nothing but mail is let in, as the site wants");
}

#[test]
fn guesses_are_counted_also_while_a_secret_does_not_open() {
    let mut world = World::new();
    world.vault = Vault::from_master(&[6; 32]);
    let healthy = Vault::from_master(&[6; 32]);
    let id = world.account.factors.next_id("totp");
    let sealed = healthy.seal(&Place { user: "ada", factor: &id }, OTHER, [9; 24]);
    let app = Totp::new(sealed, Algorithm::Sha1, Digits::SIX, StepLength::THIRTY_SECONDS);
    world.account.factors.add(id, Proof::Totp(app), Stage::Active(0)).unwrap();
    world.happen(&Happening::Begin(0));
    world.happen(&Happening::Wrong(0));
    assert_eq!(world.account.failures.most_in_a_row(), 1);
    let now = moment(world.seconds).wall / 1000 / 30;
    world.answer(0, &World::code(OTHER, now), Some("the healthy one".to_owned()));
    assert_eq!(world.granted.len(), 1, "the other app still lets in");
}

#[test]
fn recovery_codes_cannot_be_locked_by_guessing() {
    let mut world = World::new();
    for _ in 0..2 * world.config.terms.login.lock_after {
        world.happen(&Happening::Pass(1000));
        world.happen(&Happening::Begin(0));
        world.answer(0, "0000-0000-0000-0000", None);
    }
    world.happen(&Happening::Pass(1000));
    world.happen(&Happening::Begin(0));
    world.happen(&Happening::Recovery(0, 0));
    assert_eq!(world.granted.len(), 1);
}
