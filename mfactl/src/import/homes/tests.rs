//! Homes with files as they should be, and with every trick that their person could play on root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use nix::unistd::{Uid, mkfifo};

use super::*;

const STATE: &str = "GEZDGNBVGY3TQOJQ\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n12345678\n";

/// A home of whoever runs the test, gone when it is dropped.
struct Scratch(Home);

impl Scratch {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("mfactl-home-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir(&directory).unwrap();
        Scratch(Home {
            user: "ada".to_owned(),
            uid: Uid::effective().as_raw(),
            directory,
            shell: PathBuf::new(),
        })
    }

    fn file(&self) -> PathBuf {
        self.0.directory.join(NAME)
    }

    fn write(&self, path: &Path, bytes: &[u8], mode: u32) {
        fs::write(path, bytes).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn find(&self) -> Option<Result<Imported, Unusable>> {
        find_google_authenticator([self.0.clone()]).next().map(|found| found.outcome)
    }

    fn why(&self) -> Unusable {
        self.find().expect("there is something").expect_err("it is not usable")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.directory);
    }
}

#[test]
fn a_persons_own_file_is_read_and_a_home_without_one_passed_over() {
    let home = Scratch::new("own");
    assert!(home.find().is_none());
    home.write(&home.file(), STATE.as_bytes(), 0o400);
    let imported = home.find().unwrap().unwrap();
    assert_eq!(imported.user.as_deref(), Some("ada"));
    assert_eq!(imported.notes, [""; 0]);
    let nowhere = Home { directory: "/nonexistent".into(), ..home.0.clone() };
    assert!(find_google_authenticator([nowhere]).next().is_none());
}

#[test]
fn a_file_that_others_could_read_is_taken_with_a_note() {
    let home = Scratch::new("mode");
    home.write(&home.file(), STATE.as_bytes(), 0o644);
    assert_eq!(
        home.find().unwrap().unwrap().notes,
        ["others could read or change it (mode 0644): better enrol anew"]
    );
}

#[test]
fn links_are_not_followed_and_second_names_not_taken() {
    let home = Scratch::new("links");
    let other = home.0.directory.join("other");
    home.write(&other, STATE.as_bytes(), 0o400);
    symlink(&other, home.file()).unwrap();
    assert!(matches!(home.why(), Unusable::NotRegular));
    fs::remove_file(home.file()).unwrap();
    fs::hard_link(&other, home.file()).unwrap();
    assert!(matches!(home.why(), Unusable::HardLinks));
}

#[test]
fn pipes_sockets_and_directories_are_no_files_and_nothing_waits() {
    let home = Scratch::new("pipes");
    mkfifo(&home.file(), Mode::S_IRWXU).unwrap();
    assert!(matches!(home.why(), Unusable::NotRegular));
    fs::remove_file(home.file()).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(home.file()).unwrap();
    assert!(matches!(home.why(), Unusable::NotRegular));
    fs::remove_file(home.file()).unwrap();
    fs::create_dir(home.file()).unwrap();
    assert!(matches!(home.why(), Unusable::NotRegular));
}

/// To see it fail: drop the comparison of owners in `check`.
#[test]
fn a_file_that_is_not_the_persons_is_not_taken_for_theirs() {
    let mut home = Scratch::new("foreign");
    home.write(&home.file(), STATE.as_bytes(), 0o400);
    let mine = home.0.uid;
    home.0.uid += 1;
    assert!(matches!(home.why(), Unusable::Foreign(uid) if uid == mine));
}

/// Giving a home away takes root.
#[test]
fn a_file_of_roots_is_the_persons_only_in_a_home_of_theirs() {
    if !Uid::effective().is_root() {
        return;
    }
    let mut home = Scratch::new("root");
    home.write(&home.file(), STATE.as_bytes(), 0o400);
    home.0.uid = 65534;
    assert!(matches!(home.why(), Unusable::Foreign(0)));
    std::os::unix::fs::chown(&home.0.directory, Some(65534), None).unwrap();
    assert!(home.find().unwrap().is_ok());
}

#[test]
fn what_is_too_large_or_no_text_is_refused() {
    let home = Scratch::new("large");
    home.write(&home.file(), &vec![b'A'; 64 * 1024 + 1], 0o600);
    assert!(matches!(home.why(), Unusable::TooLarge));
    home.write(&home.file(), b"\xff\xfe", 0o600);
    assert!(matches!(home.why(), Unusable::NotText));
    home.write(&home.file(), b"AAAA\n", 0o600);
    assert!(matches!(home.why(), Unusable::Refused(_)));
}

#[test]
fn homes_come_from_lines_of_passwd() {
    let ada = passwd_line(b"ada:x:1000:1000:Ada,,,:/home/ada:/bin/sh").unwrap();
    assert_eq!(
        ada,
        Home { user: "ada".into(), uid: 1000, directory: "/home/ada".into(), shell: "/bin/sh".into() }
    );
    let nobody: [&[u8]; 6] =
        [b"", b"ada", b"ada:x:-1:1::/h:/s", b"ada:x:1:1::home:/s", b"\xff:x:1:1::/h:/s", b":x:1:1::/h:/s"];
    assert!(nobody.into_iter().all(|line| passwd_line(line).is_none()));
}

#[test]
fn the_name_service_knows_where_root_is_at_home() {
    let root = of("root").unwrap().unwrap();
    assert_eq!(root.uid, 0);
    assert!(everybody().unwrap().contains(&root));
    assert_eq!(of("no-such-user-here").unwrap(), None);
}
