//! Properties of the rules: whatever happens in whatever order, nobody enters without a match, no code enters twice,
//! and no budget is exceeded. To see them fail, let `answer` compare before it claims a try, or let `spend` keep the round.

use std::collections::HashSet;

use proptest::prelude::*;
use protocol::login::Verdict;
use protocol::manage::Switch;

use super::account::Account;
use super::attempt::{Attempt, Service, Source, ToldBy, UserName};
use super::grant::{Decision, Refusal};
use super::login::{self, Answered, Asked, Opening};
use super::matching;
use super::policy::{KnownAddress, Purpose};
use super::{Context, Ledger};
use crate::address::EmailAddress;
use crate::audit::Kind;
use crate::config::{self, AddressSource, Config, Presence, Require};
use crate::factor::mailed::{ChallengeId, Channel, CodeKeys};
use crate::moment::Moment;
use crate::vault::Vault;

/// The defaults.
pub(super) fn settings() -> Config {
    config::load(std::path::Path::new("/nonexistent/mfad.toml"), Presence::Optional).unwrap()
}

/// Seconds after a start of the world.
pub(super) fn moment(seconds: u64) -> Moment {
    Moment { wall: 1_700_000_000_000 + seconds * 1000, boot: 10_000_000 + seconds * 1000, boot_id: 1 }
}

fn mail() -> Channel {
    Channel::Email(EmailAddress::parse("ada@example.org").unwrap())
}

pub(super) fn attempt(place: u8) -> Attempt {
    Attempt {
        user: UserName::parse("ada").unwrap(),
        service: Service::read("sshd"),
        source: Source::Address([192, 0, 2, place].into()),
        connection: None,
        tty: None,
        ssh_key: None,
        groups: Vec::new(),
        told_by: ToldBy::Root,
    }
}

/// What a step sees at a time: somebody who wants in, with the uid that the account is bound to.
pub(super) fn context<'a>(
    config: &'a Config,
    vault: &'a Vault,
    attempt: &'a Attempt,
    known: &'a [KnownAddress],
    seconds: u64,
) -> Context<'a> {
    Context {
        config,
        terms: matching::terms(config, attempt, moment(seconds)),
        keys: vault,
        now: moment(seconds),
        attempt,
        purpose: Purpose::Login,
        host: "host.example",
        uid: 1000,
        by: 1000,
        known,
        reference: "abcdef",
    }
}

pub(super) fn enabled() -> Account {
    account(Switch::Enabled, EmailAddress::parse("ada@example.org").ok(), 1000)
}

fn account(switch: Switch, email: Option<EmailAddress>, uid: u32) -> Account {
    let mut account = Account::default();
    (account.switch, account.email, account.uid) = (switch, email, Some(uid));
    account
}

/// A person, a clock, and connections that each saw some question last.
struct World {
    config: Config,
    vault: Vault,
    account: Account,
    seconds: u64,
    made: u8,
    questions: [Option<Asked>; 3],
    right_codes_entered: HashSet<ChallengeId>,
    evaluated: Vec<(ChallengeId, u64)>,
    /// Mails that were handed to a courier and not given back, by when.
    handed: Vec<u64>,
    /// The one that each place saw go out last.
    letters: [Option<(login::Letter, u64)>; 3],
}

/// What can happen to a world.
#[derive(Debug, Clone)]
enum Happening {
    Begin { place: usize },
    Send { place: usize },
    RightCode { place: usize },
    WrongCode { place: usize },
    CodeOfAnother { place: usize, other: usize },
    Delivered { place: usize },
    NotSent { place: usize },
    Pass { seconds: u64 },
    Restart,
}

fn happening() -> impl Strategy<Value = Happening> {
    let place = 0..3usize;
    prop_oneof![
        2 => place.clone().prop_map(|place| Happening::Begin { place }),
        3 => place.clone().prop_map(|place| Happening::Send { place }),
        2 => place.clone().prop_map(|place| Happening::RightCode { place }),
        4 => place.clone().prop_map(|place| Happening::WrongCode { place }),
        1 => (place.clone(), place.clone()).prop_map(|(place, other)| Happening::CodeOfAnother { place, other }),
        1 => place.clone().prop_map(|place| Happening::Delivered { place }),
        1 => place.prop_map(|place| Happening::NotSent { place }),
        2 => (0..200u64).prop_map(|seconds| Happening::Pass { seconds }),
        1 => Just(Happening::Restart),
    ]
}

impl World {
    fn new() -> Self {
        World {
            config: settings(),
            vault: Vault::from_master(&[3; 32]),
            account: enabled(),
            seconds: 0,
            made: 0,
            questions: [None, None, None],
            right_codes_entered: HashSet::new(),
            evaluated: Vec::new(),
            handed: Vec::new(),
            letters: [None, None, None],
        }
    }

    fn step<T>(
        &mut self,
        place: usize,
        step: impl FnOnce(&mut Account, &Context<'_>, &mut Ledger) -> T,
    ) -> (T, Ledger) {
        let attempt = attempt(u8::try_from(place).unwrap());
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
            Opening::Enrol => panic!("the person has a factor"),
            Opening::Ask(asked, letter) => {
                self.questions[place] = Some(*asked);
                if let Some(letter) = letter {
                    self.hand_over(place, *letter);
                }
            }
        }
    }

