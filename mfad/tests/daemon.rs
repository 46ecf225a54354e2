//! The daemon as a process: its sockets under good and bad peers, its start, its reload, its end. Each test has its own
//! directories; nothing needs PAM.

mod running;

use std::io::{Read, Write};
use std::time::Duration;

use protocol::Secret;
use protocol::call::Replies;
use protocol::login::{Answer, Attempt, Begin, Continue, Conversation, Step, Then, Verdict};
use protocol::manage;
use running::Running;

fn attempt(user: &str) -> Begin {
    let attempt = Attempt {
        user: user.into(),
        service: "test".into(),
        tty: None,
        remote_host: Some("192.0.2.7".into()),
        remote_user: None,
        ssh_connection: None,
        ssh_auth_info: None,
    };
    Begin { protocol: protocol::VERSION, attempt, appended: None }
}

fn enabled(running: &Running) {
    let mut manage = running.manage();
    manage.call(&manage::EnableUser { user: "root".into() }).unwrap();
    manage.call(&manage::SetEmail { user: "root".into(), address: Some("root@example.org".into()) }).unwrap();
}

fn step_for(running: &Running, user: &str) -> Step {
    running.login().call(&attempt(user)).unwrap().step
}

/// Begins and gets to the question.
fn asked(running: &Running, peer: &mut running::Peer) -> (String, String) {
    let step = peer.call(&attempt("root")).unwrap().step;
    let step = match step.then {
        Then::Continue => {
            peer.call(&Continue { login: step.login, conversation: Conversation::Seen }).unwrap().step
        }
        _ => step,
    };
    let Step { login, then: Then::Ask(question), .. } = step else { panic!("{step:?}") };
    assert!(question.text.ends_with("code: "), "{question:?}");
    let _ = running;
    (login, question.id)
}

fn answer(peer: &mut running::Peer, login: &str, question: &str, code: &str) -> Step {
    let text = Secret::new(code.into());
    peer.call(&Answer { login: login.into(), question: question.into(), text }).unwrap().step
}

#[test]
fn a_mailed_code_enters_once() {
    let running = Running::start("");
    enabled(&running);
    let mut peer = running.login();
    let (login, question) = asked(&running, &mut peer);
    let code = running.code("root");
    assert_eq!(answer(&mut peer, &login, &question, &code).then, Then::End(Verdict::Allow));

    let (login, question) = asked(&running, &mut peer);
    assert!(
        matches!(answer(&mut peer, &login, &question, &code).then, Then::Ask(_)),
        "the old code is worth nothing"
    );
}

#[test]
fn a_question_is_answered_only_under_its_own_name_and_only_while_it_is_open() {
    let running = Running::start("");
    enabled(&running);
    let mut peer = running.login();
    let (login, question) = asked(&running, &mut peer);
    let code = running.code("root");
    for (login, question) in
        [("xxxxxx", question.as_str()), (login.as_str(), "other.3"), (login.as_str(), "")]
    {
        let text = Secret::new(code.clone());
        let refused = peer.call(&Answer { login: login.into(), question: question.into(), text });
        assert!(refused.unwrap_err().contains("UnknownLogin"));
    }
    assert_eq!(answer(&mut peer, &login, &question, &code).then, Then::End(Verdict::Allow));
    let text = Secret::new(code);
    assert!(peer.call(&Answer { login, question, text }).is_err(), "an ended login takes no answer");
}

#[test]
fn the_empty_answer_opens_a_menu_that_sends_the_same_mail_again_but_not_at_once() {
    let running = Running::start("");
    enabled(&running);
    let mut peer = running.login();
    let (login, question) = asked(&running, &mut peer);
    let Then::Ask(menu) = answer(&mut peer, &login, &question, "").then else { panic!() };
    assert!(menu.text.contains("Type 1"), "{menu:?}");
    let step = answer(&mut peer, &login, &menu.id, "1");
    assert!(step.notices[0].text.contains("again in 30 seconds"), "{step:?}");
    let Then::Ask(question) = step.then else { panic!() };
    let code = running.code("root");
    assert_eq!(answer(&mut peer, &login, &question.id, &code).then, Then::End(Verdict::Allow));
}

