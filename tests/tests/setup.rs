//! `mfactl setup` on a host as Debian installs it: the real pam-auth-update, sshd, ssh and su.

use std::fs;
use std::path::Path;

use mfad_tests::daemon::{Mfad, Settings};
use mfad_tests::host::{PASSWORD, Person, module, path};
use mfad_tests::mail::MailServer;
use mfad_tests::process::{Family, Finished, Running, run};
use mfad_tests::site::{CODE_PROMPT, give_password};
use mfad_tests::sshd::{Methods, Sshd};
use mfad_tests::terminal::Terminal;
use mfad_tests::wait::until;
use mfad_tests::{Host, binaries, namespace, on_a_host};

/// What Debian ships, as far as it matters.
const SSHD: &str = "Include /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\nUsePAM yes\n\
                    Subsystem sftp /usr/lib/openssh/sftp-server\n";

const SERVICE: &str =
    "@include common-auth\n@include common-account\n@include common-session\n@include common-password\n";

/// Where setup keeps the way back.
const WAY_BACK: &str = "/etc/mfad/setup.json";

/// A host on which nothing is switched on, with mail, mfad, and an administrator.
struct Fresh<'a> {
    host: &'a Host,
    mail: MailServer,
    mfad: Mfad,
    anna: Person,
}

impl<'a> Fresh<'a> {
    fn on(host: &'a Host) -> Self {
        as_debian_installs(host);
        let mail = MailServer::start();
        let anna = host.person("anna");
        let mfad = Mfad::start(host, &Settings::smtp(&mail));
        host.write(path("password"), PASSWORD, 0o600);
        Fresh { host, mail, mfad, anna }
    }

    /// Setup with nobody there, and these words more.
    fn unattended(&self, more: &[&str]) -> Finished {
        let password = path("password").display().to_string();
        let mut words = vec!["setup", "--unattended", "--user", "anna", "--password-file", &password];
        words.extend(more);
        self.mfad.control(&words)
    }

    /// The stacks, byte by byte.
    fn stacks(&self) -> Vec<(String, String)> {
        let names =
            fs::read_dir("/etc/pam.d").expect("the stacks").map(|entry| entry.expect("a name").path());
        let mut stacks: Vec<(String, String)> = names
            .map(|name| (name.display().to_string(), fs::read_to_string(&name).expect("a stack")))
            .collect();
        stacks.sort();
        stacks
    }

    fn is_asked(&self) -> bool {
        let sshd = Sshd::start(self.host, Methods::KeyboardInteractive);
        let mut terminal = sshd.connect(&self.anna);
        give_password(&mut terminal);
        let (which, _) = terminal.expect_one_of(&[CODE_PROMPT, "inside as anna"]);
        which == 0
    }
}

fn as_debian_installs(host: &Host) {
    namespace::tmpfs("/var/lib/pam", "mode=755");
    private_answers();
    let profiles = path("pam-configs");
    namespace::directory(&profiles, 0o755);
    fs::copy("/usr/share/pam-configs/unix", profiles.join("unix")).expect("Debian's profile");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/pam-configs/mfad");
    let module = module().display().to_string();
    let own = fs::read_to_string(shipped).expect("the profile").replace("pam_mfad.so", &module);
    host.write(profiles.join("mfad"), &own, 0o644);
    namespace::bind(&profiles, "/usr/share/pam-configs");
    run("env", &["DEBIAN_FRONTEND=noninteractive", "pam-auth-update", "--force"])
        .expect_success("pam-auth-update");
    for service in ["sshd", "login", "sudo", "su", "su-l"] {
        let root_is_let_through = if service.starts_with("su") && service != "sudo" {
            "auth sufficient pam_rootok.so\n"
        } else {
            ""
        };
        host.write(format!("/etc/pam.d/{service}"), &format!("{root_is_let_through}{SERVICE}"), 0o644);
    }
    host.write("/etc/ssh/sshd_config", SSHD, 0o644);
    run("ssh-keygen", &["-A"]).expect_success("ssh-keygen");
    namespace::directory("/etc/ssh/sshd_config.d", 0o755);
    for file in fs::read_dir("/etc/ssh/sshd_config.d").expect("the directory") {
        fs::remove_file(file.expect("a file").path()).expect("an empty directory");
    }
    namespace::directory("/etc/mfad", 0o750);
}

