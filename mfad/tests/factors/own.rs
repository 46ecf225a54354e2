//! Enrolment, proofs, and what people may do with their own factors.

use protocol::call::Replies;

use super::*;

#[test]
fn people_see_and_change_their_own_account_and_no_other() {
    let running = Running::start("");
    let mut ada = running.manage_as(ADAS_UID);
    let own = ada.call(&manage::ShowUser { user: ADA.into() }).unwrap().account;
    assert_eq!((own.user.as_str(), own.uid), (ADA, Some(ADAS_UID)));
    let denied = |refused: Result<_, String>| assert!(refused.unwrap_err().contains("PermissionDenied"));
    for other in ["root", BOB, "no-such-user-here"] {
        denied(ada.call(&manage::ShowUser { user: other.into() }).map(drop));
        denied(ada.call(&start(Some(other), "totp", None)).map(drop));
        denied(ada.call(&confirm(Some(other), "123456")).map(drop));
        denied(ada.call(&new_recovery(Some(other))).map(drop));
        denied(ada.call(&manage::RemoveFactor { user: Some(other.into()), id: "email".into() }).map(drop));
        denied(ada.call(&manage::PreferFactor { user: Some(other.into()), factor: None }).map(drop));
        denied(ada.call(&begin(other, "mfactl")).map(drop));
    }
    denied(ada.call(&manage::ListUsers { after: None, filter: None }).map(drop));
    denied(ada.call(&manage::ResetUser { user: ADA.into() }).map(drop));
    denied(ada.call(&manage::IssueTicket { user: ADA.into(), lifetime: 1000 }).map(drop));
    denied(ada.call(&manage::UnlockUser { user: ADA.into() }).map(drop));
    denied(ada.call(&manage::RotateKey {}).map(drop));
    let started = ada.call(&start(None, "totp", None)).unwrap();
    assert_eq!(started.id, "totp-1");
    assert!(started.uri.unwrap().expose().contains(started.secret.unwrap().expose()));
    assert!(started.drawing.unwrap().expose() != started.drawing_inverted.unwrap().expose());
}

#[test]
fn an_app_is_enrolled_confirmed_and_enters() {
    let running = Running::start("");
    let mut ada = running.manage_as(ADAS_UID);
    let shown = ada.call(&start(None, "totp", None)).unwrap().secret.unwrap();
    let secret = ada.call(&start(None, "totp", None)).unwrap().secret.unwrap();
    assert!(secret != shown, "a key that somebody may have seen is not handed out again");
    let wrong = ada.call(&confirm(None, "000000")).unwrap_err();
    assert!(wrong.contains("2 tries left"), "{wrong}");
    let code = app_code(secret.expose(), -1);
    let confirmed = ada.call(&confirm(None, &code)).unwrap();
    assert_eq!((confirmed.id.as_str(), confirmed.recovery.len()), ("totp-2", 10));

    let mut login = running.login();
    let then = log_in(&mut login, ADA, "sshd", || code.clone());
    assert!(matches!(then, Then::Ask(_)), "the code that confirmed it is spent: {then:?}");
    let now = app_code(secret.expose(), 0);
    assert_eq!(log_in(&mut login, ADA, "sshd", || now.clone()), Then::End(Verdict::Allow));
    let texts: Vec<String> = running.events().into_iter().map(|event| event.text).collect();
    assert!(texts.contains(&"totp-2 was enrolled and confirmed, by uid 1".to_owned()), "{texts:?}");
}

#[test]
fn wrong_first_codes_are_counted_and_end_the_tries() {
    let running = Running::start("");
    let mut ada = running.manage_as(ADAS_UID);
    let secret = ada.call(&start(None, "totp", None)).unwrap().secret.unwrap();
    for _ in 0..2 {
        assert!(ada.call(&confirm(None, "000000")).is_err());
    }
    assert!(ada.call(&confirm(None, "000000")).unwrap_err().contains("Too many wrong codes"));
    let right = ada.call(&confirm(None, &app_code(secret.expose(), 0)));
    assert!(right.unwrap_err().contains("Too many wrong codes"), "no more guesses are looked at");
    assert_eq!(running.account(ADA).consecutive_failures, 3);
}

