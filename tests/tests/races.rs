//! Many connections at the same moment.

use mfad_tests::app::App;
use mfad_tests::daemon::{Mfad, Settings};
use mfad_tests::host::{Host, Person};
use mfad_tests::mail::{MailDirectory, wrong};
use mfad_tests::on_a_host;
use mfad_tests::race::{Outcome, PAM_SUCCESS, Race};

const CONNECTIONS: usize = 64;

struct Crowd {
    mfad: Mfad,
    anna: Person,
    race: Race,
    code: String,
    directory: MailDirectory,
}

/// Everybody is Anna, and at her prompt.
fn crowd(host: &Host) -> Crowd {
    let directory = MailDirectory::create();
    let mfad = Mfad::start(host, &Settings::maildir(&directory));
    let anna = host.person("anna");
    mfad.enrol(&anna);
    let mut race = Race::begin(host, &anna, CONNECTIONS);
    assert_eq!(race.await_prompts(), CONNECTIONS, "all are asked");
    let code = directory.await_mail("anna", 1).code();
    Crowd { mfad, anna, race, code, directory }
}

fn entered(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| outcome.code == PAM_SUCCESS).count()
}

/// Break it: read the tries before the transaction that compares.
#[test]
fn three_guesses_are_evaluated_however_many_connections_guess_at_once() {
    on_a_host(|host| {
        let Crowd { mfad, anna, mut race, code, .. } = crowd(host);
        let guesses: Vec<String> = (0..CONNECTIONS).map(|step| other(&code, step + 1)).collect();
        race.answer(&guesses);
        assert_eq!(entered(&race.outcomes()), 0);
        assert_eq!(mfad.events_about(&anna, &["code-wrong"]).len(), 3);
        assert!(mfad.events_about(&anna, &["login-allowed"]).is_empty());
    });
}

/// Break it: forget the challenge after the answer has left.
#[test]
fn the_right_code_lets_one_in_however_many_connections_send_it_at_once() {
    on_a_host(|host| {
        let Crowd { mfad, anna, mut race, code, .. } = crowd(host);
        race.answer(&[code]);
        assert_eq!(entered(&race.outcomes()), 1);
        assert_eq!(mfad.events_about(&anna, &["login-allowed"]).len(), 1);
    });
}

#[test]
fn the_right_code_among_wrong_ones_lets_in_at_most_once() {
    on_a_host(|host| {
        let Crowd { mfad, anna, mut race, code, .. } = crowd(host);
        race.answer(&[code.clone(), wrong(&code)]);
        let inside = entered(&race.outcomes());
        assert!(inside <= 1, "{inside} entered");
        assert_eq!(mfad.events_about(&anna, &["login-allowed"]).len(), inside);
        assert!(mfad.events_about(&anna, &["code-wrong"]).len() <= 3);
    });
}

/// What somebody may have besides mail, and a code of it that is right now.
fn own_codes(mfad: &Mfad, anna: &Person) -> Vec<(&'static str, String)> {
    let (app, recovery) = App::enrol(mfad, anna);
    let (mut token, _) = App::enrol_token(mfad, anna);
    let issued = mfad.control(&["--json", "bypass", "issue", "anna", "--reason", "a race"]);
    let issued: serde_json::Value =
        serde_json::from_str(&issued.expect_success("mfactl bypass issue")).expect("JSON");
    let bypass = issued["code"].as_str().expect("a code").to_owned();
    vec![
        ("totp", app.code_in(1)),
        ("hotp", token.code()),
        ("recovery", recovery[0].clone()),
        ("bypass", bypass),
    ]
}

/// Break it: compare on a copy of the account, and spend on the account.
#[test]
fn a_code_of_any_factor_lets_one_in_however_many_connections_send_it_at_once() {
    on_a_host(|host| {
        let directory = MailDirectory::create();
        let mfad = Mfad::start(host, &Settings::maildir(&directory));
        let anna = host.person("anna");
        for (factor, code) in own_codes(&mfad, &anna) {
            let mut race = Race::begin(host, &anna, CONNECTIONS);
            assert_eq!(race.await_prompts(), CONNECTIONS, "all are asked");
            let before = mfad.events_about(&anna, &["login-allowed"]).len();
            race.answer(&[code]);
            assert_eq!(entered(&race.outcomes()), 1, "{factor}");
            assert_eq!(mfad.events_about(&anna, &["login-allowed"]).len(), before + 1, "{factor}");
            mfad.control(&["user", "unlock", "anna"]).expect_success("mfactl user unlock");
        }
    });
}

#[test]
fn three_guesses_at_an_app_are_evaluated_however_many_connections_guess_at_once() {
    on_a_host(|host| {
        let directory = MailDirectory::create();
        let mfad = Mfad::start(host, &Settings::maildir(&directory));
        let anna = host.person("anna");
        let (app, _) = App::enrol(&mfad, &anna);
        let mut race = Race::begin(host, &anna, CONNECTIONS);
        assert_eq!(race.await_prompts(), CONNECTIONS, "all are asked");
        let right = app.code_in(0);
        let guesses: Vec<String> = (0..CONNECTIONS).map(|step| other(&right, 7 * step + 1)).collect();
        race.answer(&guesses);
        assert_eq!(entered(&race.outcomes()), 0);
        assert_eq!(mfad.events_about(&anna, &["code-wrong"]).len(), 3);
    });
}

/// Break it: let whoever finds a code that is not delivered yet deliver it too.
#[test]
fn one_mail_is_sent_however_many_connections_ask_at_once() {
    on_a_host(|host| {
        let Crowd { directory, mfad: _mfad, race: _race, .. } = crowd(host);
        assert_eq!(directory.count("anna"), 1, "one mail for all");
    });
}

/// A code that is another one for each step from 1 to 999999.
fn other(code: &str, step: usize) -> String {
    let number: usize = code.parse().expect("a code");
    format!("{:06}", (number + step) % 1_000_000)
}
