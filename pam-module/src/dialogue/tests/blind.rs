//! Programs that answer by themselves, and codes that came along with the password.

use super::*;

/// A `Begin` that brings a code along.
fn begin_with(code: &str) -> Begin {
    Begin { appended: Some(Secret::new(code.to_owned())), ..begin() }
}

#[test]
fn a_program_that_answers_notices_is_blind_for_the_rest_of_the_login() {
    let mut program = Double { notices_are_answered: true, ..Double::default() };
    let mut daemon = Daemon::replying(vec![
        step("l1", &["Sending a code"], Then::Continue),
        step("l1", &[], Then::Continue),
        step("l1", &[], Then::End(Verdict::Deny)),
    ]);
    assert!(matches!(held(&mut program, &mut daemon), Err(Failure::Blind)));
    assert_eq!(daemon.heard[1..], [proceed("l1", Conversation::Blind), proceed("l1", Conversation::Blind)]);
}

#[test]
fn what_programs_type_never_leaves_the_module() {
    let junk: &[&[u8]] = &[
        b"\x08\n\r\x7fIN",
        b"\x08\n\r\x7fINCORRECT\x08\n\r\x7fINC",
        b"\x08\n\r\x7fxyz",
        b"\x08",
        b"pass word",
    ];
    for typed in junk {
        let mut program = Double { password: Some(b"pass word"), ..Double::typing(&[typed, b"123456"]) };
        let mut daemon = Daemon::replying(vec![
            step("l1", &[], ask("q1")),
            step("l1", &[], ask("q1")),
            step("l1", &[], Then::End(Verdict::Allow)),
        ]);
        held(&mut program, &mut daemon).unwrap();
        // A person who mistook the prompt is asked again, and is not blind for that.
        assert_eq!(
            daemon.heard[1..],
            [proceed("l1", Conversation::Blind), answer("l1", "q1", "123456")],
            "{typed:?}"
        );
    }
}

#[test]
fn password_and_code_typed_again_as_one_are_a_programs_answer() {
    let before = TypedBefore { password: b"horse", code: "123456" };
    for typed in ["horse", "horse123456"] {
        assert_eq!(Typed::judge(typed.as_bytes(), &before), Typed::ByProgram, "{typed}");
    }
    for typed in ["123456", "horse123457", "horse12345", "hors", "Horse123456"] {
        assert_eq!(
            Typed::judge(typed.as_bytes(), &before),
            Typed::Text(Secret::new(typed.to_owned())),
            "{typed}"
        );
    }
}

#[test]
fn an_appended_code_goes_with_the_first_begin_and_not_with_one_that_finds_the_login_again() {
    let mut person = Double::typing(&[b"654321"]);
    let mut daemon = Daemon::replying(vec![
        step("l1", &["Wrong code"], Then::Continue),
        Err(Failure::Lost),
        step("l2", &[], ask("q1")),
        step("l2", &[], Then::End(Verdict::Allow)),
    ]);
    assert_eq!(hold(&mut person, &mut daemon, begin_with("123456")).unwrap(), Verdict::Allow);
    assert_eq!(
        daemon.heard,
        [
            Request::Begin(begin_with("123456")),
            proceed("l1", Conversation::Seen),
            Request::Begin(begin()),
            answer("l2", "q1", "654321"),
        ]
    );
    assert!(!person.traced.contains("123456"), "{}", person.traced);
}

#[test]
fn an_appended_code_is_sent_again_if_no_step_came_back() {
    let mut person = Double::default();
    let mut daemon = Daemon::replying(vec![Err(Failure::Lost), step("l2", &[], Then::End(Verdict::Allow))]);
    assert_eq!(hold(&mut person, &mut daemon, begin_with("123456")).unwrap(), Verdict::Allow);
    assert_eq!(daemon.heard, [Request::Begin(begin_with("123456")), Request::Begin(begin_with("123456"))]);
}

#[test]
fn a_wrong_appended_code_ends_a_blind_program_without_a_question_and_without_advice() {
    let mut program = Double { notices_are_answered: true, ..Double::default() };
    let mut daemon = Daemon::replying(vec![
        step("l1", &["Wrong code"], Then::Continue),
        step("l1", &[], Then::End(Verdict::Deny)),
    ]);
    assert_eq!(hold(&mut program, &mut daemon, begin_with("123456")).unwrap(), Verdict::Deny);
    assert_eq!(daemon.heard[1..], [proceed("l1", Conversation::Blind)]);
    assert_eq!(program.seen, ["info: Wrong code"]);
}

#[test]
fn a_program_that_fails_at_the_question_and_answers_a_notice_is_told_from_a_person_who_leaves() {
    for (notices_are_answered, blind) in [(true, true), (false, false)] {
        let mut terminal = Double { notices_are_answered, answers: [None].into(), ..Double::default() };
        let mut daemon = Daemon::replying(vec![step("l1", &[], ask("q1"))]);
        let failure = held(&mut terminal, &mut daemon).unwrap_err();
        assert_eq!(matches!(failure, Failure::Blind), blind, "{failure}");
        assert_eq!(daemon.cancelled, ["l1"]);
    }
}
