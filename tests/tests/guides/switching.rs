//! The guides that switch mfad on: Debian, RHEL, SSH keys and an app.

use std::fs;

use mfad_tests::app::App;
use mfad_tests::binaries::source;
use mfad_tests::guide::Guide;
use mfad_tests::host::Host;
use mfad_tests::installed::Installed;
use mfad_tests::on_a_host;

use mfad_tests::visitors::{gets_in, gets_in_by_mail, key_of};

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

/// The stacks of RHEL in their shape, with modules that Debian has: a right password ends the one that is included.
fn make_it_rhel(host: &Host) {
    let stock = "auth required pam_env.so\nauth sufficient pam_unix.so nullok\nauth required pam_deny.so\n\
                 account required pam_unix.so\npassword required pam_deny.so\nsession required pam_unix.so\n";
    let sshd = "auth substack password-auth\nauth include postlogin\naccount include password-auth\n\
                password include password-auth\nsession include password-auth\nsession include postlogin\n";
    for (name, text) in [
        ("password-auth", stock),
        ("system-auth", stock),
        ("postlogin", "session optional pam_umask.so silent\n"),
        ("sshd", sshd),
        ("sudo", &sshd.replace("substack password-auth", "include system-auth")),
    ] {
        host.write(format!("/etc/pam.d/{name}"), text, 0o644);
    }
    let redhat = "UsePAM yes\nKbdInteractiveAuthentication no\nPasswordAuthentication yes\n";
    host.write("/etc/ssh/sshd_config.d/50-redhat.conf", redhat, 0o644);
}

/// What a profile of authselect has to say of `auth`, with this feature and no other.
fn rendered(profile: &str, feature: &str) -> Vec<String> {
    let text = fs::read_to_string(source("../packaging/authselect").join(profile)).expect("a profile");
    let told = |line: &str| {
        let (line, condition) = line.rsplit_once("{include if").unwrap_or((line, feature));
        let (line, exclusion) = line.rsplit_once("{exclude if").unwrap_or((line, ""));
        let line = line.replace("{if not \"without-nullok\":nullok}", "nullok");
        (condition.contains(feature) && !exclusion.contains(feature)).then(|| squeezed(&line))
    };
    text.lines().filter(|line| line.starts_with("auth")).filter_map(told).collect()
}

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_guide_for_rhel_puts_the_code_behind_the_password_in_stacks_of_its_shape() {
    on_a_host(|host| {
        let mut house = Installed::on(host);
        make_it_rhel(host);
        house.restart_sshd();
        let mut guide = Guide::open("switch-on-rhel.md");
        let _ = ["ada", "bert"].map(|name| house.person(name));
        for section in ["Keep a way back", "Install", "Let sshd ask"] {
            house.play(&mut guide, section);
            assert!(gets_in("ada", None), "nothing is switched on after {section:?}");
        }
        for section in ["Switch on", "By hand"] {
            house.play(&mut guide, section);
            if section == "Switch on" {
                let stack = fs::read_to_string("/etc/pam.d/password-auth").expect("the stack");
                let stack = stack.lines().filter(|line| line.starts_with("auth")).map(squeezed);
                assert_eq!(stack.collect::<Vec<_>>(), rendered("mfad/password-auth", "with-faillock"));
            }
            assert!(gets_in_by_mail(&house), "{section}");
            assert!(gets_in("bert", None), "{section}: who is not enabled is not asked");
        }
        assert!(!gets_in("ada", Some("000000")), "a wrong code");
        house.play(&mut guide, "Back");
        assert!(gets_in("ada", None), "as before");
        guide.finish();
    });
}
