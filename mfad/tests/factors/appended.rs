//! A code that comes along with the password: what its shape is, and its judgement in the first step of a login.

use protocol::login::{Expect, Shape};

use super::*;

fn expected(peer: &mut Peer, user: &str) -> Vec<Shape> {
    let Begin { protocol, attempt, .. } = begin(user, "sshd");
    peer.call(&Expect { protocol, attempt }).unwrap().shapes
}

fn begin_with(peer: &mut Peer, user: &str, code: &str) -> Step {
    let begin = Begin { appended: Some(Secret::new(code.to_owned())), ..begin(user, "sshd") };
    peer.call(&begin).unwrap().step
}

fn kinds(running: &Running) -> Vec<String> {
    running.events().into_iter().map(|event| event.kind).collect()
}

#[test]
fn the_shapes_are_told_for_people_with_codes_and_for_nobody_else_and_leave_no_trace() {
    let running = Running::start("");
    enrolled(&mut running.manage(), Some(ADA));
    let before = kinds(&running);
    let mut root = running.login();
    assert_eq!(expected(&mut root, ADA), [Shape::SixDigits, Shape::Letters]);
    for other in [BOB, "nobody-here", "a:b", ""] {
        assert_eq!(expected(&mut root, other), [], "{other:?}");
    }
    drop(root);
    assert_eq!(kinds(&running), before);
    let step = running.login().call(&begin(ADA, "sshd")).unwrap().step;
    assert!(matches!(step.then, Then::Ask(_)), "asking opened no login: {step:?}");
}

#[test]
fn an_appended_code_enters_once_and_is_recorded() {
    let running = Running::start("");
    let (secret, recovery) = enrolled(&mut running.manage(), Some(ADA));
    let code = app_code(&secret, 0);
    assert_eq!(begin_with(&mut running.login(), ADA, &code).then, Then::End(Verdict::Allow));
    assert_eq!(begin_with(&mut running.login(), ADA, &recovery[0]).then, Then::End(Verdict::Allow));
    for spent in [&code, &recovery[0]] {
        let step = begin_with(&mut running.login(), ADA, spent);
        assert_eq!((step.notices.len(), step.then), (1, Then::Continue), "somebody may be there");
    }
    let kinds = kinds(&running);
    let count = |name: &str| kinds.iter().filter(|kind| *kind == name).count();
    assert_eq!((count("login-allowed"), count("code-reused"), count("code-wrong")), (2, 1, 1), "{kinds:?}");
}

#[test]
fn a_wrong_appended_code_is_a_try_and_the_person_is_asked_where_somebody_is_there() {
    let running = Running::start("");
    let (secret, _) = enrolled(&mut running.manage(), Some(ADA));
    let mut seen = running.login();
    let step = begin_with(&mut seen, ADA, "000000");
    assert_eq!(step.notices[0].text, "Wrong code, 2 tries left.");
    let go_on = |login, conversation| Continue { login, conversation };
    let step = seen.call(&go_on(step.login, Conversation::Seen)).unwrap().step;
    let Step { login, then: Then::Ask(question), .. } = step else { panic!("{step:?}") };
    assert!(question.id.ends_with(".2"), "{question:?}");

    let mut blind = running.login();
    let step = begin_with(&mut blind, ADA, "000000");
    assert_eq!(step.notices[0].text, "Wrong code, 1 try left.");
    let step = blind.call(&go_on(step.login, Conversation::Blind)).unwrap().step;
    assert_eq!(step.then, Then::End(Verdict::Deny));

    // The budget is one, wherever a code is typed: this is the last try.
    let text = Secret::new(app_code(&secret, 0));
    let step = seen.call(&Answer { login, question: question.id, text }).unwrap().step;
    assert_eq!(step.then, Then::End(Verdict::Allow));
}

#[test]
fn tries_of_appended_codes_are_used_up_like_others() {
    let running = Running::start("");
    let (secret, _) = enrolled(&mut running.manage(), Some(ADA));
    for _ in 0..2 {
        assert_eq!(begin_with(&mut running.login(), ADA, "000000").then, Then::Continue);
    }
    assert_eq!(begin_with(&mut running.login(), ADA, "000000").then, Then::End(Verdict::Locked));
    let step = begin_with(&mut running.login(), ADA, &app_code(&secret, 0));
    assert_eq!(step.then, Then::End(Verdict::Locked), "the right one comes too late");
}

#[test]
fn an_appended_code_changes_nothing_for_people_who_need_none_or_have_mail_alone() {
    let running = Running::start("");
    assert_eq!(begin_with(&mut running.login(), BOB, "123456").then, Then::End(Verdict::Exempt));
    let mut root = running.manage();
    root.call(&manage::EnableUser { user: ADA.into() }).unwrap();
    let address = Some("ada@example.org".to_owned());
    root.call(&manage::SetEmail { user: ADA.into(), address }).unwrap();
    let step = begin_with(&mut running.login(), ADA, "123456");
    assert_eq!(step.then, Then::Continue);
    assert!(step.notices[0].text.starts_with("Sending a code"), "{step:?}");
    assert!(!kinds(&running).contains(&"code-wrong".to_owned()));
}
