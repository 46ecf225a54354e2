//! The guides, carried out as they stand: each command of root and of people, each file, each login, on a throw-away host
//! that is as the packages leave it.
//!
//! Break it: change a command, a line of a file or of a transcript in docs/guide.

use mfad_tests::app::App;
use mfad_tests::guide::Guide;
use mfad_tests::host::PASSWORD;
use mfad_tests::installed::{Installed, terminal};
use mfad_tests::on_a_host;

/// Whether somebody gets in over SSH who has this password, and this to say to a question for a code.
fn gets_in(person: &str, code: Option<&str>) -> bool {
    let mut client = terminal(person, &format!("ssh -o NumberOfPasswordPrompts=1 {person}@host echo inside"));
    loop {
        match client.expect_one_of(&["assword: ", "code: ", "inside", "ermission denied", "closed by"]).0 {
            0 => client.type_line(PASSWORD),
            1 => client.type_line(code.unwrap_or("000000")),
            2 => return true,
            _ => return false,
        }
    }
}

/// The key that somebody types into an app, off the terminal.
fn key_of(shown: &str) -> String {
    let lines = shown.lines().filter_map(|line| line.strip_prefix("key "));
    let key = lines.last().unwrap_or_else(|| panic!("there is no key:\n{shown}"));
    key.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[test]
fn the_guide_for_debian_switches_on_and_off() {
    on_a_host(|host| {
        let mut house = Installed::on(host);
        let mut guide = Guide::open("switch-on-debian.md");
        let _ = ["ada", "bert"].map(|name| house.person(name));
        for section in ["Keep a way back", "Install", "Mail", "Enable one person", "Let sshd ask"] {
            house.play(&mut guide, section);
            assert!(gets_in("ada", None), "nothing is switched on after {section:?}");
        }
        house.play(&mut guide, "Switch on");
        house.play_with(&mut guide, "Log in from another terminal", &mut |mail, _| mail.await_code(1));
        assert!(gets_in("bert", None), "who is not enabled is not asked");
        assert!(!gets_in("ada", Some("000000")), "a wrong code");
        house.play(&mut guide, "Back");
        assert!(gets_in("ada", None), "as before");
        guide.finish();
    });
}

#[test]
fn the_guide_for_keys_and_an_app_lets_in_with_both_and_with_nothing_less() {
    on_a_host(|host| {
        let mut house = Installed::on(host);
        let mut guide = Guide::open("ssh-keys-and-totp.md");
        for name in ["ada", "bert"] {
            house.person(name);
            house.give_key(name);
        }
        house.play(&mut guide, "Keep a way back");
        let mut secret = String::new();
        house.play_with(&mut guide, "Enrol first", &mut |_, shown| {
            secret = key_of(shown);
            App::with(&secret).code_in(-1)
        });
        let app = App::with(&secret);
        house.play(&mut guide, "The stack");
        house.play(&mut guide, "sshd");
        App::await_fresh_step();
        house.play_with(&mut guide, "Log in", &mut |_, _| app.code_in(0));
        assert!(gets_in("bert", None), "who has a key and nothing to prove");
        assert!(!gets_in("ada", Some("000000")), "a wrong code");
        std::fs::remove_file("/home/ada/.ssh/id_ed25519").expect("the key of Ada");
        assert!(!gets_in("ada", Some(&app.code_in(1))), "a code without a key");
        house.play(&mut guide, "Keys that need no code");
        house.play(&mut guide, "Back");
        assert!(gets_in("ada", None), "by the password, as before");
        guide.finish();
    });
}
