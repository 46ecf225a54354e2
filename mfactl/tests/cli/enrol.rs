//! `enrol` and `confirm`: what is shown, what is asked of the person, and where a code may come from.

use std::process::Stdio;

use protocol::Secret;
use protocol::manage::*;

use crate::daemon::{Scene, refusal, reply, run, run_at_terminal, run_in_shell, run_with_input};

const START: &str = r#"{"method":"io.mfad.Manage.StartEnrolment","parameters":{"user":null,"factor":"totp","contact":null,"algorithm":null,"digits":null,"step":null}}"#;
const URI: &str = "otpauth://totp/host:ada?secret=GEZDGNBVGY3TQOJQ";

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn app() -> Scene {
    reply(&StartEnrolmentReply {
        id: "totp-1".into(),
        secret: Some(secret("GEZDGNBVGY3TQOJQ")),
        uri: Some(secret(URI)),
        drawing: Some(secret("█▀█\n▄█▄\n")),
        drawing_inverted: Some(secret(" ▄ \n▀ ▀\n")),
        sent_to: None,
    })
}

fn mail() -> Scene {
    reply(&StartEnrolmentReply {
        id: "email".into(),
        secret: None,
        uri: None,
        drawing: None,
        drawing_inverted: None,
        sent_to: Some("a***@example.org".into()),
    })
}

fn active(id: &str, recovery: &[&str]) -> Scene {
    let recovery = recovery.iter().map(|code| secret(code)).collect();
    reply(&ConfirmEnrolmentReply { id: id.into(), recovery })
}

fn confirm(id: &str, code: &str) -> String {
    format!(
        r#"{{"method":"io.mfad.Manage.ConfirmEnrolment","parameters":{{"user":null,"id":{id},"code":"{code}"}}}}"#
    )
}

const APP: &str = "\
█▀█
▄█▄

factor  totp-1, waits for its first code
key     GEZD GNBV GY3T QOJQ
URI     otpauth://totp/host:ada?secret=GEZDGNBVGY3TQOJQ
";

const SAVED: &str = "totp-1 is active.

Recovery codes. Each lets you in once when your other factors are lost.
Save them now, away from this host: they are not shown again.

    abcd-efgh-ijkl-mnop
    qrst-uvwx-yzab-cdef
";

const LATER: &str = "Not confirmed yet. When the code is at hand: mfactl confirm totp-1\n";
const QUESTION: &str = "The code that the app shows now (Enter: later): ";

#[test]
fn an_app_is_shown_its_key_and_confirmed_at_once_at_a_terminal() {
    let codes = ["abcd-efgh-ijkl-mnop", "qrst-uvwx-yzab-cdef"];
    let run = run_at_terminal(&["enrol", "totp"], "482915\n", [app(), active("totp-1", &codes)]);
    run.ended(0, &format!("{APP}{SAVED}"), QUESTION);
    assert_eq!(run.asked, [START.to_owned(), confirm("\"totp-1\"", "482915")]);
}

#[test]
fn a_wrong_code_is_asked_for_again_three_times_in_all() {
    let wrong = || refusal("wrong code. 2 tries left");
    let run = run_at_terminal(&["enrol", "totp"], "1\n2\n3\n4\n", [app(), wrong(), wrong(), wrong()]);
    let told = format!("{QUESTION}wrong code. 2 tries left\n").repeat(3);
    run.ended(1, APP, &format!("{told}{LATER}"));
    let run = run_at_terminal(&["enrol", "totp"], "1\n482 915\n", [app(), wrong(), active("totp-1", &[])]);
    run.ended(
        0,
        &format!("{APP}totp-1 is active.\n"),
        &format!("{QUESTION}wrong code. 2 tries left\n{QUESTION}"),
    );
}

#[test]
fn enter_or_the_end_of_input_leaves_it_for_later() {
    run_at_terminal(&["enrol", "totp"], "\n", [app()]).ended(0, APP, &format!("{QUESTION}{LATER}"));
    run_at_terminal(&["enrol", "totp"], "\x04", [app()]).ended(0, APP, &format!("{QUESTION}\n{LATER}"));
}