/// What pam-auth-update was told before, by debconf: this machine's is not this host's.
fn private_answers() {
    let copy = path("debconf");
    run("cp", &["-a", "/var/cache/debconf", &copy.display().to_string()]).expect_success("cp");
    namespace::bind(&copy, "/var/cache/debconf");
    let selections = path("selections");
    fs::write(&selections, "libpam-runtime libpam-runtime/profiles multiselect unix\n").expect("the answer");
    run("debconf-set-selections", &[&selections.display().to_string()])
        .expect_success("debconf-set-selections");
}

#[test]
fn unattended_it_tries_a_login_and_switches_on_and_back() {
    on_a_host(|host| {
        let fresh = Fresh::on(host);
        let before = fresh.stacks();
        let relay = fresh.mail.url();
        let words =
            ["--factor", "email", "--address", "anna@example.org", "--relay", &relay, "--sshd", "write"];
        let told = fresh.unattended(&[&words[..], &["--switch-on", "yes"]].concat()).expect_success("setup");
        assert!(
            told.contains("by sshd anna got in with password and code, and stayed out with a wrong one"),
            "{told}"
        );
        assert!(fresh.is_asked());
        let undone = fresh.mfad.control(&["setup", "--undo"]).expect_success("setup --undo");
        assert!(undone.contains("switched off by pam-auth-update"), "{undone}");
        assert_eq!(fresh.stacks(), before);
        assert!(!Path::new(WAY_BACK).exists() && !Path::new("/etc/ssh/sshd_config.d/00-mfad.conf").exists());
        assert!(!fresh.is_asked());
    });
}

#[test]
fn at_a_terminal_it_asks_and_the_administrator_logs_in_by_hand() {
    on_a_host(|host| {
        let fresh = Fresh::on(host);
        let mut terminal = Terminal::start(&[&binaries::mfactl().display().to_string(), "setup"]);
        terminal.expect("tries the login? [root]: ");
        terminal.type_line("anna");
        terminal.expect("(Enter: none): ");
        terminal.type_line("anna@example.org");
        terminal.expect("[keep]: ");
        terminal.type_line("");
        terminal.expect("a test mail to anna@example.org was accepted");
        terminal.expect("(email/totp/keep): ");
        terminal.type_line("post");
        terminal.expect("(email/totp/keep): ");
        terminal.type_line("email");
        terminal.expect("(alone/with-code) [alone]: ");
        terminal.type_line("with-code");
        terminal.expect("(write/show) [show]: ");
        terminal.type_line("write");
        terminal.expect("Now log in as anna");
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&fresh.mail.await_mail(2).code());
        terminal.expect("anna got in by sshd with password and code");
        terminal.expect("(yes/no): ");
        assert!(!Path::new(WAY_BACK).exists(), "nothing is switched on before the answer");
        terminal.type_line("yes");
        terminal.expect("mfactl setup --undo");
        let (status, transcript) = terminal.await_end();
        assert!(status.success(), "{transcript}");
        assert!(fresh.is_asked());
        let again = fresh.mfad.control(&["setup"]);
        assert_eq!(again.code, 1);
        assert!(again.err.contains("mfactl setup --undo"), "{}", again.err);
    });
}

