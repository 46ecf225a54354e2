use protocol::manage::Switch;

use super::*;
use crate::config::{Config, EnrolTicket, Require, Unenrolled};
use crate::factor::bypass::{Bypass, Randomness, Terms};
use crate::factor::oath::Codes;
use crate::rules::properties::{attempt, context, moment, settings};
use crate::vault::Vault;

const WISH: Wish = Wish::Totp(Algorithm::Sha1, Digits::SIX, StepLength::THIRTY_SECONDS);

struct Door {
    config: Config,
    vault: Vault,
    account: Account,
}

impl Door {
    fn new(ticket: EnrolTicket) -> Self {
        let mut config = settings();
        config.terms.login.require = Require::Always;
        config.terms.login.unenrolled = Unenrolled::Enrol;
        config.terms.login.enrol_ticket = ticket;
        let mut account = Account::default();
        let terms = Terms {
            id: 0,
            reason: "ticket",
            uses: 1,
            lifetime: std::time::Duration::from_secs(3600),
            issued_by: 0,
        };
        let random = Randomness { code: [7; 10], salt: [1; 16] };
        account.ticket = Some(Bypass::issue(&terms, &random, moment(0)).unwrap().0);
        Door { config, vault: Vault::from_master(&[5; 32]), account }
    }

    fn start(&mut self, place: u8, secret: u8) -> Result<Started, NotStarted> {
        let attempt = attempt(place);
        let context = context(&self.config, &self.vault, &attempt, &[], 10);
        let seed = Seed {
            secret: Zeroizing::new([secret; SECRET_BYTES]),
            nonce: [secret; 24],
            code: ChallengeId::from_random([secret; 16]),
        };
        start(&mut self.account, &context, &WISH, &seed, &mut Ledger::default())
    }

    fn confirm(&mut self, place: u8, id: &FactorId, secret: u8) -> (Confirmed, Ledger) {
        let attempt = attempt(place);
        let context = context(&self.config, &self.vault, &attempt, &[], 10);
        let codes = Codes::of(&[secret; SECRET_BYTES], Algorithm::Sha1, Digits::SIX).unwrap();
        let typed = codes.code(context.now.wall / 1000 / 30);
        let seed = RecoverySeed { codes: [[3; 10]; CODES], salt: [1; 16] };
        let mut ledger = Ledger::default();
        let first = FirstCode { id, typed: &typed };
        (confirm(&mut self.account, &context, first, &seed, &mut ledger), ledger)
    }
}

/// Break it: let `is_open` be true.
#[test]
fn one_ticket_lets_one_login_in_however_many_showed_it() {
    let mut door = Door::new(EnrolTicket::Required);
    let first = door.start(0, 1).unwrap().id;
    let (confirmed, ledger) = door.confirm(0, &first, 1);
    assert!(matches!(confirmed, Confirmed::Active(_, codes) if codes.len() == CODES));
    assert!(ledger.events().iter().any(|event| matches!(event.kind, Kind::Allowed { .. })));
    assert_eq!(door.start(1, 2), Err(NotStarted::Closed), "the other login was at its choice");
}

#[test]
fn an_enrolment_ends_when_the_person_gets_another_factor_or_loses_the_ticket() {
    let mut door = Door::new(EnrolTicket::None);
    let id = door.start(0, 1).unwrap().id;
    let contact = Proof::Contact { hook: "totp".to_owned(), contact: String::new() };
    let other = door.account.factors.next_id("sms");
    door.account.factors.add(other, contact, Stage::Active(0)).unwrap();
    door.account.switch = Switch::Enabled;
    let (confirmed, _) = door.confirm(0, &id, 1);
    assert!(!matches!(confirmed, Confirmed::Active(..)));

    let mut door = Door::new(EnrolTicket::Required);
    let id = door.start(0, 1).unwrap().id;
    door.account.ticket = None;
    assert!(matches!(door.confirm(0, &id, 1).0, Confirmed::Refused(_)));
}

#[test]
fn a_waiting_key_is_shown_again_to_the_place_that_saw_it_and_to_no_other() {
    let mut door = Door::new(EnrolTicket::None);
    let first = door.start(0, 1).unwrap();
    assert_eq!(door.start(0, 2).unwrap(), first, "cut off, and back");
    let elsewhere = door.start(1, 3).unwrap();
    assert_ne!(elsewhere.key, first.key);
    assert!(matches!(door.confirm(0, &first.id, 1).0, Confirmed::Unknown), "it gave way");
}
