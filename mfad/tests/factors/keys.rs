//! New keys under a running daemon, and secrets that are not what they should be.

use nix::sys::signal::Signal;
use protocol::call::Replies;

use super::*;

fn line(byte: u8) -> String {
    data_encoding::BASE64.encode(&[byte; 32]) + "\n"
}

fn key_check(running: &Running) -> manage::Finding {
    let checks = running.manage().call(&manage::Health {}).unwrap().checks;
    checks.into_iter().find(|check| check.name == "key").unwrap()
}

#[test]
fn secrets_are_sealed_anew_while_people_log_in_and_the_old_key_can_go() {
    let mut running = Running::start("");
    let mut root = running.manage();
    let (secret, _) = enrolled(&mut root, Some(ADA));
    let (bobs, _) = enrolled(&mut root, Some(BOB));
    assert_eq!(key_check(&running).outcome, manage::Outcome::Ok);
    running.write_key((line(9) + &line(7)).as_bytes(), 0o400);
    running.terminate();
    running.start_again();
    let waiting = key_check(&running);
    assert_eq!(waiting.outcome, manage::Outcome::Warning, "{waiting:?}");

    let mut root = running.manage();
    root.send(&manage::RotateKey {}, Replies::Many);
    assert_eq!(log_in(&mut running.login(), ADA, "sshd", || app_code(&secret, 0)), Then::End(Verdict::Allow));
    let (rotated, _) = root.receive::<manage::RotateKey>().unwrap();
    assert_eq!((rotated.accounts, rotated.resealed, rotated.lost), (2, 2, 0));
    let again = running.manage().call(&manage::RotateKey {}).unwrap();
    assert_eq!((again.accounts, again.resealed, again.lost), (2, 0, 0));
    assert_eq!(key_check(&running).outcome, manage::Outcome::Ok);

    running.write_key(line(9).as_bytes(), 0o400);
    running.terminate();
    running.start_again();
    assert_eq!(log_in(&mut running.login(), BOB, "sshd", || app_code(&bobs, 0)), Then::End(Verdict::Allow));
    running.terminate();
    running.write_key(line(7).as_bytes(), 0o400);
    assert!(running.fails_to_start().contains("made with another key"));
}

#[test]
fn a_key_file_that_is_wrong_is_refused_and_the_keys_in_force_stay() {
    let running = Running::start("");
    let mut root = running.manage();
    let (secret, _) = enrolled(&mut root, Some(ADA));
    for (text, says) in [
        (line(9) + "bm8ga2V5\n", "line 2, is not 32 bytes"),
        (line(9), "lost a key that is still needed"),
        (String::new(), "is not 32 bytes"),
    ] {
        running.write_key(text.as_bytes(), 0o400);
        let refused = root.call(&manage::RotateKey {}).unwrap_err();
        assert!(refused.contains(says), "{refused}");
        running.reload();
    }
    assert_eq!(log_in(&mut running.login(), ADA, "sshd", || app_code(&secret, 0)), Then::End(Verdict::Allow));
}

/// The writer is held up, so that the walk finds nothing of those who enrol a moment before it.
/// To break it: let `Rotation::start` not wait for what was queued before.
#[test]
fn who_enrols_in_the_moment_of_a_rotation_is_sealed_anew_too() {
    let running = Running::start("");
    let (mut root, mut administrator) = (running.manage(), running.manage());
    for peer in [&mut root, &mut administrator] {
        peer.call(&manage::Health {}).unwrap();
    }
    running.write_key((line(9) + &line(7)).as_bytes(), 0o400);
    let database = rusqlite::Connection::open(running.file("state/mfad.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    running.signal(Signal::SIGSTOP);
    administrator.send(&start(Some(ADA), "totp", None), Replies::One);
    root.send(&manage::RotateKey {}, Replies::One);
    running.signal(Signal::SIGCONT);
    std::thread::sleep(Duration::from_millis(100));
    database.execute_batch("ROLLBACK").unwrap();
    administrator.receive::<manage::StartEnrolment>().unwrap();
    root.receive::<manage::RotateKey>().unwrap();
    let check = key_check(&running);
    assert_eq!(check.outcome, manage::Outcome::Ok, "{check:?}");
}

#[test]
fn a_reload_takes_a_new_key_and_asks_for_the_rotation() {
    let running = Running::start("");
    let mut root = running.manage();
    let (secret, _) = enrolled(&mut root, Some(ADA));
    running.write_key((line(9) + &line(7)).as_bytes(), 0o400);
    running.reload();
    let waiting = key_check(&running);
    assert_eq!(waiting.outcome, manage::Outcome::Warning, "{waiting:?}");
    assert_eq!(log_in(&mut running.login(), ADA, "sshd", || app_code(&secret, 0)), Then::End(Verdict::Allow));
    let rotated = root.call(&manage::RotateKey {}).unwrap();
    assert_eq!((rotated.resealed, rotated.lost), (1, 0));
    assert_eq!(key_check(&running).outcome, manage::Outcome::Ok);
}

#[test]
fn a_row_that_was_moved_to_another_person_denies_and_the_audit_says_why() {
    let mut running = Running::start("");
    let (secret, _) = enrolled(&mut running.manage(), Some(ADA));
    running.terminate();
    let database = rusqlite::Connection::open(running.file("state/mfad.db")).unwrap();
    let sql =
        "UPDATE account SET user = ?2, body = replace(body, '\"uid\":1,', '\"uid\":65534,') WHERE user = ?1";
    assert_eq!(database.execute(sql, [ADA, BOB]).unwrap(), 1);
    drop(database);
    running.start_again();
    let then = log_in(&mut running.login(), BOB, "sshd", || app_code(&secret, 0));
    assert_eq!(then, Then::End(Verdict::Deny));
    let events = running.events();
    let damaged = events.iter().find(|event| event.kind == "secret-damaged").unwrap();
    assert_eq!((damaged.user.as_deref(), damaged.priority.as_str()), (Some(BOB), "alert"));
    running.write_key((line(9) + &line(7)).as_bytes(), 0o400);
    let rotated = running.manage().call(&manage::RotateKey {}).unwrap();
    assert_eq!((rotated.accounts, rotated.resealed, rotated.lost), (1, 0, 1));
}