#[test]
fn three_empty_answers_are_somebody_who_cannot_type() {
    let running = Running::start("");
    enabled(&running);
    let mut peer = running.login();
    let (login, mut question) = asked(&running, &mut peer);
    for _ in 0..2 {
        let Then::Ask(next) = answer(&mut peer, &login, &question, "").then else { panic!() };
        question = next.id;
    }
    assert_eq!(answer(&mut peer, &login, &question, "").then, Then::End(Verdict::Cancelled));
    assert_eq!(running.account("root").consecutive_failures, 0, "no try was spent");
}

#[test]
fn junk_looks_like_a_wrong_code_and_costs_no_try() {
    let running = Running::start("");
    enabled(&running);
    let mut peer = running.login();
    let (login, mut question) = asked(&running, &mut peer);
    for _ in 0..2 {
        let step = answer(&mut peer, &login, &question, "\u{8}\n\r\u{7f}INCORRECT");
        let Then::Ask(next) = step.then else { panic!() };
        assert!(next.text.starts_with("Wrong code"), "{next:?}");
        question = next.id;
    }
    let ended = answer(&mut peer, &login, &question, "\u{8}\n\r\u{7f}IN");
    assert_eq!(ended.then, Then::End(Verdict::Deny));
    let account = running.account("root");
    assert_eq!((account.consecutive_failures, account.challenges[0].tries_left), (0, 3));
}

#[test]
fn a_blind_program_gets_no_mail() {
    let running = Running::start("");
    enabled(&running);
    let mut peer = running.login();
    let step = peer.call(&attempt("root")).unwrap().step;
    assert_eq!(step.then, Then::Continue);
    let blind = Continue { login: step.login, conversation: Conversation::Blind };
    assert_eq!(peer.call(&blind).unwrap().step.then, Then::End(Verdict::Deny));
    assert_eq!(running.mails("root"), 0);
}

#[test]
fn a_stranger_meets_the_same_questions_and_never_enters() {
    let running = Running::start("");
    let mut peer = running.login();
    let step = peer.call(&attempt("no-such-user-here")).unwrap().step;
    assert_eq!(
        (step.then, step.notices[0].text.as_str()),
        (Then::Continue, "Sending a code to n***@example.org")
    );
    let step = peer.call(&Continue { login: step.login, conversation: Conversation::Seen }).unwrap().step;
    let login = step.login;
    let Then::Ask(mut question) = step.then else { panic!() };
    for _ in 0..2 {
        let Then::Ask(next) = answer(&mut peer, &login, &question.id, "123456").then else { panic!() };
        question = next;
    }
    assert_eq!(answer(&mut peer, &login, &question.id, "123456").then, Then::End(Verdict::Locked));
    assert!(
        step_for(&running, "no-such-user-here").notices[0].text.contains("Try again in"),
        "like anybody else"
    );
    assert_eq!(running.mails("no-such-user-here"), 0);
    assert!(running.events().iter().any(|event| event.text.contains("unknown-user")));
}

#[test]
fn a_restart_keeps_code_and_tries_and_sends_nothing() {
    let mut running = Running::start("");
    enabled(&running);
    let mut peer = running.login();
    let (login, question) = asked(&running, &mut peer);
    let Then::Ask(second) = answer(&mut peer, &login, &question, "000000").then else { panic!() };
    let code = running.code("root");
    for kill in [Running::kill, Running::terminate] {
        kill(&mut running);
        running.start_again();
        let mut peer = running.login();
        let (_, again) = asked(&running, &mut peer);
        assert_eq!(again, second.id, "the same question: an answer at hand may be sent again");
    }
    let mut peer = running.login();
    let (login, question) = asked(&running, &mut peer);
    assert_eq!(answer(&mut peer, &login, &question, &code).then, Then::End(Verdict::Allow));
    assert_eq!(running.mails("root"), 1);
}

#[test]
fn garbage_ends_its_own_connection_and_nothing_else() {
    let running = Running::start("");
    enabled(&running);
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n\0"[..],
        b"{}\0",
        b"[1,2,3]\0",
        b"{\"method\":\"io.mfad.Login.Begin\"}\0",
        b"{\"method\":\"io.mfad.Login.Begin\",\"parameters\":{\"protocol\":\"1\"}}\0",
        b"{\"method\":\"io.mfad.Login.Nothing\",\"parameters\":{}}\0",
        b"{\"method\":\"io.mfad.Login.Begin\",\"extra\":1}\0",
        b"\xff\xfe\xfd\0",
        b"\0\0\0\0",
        &[b'{'; 70_000],
        &[b'['; 60_000],
    ] {
        for socket in ["io.mfad.Login", "io.mfad.Manage"] {
            let mut stream = running.connect(socket);
            let _ = stream.write_all(garbage);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut said = Vec::new();
            let _ = stream.read_to_end(&mut said);
            let said = String::from_utf8_lossy(&said).into_owned();
            assert!(!said.contains("allow") && !said.contains("verdict"), "{said}");
        }
    }
    let mut peer = running.login();
    let (login, question) = asked(&running, &mut peer);
    assert_eq!(answer(&mut peer, &login, &question, &running.code("root")).then, Then::End(Verdict::Allow));
}

