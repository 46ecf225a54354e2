//! `mfactl setup` on a host as Debian installs it: the real pam-auth-update, sshd with the host's own configuration, ssh and su.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::Path;

use mfad_tests::host::{PASSWORD, path};
use mfad_tests::installed::{Installed, shell, terminal};
use mfad_tests::process::{Family, Finished, Running, run};
use mfad_tests::site::{CODE_PROMPT, give_password};
use mfad_tests::visitors::{gets_in, gets_in_by_mail};
use mfad_tests::wait::until;
use mfad_tests::{Host, binaries, namespace, on_a_host};

/// Where setup keeps the way back.
const WAY_BACK: &str = "/etc/mfad/setup.json";

/// What it writes for sshd.
const LINES: &str = "/etc/ssh/sshd_config.d/00-mfad.conf";

/// What a site may have said of sshd, before anything else.
const SITES_OWN: &str = "/etc/ssh/sshd_config.d/05-site.conf";

/// All that has to be said where sshd is as Debian ships it.
const USUAL: [&str; 8] =
    ["--factor", "email", "--address", "ada@example.org", "--sshd", "write", "--switch-on", "yes"];

/// A host on which nothing is switched on, with Ada, who administers it, and Bert, who does not.
struct Fresh<'a>(Installed<'a>);

impl<'a> Fresh<'a> {
    fn on(host: &'a Host) -> Self {
        let house = Installed::on(host);
        let _ = ["ada", "bert"].map(|name| house.person(name));
        host.write(path("password"), PASSWORD, 0o600);
        Fresh(house)
    }

    /// Setup with nobody there, and these words more.
    fn unattended(&self, more: &[&str]) -> Finished {
        let password = path("password").display().to_string();
        let mut words = vec!["setup", "--unattended", "--user", "ada", "--password-file", &password];
        words.extend(more);
        self.0.mfad.control(&words)
    }

    /// The stacks, byte by byte.
    fn stacks(&self) -> Vec<(String, String)> {
        let names =
            fs::read_dir("/etc/pam.d").expect("the stacks").map(|entry| entry.expect("a name").path());
        let read = |name: std::path::PathBuf| {
            (name.display().to_string(), fs::read_to_string(&name).expect("a stack"))
        };
        let mut stacks: Vec<(String, String)> = names.map(read).collect();
        stacks.sort();
        stacks
    }

    /// Says something of sshd before anybody else does, and starts it.
    fn say_of_sshd(&mut self, lines: &str) {
        self.0.host.write(SITES_OWN, lines, 0o644);
        self.0.restart_sshd();
    }

    fn configure(&self, text: &str) {
        self.0.host.write("/etc/mfad/conf.d/60-site.toml", text, 0o644);
        self.0.mfad.control(&["config", "reload"]).expect_success("mfactl config reload");
    }
}

#[test]
fn unattended_it_tries_a_login_and_switches_on_and_back() {
    on_a_host(|host| {
        let mut fresh = Fresh::on(host);
        let before = fresh.stacks();
        let words = [&USUAL[..], &["--relay", "smtp://localhost:25"]].concat();
        let told = fresh.unattended(&words).expect_success("setup");
        assert!(
            told.contains("by sshd ada got in with password and code, and stayed out with a wrong one"),
            "{told}"
        );
        let relay = fs::read_to_string("/etc/mfad/conf.d/50-setup.toml").expect("the relay");
        assert!(relay.contains("url = \"smtp://localhost:25\""), "{relay}");
        let lines = fs::read_to_string(LINES).expect("the lines for sshd");
        assert!(!lines.contains("AuthenticationMethods"), "a key is worth what it was:\n{lines}");
        fresh.0.restart_sshd();
        assert!(gets_in_by_mail(&fresh.0) && !gets_in("ada", None), "Ada is asked");
        assert!(gets_in("bert", None), "Bert is not enabled");
        fresh.0.mfad.control(&["setup", "--undo"]).expect_success("setup --undo");
        assert_eq!(fresh.stacks(), before);
        assert!(!Path::new(WAY_BACK).exists() && !Path::new(LINES).exists());
        fresh.0.restart_sshd();
        assert!(gets_in("ada", None), "as before");
    });
}

