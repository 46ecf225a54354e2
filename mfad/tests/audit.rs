//! The audit as a chain: whoever writes to the database without the key is found out, and told where.

mod running;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use mfad::audit::{Event, Kind};
use mfad::clock::Clock;
use mfad::factor::sealed::Freshness;
use mfad::rules::attempt::UserName;
use mfad::store::sqlite::{Adoption, Known, Sqlite, Verified};
use mfad::store::{EventQuery, Rest, Retention, Store, transact};
use mfad::vault::{SharedVault, Vault};
use protocol::manage::{self, Outcome};
use running::Running;
use rusqlite::Connection;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A state directory of one test.
struct State(PathBuf);

impl State {
    fn new() -> Self {
        let name = format!("audit-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&directory).unwrap();
        State(directory)
    }

    fn open(&self, keys: &SharedVault) -> Sqlite {
        Sqlite::open(&self.0, keys.clone(), Clock::of_system(1)).unwrap()
    }

    /// What somebody does who has the file and not the key.
    fn tamper(&self, sql: &str) {
        Connection::open(self.0.join("mfad.db")).unwrap().execute_batch(sql).unwrap();
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn vault(current: u8, old: &[u8]) -> SharedVault {
    let old: Vec<[u8; 32]> = old.iter().map(|byte| [*byte; 32]).collect();
    Arc::new(ArcSwap::from_pointee(Vault::from_masters(&[current; 32], &old)))
}

async fn record(store: &Sqlite, count: usize) {
    for _ in 0..count {
        let kind = Kind::Exempted { rule: "office".to_owned() };
        let mut event = Event::of_host(kind, Some("k3f9a".to_owned()));
        event.user = Some("ada".to_owned());
        let ada = UserName::parse("ada").unwrap();
        transact(store, &ada, move |_, ledger| ledger.record(event.clone())).await.unwrap();
    }
}

async fn verify(store: &Sqlite) -> Verified {
    store.verify(None).await.unwrap()
}

/// The first break: from, to, and what is wrong.
async fn first_break(store: &Sqlite) -> (i64, i64, String) {
    let found = verify(store).await;
    let first = found.breaks.first().unwrap_or_else(|| panic!("nothing was found"));
    (first.first, first.last, first.text.clone())
}

/// Ways to tamper with ten events, and the first place that has to be named. Break it: leave a field out of the link, or
/// the mark of the end out of the commit.
const TAMPERED: [(&str, i64, i64, &str); 14] = [
    ("DELETE FROM event WHERE id = 5", 5, 5, "missing"),
    ("DELETE FROM event WHERE id BETWEEN 3 AND 6", 3, 6, "missing"),
    ("DELETE FROM event WHERE id = 1", 1, 1, "missing"),
    ("DELETE FROM event WHERE id > 7", 8, 10, "cut off"),
    ("DELETE FROM event", 1, 10, "cut off"),
    ("UPDATE event SET text = 'refused: expired' WHERE id = 4", 4, 4, "changed"),
    ("UPDATE event SET at = at + 1 WHERE id = 10", 10, 10, "changed"),
    ("UPDATE event SET user = NULL WHERE id = 2", 2, 2, "changed"),
    (
        "UPDATE event SET id = -1 WHERE id = 4; UPDATE event SET id = 4 WHERE id = 5;
         UPDATE event SET id = 5 WHERE id = -1",
        4,
        4,
        "moved",
    ),
    ("DELETE FROM event WHERE id = 5; UPDATE event SET id = id - 1 WHERE id > 5", 5, 5, "moved"),
    (
        "INSERT INTO event SELECT 11, at, kind, priority, user, service, source, reference, text, uid, link, \
      linked_by FROM event WHERE id = 10",
        11,
        11,
        "changed or moved",
    ),
    (
        "INSERT INTO event (id, at, kind, priority, text) VALUES (0, 1, 'login-allowed', 'info', 'x')",
        0,
        0,
        "before",
    ),
    (
        "INSERT INTO event (at, kind, priority, text) VALUES (1, 'login-allowed', 'info', 'x')",
        11,
        11,
        "no link",
    ),
    ("DELETE FROM meta WHERE name = 'audit-anchor'; DELETE FROM event WHERE id < 4", 0, 0, "begins"),
];

#[tokio::test]
async fn an_audit_that_is_left_alone_is_whole_also_after_a_restart() {
    let (state, keys) = (State::new(), vault(1, &[]));
    let store = state.open(&keys);
    assert_eq!(verify(&store).await.count, 0);
    record(&store, 10).await;
    drop(store);
    let store = state.open(&keys);
    record(&store, 3).await;
    let found = verify(&store).await;
    assert_eq!((found.events, found.count, found.head.map(|head| head.id)), (13, 0, Some(13)));
}

#[tokio::test]
async fn whatever_is_done_to_the_audit_is_found_and_its_place_is_named() {
    for (sql, first, last, text) in TAMPERED {
        let (state, keys) = (State::new(), vault(1, &[]));
        let store = state.open(&keys);
        record(&store, 10).await;
        state.tamper(sql);
        let found = first_break(&store).await;
        assert_eq!((found.0, found.1), (first, last), "{sql}: {found:?}");
        assert!(found.2.contains(text), "{sql}: {found:?}");
    }
}

#[tokio::test]
async fn what_was_done_is_still_found_after_more_events_and_a_restart() {
    for (sql, first, _, _) in TAMPERED {
        let (state, keys) = (State::new(), vault(1, &[]));
        let store = state.open(&keys);
        record(&store, 10).await;
        state.tamper(sql);
        record(&store, 2).await;
        drop(store);
        let store = state.open(&keys);
        record(&store, 2).await;
        assert_eq!(first_break(&store).await.0, first, "{sql}");
    }
}

/// Break it: continue from the last row where the mark of the end is gone.
#[tokio::test]
async fn an_end_that_is_cut_off_while_mfad_is_stopped_is_told_at_the_start_and_found_for_ever() {
    for mark in [
        "",
        "DELETE FROM meta WHERE name = 'audit-head'",
        "UPDATE meta SET value = 'x' WHERE name = 'audit-head'",
    ] {
        let (state, keys) = (State::new(), vault(1, &[]));
        let store = state.open(&keys);
        record(&store, 10).await;
        drop(store);
        state.tamper(&format!("DELETE FROM event WHERE id > 7; {mark}"));
        let store = state.open(&keys);
        record(&store, 1).await;
        let told = EventQuery { kind: Some("audit-damaged".to_owned()), limit: 9, ..EventQuery::default() };
        assert_eq!(store.events(told).await.unwrap().len(), 1, "{mark}");
        assert_eq!(first_break(&store).await.0, 8, "{mark}");
    }
}

#[tokio::test]
async fn an_older_copy_of_the_audit_does_not_go_through_a_head_that_was_noted_down() {
    let (state, keys) = (State::new(), vault(1, &[]));
    let store = state.open(&keys);
    record(&store, 5).await;
    let older = verify(&store).await.head.unwrap().shown();
    let copy = state.0.join("copy");
    state.tamper(&format!("VACUUM INTO '{}'", copy.display()));
    record(&store, 5).await;
    let noted = verify(&store).await.head.unwrap().shown();
    drop(store);
    let old = State::new();
    std::fs::rename(copy, old.0.join("mfad.db")).unwrap();
    let store = old.open(&keys);
    assert_eq!(verify(&store).await.count, 0, "the copy itself is whole");
    assert_eq!(store.verify(Some(noted.clone())).await.unwrap().known, Some(Known::NotThere));
    assert_eq!(store.verify(Some(older)).await.unwrap().known, Some(Known::There));
    record(&store, 9).await;
    assert_eq!(store.verify(Some(noted)).await.unwrap().known, Some(Known::NotThere));
    assert_eq!(store.verify(Some("nonsense".to_owned())).await.unwrap().known, None);
}

#[tokio::test]
async fn what_is_too_much_or_too_old_is_forgotten_and_the_rest_stays_whole() {
    let (state, keys) = (State::new(), vault(1, &[]));
    let store = state.open(&keys);
    record(&store, 1200).await;
    let keep = |events| Retention { events, age: None };
    assert_eq!(store.sweep(keep(5000)).await.unwrap(), Rest::None);
    assert_eq!(store.sweep(keep(100)).await.unwrap(), Rest::More);
    while store.sweep(keep(100)).await.unwrap() == Rest::More {}
    let found = verify(&store).await;
    assert_eq!((found.events, found.count, found.begin.map(|place| place.id)), (100, 0, Some(1100)));
    state.tamper("UPDATE event SET text = 'x' WHERE id = 1150");
    assert_eq!(first_break(&store).await.0, 1150);
    // What is in the future keeps those behind it.
    state.tamper("UPDATE event SET at = 0 WHERE id <> 1160");
    let day = Retention { events: 5000, age: Some(Duration::from_secs(86_400)) };
    assert_eq!(store.sweep(day).await.unwrap(), Rest::None);
    assert_eq!(verify(&store).await.begin.map(|place| place.id), Some(1159));
    state.tamper("DELETE FROM event WHERE id < 1165");
    assert_eq!(store.sweep(keep(10)).await.unwrap(), Rest::None);
    assert_eq!(first_break(&store).await, (1160, 1190, "missing: somebody took it away".to_owned()));
}

#[tokio::test]
async fn an_audit_that_is_forgotten_to_its_last_event_goes_on() {
    let (state, keys) = (State::new(), vault(1, &[]));
    let store = state.open(&keys);
    record(&store, 5).await;
    state.tamper("UPDATE event SET at = 0");
    let day = Retention { events: 5000, age: Some(Duration::from_secs(86_400)) };
    assert_eq!(store.sweep(day).await.unwrap(), Rest::None);
    drop(store);
    let store = state.open(&keys);
    record(&store, 1).await;
    let found = verify(&store).await;
    assert_eq!((found.events, found.count, found.head.map(|head| head.id)), (1, 0, Some(6)));
}

/// Break it: forget old audit keys when the database is moved to a new key.
#[tokio::test]
async fn links_of_an_old_key_are_proved_after_its_line_left_the_key_file() {
    let state = State::new();
    let keys = vault(1, &[]);
    let store = state.open(&keys);
    record(&store, 3).await;
    for (current, old) in [(2, 1), (3, 2)] {
        keys.store(Arc::new(Vault::from_masters(&[current; 32], &[[old; 32]])));
        record(&store, 3).await;
        let adopted = store.adopt_key(keys.load_full(), |_| Freshness::Current).await;
        assert_eq!(adopted, Ok(Adoption::Done));
        keys.store(Arc::new(Vault::from_master(&[current; 32])));
        record(&store, 3).await;
    }
    drop(store);
    let store = state.open(&vault(3, &[]));
    let found = verify(&store).await;
    assert_eq!((found.events, found.count), (15, 0), "{:?}", found.breaks);
    // The key that was replaced makes no links any more that fit in.
    state.tamper("UPDATE event SET text = 'x' WHERE id = 2");
    assert_eq!(first_break(&store).await.0, 2);
}

#[test]
fn the_audit_of_a_daemon_that_is_killed_again_and_again_stays_whole() {
    let mut running = Running::start("");
    for _ in 0..5 {
        for name in ["root", "daemon", "bin"] {
            let (user, address) = (name.to_owned(), Some(format!("{name}@example.org")));
            running.manage().call(&manage::SetEmail { user: user.clone(), address }).unwrap();
            running.manage().call(&manage::SetEmail { user, address: None }).unwrap();
        }
        running.kill();
        running.start_again();
    }
    let reply = running.manage().call(&manage::VerifyAudit { known: None }).unwrap();
    assert_eq!((reply.outcome, reply.events, reply.count), (Outcome::Ok, 30, 0), "{:?}", reply.breaks);
    let known = reply.head.clone();
    let reply = running.manage().call(&manage::VerifyAudit { known }).unwrap();
    assert_eq!(reply.known.unwrap().outcome, Outcome::Ok);
    let refused = running.manage_as(12_345).call(&manage::VerifyAudit { known: None });
    assert!(refused.is_err());
}

#[test]
fn the_audit_of_an_older_mfad_becomes_the_beginning_of_the_chain() {
    let mut running = Running::start("");
    let set = manage::SetEmail { user: "root".into(), address: Some("root@example.org".into()) };
    running.manage().call(&set).unwrap();
    running.terminate();
    let database = Connection::open(running.file("state/mfad.db")).unwrap();
    database
        .execute_batch(
            "ALTER TABLE event DROP COLUMN link; ALTER TABLE event DROP COLUMN linked_by;
             DELETE FROM meta WHERE name LIKE 'audit-%'; PRAGMA user_version = 2;",
        )
        .unwrap();
    drop(database);
    running.start_again();
    running.manage().call(&manage::SetEmail { user: "root".into(), address: None }).unwrap();
    let reply = running.manage().call(&manage::VerifyAudit { known: None }).unwrap();
    assert_eq!((reply.outcome, reply.events), (Outcome::Ok, 2), "{:?}", reply.breaks);
}