#[test]
fn a_peer_that_says_nothing_or_half_a_frame_is_cut_off() {
    let running = Running::start("");
    for half in [&b""[..], b"{\"method\":"] {
        let mut stream = running.connect("io.mfad.Login");
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(half).unwrap();
        assert_eq!(stream.read(&mut [0; 64]).unwrap(), 0, "the daemon hung up");
    }
}

#[test]
fn an_unknown_version_is_told_so() {
    let running = Running::start("");
    let mut begin = attempt("root");
    begin.protocol = 99;
    assert!(running.login().call(&begin).unwrap_err().contains("UnsupportedVersion"));
}

#[test]
fn a_reload_takes_a_good_configuration_and_keeps_it_before_a_bad_one() {
    let running = Running::start("");
    enabled(&running);
    running.configure("[email]\ndigits = 8\n");
    running.reload();
    let mut peer = running.login();
    asked(&running, &mut peer);
    assert_eq!(running.code("root").len(), 8);

    running.configure("[email]\ndigits = 80\n");
    running.reload();
    let health = running.manage().call(&manage::Health {}).unwrap();
    assert_eq!(health.outcome, manage::Outcome::Warning);
    let detail = &health.checks.iter().find(|check| check.name == "configuration").unwrap().detail;
    assert!(detail.contains("digits"), "{detail}");
    let problems = running.manage().call(&manage::CheckConfig {}).unwrap().problems;
    assert_eq!(problems[0].key.as_deref(), Some("email.digits"));
    let mut peer = running.login();
    asked(&running, &mut peer);
}

#[test]
fn a_start_is_refused_with_a_sentence_where_something_is_wrong() {
    let mut running = Running::start("");
    assert!(running.try_another().contains("another mfad listens"));
    running.terminate();
    running.write_key(b"c2hvcnQ=\n", 0o400);
    assert!(running.fails_to_start().contains("is not 32 bytes in base 64"));
    running.write_key(&[1; 32], 0o404);
    assert!(running.fails_to_start().contains("others may read it"));
    running.write_key(&[1; 32], 0o400);
    assert!(running.fails_to_start().contains("made with another key"));
    running.write_key(format!("{}\nnone\n", "AQEB".repeat(10) + "AQE=").as_bytes(), 0o400);
    assert!(running.fails_to_start().contains("line 2, is not 32 bytes in base 64"));
    running.configure("[login]\nrequire = \"sometimes\"\n");
    assert!(running.fails_to_start().contains("login.require"));
}

#[test]
fn a_locked_account_is_told_to_the_security_contact() {
    let running =
        Running::start("[login]\nlock-after = 2\nsecurity-contact = [\"security@example.org\"]\n[email]\n");
    enabled(&running);
    let mut peer = running.login();
    let (login, question) = asked(&running, &mut peer);
    let Then::Ask(second) = answer(&mut peer, &login, &question, "000000").then else { panic!() };
    let ended = answer(&mut peer, &login, &second.id, "000000");
    assert_eq!(ended.then, Then::End(Verdict::Locked));
    let told = running.await_mail("security-contact");
    assert!(told.contains("To: security@example.org") && told.contains("account-locked: root"), "{told}");

    let step = running.login().call(&attempt("root")).unwrap().step;
    assert_eq!(step.then, Then::End(Verdict::Locked), "however many connections");
    running.manage().call(&manage::UnlockUser { user: "root".into() }).unwrap();
    let mut peer = running.login();
    let (login, question) = asked(&running, &mut peer);
    assert_eq!(answer(&mut peer, &login, &question, &running.code("root")).then, Then::End(Verdict::Allow));
}

#[test]
fn a_new_address_ends_the_code_that_went_to_the_old_one() {
    let running = Running::start("");
    enabled(&running);
    let mut peer = running.login();
    let (login, question) = asked(&running, &mut peer);
    let moved = manage::SetEmail { user: "root".into(), address: Some("elsewhere@example.org".into()) };
    running.manage().call(&moved).unwrap();
    let ended = answer(&mut peer, &login, &question, &running.code("root"));
    assert_eq!(ended.then, Then::End(Verdict::Deny));
}