    /// A courier gets a mail, unless it is the one that is on its way already.
    fn hand_over(&mut self, place: usize, letter: login::Letter) {
        let known = self.letters[place].as_ref().is_some_and(|(last, _)| last.asked == letter.asked);
        if !known {
            self.handed.push(self.seconds);
            self.letters[place] = Some((letter, self.seconds));
        }
    }

    fn not_sent(&mut self, place: usize) {
        let Some((letter, at)) = self.letters[place].take() else { return };
        let undelivered =
            login::Undelivered { letter: &letter, failure: login::MailFailure::Down, cause: "test" };
        let (decision, _) = self.step(place, |account, context, ledger| {
            login::not_sent(account, context, &undelivered, &["email".to_owned()], ledger)
        });
        let login::After::End(decision) = decision else { panic!("there is no other way") };
        assert!(!matches!(decision.verdict(), Verdict::Allow | Verdict::Exempt), "no opening by default");
        let given_back = self.handed.iter().rposition(|handed| *handed == at).unwrap();
        self.handed.remove(given_back);
    }

    fn type_code(&mut self, place: usize, code_of: Option<ChallengeId>) {
        let Some(asked) = self.questions[place].clone() else { return };
        let question = asked.code.clone().unwrap();
        let typed = match &code_of {
            Some(challenge) => self.vault.code(challenge, "ada", 6).expose().to_owned(),
            None => {
                let right = self.vault.code(&question, "ada", 6);
                // The right code with its first digit changed.
                let first = (right.expose().as_bytes()[0] - b'0' + 1) % 10;
                format!("{first}{}", &right.expose()[1..])
            }
        };
        let (answered, ledger) = self
            .step(place, |account, context, ledger| login::answer(account, context, &asked, &typed, ledger));
        let counted = |kind: &Kind| matches!(kind, Kind::WrongCode { .. } | Kind::Allowed { .. });
        let evaluated = ledger.events().iter().filter(|event| counted(&event.kind)).count();
        assert!(evaluated <= 1);
        if evaluated == 1 {
            self.evaluated.push((question.clone(), self.seconds));
        }
        match answered {
            Answered::End(decision) => {
                assert!(!ledger.events().is_empty(), "a decision has a record");
                if decision.verdict() == Verdict::Allow {
                    assert_eq!(code_of.as_ref(), Some(&question), "only the question's own code enters");
                    assert!(self.right_codes_entered.insert(question), "a code enters once");
                    self.evaluated.clear();
                }
                assert_ne!(decision.verdict(), Verdict::Exempt);
            }
            Answered::Again(..) => assert_eq!(evaluated, 1),
            Answered::Outside(_) => panic!("there is no hook"),
        }
    }

    fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::Begin { place } => {
                let (opening, _) = self.step(place, login::begin);
                self.opened(place, opening);
            }
            Happening::Send { place } => {
                self.made = self.made.wrapping_add(1);
                let fresh = ChallengeId::from_random([self.made; 16]);
                let (opening, _) = self.step(place, |account, context, ledger| {
                    login::send(account, context, &mail(), &fresh, ledger)
                });
                self.opened(place, opening);
            }
            Happening::RightCode { place } => {
                let code_of = self.questions[place].as_ref().and_then(|asked| asked.code.clone());
                self.type_code(place, code_of);
            }
            Happening::WrongCode { place } => self.type_code(place, None),
            Happening::CodeOfAnother { place, other } => {
                if let Some(code_of) = self.questions[other].as_ref().and_then(|asked| asked.code.clone()) {
                    self.type_code(place, Some(code_of));
                }
            }
            Happening::Delivered { place } => {
                let Some(question) = self.questions[place].as_ref().and_then(|asked| asked.code.clone())
                else {
                    return;
                };
                let resent = self.step(place, |account, context, ledger| {
                    login::resend(account, context, &question, ledger)
                });
                if let (login::Resend::Send(letter), _) = resent {
                    self.hand_over(place, letter.clone());
                    self.step(place, |account, context, ledger| {
                        login::sent(account, context, &letter, "test", ledger);
                    });
                }
            }
            Happening::NotSent { place } => self.not_sent(place),
            Happening::Pass { seconds } => self.seconds += seconds,
            Happening::Restart => {
                let kept = serde_json::to_string(&self.account).unwrap();
                self.account = serde_json::from_str(&kept).unwrap();
            }
        }
    }

    fn check_budgets(&self) {
        let (login, email) = (&self.config.terms.login, &self.config.email);
        for (challenge, _) in &self.evaluated {
            let of_it = self.evaluated.iter().filter(|(other, _)| other == challenge).count();
            assert!(of_it <= login.tries as usize, "tries of one code");
        }
        for (_, start) in &self.evaluated {
            let window = *start..start + login.throttle.within.as_secs();
            let within = self.evaluated.iter().filter(|(_, at)| window.contains(at)).count();
            assert!(within <= login.throttle.failures as usize, "guesses of one window");
        }
        assert!(self.account.failures.most_in_a_row() <= login.lock_after);
        for cap in &email.per_user {
            let recent = self.handed.iter().filter(|at| self.seconds - **at < cap.within.as_secs()).count();
            assert!(recent <= cap.count as usize, "mails of one window");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_steps_enters_without_a_match_or_twice_or_over_budget(
        happenings in prop::collection::vec(happening(), 1..60)
    ) {
        let mut world = World::new();
        for happening in &happenings {
            world.happen(happening);
            world.check_budgets();
        }
    }
}

#[test]
fn a_right_code_typed_at_once_enters() {
    let mut world = World::new();
    world.happen(&Happening::Send { place: 0 });
    world.happen(&Happening::RightCode { place: 0 });
    assert_eq!(world.right_codes_entered.len(), 1, "the properties above are about something");
    world.happen(&Happening::RightCode { place: 0 });
    assert_eq!(world.right_codes_entered.len(), 1);
}

#[test]
fn a_code_of_one_place_is_worth_nothing_in_another() {
    let mut world = World::new();
    world.happen(&Happening::Send { place: 0 });
    world.happen(&Happening::Send { place: 1 });
    world.happen(&Happening::CodeOfAnother { place: 1, other: 0 });
    assert!(world.right_codes_entered.is_empty());
    assert_eq!(world.account.failures.most_in_a_row(), 1, "it counts as a wrong one");
}

#[test]
fn an_expired_code_is_refused_and_the_next_attempt_gets_a_new_one() {
    let mut world = World::new();
    world.happen(&Happening::Send { place: 0 });
    world.happen(&Happening::Pass { seconds: 300 });
    world.happen(&Happening::RightCode { place: 0 });
    assert!(world.right_codes_entered.is_empty());
    let (opening, _) = world.step(0, login::begin);
    assert!(matches!(opening, Opening::Announce(_)));
}

#[test]
fn used_up_tries_hold_the_place_and_no_other_and_not_for_ever() {
    let mut world = World::new();
    world.happen(&Happening::Send { place: 0 });
    for _ in 0..3 {
        world.happen(&Happening::WrongCode { place: 0 });
    }
    let (held, _) = world.step(0, login::begin);
    assert!(matches!(held, Opening::End(decision) if decision.verdict() == Verdict::Locked));
    let (elsewhere, _) = world.step(1, login::begin);
    assert!(matches!(elsewhere, Opening::Announce(_)));
    world.happen(&Happening::Pass { seconds: 91 });
    let (later, _) = world.step(0, login::begin);
    assert!(matches!(later, Opening::Announce(_)));
}

/// Break it: let `decide` overlook that there are no terms.
#[test]
fn while_the_calendar_fails_nobody_is_let_in_whatever_the_rules_say() {
    let (vault, attempt) = (Vault::from_master(&[5; 32]), attempt(1));
    for require in [Require::Never, Require::Enrolled, Require::Always, Require::DryRun] {
        for mut account in [Account::default(), enabled()] {
            let mut config = settings();
            config.terms.login.require = require;
            let known = [KnownAddress { source: AddressSource::Account, address: None }];
            let context = context(&config, &vault, &attempt, &known, 0);
            let context = Context { terms: Err(config::NoSuchTime), ..context };
            let opening = login::begin(&mut account, &context, &mut Ledger::default());
            assert_eq!(opening, Opening::End(Decision::Refused(Refusal::Unavailable)), "{require:?}");
        }
    }
}

#[test]
fn the_default_rule_asks_whom_it_says() {
    let mail = || Some(EmailAddress::parse("ada@example.org").unwrap());
    let cases = [
        // require, switched on, address, bound uid → verdict (none: a code is announced)
        (Require::Never, Switch::Enabled, mail(), 1000, Some(Verdict::Exempt)),
        (Require::Enrolled, Switch::Disabled, mail(), 1000, Some(Verdict::Exempt)),
        (Require::Enrolled, Switch::Enabled, mail(), 1000, None),
        (Require::Enrolled, Switch::Enabled, None, 1000, Some(Verdict::Deny)),
        (Require::Enrolled, Switch::Enabled, mail(), 1001, Some(Verdict::Deny)),
        (Require::Always, Switch::Disabled, mail(), 1000, None),
        (Require::Always, Switch::Disabled, None, 1000, Some(Verdict::Deny)),
        (Require::Always, Switch::Disabled, mail(), 1001, Some(Verdict::Deny)),
    ];
    for (require, switch, email, bound, expected) in cases {
        let mut world = World::new();
        world.config.terms.login.require = require;
        world.account = account(switch, email, bound);
        let (opening, ledger) = world.step(0, login::begin);
        let verdict = match &opening {
            Opening::End(decision) => Some(decision.verdict()),
            _ => None,
        };
        assert_eq!(verdict, expected, "{require:?} {switch:?} bound to {bound}");
        assert_eq!(ledger.events().len(), usize::from(expected.is_some()), "a decision has one record");
    }
}