#[test]
fn at_a_terminal_it_asks_and_the_administrator_logs_in_by_hand() {
    on_a_host(|host| {
        let fresh = Fresh::on(host);
        let mut terminal = terminal("root", "mfactl setup");
        terminal.expect("tries the login? [root]: ");
        terminal.type_line("ada");
        terminal.expect("(Enter: none): ");
        terminal.type_line("ada@example.org");
        terminal.expect("[keep]: ");
        terminal.type_line("smtp://localhost:1");
        terminal.expect("did not go out");
        terminal.expect("[keep]: ");
        terminal.type_line("");
        terminal.expect("a test mail to ada@example.org was accepted");
        terminal.expect("(email/totp/keep): ");
        terminal.type_line("post");
        terminal.expect("(email/totp/keep): ");
        terminal.type_line("email");
        terminal.expect("(alone/with-code) [alone]: ");
        terminal.type_line("");
        terminal.expect("(write/show) [show]: ");
        terminal.type_line("write");
        terminal.expect("Now log in as ada");
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&fresh.0.mail.await_code(1));
        terminal.expect("ada got in by sshd with password and code");
        terminal.expect("(yes/no): ");
        assert!(!Path::new(WAY_BACK).exists(), "nothing is switched on before the answer");
        terminal.type_line("yes");
        terminal.expect("mfactl setup --undo");
        let (status, transcript) = terminal.await_end();
        assert!(status.success(), "{transcript}");
        assert!(!gets_in("ada", Some("000000")));
        let again = fresh.0.mfad.control(&["setup"]);
        assert_eq!(again.code, 1);
        assert!(again.err.contains("mfactl setup --undo"), "{}", again.err);
    });
}

/// Break it: switch on before the trial, or take the exit status of ssh alone for a trial, or believe mfad where its files are.
#[test]
fn whatever_goes_wrong_nothing_is_switched_on() {
    on_a_host(|host| {
        let fresh = Fresh::on(host);
        let before = fresh.stacks();
        let ada = nix::unistd::User::from_name("ada").expect("passwd").expect("Ada");
        let ada = ada.uid.as_raw();
        let refused = |more: &[&str], expected: &str| {
            let ended = fresh.unattended(more);
            assert_eq!(ended.code, 1, "{more:?}: {}{}", ended.out, ended.err);
            assert!(ended.err.contains(expected), "{more:?}: {}{}", ended.out, ended.err);
            assert_eq!(fresh.stacks(), before, "{more:?}");
            assert!(!Path::new(WAY_BACK).exists() && !Path::new(LINES).exists(), "{more:?}");
            let left = fs::read_dir("/run").expect("/run").flatten();
            assert!(
                left.into_iter().all(|it| !it.file_name().to_string_lossy().contains("setup")),
                "{more:?}"
            );
        };
        refused(&["--address", "ada@example.org"], "Say --factor");
        refused(&["--factor", "keep"], "has no factor that works");
        refused(&["--factor", "totp"], "has no factor that works");
        refused(&[&USUAL[..], &["--relay", "smtp://localhost:1"]].concat(), "the test mail did not go out");
        refused(&[&USUAL[..], &["--relay", "ftp://example.org"]].concat(), "no way for mail");
        let relay = [&USUAL[..], &["--relay", "smtp://localhost:25"]].concat();
        let settings = "/etc/mfad/conf.d/50-setup.toml";
        let left = fs::read_to_string(settings).expect("what is left of the relay that took no mail");
        fs::remove_file(settings).expect("the same");
        symlink("/etc/shadow", settings).expect("a link, as somebody may put there who is mfad");
        refused(&relay, "not root's alone");
        fs::remove_file(settings).expect("the link");
        host.write(settings, &left, 0o644);
        chown("/etc/mfad", Some(ada), None).expect("another owner");
        refused(&relay, "not root's alone");
        chown("/etc/mfad", Some(0), None).expect("root again");
        let known = fresh.0.mail.count();
        fresh.0.mfad.control(&["test", "mail", "ada@example.org"]).expect_success("by the way of before");
        assert_eq!(fresh.0.mail.count(), known + 1);
        refused(&[&USUAL[..4], &["--sshd", "show", "--switch-on", "yes"]].concat(), "see above");
        refused(&USUAL[..6], "Say --switch-on");
        host.write(path("password"), "guessed", 0o600);
        refused(&USUAL, "stayed out before a code was looked at");
        host.write(path("password"), PASSWORD, 0o600);
        fresh.configure("[login]\nrequire = \"never\"\n");
        refused(&USUAL, "a login with a wrong code got in");
        fresh.configure("[login]\nrequire = \"always\"\n");
        refused(&USUAL, "root would be refused by login");
        fresh.configure("");
        let plain = shell("ada", "mfactl setup");
        assert!(plain.err.contains("only root"), "{}", plain.err);
        host.edit("/etc/pam.d/common-auth", |text| {
            text.replace("# here are the per-package modules", "# mine")
        });
        let before = fresh.stacks();
        let ended = fresh.unattended(&USUAL);
        assert!(ended.err.contains("edited by hand"), "{}", ended.err);
        assert_eq!(fresh.stacks(), before);
    });
}

