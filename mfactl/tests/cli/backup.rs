//! `backup` and `restore`: what is written, what is sent, and what is refused before mfad is asked.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use data_encoding::{BASE64, HEXLOWER};
use protocol::Secret;
use protocol::manage::{BackupReply, RestorePartReply, RestoreReply};
use sha2::{Digest, Sha256};

use crate::daemon::{Directory, Run, Scene, refusal, reply, run, run_at_terminal, stream};
use crate::user::AFTERNOON;

/// A database, as far as mfactl knows.
const DATABASE: &[u8] = b"a database with names in it, and more of it";

struct Files(Directory);

impl Files {
    fn new() -> Self {
        let files = Files(Directory::new());
        for (name, byte) in [("key", b'k'), ("other", b'o')] {
            fs::write(files.path(name), [byte; 32]).unwrap();
        }
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn back_up(&self) -> Run {
        run(&["backup", &self.text("backup"), "--key-file", &self.text("key")], [copy()])
    }

    fn restore(&self, key: &str, more: &[&str]) -> Run {
        let (file, key) = (self.text("backup"), self.text(key));
        let mut words = vec!["restore", &file, "--key-file", &key];
        words.extend(more);
        let held = RestoreReply { accounts: 2, events: 7, newest: Some(AFTERNOON) };
        run(&words, [reply(&RestorePartReply { length: DATABASE.len() as u64 }), reply(&held)])
    }
}

fn copy() -> Scene {
    let part =
        |bytes: &[u8]| BackupReply { part: Secret::new(BASE64.encode(bytes)), size: DATABASE.len() as u64 };
    stream(&[part(&DATABASE[..20]), part(&DATABASE[20..])])
}

#[test]
fn a_backup_is_written_encrypted_for_its_owner_alone_and_comes_back_as_it_was() {
    let files = Files::new();
    let run = files.back_up();
    let told = format!("The database (0 KiB) is in {}, encrypted.\n", files.text("backup"));
    let remark = "The key of this host is not in it: /etc/mfad/key has to be kept, too, and elsewhere.\n";
    run.ended(0, &told, remark);
    let written = fs::read(files.path("backup")).unwrap();
    assert!(!written.windows(5).any(|window| window == b"names"));
    assert_eq!(fs::metadata(files.path("backup")).unwrap().mode() & 0o7777, 0o600);

    let run = files.restore("key", &[]);
    let told = "A backup with 2 accounts and 7 events, the last one of 2026-11-05 14:03:22. \
                It can be restored: repeat this with --yes.\n";
    run.ended(0, told, "");
    let part = BASE64.encode(DATABASE);
    let sent =
        format!(r#"{{"method":"io.mfad.Manage.RestorePart","parameters":{{"offset":0,"part":"{part}"}}}}"#);
    let digest = HEXLOWER.encode(&Sha256::digest(DATABASE));
    let asked =
        format!(r#"{{"method":"io.mfad.Manage.Restore","parameters":{{"digest":"{digest}","run":"dry"}}}}"#);
    assert_eq!(run.asked, [sent, asked]);
    let run = files.restore("key", &["--yes"]);
    assert!(run.asked[1].contains(r#""run":"real""#), "{:?}", run.asked);
    assert!(run.stdout.contains("mfad.db.replaced") && run.stderr.contains("mfad starts again"));
}

#[test]
fn a_backup_takes_the_place_of_no_file_and_an_unfinished_one_is_not_left() {
    let files = Files::new();
    fs::write(files.path("backup"), "mine").unwrap();
    assert_eq!(files.back_up().code, 1);
    assert_eq!(fs::read(files.path("backup")).unwrap(), b"mine");
    fs::remove_file(files.path("backup")).unwrap();
    let scenes = [[refusal("no")], [Scene::HangsUp], [Scene::Says(b"{\"para\0".to_vec())]];
    for (scene, code) in scenes.into_iter().zip([1, 3, 3]) {
        let ended = run(&["backup", &files.text("backup"), "--key-file", &files.text("key")], scene);
        assert_eq!(ended.code, code);
        let mut left = fs::read_dir(files.path("")).unwrap().map(|file| file.unwrap().file_name());
        assert!(left.all(|name| !name.to_string_lossy().starts_with("backup")));
    }
}

/// Break it: send parts before the passphrase is known to be right.
#[test]
fn a_wrong_key_and_a_damaged_file_are_told_and_mfad_is_not_asked_to_restore() {
    let files = Files::new();
    files.back_up();
    let told = |why: &str| format!("{} cannot be restored: {why}\n", files.text("backup"));
    let run = files.restore("other", &["--yes"]);
    run.ended(1, "", &told("the passphrase or key file is another one than it was made with"));
    assert_eq!(run.asked, Vec::<String>::new());
    let whole = fs::read(files.path("backup")).unwrap();
    let mut edited = whole.clone();
    edited[80] ^= 1;
    for damaged in [&edited[..], &whole[..whole.len() - 1], &whole[..70]] {
        fs::write(files.path("backup"), damaged).unwrap();
        let run = files.restore("key", &["--yes"]);
        run.ended(1, "", &told("it is damaged: it was changed or cut off. Take another copy"));
        assert_eq!(run.asked, Vec::<String>::new());
    }
    fs::write(files.path("backup"), "SQLite format 3").unwrap();
    files.restore("key", &[]).ended(1, "", &told("it is no backup of mfad, or one of a later version"));
}

#[test]
fn a_passphrase_is_asked_for_twice_unseen_and_has_to_be_long() {
    let files = Files::new();
    let file = files.text("backup");
    let long = "correct horse battery\n";
    let typed = |text: &str| run_at_terminal(&["backup", &file], text, [copy()]);
    let short = typed("short\n");
    assert_eq!((short.code, short.asked.len()), (1, 0), "{}", short.stderr);
    assert!(short.stderr.contains("12 characters"), "{}", short.stderr);
    let other = typed(&format!("{long}{long}x").replacen('\n', "y\n", 1));
    assert!(other.stderr.contains("two different"), "{}", other.stderr);
    assert!(!files.path("backup").exists());
    assert_eq!(typed(&format!("{long}{long}")).code, 0);
    let held = RestoreReply { accounts: 0, events: 0, newest: None };
    let scenes = || [reply(&RestorePartReply { length: 43 }), reply(&held)];
    assert_eq!(run_at_terminal(&["restore", &file], long, scenes()).code, 0);
    let wrong = run_at_terminal(&["restore", &file], "wrong\n", scenes());
    assert!(wrong.stderr.contains("another one"), "{}", wrong.stderr);
}

#[test]
fn a_program_is_told_where_the_backup_is_and_how_long() {
    let files = Files::new();
    let run = run(&["--json", "backup", &files.text("backup"), "--key-file", &files.text("key")], [copy()]);
    run.ended(0, &format!("{{\"file\":\"{}\",\"size\":43}}\n", files.text("backup")), "");
}

#[test]
fn a_key_file_that_can_be_guessed_or_is_not_there_is_refused() {
    let files = Files::new();
    fs::write(files.path("key"), "secret").unwrap();
    let run = files.back_up();
    assert!(run.code == 1 && run.stderr.contains("too short"), "{}", run.stderr);
    fs::remove_file(files.path("key")).unwrap();
    let run = files.back_up();
    assert!(run.code == 1 && run.stderr.contains("cannot be read"), "{}", run.stderr);
}
