//! A change that mfad wants a proof for: the dialogue on the same connection, and how it ends.

use protocol::login::{AnswerReply, CancelReply, Echo, Notice, Question, Severity, Step, Then, Verdict};
use protocol::manage::*;

use crate::daemon::{Scene, failure, reply, run, run_at_terminal};
use crate::factors::own_name;

const REMOVE: &str = r#"{"method":"io.mfad.Manage.RemoveFactor","parameters":{"user":null,"id":"totp-1"}}"#;
const QUESTION: &str = "Verification code: ";
const FIRST: &str = "Prove who you are first.\n";

fn needed() -> Scene {
    failure(PROOF_NEEDED, "prove who you are first: this needs a code of a factor that you have")
}

fn step(notices: &[&str], then: Then) -> Scene {
    let notice = |text: &&str| Notice { severity: Severity::Info, text: (*text).to_owned() };
    let notices = notices.iter().map(notice).collect();
    reply(&AnswerReply { step: Step { login: "k3f9a".into(), notices, then } })
}

fn ask() -> Then {
    Then::Ask(Question { id: "1".into(), text: QUESTION.into(), echo: Echo::On })
}

fn removed() -> Scene {
    reply(&RemoveFactorReply { change: Change::Changed, left: vec!["email".into()] })
}

fn answer(text: &str) -> String {
    format!(
        r#"{{"method":"io.mfad.Login.Answer","parameters":{{"login":"k3f9a","question":"1","text":"{text}"}}}}"#
    )
}

#[test]
fn a_change_is_carried_out_after_a_proof_on_the_same_connection() {
    let sending = step(&["Sending a code to a***@example.org"], Then::Continue);
    let again = step(&["Wrong code. 2 tries left."], ask());
    let allowed = step(&[], Then::End(Verdict::Allow));
    let scenes = [needed(), sending, step(&[], ask()), again, allowed, removed()];
    let run = run_at_terminal(&["remove", "totp-1"], "1\n482915\n", scenes);
    let told =
        format!("{FIRST}Sending a code to a***@example.org\n{QUESTION}Wrong code. 2 tries left.\n{QUESTION}");
    run.ended(0, "totp-1 removed. Left: email.\n", &told);
    let begin = format!(
        r#"{{"method":"io.mfad.Login.Begin","parameters":{{"protocol":1,"attempt":{{"user":"{}","service":"mfactl","tty":null,"remote_host":null,"remote_user":null,"ssh_connection":null,"ssh_auth_info":null}}}}}}"#,
        own_name()
    );
    let seen = r#"{"method":"io.mfad.Login.Continue","parameters":{"login":"k3f9a","conversation":"seen"}}"#;
    let expected =
        [REMOVE.to_owned(), begin, seen.to_owned(), answer("1"), answer("482915"), REMOVE.to_owned()];
    assert_eq!(run.asked, expected);
}

#[test]
fn nobody_who_has_nothing_to_prove_with_is_asked() {
    let scenes = [needed(), step(&[], Then::End(Verdict::Exempt)), removed()];
    run_at_terminal(&["remove", "totp-1"], "", scenes).ended(0, "totp-1 removed. Left: email.\n", FIRST);
}

#[test]
fn as_json_the_dialogue_stays_off_the_answer() {
    let scenes = [needed(), step(&[], ask()), step(&[], Then::End(Verdict::Allow)), removed()];
    let run = run_at_terminal(&["remove", "totp-1", "--json"], "482915\n", scenes);
    run.ended(0, "{\"change\":\"changed\",\"left\":[\"email\"]}\n", &format!("{FIRST}{QUESTION}"));
}

#[test]
fn without_a_terminal_a_proof_is_refused_with_what_to_do() {
    let run = run(&["remove", "totp-1"], [needed()]);
    run.ended(
        1,
        "",
        "mfad wants a proof of who you are before it changes this, and standard input is no terminal. \
         Run this in a terminal, or as an administrator\n",
    );
    assert_eq!(run.asked, [REMOVE]);
}

#[test]
fn a_proof_that_fails_changes_nothing() {
    for (verdict, told) in [
        (Verdict::Deny, "mfad did not take the proof, so nothing was changed."),
        (Verdict::Locked, "your codes are not looked at now."),
        (Verdict::Unavailable, "mfad cannot ask for a proof now."),
        (Verdict::Cancelled, "nothing was proved, so nothing was changed"),
    ] {
        let scenes = [needed(), step(&[], ask()), step(&["Wrong code."], Then::End(verdict))];
        let run = run_at_terminal(&["remove", "totp-1"], "1\n", scenes);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{verdict:?}");
        assert!(run.stderr.contains(told), "{}", run.stderr);
        assert_eq!(run.asked.len(), 3, "{verdict:?}");
    }
}

#[test]
fn the_end_of_input_cancels_the_proof() {
    let scenes = [needed(), step(&[], ask()), reply(&CancelReply {})];
    let run = run_at_terminal(&["remove", "totp-1"], "\x04", scenes);
    run.ended(1, "", &format!("{FIRST}{QUESTION}\nnothing was proved, so nothing was changed\n"));
    let cancel = r#"{"method":"io.mfad.Login.Cancel","parameters":{"login":"k3f9a"}}"#;
    assert_eq!(run.asked.last().map(String::as_str), Some(cancel));
}

#[test]
fn a_second_demand_for_a_proof_ends_it() {
    let scenes = [needed(), step(&[], Then::End(Verdict::Allow)), needed()];
    let run = run_at_terminal(&["remove", "totp-1"], "", scenes);
    let reason = "prove who you are first: this needs a code of a factor that you have\n";
    run.ended(1, "", &format!("{FIRST}{reason}"));
}

#[test]
fn a_hostile_question_moves_no_cursor() {
    let hostile = Question { id: "1".into(), text: "a\x1b[2Jb: ".into(), echo: Echo::On };
    let scenes = [
        needed(),
        step(&["c\u{9b}d\u{202e}"], Then::Ask(hostile)),
        step(&[], Then::End(Verdict::Allow)),
        removed(),
    ];
    let run = run_at_terminal(&["remove", "totp-1"], "1\n", scenes);
    assert_eq!(run.stderr, format!("{FIRST}c?d?\na?[2Jb: "));
}