#[test]
fn a_reload_that_lost_a_file_is_refused() {
    let running = Running::start("");
    running.drop_in("10-strict.toml", "[login]\nrequire = \"always\"\n");
    running.reload();
    running.remove_drop_in("10-strict.toml");
    running.reload();
    let health = running.manage().call(&manage::Health {}).unwrap();
    let check = health.checks.iter().find(|check| check.name == "configuration").unwrap();
    assert!(check.detail.contains("10-strict.toml is gone"), "{check:?}");
    assert!(
        matches!(step_for(&running, "nobody").then, Then::End(Verdict::Deny)),
        "the stricter rule still holds"
    );
}

#[test]
fn sockets_are_taken_from_the_service_manager_by_name() {
    let mut running = Running::start("");
    running.terminate();
    running.start_with_passed_sockets();
    enabled(&running);
    let mut peer = running.login();
    let (login, question) = asked(&running, &mut peer);
    assert_eq!(answer(&mut peer, &login, &question, &running.code("root")).then, Then::End(Verdict::Allow));
}

#[test]
fn events_are_followed_as_they_come() {
    let running = Running::start("");
    let mut follower = running.manage();
    let follow = running::every_event(manage::Follow::Yes);
    follower.send(&follow, Replies::Many);
    enabled(&running);
    let mut seen = Vec::new();
    while seen.len() < 2 {
        seen.extend(follower.receive::<manage::Events>().unwrap().0.events);
    }
    assert_eq!(seen[1].text, "mail address changed, by uid 0");
}

#[test]
fn sixty_four_connections_share_three_tries_and_one_code_enters_once() {
    let running = Running::start("");
    enabled(&running);
    // To see it fail: compare in `Challenge::compare` before `tries_left` is counted down, or keep a spent challenge.
    let mut peers: Vec<_> = (0..64).map(|_| running.login()).collect();
    let open: Vec<_> = peers.iter_mut().map(|peer| asked(&running, peer)).collect();
    assert_eq!(running.mails("root"), 1, "sixty-four connections share one mail");
    for (peer, (login, question)) in peers.iter_mut().zip(&open) {
        let text = Secret::new("000000".into());
        peer.send(&Answer { login: login.clone(), question: question.clone(), text }, Replies::One);
    }
    for peer in &mut peers {
        let _ = peer.receive::<Answer>();
    }
    let wrong = running.events().iter().filter(|event| event.kind == "code-wrong").count();
    assert_eq!(wrong, 3, "guesses that were evaluated");

    running.manage().call(&manage::UnlockUser { user: "root".into() }).unwrap();
    let mut peers: Vec<_> = (0..64).map(|_| running.login()).collect();
    let open: Vec<_> = peers.iter_mut().map(|peer| asked(&running, peer)).collect();
    let code = running.code("root");
    for (peer, (login, question)) in peers.iter_mut().zip(&open) {
        let text = Secret::new(code.clone());
        peer.send(&Answer { login: login.clone(), question: question.clone(), text }, Replies::One);
    }
    let replies = peers.iter_mut().filter_map(|peer| peer.receive::<Answer>().ok());
    let entered = replies.filter(|(reply, _)| reply.step.then == Then::End(Verdict::Allow)).count();
    assert_eq!(entered, 1);
}

/// Break it: forget at the start what was wrong.
#[test]
fn an_audit_whose_end_is_cut_off_is_no_health() {
    let mut running = Running::start("");
    let check = |running: &Running| {
        let checks = running.manage().call(&manage::Health {}).unwrap().checks;
        checks.into_iter().find(|check| check.name == "audit").unwrap()
    };
    let enable = manage::EnableUser { user: "root".into() };
    running.manage().call(&enable).unwrap();
    assert_eq!(check(&running).outcome, manage::Outcome::Ok);
    running.terminate();
    let database = rusqlite::Connection::open(running.file("state/mfad.db")).unwrap();
    database.execute_batch("DELETE FROM event WHERE id = (SELECT max(id) FROM event)").unwrap();
    drop(database);
    running.start_again();
    let check = check(&running);
    assert_eq!(check.outcome, manage::Outcome::Failed);
    assert!(check.detail.contains("mfactl audit verify"), "{}", check.detail);
}