#[test]
fn a_change_of_ones_own_factors_needs_a_proof_over_the_same_connection() {
    let running = Running::start("");
    let mut ada = running.manage_as(ADAS_UID);
    let (secret, _) = enrolled(&mut ada, None);
    // To see it fail: let `change::permit` answer Ok for the unproved.
    let needed = |refused: Result<(), String>| {
        let refused = refused.unwrap_err();
        assert!(refused.contains("ProofNeeded") && refused.contains("prove who you are first"), "{refused}");
    };
    needed(ada.call(&new_recovery(None)).map(drop));
    needed(ada.call(&start(None, "hotp", None)).map(drop));
    needed(ada.call(&manage::RemoveFactor { user: None, id: "totp-1".into() }).map(drop));
    needed(ada.call(&manage::PreferFactor { user: None, factor: Some("totp".into()) }).map(drop));
    assert!(matches!(log_in(&mut ada, ADA, "mfactl", || "000000".into()), Then::Ask(_)));
    needed(ada.call(&new_recovery(None)).map(drop));
    assert_eq!(log_in(&mut ada, ADA, "mfactl", || app_code(&secret, 0)), Then::End(Verdict::Allow));
    assert_eq!(ada.call(&new_recovery(None)).unwrap().codes.len(), 10);
    needed(running.manage_as(ADAS_UID).call(&new_recovery(None)).map(drop));

    let prefer = manage::PreferFactor { user: None, factor: Some("totp-1".into()) };
    assert_eq!(ada.call(&prefer).unwrap().change, manage::Change::Changed);
    assert_eq!(ada.call(&prefer).unwrap().change, manage::Change::Unchanged);
    assert_eq!(running.account(ADA).preferred.as_deref(), Some("totp"));
    let removed = ada.call(&manage::RemoveFactor { user: None, id: "totp-1".into() }).unwrap();
    assert_eq!(removed.change, manage::Change::Changed);
    assert_eq!(running.account(ADA).preferred, None);
}

#[test]
fn a_login_that_had_nothing_to_prove_is_no_proof_later() {
    let running = Running::start("");
    let mut early = running.manage_as(ADAS_UID);
    assert_eq!(log_in(&mut early, ADA, "mfactl", String::new), Then::End(Verdict::Exempt));
    enrolled(&mut running.manage(), Some(ADA));
    assert!(early.call(&new_recovery(None)).unwrap_err().contains("ProofNeeded"));
}

#[test]
fn no_exemption_of_a_rule_is_a_proof() {
    let running = Running::start("[login]\nrequire = \"never\"\n");
    enrolled(&mut running.manage(), Some(ADA));
    assert_eq!(log_in(&mut running.login(), ADA, "sshd", String::new), Then::End(Verdict::Exempt));
    let mut ada = running.manage_as(ADAS_UID);
    assert!(matches!(log_in(&mut ada, ADA, "mfactl", || "000000".into()), Then::Ask(_)));
    assert!(ada.call(&new_recovery(None)).unwrap_err().contains("ProofNeeded"));
}

/// To see it fail: read the attempt of a proof from what was said.
#[test]
fn a_proof_comes_under_the_rules_of_requests_whatever_service_it_names() {
    let rule = "[[rule]]\nname = \"mail\"\nservices = [\"imap\"]\nprompt = \"Lax code: \"\n";
    let running = Running::start(rule);
    enrolled(&mut running.manage(), Some(ADA));
    let asked = |peer: &mut Peer| match peer.call(&begin(ADA, "imap")).unwrap().step.then {
        Then::Ask(question) => question.text,
        other => panic!("{other:?}"),
    };
    assert!(asked(&mut running.login()).ends_with("Lax code: "));
    assert!(asked(&mut running.manage_as(ADAS_UID)).ends_with("Verification code: "));
}

#[test]
fn fifty_who_enrol_and_confirm_at_once_end_in_one_factor() {
    let running = Running::start("[login]\ntries = 10\nthrottle = { failures = 100, within = \"90s\" }\n");
    let mut peers: Vec<Peer> = (0..50).map(|_| running.manage()).collect();
    for peer in &mut peers {
        peer.send(&start(Some(ADA), "totp", None), Replies::One);
    }
    let started = |peer: &mut Peer| peer.receive::<manage::StartEnrolment>().unwrap().0;
    let started: Vec<_> = peers.iter_mut().map(started).collect();
    // Each start takes the place of the one before: the newest is the one that waits.
    let number = |one: &&manage::StartEnrolmentReply| one.id["totp-".len()..].parse::<u32>().unwrap();
    let newest = started.iter().max_by_key(number).unwrap();
    let code = app_code(newest.secret.as_ref().unwrap().expose(), 0);
    for peer in &mut peers {
        peer.send(&confirm(Some(ADA), &code), Replies::One);
    }
    let confirmed = peers.iter_mut().filter_map(|peer| peer.receive::<manage::ConfirmEnrolment>().ok());
    assert_eq!(confirmed.count(), 1);
    let account = running.account(ADA);
    assert_eq!(account.factors, [newest.id.as_str(), "recovery (10 left)"]);
    assert_eq!(account.enrolled.len(), 1);
}

#[test]
fn recovery_codes_are_shown_once_and_each_enters_once() {
    let running = Running::start("");
    let mut root = running.manage();
    let (_, codes) = enrolled(&mut root, Some(ADA));
    assert_eq!(log_in(&mut running.login(), ADA, "sshd", || codes[3].clone()), Then::End(Verdict::Allow));
    assert!(matches!(log_in(&mut running.login(), ADA, "sshd", || codes[3].clone()), Then::Ask(_)));
    assert_eq!(running.account(ADA).recovery_left, 9);
    let fresh = root.call(&new_recovery(Some(ADA))).unwrap().codes;
    assert!(matches!(log_in(&mut running.login(), ADA, "sshd", || codes[4].clone()), Then::Ask(_)));
    let fresh = fresh[0].expose().to_owned();
    assert_eq!(log_in(&mut running.login(), ADA, "sshd", || fresh), Then::End(Verdict::Allow));
}

