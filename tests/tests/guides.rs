//! The guides, carried out as they stand: each command of root and of people, each file, each login, on a throw-away host
//! that is as the packages leave it.
//!
//! Break it: change a command, a line of a file or of a transcript in docs/guide.

use std::fs;

use mfad_tests::app::App;
use mfad_tests::guide::Guide;
use mfad_tests::host::{Host, PASSWORD};
use mfad_tests::installed::{Installed, modules, shell, terminal};
use mfad_tests::namespace;
use mfad_tests::on_a_host;

/// Whether somebody gets in over SSH who has this password, and this to say to a question for a code.
fn gets_in(person: &str, code: Option<&str>) -> bool {
    gets_in_with(person, &mut || code.unwrap_or("000000").to_owned())
}

/// Whether Ada does with the code that is mailed to her then.
fn gets_in_by_mail(house: &Installed<'_>) -> bool {
    let next = house.mail.codes() + 1;
    gets_in_with("ada", &mut || house.mail.await_code(next))
}

fn gets_in_at_the_console(person: &str) -> bool {
    let mut console = terminal("root", &format!("login {person}"));
    console.expect("assword: ");
    console.type_line(PASSWORD);
    console.expect_one_of(&["$ ", "ncorrect"]).0 == 0
}

fn gets_in_with(person: &str, code: &mut dyn FnMut() -> String) -> bool {
    let mut client = terminal(person, &format!("ssh -o NumberOfPasswordPrompts=1 {person}@host echo inside"));
    loop {
        match client.expect_one_of(&["assword: ", "code: ", "inside", "ermission denied", "closed by"]).0 {
            0 => client.type_line(PASSWORD),
            1 => client.type_line(&code()),
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
        fs::remove_file("/home/ada/.ssh/id_ed25519").expect("the key of Ada");
        assert!(!gets_in("ada", Some(&app.code_in(1))), "a code without a key");
        house.play(&mut guide, "Keys that need no code");
        house.play(&mut guide, "Back");
        assert!(gets_in("ada", None), "by the password, as before");
        guide.finish();
    });
}

/// A host as the guide for Debian leaves it: Ada has a mailed code, and is asked.
fn switched_on(host: &Host) -> Installed<'_> {
    let mut house = Installed::on(host);
    let mut guide = Guide::open("switch-on-debian.md");
    let _ = ["ada", "bert"].map(|name| house.person(name));
    for section in ["Keep a way back", "Mail", "Enable one person", "Let sshd ask", "Switch on"] {
        house.play(&mut guide, section);
    }
    house
}

#[test]
fn the_guide_for_the_locked_out_brings_each_of_them_back() {
    on_a_host(|host| {
        let mut house = switched_on(host);
        let mut guide = Guide::open("locked-out.md");
        house.play(&mut guide, "What is wrong");

        house.mfad.kill();
        assert!(!gets_in("bert", None), "mfad is down");
        house.play(&mut guide, "mfad does not run");
        assert!(gets_in_by_mail(&house), "mfad is back");

        house.mfad.kill();
        host.write("/etc/mfad/conf.d/30-typo.toml", "[login]\nrequrie = \"always\"\n", 0o644);
        house.play(&mut guide, "The configuration is wrong");
        assert!(gets_in_by_mail(&house), "the configuration is as before");

        house.play(&mut guide, "One person");
        assert!(gets_in("ada", None), "she was switched off");

        house.mfad.kill();
        fs::remove_file("/etc/mfad/key").expect("the key");
        house.play(&mut guide, "The key is lost");
        assert!(gets_in_by_mail(&house), "with a new key, enabled anew");
        house.play(&mut guide, "The disk is full");

        fs::remove_file(modules().join("pam_mfad.so")).expect("the module");
        assert!(!gets_in("bert", None), "the module is gone");
        house.play(&mut guide, "The module is missing");
        assert!(gets_in_by_mail(&house), "the module is back");
    });
}

#[test]
fn the_guide_for_the_locked_out_takes_mfad_out_and_keeps_a_door_open() {
    on_a_host(|host| {
        let mut house = switched_on(host);
        let mut guide = Guide::open("locked-out.md");
        house.mfad.kill();
        assert!(!gets_in("bert", None), "mfad is down");
        namespace::bind("/", "/mnt");
        house.play(&mut guide, "Without a root shell");
        assert!(gets_in("bert", None), "taken out from outside");

        shell("root", "pam-auth-update --enable mfad").expect_success("pam-auth-update");
        house.mfad.start_again();
        house.play(&mut guide, "Before it happens");
        house.mfad.kill();
        assert!(!gets_in("bert", None), "mfad is down again");
        assert!(gets_in_at_the_console("bert"), "by the word in the stack of the console");
        house.play(&mut guide, "Take mfad out of the logins");
        assert!(gets_in("bert", None), "taken out");
    });
}
