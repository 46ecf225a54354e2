//! An authenticator app, or a token, in a person's hand: real codes by oathtool.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::daemon::Mfad;
use crate::host::Person;
use crate::process::run;

/// A key in an app.
pub struct App {
    secret: String,
    kind: Kind,
}

enum Kind {
    Time,
    Counter(u64),
}

impl App {
    /// An app that counts time, with this key in base 32.
    pub fn with(secret: &str) -> Self {
        App { secret: secret.to_owned(), kind: Kind::Time }
    }

    /// A token that was never used, with this key in base 32.
    pub fn token(secret: &str) -> Self {
        App { secret: secret.to_owned(), kind: Kind::Counter(0) }
    }

    /// Enrols somebody, as an administrator does; returns the app and the recovery codes.
    ///
    /// # Panics
    /// If mfad refuses.
    pub fn enrol(mfad: &Mfad, person: &Person) -> (Self, Vec<String>) {
        App::enrol_as(mfad, person, "totp", Kind::Time)
    }

    /// The same with a token that counts uses.
    ///
    /// # Panics
    /// If mfad refuses.
    pub fn enrol_token(mfad: &Mfad, person: &Person) -> (Self, Vec<String>) {
        App::enrol_as(mfad, person, "hotp", Kind::Counter(0))
    }

    fn enrol_as(mfad: &Mfad, person: &Person, factor: &str, kind: Kind) -> (Self, Vec<String>) {
        let started = mfad.control(&["--json", "enrol", factor, "--user", &person.name]);
        let started: Value = serde_json::from_str(&started.expect_success("mfactl enrol")).expect("JSON");
        let (id, secret) = (text(&started["id"]), text(&started["secret"]));
        let mut app = App { secret, kind };
        let code = app.code();
        let confirmed = mfad.control(&["--json", "confirm", "--user", &person.name, &id, &code]);
        let confirmed: Value =
            serde_json::from_str(&confirmed.expect_success("mfactl confirm")).expect("JSON");
        let codes = confirmed["recovery"].as_array().expect("a list").iter().map(text).collect();
        (app, codes)
    }

    /// The code that it shows now. A token moves on.
    ///
    /// # Panics
    /// If oathtool fails.
    pub fn code(&mut self) -> String {
        match &mut self.kind {
            Kind::Time => self.code_in(0),
            Kind::Counter(counter) => {
                let now = counter.to_string();
                *counter += 1;
                oathtool(&["--hotp", "-c", &now, "-b", &self.secret])
            }
        }
    }

    /// Waits until a code of now stays one for so long that a login can be done with it.
    ///
    /// # Panics
    /// If the clock is before 1970.
    pub fn await_fresh_step() {
        await_second(20);
    }

    /// Waits until a code of the step before says nothing about the clock of the app: later in a step, mfad takes it for a
    /// slow one, and follows.
    ///
    /// # Panics
    /// If the clock is before 1970.
    pub fn await_early_step() {
        await_second(10);
    }

    /// The code of so many steps from now: a person who used this step's code waits for the next one.
    ///
    /// # Panics
    /// If oathtool fails, or for a token.
    pub fn code_in(&self, steps: i32) -> String {
        assert!(matches!(self.kind, Kind::Time), "a token knows no time");
        let at = format!("now + {} sec", steps * 30);
        oathtool(&["--totp", "-N", &at, "-b", &self.secret])
    }
}

/// Waits until a step has just begun, or is at this second at the most.
fn await_second(last: u64) {
    let second = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs() % 30;
    while second() > last {
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn oathtool(arguments: &[&str]) -> String {
    run("oathtool", arguments).expect_success("oathtool").trim().to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