/// Break it: leave what could not be written whole.
#[test]
fn a_full_disk_is_told_and_leaves_nothing_half_written() {
    on_a_host(|host| {
        let fresh = Fresh::on(host);
        let before = fresh.stacks();
        let place = "/etc/mfad/conf.d";
        namespace::tmpfs(place, "size=4k,mode=755");
        let _ = fs::write(format!("{place}/filler"), [0; 8192]);
        let ended = fresh.unattended(&[&USUAL[..], &["--relay", "smtp://localhost:25"]].concat());
        assert_eq!(ended.code, 1);
        assert!(ended.err.contains("50-setup.toml: No space left"), "{}", ended.err);
        let names: Vec<_> =
            fs::read_dir(place).expect("the directory").flatten().map(|it| it.file_name()).collect();
        assert_eq!(names, ["filler"]);
        assert_eq!(fresh.stacks(), before);
    });
}

/// Break it: let sshd ask for passwords wherever it does not.
#[test]
fn where_keys_alone_let_in_no_password_begins_to() {
    on_a_host(|host| {
        let mut fresh = Fresh::on(host);
        fresh.0.give_key("bert");
        fresh.say_of_sshd("PasswordAuthentication no\nKbdInteractiveAuthentication no\n");
        assert!(!gets_in("ada", None) && gets_in("bert", None));
        let told = fresh.unattended(&USUAL).expect_success("setup");
        assert!(told.contains("takes no password, and stays so"), "{told}");
        assert!(told.contains("by su ada got in with password and code"), "{told}");
        assert!(!Path::new(LINES).exists());
        fresh.0.restart_sshd();
        assert!(!gets_in("ada", None) && gets_in("bert", None), "as before");
    });
}

/// Break it: write a list of methods of one's own.
#[test]
fn where_a_key_is_wanted_beside_the_password_it_is_wanted_still() {
    on_a_host(|host| {
        let mut fresh = Fresh::on(host);
        fresh.0.give_key("ada");
        fresh.say_of_sshd(
            "PasswordAuthentication no\nKbdInteractiveAuthentication yes\n\
             AuthenticationMethods publickey,keyboard-interactive\nLoginGraceTime 100\n",
        );
        let told = fresh.unattended(&USUAL).expect_success("setup");
        assert!(told.contains("it has to be told: LoginGraceTime 300\n"), "{told}");
        fresh.0.restart_sshd();
        assert!(gets_in_by_mail(&fresh.0));
        fs::remove_file("/home/ada/.ssh/id_ed25519").expect("the key");
        assert!(!gets_in("ada", None), "a password and no key");
    });
}

