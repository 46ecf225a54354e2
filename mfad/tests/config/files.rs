//! Which files mfad trusts. To break these on purpose: drop a flag in `read_if_there`, or a check in `check_file`.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::time::{Duration, Instant};

use mfad::config::{Presence, Problems, load};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::scratch::{Scratch, restrict};

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The only problem: the name of its file, and its message.
fn only(problems: &Problems) -> (String, &str) {
    let [problem] = problems.0.as_slice() else { panic!("{problems}") };
    assert!(!problem.remedy.is_empty());
    (problem.file.file_name().unwrap().to_string_lossy().into_owned(), &problem.message)
}

fn refused(scratch: &Scratch) -> (String, String) {
    let start = Instant::now();
    let problems = scratch.load().unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(10), "it waits for somebody");
    let (file, message) = only(&problems);
    (file, message.to_owned())
}

#[test]
fn a_missing_file_is_an_error_only_where_it_was_asked_for() {
    let scratch = Scratch::new();
    assert!(load(&scratch.main(), Presence::Optional).is_ok());
    assert!(load(&scratch.path("no/such/mfad.toml"), Presence::Optional).is_ok());
    let problems = load(&scratch.main(), Presence::Required).unwrap_err();
    assert_eq!(only(&problems), ("mfad.toml".to_owned(), "the file does not exist"));
}

#[test]
fn a_file_that_others_may_write_to_is_refused() {
    let scratch = Scratch::new();
    for (mode, fine) in [(0o600, true), (0o444, true), (0o755, true), (0o664, false), (0o646, false)] {
        restrict(&scratch.write("mfad.toml", ""), mode);
        assert_eq!(scratch.load().is_ok(), fine, "{mode:o}");
    }
    let message = "others than its owner may write to it (mode 0646)".to_owned();
    assert_eq!(refused(&scratch), ("mfad.toml".to_owned(), message));
    restrict(&scratch.main(), 0o600);
    restrict(&scratch.drop_in("a.toml", ""), 0o620);
    let message = "others than its owner may write to it (mode 0620)".to_owned();
    assert_eq!(refused(&scratch), ("a.toml".to_owned(), message));
}

#[test]
fn a_directory_that_others_may_write_to_is_refused() {
    let scratch = Scratch::new();
    scratch.drop_in("a.toml", "");
    restrict(&scratch.path("conf.d"), 0o1777);
    assert_eq!(refused(&scratch).0, "conf.d");
    restrict(&scratch.path("conf.d"), 0o755);
    restrict(&scratch.path("."), 0o777);
    assert!(refused(&scratch).1.starts_with("others than its owner may write to it"));
    restrict(&scratch.path("."), 0o1777);
    assert!(scratch.load().is_ok(), "nobody can take a file away from a sticky directory");
}

#[test]
fn a_file_of_another_user_is_refused() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let main = scratch.write("mfad.toml", "");
    chown(&main, Some(12_345), None).unwrap();
    assert_eq!(refused(&scratch).1, "it belongs to uid 12345, who could change it");
    chown(&main, Some(0), Some(12_345)).unwrap();
    assert!(scratch.load().is_ok(), "a group that may only read is fine");
    scratch.drop_in("a.toml", "");
    chown(scratch.path("conf.d"), Some(12_345), None).unwrap();
    assert_eq!(refused(&scratch).0, "conf.d");
}

#[test]
fn a_symbolic_link_is_refused() {
    let scratch = Scratch::new();
    let real = scratch.write("real.toml", "");
    symlink(&real, scratch.main()).unwrap();
    assert_eq!(refused(&scratch), ("mfad.toml".to_owned(), "it is a symbolic link".to_owned()));
    fs::remove_file(scratch.main()).unwrap();
    symlink(scratch.path("nowhere"), scratch.main()).unwrap();
    assert_eq!(refused(&scratch).1, "it is a symbolic link", "a dangling one is not a missing file");
    fs::remove_file(scratch.main()).unwrap();
    symlink(scratch.path("."), scratch.path("conf.d")).unwrap();
    assert_eq!(refused(&scratch), ("conf.d".to_owned(), "it is a symbolic link".to_owned()));
}

#[test]
fn a_pipe_neither_hangs_nor_counts_as_a_file() {
    let scratch = Scratch::new();
    mkfifo(&scratch.main(), Mode::from_bits_truncate(0o644)).unwrap();
    assert_eq!(refused(&scratch), ("mfad.toml".to_owned(), "it is not a regular file".to_owned()));
    fs::remove_file(scratch.main()).unwrap();
    scratch.drop_in("a.toml", "");
    mkfifo(&scratch.path("conf.d/b.toml"), Mode::from_bits_truncate(0o644)).unwrap();
    assert_eq!(refused(&scratch), ("b.toml".to_owned(), "it is not a regular file".to_owned()));
}

#[test]
fn a_directory_or_a_socket_in_the_place_of_a_file_is_refused() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.main()).unwrap();
    assert_eq!(refused(&scratch).1, "it is not a regular file");
    fs::remove_dir(scratch.main()).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(scratch.main()).unwrap();
    assert_eq!(refused(&scratch).1, "it is not a regular file");
}

#[test]
fn a_file_in_the_place_of_the_directory_of_drop_ins_is_refused() {
    let scratch = Scratch::new();
    scratch.write("conf.d", "");
    assert_eq!(refused(&scratch), ("conf.d".to_owned(), "it is not a directory".to_owned()));
}

#[test]
fn a_file_that_is_too_long_or_not_text_is_refused() {
    let scratch = Scratch::new();
    scratch.write("mfad.toml", "#".repeat(1 << 20));
    assert!(scratch.load().is_ok());
    scratch.write("mfad.toml", "#".repeat((1 << 20) + 1));
    assert_eq!(refused(&scratch).1, "the file is longer than 1 MiB");
    scratch.write("mfad.toml", b"[login]\nprompt = \"\xff\"");
    assert_eq!(refused(&scratch).1, "the file is not UTF-8 (byte 18)");
}

#[test]
fn all_files_that_are_wrong_are_named_at_once() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.main()).unwrap();
    for name in ["a.toml", "b.toml"] {
        restrict(&scratch.drop_in(name, ""), 0o666);
    }
    assert_eq!(scratch.load().unwrap_err().0.len(), 3);
}
