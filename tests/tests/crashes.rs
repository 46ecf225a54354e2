//! mfad gone, frozen, restarted or killed while somebody logs in.

use std::collections::HashMap;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

use mfad_tests::app::App;
use mfad_tests::daemon::{Mfad, Settings};
use mfad_tests::host::{Host, Person};
use mfad_tests::mail::{MailDirectory, wrong};
use mfad_tests::on_a_host;
use mfad_tests::race::{Outcome, PAM_SUCCESS, Race};
use mfad_tests::site::{CODE_PROMPT, Site, expect_inside, expect_outside, give_password};

const ONE_PASSWORD: [&str; 2] = ["-o", "NumberOfPasswordPrompts=1"];

#[test]
fn nobody_enters_while_mfad_is_down_and_everybody_when_it_is_back() {
    on_a_host(|host| {
        let mut site = Site::on(host);
        site.mfad.terminate();
        let mut terminal = site.sshd.connect_with(&site.anna, &ONE_PASSWORD);
        give_password(&mut terminal);
        expect_outside(&mut terminal);
        host.syslog().await_line(&["mfad"]);
        site.mfad.start_again();
        let mut terminal = site.anna_is_asked();
        terminal.type_line(&site.mail.await_mail(1).code());
        expect_inside(&mut terminal, &site.anna);
    });
}

/// Break it: let the module wait without a deadline.
#[test]
fn a_login_ends_while_mfad_is_frozen() {
    on_a_host(|host| {
        let site = Site::on(host);
        host.stack_with("sshd", mfad_tests::host::FirstFactor::Password, "timeout=3");
        site.mfad.freeze();
        let mut terminal = site.sshd.connect_with(&site.anna, &ONE_PASSWORD);
        give_password(&mut terminal);
        expect_outside(&mut terminal);
        site.mfad.thaw();
        let mut terminal = site.anna_is_asked();
        terminal.type_line(&site.mail.await_mail(1).code());
        expect_inside(&mut terminal, &site.anna);
    });
}

#[test]
fn a_restart_between_mail_and_answer_is_not_noticed() {
    on_a_host(|host| {
        let mut site = Site::on(host);
        let mut terminal = site.anna_is_asked();
        let code = site.mail.await_mail(1).code();
        site.mfad.terminate();
        site.mfad.start_again();
        terminal.type_line(&code);
        expect_inside(&mut terminal, &site.anna);
        assert_eq!(
            terminal.transcript().matches(CODE_PROMPT).count(),
            1,
            "asked twice: {}",
            terminal.transcript()
        );
        assert_eq!(site.mail.count(), 1);
    });
}

/// Break it: keep challenges in memory.
#[test]
fn a_kill_between_mail_and_answer_is_not_noticed_and_gives_no_try_back() {
    on_a_host(|host| {
        let mut site = Site::on(host);
        let mut terminal = site.anna_is_asked();
        let code = site.mail.await_mail(1).code();
        terminal.type_line(&wrong(&code));
        terminal.expect("2 tries left");
        site.mfad.kill_and_start();
        terminal.type_line(&wrong(&code));
        terminal.expect("1 try left");
        site.mfad.kill_and_start();
        terminal.type_line(&code);
        expect_inside(&mut terminal, &site.anna);
        assert_eq!(site.mail.count(), 1);
    });
}

#[test]
fn an_answer_that_is_given_while_mfad_is_down_arrives_when_it_is_back() {
    on_a_host(|host| {
        let mut site = Site::on(host);
        let mut terminal = site.anna_is_asked();
        let code = site.mail.await_mail(1).code();
        site.mfad.kill();
        terminal.type_line(&code);
        site.mfad.start_again();
        expect_inside(&mut terminal, &site.anna);
    });
}

#[test]
fn a_spent_code_stays_spent_after_a_kill() {
    on_a_host(|host| {
        let mut site = Site::on(host);
        let mut first = site.anna_is_asked();
        let code = site.mail.await_mail(1).code();
        first.type_line(&code);
        expect_inside(&mut first, &site.anna);
        site.mfad.kill_and_start();
        let mut second = site.anna_is_asked();
        second.type_line(&code);
        second.expect("rong code");
    });
}

/// Twenty times in a usual run, 200 with `MFAD_TORTURE` set.
/// Break it: answer before the commit, or spend in a second transaction.
#[test]
fn killed_at_any_moment_no_code_lets_in_twice_and_no_guess_is_forgotten() {
    torture(|_, _| Hand::Mailbox);
}

#[test]
fn killed_at_any_moment_no_code_of_a_token_lets_in_twice() {
    torture(|mfad, anna| Hand::Token(App::enrol_token(mfad, anna).0));
}

#[test]
fn killed_at_any_moment_no_recovery_code_lets_in_twice() {
    torture(|mfad, anna| Hand::Paper(App::enrol(mfad, anna).1));
}