#[test]
fn whoever_would_stay_outside_is_named_before() {
    on_a_host(|host| {
        let fresh = Fresh::on(host);
        let with_code = [&USUAL[..], &["--ssh-keys", "with-code"]].concat();
        let refused = fresh.unattended(&with_code);
        assert!(refused.out.contains("failed  root-by-key: sshd takes root by key alone"), "{}", refused.out);
        fresh.0.give_key("bert");
        run("passwd", &["--lock", "bert"]).expect_success("passwd");
        let refused = fresh.unattended(&[&with_code[..], &["--accept", "root-by-key"]].concat());
        assert!(
            refused.out.contains("failed  key-without-password: bert would stay outside"),
            "{}",
            refused.out
        );
        fresh.configure("[login]\nrequire = \"always\"\n[[rule]]\nname = \"root\"\nusers = [\"root\"]\nrequire = \"never\"\n");
        let refused = fresh.unattended(&USUAL);
        assert!(
            refused.out.contains("failed  would-be-refused: ")
                && refused.out.contains("bert would be refused"),
            "{}",
            refused.out
        );
        assert!(!Path::new(WAY_BACK).exists());
        fresh.unattended(&[&USUAL[..], &["--accept", "would-be-refused"]].concat()).expect_success("setup");
    });
}

#[test]
fn what_was_tried_by_su_is_told_to_programs() {
    on_a_host(|host| {
        let fresh = Fresh::on(host);
        let before = fresh.stacks();
        let words = [&["--json", "--trial", "su"], &USUAL[..6], &["--switch-on", "no"]].concat();
        let told = fresh.unattended(&words).expect_success("setup");
        let tried = r#"{"name":"trial","outcome":"ok","detail":"by su ada got in with password and code"#;
        assert!(told.contains(tried), "{told}");
        assert_eq!(fresh.stacks(), before);
        let undo = fresh.0.mfad.control(&["setup", "--undo"]);
        assert!(undo.err.contains("has switched nothing on here"), "{}", undo.err);
    });
}

/// Break it: stop where a step cannot be told.
#[test]
fn the_way_back_is_gone_to_its_end_though_nobody_listens() {
    on_a_host(|host| {
        let fresh = Fresh::on(host);
        let before = fresh.stacks();
        fresh.unattended(&USUAL).expect_success("setup");
        assert!(shell("root", "mfactl setup --undo | true").code == 0);
        assert_eq!(fresh.stacks(), before);
        assert!(!Path::new(WAY_BACK).exists() && !Path::new(LINES).exists());
        fresh.unattended(&USUAL).expect_success("setup");
        host.write(LINES, "KbdInteractiveAuthentication yes\n", 0o644);
        let told = fresh.0.mfad.control(&["setup", "--undo"]).expect_success("setup --undo");
        assert!(told.contains("was changed by somebody, so it stays"), "{told}");
        assert_eq!(fresh.stacks(), before);
        let ended = fresh.unattended(&USUAL);
        assert!(ended.err.contains("is there, and not by setup"), "{}", ended.err);
        fs::remove_file(LINES).expect("what somebody changed");
        fresh.unattended(&USUAL).expect_success("setup");
        host.write(WAY_BACK, "{", 0o600);
        fresh.0.mfad.control(&["setup", "--undo"]).expect_success("setup --undo");
        assert_eq!(fresh.stacks(), before);
    });
}

/// Break it: keep the way back after the change instead of before it, or let a child outlive setup.
#[test]
fn cut_off_anywhere_it_leaves_the_host_as_it_was_or_a_way_back() {
    on_a_host(|host| {
        let fresh = Fresh::on(host);
        let before = fresh.stacks();
        let password = path("password").display().to_string();
        let words =
            [&["setup", "--unattended", "--user", "ada", "--password-file", &password], &USUAL[..]].concat();
        for step in [
            "mail",
            "enrolled",
            "has to be told",
            "would ask",
            "by sshd",
            "trial",
            "is written",
            "  stacks: ask",
        ] {
            let mut setup = Running::start("setup", Family::Alone, binaries::mfactl(), &words);
            setup.await_output(step);
            setup.kill();
            let own = format!("mfactl-setup-{}", setup.pid());
            let is_over =
                || run("pgrep", &["-f", &own]).out.is_empty() && !Path::new("/run").join(&own).exists();
            until("whatever it started to end", || is_over().then_some(()));
            if Path::new(WAY_BACK).exists() {
                fresh.0.mfad.control(&["setup", "--undo"]).expect_success("setup --undo");
            }
            assert_eq!(fresh.stacks(), before, "cut off after {step:?}");
            assert!(!Path::new(LINES).exists(), "cut off after {step:?}");
        }
    });
}