#[test]
fn where_sshd_is_not_meant_the_trial_is_by_su() {
    on_a_host(|host| {
        let fresh = Fresh::on(host);
        let before = fresh.stacks();
        let words = [
            "--json",
            "--factor",
            "email",
            "--address",
            "anna@example.org",
            "--sshd",
            "write",
            "--trial",
            "su",
        ];
        let told = fresh.unattended(&[&words[..], &["--switch-on", "no"]].concat()).expect_success("setup");
        let tried = r#"{"name":"trial","outcome":"ok","detail":"by su anna got in with password and code"#;
        assert!(told.contains(tried), "{told}");
        assert_eq!(fresh.mfad.events_about(&fresh.anna, &["code-wrong"])[0].service.as_deref(), Some("su"));
        assert_eq!(fresh.stacks(), before);
        let undo = fresh.mfad.control(&["setup", "--undo"]);
        assert!(undo.err.contains("has switched nothing on here"), "{}", undo.err);
    });
}

/// Break it: switch on before the trial, or take ssh's word alone.
#[test]
fn whatever_goes_wrong_nothing_is_switched_on() {
    on_a_host(|host| {
        let fresh = Fresh::on(host);
        let before = fresh.stacks();
        let good =
            ["--factor", "email", "--address", "anna@example.org", "--sshd", "write", "--switch-on", "yes"];
        namespace::directory(path("conf.d"), 0o755);
        let refused = |more: &[&str], expected: &str| {
            let ended = fresh.unattended(more);
            assert_eq!(ended.code, 1, "{more:?}: {}{}", ended.out, ended.err);
            assert!(ended.err.contains(expected), "{more:?}: {}", ended.err);
            assert_eq!(fresh.stacks(), before, "{more:?}");
            assert!(!Path::new(WAY_BACK).exists(), "{more:?}");
            let left = fs::read_dir("/run").expect("/run").flatten();
            assert!(
                left.into_iter().all(|it| !it.file_name().to_string_lossy().contains("setup")),
                "{more:?}"
            );
        };
        refused(&["--address", "anna@example.org"], "Say --factor");
        refused(&["--factor", "keep"], "has no factor that works");
        refused(&["--factor", "totp"], "has no factor that works");
        refused(&[&good[..], &["--relay", "smtp://127.0.0.1:1"]].concat(), "the test mail did not go out");
        refused(&[&good[..], &["--relay", "ftp://example.org"]].concat(), "no way for mail");
        refused(&[&good[..4], &["--sshd", "show", "--switch-on", "yes"]].concat(), "see above");
        refused(&[&good[..6]].concat(), "Say --switch-on");
        host.write(path("password"), "guessed", 0o600);
        refused(&good, "did not get in");
        host.write(path("password"), PASSWORD, 0o600);
        host.edit("/etc/pam.d/common-auth", |text| {
            text.replace("# here are the per-package modules", "# mine")
        });
        let before = fresh.stacks();
        let ended = fresh.unattended(&good);
        assert!(ended.err.contains("edited by hand"), "{}", ended.err);
        assert_eq!(fresh.stacks(), before);
        let anna = fresh.mfad.control_as(&fresh.anna, &["setup"]);
        assert!(anna.err.contains("only root"), "{}", anna.err);
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
            ["setup", "--unattended", "--user", "anna", "--password-file", &password, "--factor", "email"];
        let more = ["--address", "anna@example.org", "--sshd", "write", "--switch-on", "yes"];
        for step in [
            "mail",
            "enrolled",
            "it has to be told",
            "would ask",
            "by sshd",
            "trial",
            "is written",
            "  stacks: ask",
        ] {
            let words = [&words[..], &more].concat();
            let mut setup = Running::start("setup", Family::Alone, binaries::mfactl(), &words);
            setup.await_output(step);
            setup.kill();
            let own = format!("mfactl-setup-{}", setup.pid());
            until("whatever it started to end", || run("pgrep", &["-f", &own]).out.is_empty().then_some(()));
            if Path::new(WAY_BACK).exists() {
                fresh.mfad.control(&["setup", "--undo"]).expect_success("setup --undo");
            }
            assert_eq!(fresh.stacks(), before, "cut off after {step:?}");
            assert!(!Path::new("/etc/ssh/sshd_config.d/00-mfad.conf").exists(), "cut off after {step:?}");
        }
    });
}
