//! The whole database, handed out and handed in.

mod running;

use data_encoding::{BASE64, HEXLOWER};
use protocol::Secret;
use protocol::call::{Position, Replies};
use protocol::manage::{self, Change, Outcome, Run};
use running::{Peer, Running};
use rusqlite::Connection;
use sha2::{Digest, Sha256};

fn set(running: &Running, user: &str, address: Option<&str>) {
    let address = address.map(str::to_owned);
    let reply = running.manage().call(&manage::SetEmail { user: user.into(), address }).unwrap();
    assert_eq!(reply.change, Change::Changed);
}

fn hand_out(running: &Running) -> Vec<u8> {
    let mut peer = running.manage();
    peer.send(&manage::Backup {}, Replies::Many);
    let mut bytes = Vec::new();
    loop {
        let (reply, position) = peer.receive::<manage::Backup>().unwrap();
        bytes.extend(BASE64.decode(reply.part.expose().as_bytes()).unwrap());
        if position == Position::Last {
            assert_eq!(bytes.len() as u64, reply.size);
            return bytes;
        }
    }
}

fn hand_in(peer: &mut Peer, bytes: &[u8]) -> Result<u64, String> {
    let mut offset = 0;
    for part in bytes.chunks(20_000) {
        let part = Secret::new(BASE64.encode(part));
        offset = peer.call(&manage::RestorePart { offset, part })?.length;
    }
    Ok(offset)
}

fn restore(running: &Running, bytes: &[u8], run: Run) -> Result<manage::RestoreReply, String> {
    hand_in(&mut running.manage(), bytes)?;
    running.manage().call(&manage::Restore { digest: digest(bytes), run })
}

fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// A database like this one with something done to it.
fn altered(running: &Running, bytes: &[u8], sql: &str) -> Vec<u8> {
    let file = running.file("altered.db");
    std::fs::write(&file, bytes).unwrap();
    Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    std::fs::read(&file).unwrap()
}

fn address(running: &Running, user: &str) -> Option<String> {
    running.account(user).email
}

#[test]
fn a_restored_database_is_as_it_was_and_its_audit_is_whole_and_says_so() {
    let mut running = Running::start("");
    set(&running, "root", Some("then@example.org"));
    let copy = hand_out(&running);
    set(&running, "root", Some("now@example.org"));
    set(&running, "daemon", Some("daemon@example.org"));
    let looked_at = restore(&running, &copy, Run::Dry).unwrap();
    assert_eq!((looked_at.accounts, looked_at.events), (1, 1));
    assert!(looked_at.newest.is_some());
    assert_eq!(address(&running, "root").as_deref(), Some("now@example.org"), "a dry run changes nothing");
    restore(&running, &copy, Run::Real).unwrap();
    running.await_end();
    running.start_again();
    assert_eq!(address(&running, "root").as_deref(), Some("then@example.org"));
    assert_eq!(address(&running, "daemon"), None);
    let verified = running.manage().call(&manage::VerifyAudit { known: None }).unwrap();
    assert_eq!(verified.outcome, Outcome::Ok, "{:?}", verified.breaks);
    let told = running.events().into_iter().filter(|event| event.text.contains("took the place")).count();
    assert_eq!(told, 1);
    running.terminate();
    running.start_again();
    let told = running.events().into_iter().filter(|event| event.text.contains("took the place")).count();
    assert_eq!(told, 1, "it is told once");
    let before = Connection::open(running.file("state/mfad.db.replaced")).unwrap();
    let kept = "SELECT email FROM account WHERE user = 'root'";
    assert_eq!(before.query_row(kept, [], |row| row.get::<_, String>(0)).unwrap(), "now@example.org");
}

/// Break it: leave one of these checks out of `examine`.
#[test]
fn what_is_no_database_of_this_mfad_is_refused_and_nothing_is_touched() {
    let running = Running::start("");
    set(&running, "root", Some("root@example.org"));
    let copy = hand_out(&running);
    let newer = altered(&running, &copy, "PRAGMA user_version = 99");
    let of_another_key = altered(&running, &copy, "UPDATE meta SET value = 'x' WHERE name = 'key-check'");
    let trigger = "CREATE TRIGGER t AFTER UPDATE ON account BEGIN DELETE FROM event; END";
    let with_trigger = altered(&running, &copy, trigger);
    let mut torn = copy.clone();
    torn[4096..8192].fill(0xff);
    for (bytes, why) in [
        (newer, "newer mfad"),
        (of_another_key, "another key"),
        (with_trigger, "did not make"),
        (torn, "no sound database"),
        (b"not a database at all".to_vec(), "no sound database"),
        (copy[..copy.len() / 2].to_vec(), "no sound database"),
    ] {
        let refused = restore(&running, &bytes, Run::Real).unwrap_err();
        assert!(refused.contains(why), "{why}: {refused}");
    }
    hand_in(&mut running.manage(), &copy).unwrap();
    for digest in [String::new(), digest(&copy[1..]), digest(&copy).to_uppercase()] {
        let refused = running.manage().call(&manage::Restore { digest, run: Run::Real }).unwrap_err();
        assert!(refused.contains("did not arrive whole"), "{refused}");
    }
    let part = Secret::new("AAAA".to_owned());
    let refused = running.manage().call(&manage::RestorePart { offset: 7, part }).unwrap_err();
    assert!(refused.contains("out of order"), "{refused}");
    assert_eq!(address(&running, "root").as_deref(), Some("root@example.org"));
    assert!(!running.file("state/mfad.db.next").exists());
}