/// What Anna has in her hand.
enum Hand {
    /// Codes come by mail.
    Mailbox,
    /// A token.
    Token(App),
    /// Recovery codes.
    Paper(Vec<String>),
}

fn torture(hand: impl FnOnce(&Mfad, &Person) -> Hand + Send) {
    on_a_host(|host| {
        let mut torture = Torture::on(host, hand);
        for _ in 0..rounds() {
            torture.round(host);
        }
        let Torture { mfad, anna, entered, told_wrong, .. } = torture;
        assert!(!entered.is_empty(), "nobody entered at all: this run proves nothing");
        assert!(entered.values().all(|times| *times == 1), "a code let in twice: {entered:?}");
        let allowed = mfad.events_about(&anna, &["login-allowed"]).len();
        let counted = mfad.events_about(&anna, &["code-wrong"]).len();
        assert!(allowed >= entered.len(), "{allowed} in the audit, {} entered", entered.len());
        assert!(counted >= told_wrong, "{counted} counted, {told_wrong} told of");
    });
}

struct Torture {
    hand: Hand,
    mfad: Mfad,
    anna: Person,
    directory: MailDirectory,
    dice: Dice,
    /// How often each code let somebody in.
    entered: HashMap<String, u32>,
    told_wrong: usize,
}

impl Torture {
    fn on(host: &Host, hand: impl FnOnce(&Mfad, &Person) -> Hand) -> Self {
        let directory = MailDirectory::create();
        let settings = Settings::maildir(&directory)
            .login("throttle = { failures = 100, within = \"10s\" }")
            .login("lock-after = 100")
            .email("per-user = { \"1m\" = 1000 }");
        let mfad = Mfad::start(host, &settings);
        let anna = host.person("anna");
        mfad.enrol(&anna);
        let hand = hand(&mfad, &anna);
        Torture { hand, mfad, anna, directory, dice: Dice::seeded(), entered: HashMap::new(), told_wrong: 0 }
    }

    /// A wrong code, then the right one; then the right one once more. A kill falls before the prompt or after it.
    fn round(&mut self, host: &Host) {
        let mut race = Race::begin(host, &self.anna, 1);
        let early = self.dice.throw(2) == 0;
        if early {
            self.kill_within(15_000);
        }
        assert_eq!(race.await_prompts(), 1, "a restart is not noticed");
        let code = self.latest_code();
        let guess = wrong(if code.len() == 6 { &code } else { "123456" });
        race.answer(&[guess.clone(), code.clone(), guess.clone(), guess]);
        if !early {
            self.kill_within(15_000);
        }
        self.note(&code, &race.outcomes());
        let mut again = Race::begin(host, &self.anna, 1);
        again.await_prompts();
        again.answer(std::slice::from_ref(&code));
        self.note(&code, &again.outcomes());
        self.mfad.control(&["user", "unlock", "anna"]).expect_success("mfactl user unlock");
    }

    fn kill_within(&mut self, microseconds: u64) {
        sleep(Duration::from_micros(self.dice.throw(microseconds)));
        self.mfad.kill_and_start();
    }

    /// A code that Anna has not typed yet.
    fn latest_code(&mut self) -> String {
        match &mut self.hand {
            // The code of the round before may still be out: then there is no new mail, and the last one counts.
            Hand::Mailbox => self.directory.await_mail("anna", self.directory.count("anna").max(1)).code(),
            Hand::Token(token) => token.code(),
            Hand::Paper(codes) => {
                if codes.is_empty() {
                    let renewed = self.mfad.control(&["--json", "recovery", "new", "--user", "anna"]);
                    let renewed = renewed.expect_success("mfactl recovery new");
                    let renewed: serde_json::Value = serde_json::from_str(&renewed).expect("JSON");
                    let text = |code: &serde_json::Value| code.as_str().expect("a code").to_owned();
                    codes.extend(renewed["codes"].as_array().expect("a list").iter().map(text));
                }
                codes.remove(0)
            }
        }
    }

    fn note(&mut self, code: &str, outcomes: &[Outcome]) {
        for outcome in outcomes {
            self.told_wrong += outcome.wrong as usize;
            if outcome.code == PAM_SUCCESS {
                *self.entered.entry(code.to_owned()).or_default() += 1;
            }
        }
    }
}

fn rounds() -> usize {
    if std::env::var_os("MFAD_TORTURE").is_some() { 200 } else { 20 }
}

/// Moments need no good randomness, but another one each run.
struct Dice(u64);

impl Dice {
    fn seeded() -> Self {
        let text = fs::read_to_string("/proc/sys/kernel/random/uuid").expect("randomness");
        Dice(u64::from_str_radix(&text[..8], 16).expect("hexadecimal digits") | 1)
    }

    /// Below this.
    fn throw(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