#[test]
fn an_address_is_confirmed_by_its_own_code_alone() {
    let running = Running::start("[email]\nself-enrol-domains = [\"example.org\"]\n");
    let mut ada = running.manage_as(ADAS_UID);
    let elsewhere = ada.call(&start(None, "email", Some("ada@elsewhere.example"))).unwrap_err();
    assert!(elsewhere.contains("self-enrol-domains"), "{elsewhere}");
    let started = ada.call(&start(None, "email", Some("ada@example.org"))).unwrap();
    assert_eq!(started.sent_to.as_deref(), Some("a***@example.org"));
    let first = running.code(ADA);
    ada.call(&confirm(None, &first)).unwrap();
    assert_eq!(running.account(ADA).email.as_deref(), Some("ada@example.org"));

    let mut root = running.manage();
    root.call(&start(Some(ADA), "email", Some("new@example.org"))).unwrap();
    let before = running.codes(ADA);
    let code_to_new = before.iter().find(|code| **code != first).unwrap();
    let then = log_in(&mut ada, ADA, "mfactl", || code_to_new.clone());
    assert!(matches!(then, Then::Ask(_)), "an address that is not confirmed proves nothing: {then:?}");
    let code_to_old = running.codes(ADA).into_iter().find(|code| !before.contains(code)).unwrap();
    assert!(root.call(&confirm(Some(ADA), &code_to_old)).is_err(), "it went to the address in use");
    assert_eq!(running.account(ADA).email.as_deref(), Some("ada@example.org"));
}

#[test]
fn an_address_that_is_changed_hears_of_it() {
    let running = Running::start("");
    let mut root = running.manage();
    for address in [Some("old@example.org"), Some("new@example.org"), None] {
        let set = manage::SetEmail { user: ADA.into(), address: address.map(str::to_owned) };
        root.call(&set).unwrap();
    }
    let first = running.await_mail(ADA);
    assert!(first.contains("mail address c"), "{first}");
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while running.mails(ADA) < 2 {
        assert!(std::time::Instant::now() < end);
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_account_of_somebody_who_had_the_name_before_is_not_shown_nor_changed() {
    let mut running = Running::start("");
    enrolled(&mut running.manage(), Some(ADA));
    running.terminate();
    let database = rusqlite::Connection::open(running.file("state/mfad.db")).unwrap();
    let sql = "UPDATE account SET body = replace(body, '\"uid\":1,', '\"uid\":4711,') WHERE user = ?1";
    assert_eq!(database.execute(sql, [ADA]).unwrap(), 1);
    drop(database);
    running.start_again();
    let mut ada = running.manage_as(ADAS_UID);
    for refused in [
        ada.call(&manage::ShowUser { user: ADA.into() }).map(drop),
        ada.call(&new_recovery(None)).map(drop),
        running.manage().call(&start(Some(ADA), "totp", None)).map(drop),
    ] {
        assert!(refused.unwrap_err().contains("somebody else"));
    }
    let reset = running.manage().call(&manage::ResetUser { user: ADA.into() }).unwrap();
    assert_eq!(reset.change, manage::Change::Changed);
    ada.call(&start(None, "totp", None)).unwrap();
}

#[test]
fn a_code_to_an_address_that_is_not_confirmed_proves_nothing() {
    let running = Running::start("");
    let mut root = running.manage();
    let set = manage::SetEmail { user: ADA.into(), address: Some("ada@example.org".into()) };
    root.call(&set).unwrap();
    enrolled(&mut root, Some(ADA));
    root.call(&start(Some(ADA), "email", Some("new@example.org"))).unwrap();
    let code = running.code(ADA);
    // An app is asked for, so no other mail takes the place of that code.
    let then = log_in(&mut running.manage_as(ADAS_UID), ADA, "mfactl", || code.clone());
    assert!(matches!(then, Then::Ask(_)), "{then:?}");
    root.call(&confirm(Some(ADA), &code)).unwrap();
}

/// To see it fail, let `readable` in `manage/events.rs` ask for any uid.
#[test]
fn who_gets_the_name_of_somebody_else_does_not_see_their_logins() {
    let mut running = Running::start("");
    enrolled(&mut running.manage(), Some(ADA));
    let formerly = running.events();
    assert!(formerly.iter().all(|event| event.uid == Some(ADAS_UID)), "{formerly:?}");
    running.terminate();
    let database = rusqlite::Connection::open(running.file("state/mfad.db")).unwrap();
    database.execute("UPDATE event SET uid = 4242", []).unwrap();
    drop(database);
    running.start_again();
    log_in(&mut running.login(), ADA, "sshd", || "000000".into());
    let history = running::every_event(manage::Follow::No);
    let own = running.manage_as(ADAS_UID).call(&history).unwrap().events;
    assert!(!own.is_empty() && own.iter().all(|event| event.uid == Some(ADAS_UID)), "{own:?}");
    let all = running.events();
    assert_eq!(all.len(), formerly.len() + own.len());
    assert!(all.iter().any(|event| event.uid == Some(4242)), "an administrator sees whose they are");
}
