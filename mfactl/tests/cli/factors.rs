//! `status`, `remove`, `prefer` and `recovery new`.

use std::process::Command;

use protocol::Secret;
use protocol::manage::*;

use crate::daemon::{reply, run};
use crate::user::{asked, busy};

/// The name of whoever runs the tests.
pub(crate) fn own_name() -> String {
    let output = Command::new("/usr/bin/id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_person_is_shown_the_account_of_their_uid() {
    let shown = || reply(&ShowUserReply { account: busy() });
    let own = run(&["status"], [shown()]);
    let call = format!(r#"{{"method":"io.mfad.Manage.ShowUser","parameters":{{"user":"{}"}}}}"#, own_name());
    assert_eq!(own.asked, [call]);
    assert_eq!(own.stdout, run(&["user", "show", "ada"], [shown()]).stdout);
    let other = run(&["status", "--user", "ada"], [shown()]);
    assert_eq!(other.asked, [r#"{"method":"io.mfad.Manage.ShowUser","parameters":{"user":"ada"}}"#]);
}

#[test]
fn removing_tells_what_is_left() {
    let call = r#"{"method":"io.mfad.Manage.RemoveFactor","parameters":{"user":null,"id":"totp-1"}}"#;
    let words = &["remove", "totp-1"];
    let some = RemoveFactorReply { change: Change::Changed, left: vec!["email".into(), "hotp-1".into()] };
    asked(words, reply(&some), call, "totp-1 removed. Left: email, hotp-1.\n", "");
    let none = RemoveFactorReply { change: Change::Changed, left: vec![] };
    let warning = "Warning: nothing is left to prove with: a login that asks for a factor is refused\n";
    asked(words, reply(&none), call, "totp-1 removed. Left: nothing.\n", warning);
    let again = RemoveFactorReply { change: Change::Unchanged, left: vec![] };
    asked(words, reply(&again), call, "there was no totp-1. Left: nothing.\n", "");
    let call = r#"{"method":"io.mfad.Manage.RemoveFactor","parameters":{"user":"ada","id":"totp-1"}}"#;
    let words = &["remove", "totp-1", "--user", "ada"];
    asked(words, reply(&some), call, "ada: totp-1 removed. Left: email, hotp-1.\n", "");
}

#[test]
fn preferring_tells_what_is_asked_first() {
    let call = r#"{"method":"io.mfad.Manage.PreferFactor","parameters":{"user":null,"factor":"totp-1"}}"#;
    let changed = PreferFactorReply { change: Change::Changed };
    let again = PreferFactorReply { change: Change::Unchanged };
    let words = &["prefer", "totp-1"];
    asked(words, reply(&changed), call, "totp-1 is asked for first.\n", "");
    asked(words, reply(&again), call, "totp-1 was asked for first already.\n", "");
    let call = r#"{"method":"io.mfad.Manage.PreferFactor","parameters":{"user":"ada","factor":null}}"#;
    let words = &["prefer", "--none", "--user", "ada"];
    let text = "ada: no factor is preferred: the order of this host counts.\n";
    asked(words, reply(&changed), call, text, "");
    asked(words, reply(&again), call, "ada: no factor was preferred.\n", "");
}

#[test]
fn recovery_codes_are_shown_with_what_to_do() {
    let codes = ["abcd-efgh-ijkl-mnop", "qrst-uvwx-yzab-cdef"].map(|code| Secret::new(code.to_owned()));
    let made = NewRecoveryReply { codes: codes.to_vec() };
    let call = r#"{"method":"io.mfad.Manage.NewRecovery","parameters":{"user":null}}"#;
    let text = "\
earlier recovery codes are void.

Recovery codes. Each lets you in once when your other factors are lost.
Save them now, away from this host: they are not shown again.

    abcd-efgh-ijkl-mnop
    qrst-uvwx-yzab-cdef
";
    asked(&["recovery", "new"], reply(&made), call, text, "");
    let json = "{\"codes\":[\"abcd-efgh-ijkl-mnop\",\"qrst-uvwx-yzab-cdef\"]}\n";
    asked(&["recovery", "new", "--json"], reply(&made), call, json, "");
}