/// Break it: let `examine` look at the length alone.
#[test]
fn two_databases_that_are_handed_in_at_once_are_never_mixed() {
    let running = Running::start("");
    set(&running, "root", Some("root@example.org"));
    let first = hand_out(&running);
    let second = altered(&running, &first, "UPDATE account SET email = 'mixed@example.org'");
    assert_eq!(first.len(), second.len());
    let half = first.len() / 2;
    let part = |bytes: &[u8]| Secret::new(BASE64.encode(bytes));
    let (mut one, mut other) = (running.manage(), running.manage());
    hand_in(&mut one, &first[..half]).unwrap();
    hand_in(&mut other, &second[..half]).unwrap();
    let mut offset = half as u64;
    for bytes in first[half..].chunks(20_000) {
        offset = one.call(&manage::RestorePart { offset, part: part(bytes) }).unwrap().length;
    }
    for digest in [digest(&first), digest(&second)] {
        let refused = one.call(&manage::Restore { digest, run: Run::Real }).unwrap_err();
        assert!(refused.contains("did not arrive whole"), "{refused}");
    }
}

#[test]
fn only_administrators_hand_databases_out_and_in() {
    let running = Running::start("");
    let part = Secret::new("AAAA".to_owned());
    for refused in [
        running.manage_as(12_345).call(&manage::Backup {}).map(drop),
        running.manage_as(12_345).call(&manage::RestorePart { offset: 0, part }).map(drop),
        running.manage_as(12_345).call(&manage::Restore { digest: String::new(), run: Run::Dry }).map(drop),
    ] {
        assert!(refused.unwrap_err().contains("PermissionDenied"));
    }
}

/// Break it: move the database away after its log, or the new one in before the old one is away.
#[test]
fn a_start_that_is_cut_short_while_it_restores_goes_on_at_the_next_one() {
    for done in 0..4 {
        let mut running = Running::start("");
        set(&running, "root", Some("then@example.org"));
        let copy = hand_out(&running);
        set(&running, "root", Some("now@example.org"));
        running.kill();
        let state = |name: &str| running.file("state").join(name);
        std::fs::write(state("mfad.db.next"), &copy).unwrap();
        let log_then_database = [("-wal", "-wal"), ("-shm", "-shm"), ("", "")];
        for (old, new) in log_then_database.iter().take(done) {
            let (from, to) = (state(&format!("mfad.db{old}")), state(&format!("mfad.db.replaced{new}")));
            std::fs::rename(from, to).unwrap();
        }
        running.start_again();
        assert_eq!(address(&running, "root").as_deref(), Some("then@example.org"), "{done}");
        assert!(!running.file("state/mfad.db.next").exists());
        let before = Connection::open(running.file("state/mfad.db.replaced")).unwrap();
        let kept = "SELECT email FROM account WHERE user = 'root'";
        assert_eq!(before.query_row(kept, [], |row| row.get::<_, String>(0)).unwrap(), "now@example.org");
    }
}

#[test]
fn a_copy_is_consistent_while_others_write_and_leaves_nothing_behind() {
    let running = Running::start("");
    let go_on = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while go_on.load(std::sync::atomic::Ordering::Relaxed) {
                for address in [Some("a@example.org"), None] {
                    set(&running, "root", address);
                }
            }
        });
        for _ in 0..5 {
            let copy = hand_out(&running);
            let looked_at = restore(&running, &copy, Run::Dry).unwrap();
            assert!(looked_at.events > 0 || looked_at.accounts == 0);
        }
        go_on.store(false, std::sync::atomic::Ordering::Relaxed);
    });
    let left: Vec<_> =
        std::fs::read_dir(running.file("state")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("outgoing")), "{left:?}");
}
