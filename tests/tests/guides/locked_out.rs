//! The guide for those whom nobody lets in: each case is brought about, and healed as the guide says.

use std::fs;

use mfad_tests::guide::Guide;
use mfad_tests::host::Host;
use mfad_tests::installed::{Installed, modules, shell};
use mfad_tests::{namespace, on_a_host};

use mfad_tests::visitors::{gets_in, gets_in_at_the_console, gets_in_by_mail};

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