#[test]
fn without_a_terminal_it_says_how_to_confirm() {
    let run = run(&["enrol", "totp"], [app()]);
    run.ended(0, APP, LATER);
    assert_eq!(run.asked, [START]);
}

#[test]
fn a_light_terminal_gets_the_other_drawing() {
    let run = run(&["enrol", "totp", "--inverted"], [app()]);
    assert!(run.stdout.starts_with(" ▄ \n▀ ▀\n\nfactor"), "{}", run.stdout);
}

#[test]
fn as_json_nothing_is_drawn_and_nothing_asked() {
    let json = format!(
        "{{\"id\":\"totp-1\",\"secret\":\"GEZDGNBVGY3TQOJQ\",\"uri\":\"{URI}\",\"drawing\":null,\
         \"drawing_inverted\":null,\"sent_to\":null}}\n"
    );
    run_at_terminal(&["enrol", "totp", "--json"], "482915\n", [app()]).ended(0, &json, "");
}

#[test]
fn a_mailed_code_says_where_it_went() {
    let words = &["enrol", "email", "ada@example.org", "--user", "ada"];
    let run = run_at_terminal(words, "482915\n", [mail(), active("email", &[])]);
    run.ended(
        0,
        "factor        email, waits for its first code\ncode sent to  a***@example.org\nada: email is active.\n",
        "The code that was sent (Enter: later): ",
    );
    assert_eq!(
        run.asked,
        [
            r#"{"method":"io.mfad.Manage.StartEnrolment","parameters":{"user":"ada","factor":"email","contact":"ada@example.org","algorithm":null,"digits":null,"step":null}}"#,
            r#"{"method":"io.mfad.Manage.ConfirmEnrolment","parameters":{"user":"ada","id":"email","code":"482915"}}"#,
        ]
    );
    let later = crate::daemon::run(words, [mail()]);
    assert!(later.stderr.ends_with("mfactl confirm email --user ada\n"), "{}", later.stderr);
}

#[test]
fn wishes_about_codes_reach_mfad() {
    let words = &["enrol", "totp", "--algorithm", "sha256", "--digits", "8", "--step", "60"];
    assert!(
        run(words, [app()]).asked[0].contains(r#""algorithm":"SHA256","digits":8,"step":60"#),
        "the wishes were lost"
    );
}

#[test]
fn a_code_is_confirmed_from_the_command_line() {
    let given = run(&["confirm", "totp-1", "482915"], [active("totp-1", &[])]);
    given.ended(0, "totp-1 is active.\n", "");
    assert_eq!(given.asked, [confirm("\"totp-1\"", "482915")]);
    let alone = run(&["confirm", "482915"], [active("totp-1", &[])]);
    assert_eq!(alone.asked, [confirm("null", "482915")]);
    run(&["confirm", "482915"], [refusal("wrong code. 2 tries left")]).ended(
        1,
        "",
        "wrong code. 2 tries left\n",
    );
}

#[test]
fn a_code_is_confirmed_from_the_terminal() {
    let wrong = refusal("wrong code. 2 tries left");
    let run = run_at_terminal(&["confirm", "totp-1"], "1\n482915\n", [wrong, active("totp-1", &[])]);
    let question = "Code (Enter: later): ";
    run.ended(0, "totp-1 is active.\n", &format!("{question}wrong code. 2 tries left\n{question}"));
    assert_eq!(run.asked, [confirm("\"totp-1\"", "1"), confirm("\"totp-1\"", "482915")]);
}

#[test]
fn a_code_is_confirmed_from_a_pipe() {
    let run = run_in_shell("echo 482915 | $MFACTL confirm", [active("totp-1", &[])]);
    run.ended(0, "totp-1 is active.\n", "");
    assert_eq!(run.asked[1], confirm("null", "482915"));
    let nothing = run_with_input(&["confirm"], Stdio::null(), []);
    nothing.ended(1, "", "no code was given. Type it when asked, or send it to standard input\n");
}
