//! The guides, carried out as they stand: each command of root and of people, each file, each login, on a throw-away host
//! that is as the packages leave it.
//!
//! Break it: change a command, a line of a file or of a transcript in docs/guide.

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
