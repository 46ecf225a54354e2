//! Which key a database belongs to, across starts with new keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use mfad::clock::Clock;
use mfad::factor::sealed::Freshness;
use mfad::rules::account::Account;
use mfad::rules::attempt::UserName;
use mfad::store::sqlite::{Adoption, Sqlite};
use mfad::store::{StoreError, transact};
use mfad::vault::{SharedVault, Vault};

fn directory(name: &str) -> PathBuf {
    let directory =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("keys-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

fn open(directory: &Path, vault: &SharedVault) -> Result<Sqlite, StoreError> {
    Sqlite::open(directory, vault.clone(), Clock::of_system(1))
}

fn vault(current: u8, old: &[u8]) -> SharedVault {
    let old: Vec<[u8; 32]> = old.iter().map(|byte| [*byte; 32]).collect();
    Arc::new(ArcSwap::from_pointee(Vault::from_masters(&[current; 32], &old)))
}

#[tokio::test]
async fn a_database_opens_with_any_of_the_keys_in_the_file() {
    let directory = directory("any");
    drop(open(&directory, &vault(1, &[])).unwrap());
    drop(open(&directory, &vault(2, &[3, 1])).unwrap());
    drop(open(&directory, &vault(1, &[])).unwrap());
    for (current, old) in [(2, vec![]), (2, vec![3, 4])] {
        let Err(refused) = open(&directory, &vault(current, &old)) else { panic!("{current} {old:?}") };
        assert!(refused.to_string().contains("made with another key"), "{refused}");
    }
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn a_database_moves_to_the_new_key_when_nothing_is_sealed_by_the_old_one() {
    let directory = directory("moves");
    let (before, both, after) = (vault(1, &[]), vault(2, &[1]), vault(2, &[]));
    drop(open(&directory, &before).unwrap());
    let store = open(&directory, &both).unwrap();
    for (name, uid) in [("ada", 1), ("bob", 2)] {
        let user = UserName::parse(name).unwrap();
        transact(&store, &user, move |account, _| account.uid = Some(uid)).await.unwrap();
    }
    // One account stands for those that still have a secret of the old key.
    let adas = |account: &Account| if account.uid == Some(1) { Freshness::Old } else { Freshness::Current };
    let none = |_: &Account| Freshness::Current;
    let current = || both.load_full();
    assert_eq!(store.adopt_key(current(), adas).await, Ok(Adoption::Waiting(1)));
    assert!(open(&directory, &after).is_err(), "the old key is needed");
    assert_eq!(store.adopt_key(current(), none).await, Ok(Adoption::Done));
    assert_eq!(store.adopt_key(current(), none).await, Ok(Adoption::Done));
    let user = UserName::parse("ada").unwrap();
    transact(&store, &user, |account, _| account.uid = Some(3)).await.unwrap();
    drop(open(&directory, &after).unwrap());
    assert!(open(&directory, &before).is_err(), "the old key alone would seal what the new one cannot open");
    std::fs::remove_dir_all(directory).unwrap();
}
