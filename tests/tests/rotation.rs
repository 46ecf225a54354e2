//! A new key under a running daemon that is killed again and again while it seals everything anew.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use mfad_tests::app::App;
use mfad_tests::binaries;
use mfad_tests::daemon::{Mfad, Settings, config_file, state_directory};
use mfad_tests::host::{Host, Person, path};
use mfad_tests::mail::MailDirectory;
use mfad_tests::on_a_host;
use mfad_tests::process::{Family, Running, run};
use mfad_tests::race::{PAM_SUCCESS, Race};
use mfad_tests::wait::until;
use serde_json::Value;

/// More than mfad reads at once.
const PEOPLE: usize = 120;

/// Kills, spread over the time that one rotation takes.
const KILLS: u32 = 8;

/// How many log in while the secrets are sealed anew.
const BUSY: usize = 3;

/// Break it (I9): seal the first page of accounts alone; or let `adopt` count nothing as old, and look before the walk.
#[test]
fn killed_in_the_middle_of_a_rotation_nobody_loses_a_secret_and_the_old_key_goes_at_the_end() {
    on_a_host(|host| {
        let mut town = Town::on(host);
        let whole = town.rotate(Kill::Never).1;
        let kills = (0..KILLS).map(|kill| Kill::After(whole * kill / KILLS));
        let cut_off = kills.filter(|kill| town.rotate(*kill).0 == State::Mixed).count();
        assert!(cut_off > 0, "no kill fell into the middle: this run proves nothing");
        town.finish();
        town.forget_old_keys();
        town.everybody_logs_in();
    });
}

/// People with a token each, whose secrets mfad keeps.
struct Town<'a> {
    host: &'a Host,
    mfad: Mfad,
    people: Vec<(Person, App)>,
    /// The lines of the key file, the key in use first.
    keys: Vec<String>,
    /// Who logs in next.
    next: usize,
}

/// When mfad is killed, counted from the first secret that is sealed anew.
#[derive(Clone, Copy)]
enum Kill {
    Never,
    After(Duration),
}

/// By how many keys the secrets in the database are sealed.
#[derive(Debug, PartialEq, Eq)]
enum State {
    SealedByOne,
    Mixed,
}

impl<'a> Town<'a> {
    fn on(host: &'a Host) -> Self {
        let mfad = Mfad::start(host, &Settings::maildir(&MailDirectory::create()));
        let people: Vec<_> = (0..PEOPLE).map(|number| (host.person(&format!("p{number}")), number)).collect();
        let line = |(person, number): &(Person, usize)| {
            format!("{0} otpauth://hotp/{0}?secret={1}&counter=0\n", person.name, secret(*number))
        };
        let file = path("tokens.txt");
        host.write(&file, &people.iter().map(line).collect::<String>(), 0o600);
        let import = mfad.control(&["import", "otpauth", &file.display().to_string(), "--yes"]);
        import.expect_success("mfactl import");
        let token = |(person, number)| (person, App::token(&secret(number)));
        let key = std::fs::read_to_string(path("key")).expect("the key");
        Town { host, mfad, people: people.into_iter().map(token).collect(), keys: vec![key], next: 0 }
    }

    /// A new key, above those that are there.
    fn add_key(&mut self) {
        self.keys.insert(0, run("openssl", &["rand", "-base64", "32"]).expect_success("a key"));
        self.write_keys(&self.keys);
    }

    fn write_keys(&self, keys: &[String]) {
        self.host.write(path("key"), &keys.concat(), 0o400);
    }

    /// A new key, and people who log in while the secrets are sealed anew. mfad is killed in the midst, and comes back:
    /// nobody who logs in notices. Answers what the kill left, and how long the sealing took.
    fn rotate(&mut self, kill: Kill) -> (State, Duration) {
        self.add_key();
        let mut logins = self.begin(BUSY);
        let before = last_write();
        let mut rotation =
            Running::start("rotate", Family::Alone, binaries::mfactl(), &["--json", "key", "rotate"]);
        until("the first secret to be sealed", || (last_write() != before).then_some(()));
        let start = Instant::now();
        logins.iter_mut().for_each(Login::answer);
        match kill {
            Kill::Never => drop(rotation.await_end()),
            Kill::After(delay) => sleep(delay),
        }
        let took = start.elapsed();
        self.mfad.kill();
        rotation.await_end();
        let state = self.state();
        if state == State::Mixed {
            self.refuses_to_start_with(&self.keys[..1]);
        }
        self.mfad.start_again();
        logins.into_iter().for_each(Login::expect_inside);
        self.begin(BUSY).into_iter().for_each(Login::log_in);
        (state, took)
    }

    /// Who was cut off runs it again, until all is done.
    fn finish(&mut self) {
        let rotated = self.mfad.control(&["--json", "key", "rotate"]).expect_success("mfactl key rotate");
        let last: Value = serde_json::from_str(rotated.lines().last().expect("a reply")).expect("JSON");
        assert_eq!((&last["accounts"], &last["lost"]), (&PEOPLE.into(), &0.into()), "{rotated}");
        assert_eq!(self.state(), State::SealedByOne);
    }

    /// The key in use is the only one from now on.
    fn forget_old_keys(&mut self) {
        let health = self.mfad.control(&["--json", "health"]).out;
        let health: Value = serde_json::from_str(&health).expect("JSON");
        let checks = health["checks"].as_array().expect("checks");
        let key = checks.iter().find(|check| check["name"] == "key").expect("a check of the key");
        assert_eq!(key["outcome"], "ok", "{key}");
        self.mfad.kill();
        self.refuses_to_start_with(&self.keys[1..]);
        self.keys.truncate(1);
        self.write_keys(&self.keys);
        self.mfad.start_again();
    }

    /// A key file without a key that is needed keeps mfad from starting; afterwards all are there again.
    fn refuses_to_start_with(&self, keys: &[String]) {
        self.write_keys(keys);
        let config = config_file().display().to_string();
        let program = binaries::mfad().display().to_string();
        // One that starts is not waited for.
        let refused = run("timeout", &["--signal=KILL", "5", &program, "--config", &config, "--allow-root"]);
        assert!(refused.err.contains("made with another key"), "{}{}", refused.out, refused.err);
        self.write_keys(&self.keys);
    }

    /// Looks at the ids of keys that the sealed secrets begin with.
    fn state(&self) -> State {
        let sql = "SELECT substr(json_extract(body, '$.factors.all[0].proof.hotp.secret'), 1, 6) AS key, \
                   count(*) AS secrets FROM account WHERE key IS NOT NULL GROUP BY key";
        let database = state_directory().join("mfad.db").display().to_string();
        let counted = run("sqlite3", &[&database, sql]).expect_success("sqlite3");
        let secrets: BTreeMap<&str, usize> = counted
            .lines()
            .filter_map(|line| line.split_once('|'))
            .map(|(key, secrets)| (key, secrets.parse().expect("a count")))
            .collect();
        assert_eq!(secrets.values().sum::<usize>(), PEOPLE, "{secrets:?}");
        if secrets.len() == 1 { State::SealedByOne } else { State::Mixed }
    }

    fn everybody_logs_in(&mut self) {
        for _ in 0..PEOPLE.div_ceil(10) {
            self.begin(10).into_iter().for_each(Login::log_in);
        }
    }

    /// So many people at the prompt, others each time.
    fn begin(&mut self, count: usize) -> Vec<Login> {
        let mut logins = Vec::new();
        for _ in 0..count {
            let (person, token) = &mut self.people[self.next % PEOPLE];
            self.next += 1;
            let codes = [token.code(), token.code()];
            logins.push(Login { race: Race::begin(self.host, person, 1), codes });
        }
        logins.iter_mut().for_each(|login| assert_eq!(login.race.await_prompts(), 1));
        logins
    }
}

/// Somebody at the prompt.
struct Login {
    race: Race,
    /// A code that was spent before the kill is wrong when the module gives it again; the next one is not.
    codes: [String; 2],
}

impl Login {
    fn answer(&mut self) {
        self.race.answer(&self.codes);
    }

    fn expect_inside(self) {
        let outcomes = self.race.outcomes();
        assert_eq!(outcomes[0].code, PAM_SUCCESS, "{outcomes:?}");
    }

    fn log_in(mut self) {
        self.answer();
        self.expect_inside();
    }
}

/// When the database's log was written last.
fn last_write() -> SystemTime {
    let log = std::fs::metadata(state_directory().join("mfad.db-wal"));
    log.and_then(|log| log.modified()).expect("the log")
}

/// Another one for each person, in base 32.
fn secret(number: usize) -> String {
    const LETTERS: &[u8; 26] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let letter = |place: usize| char::from(LETTERS[number / place % 26]);
    format!("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQO{}{}", letter(26), letter(1))
}
