//! Whole hosts in a directory, examined by the built mfactl; and the real sshd, asked about each `Match` block.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mfactl::doctor::finding::{Finding, Id, Report, Severity, State};
use mfactl::doctor::host::Host;
use mfactl::doctor::ssh::Ssh;
use mfactl::doctor::sshd::Program;
use mfactl::doctor::stacks::Lines;

/// The tree of a host; gone at the end.
struct Tree(PathBuf);

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Tree {
    fn of(files: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("doctor-host-{}-{number}", std::process::id());
        let tree = Tree(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        files.iter().for_each(|(path, text)| tree.write(path, text));
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }

    fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.0.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn doctor(&self, words: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mfactl"));
        let output =
            command.env_clear().args(["doctor", "--root"]).arg(&self.0).args(words).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    fn report(&self) -> Report {
        serde_json::from_str(&self.doctor(&["--json"]).1).unwrap()
    }

    fn found(&self, id: Id) -> Vec<Finding> {
        self.report().findings.into_iter().filter(|finding| finding.id == id).collect()
    }
}

const SSHD: (&str, &str) = ("etc/pam.d/sshd", "@include common-auth\nauth required pam_mfad.so\n");
const COMMON: (&str, &str) = (
    "etc/pam.d/common-auth",
    "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n",
);
const DEBIAN: (&str, &str) = ("etc/debian_version", "12.5\n");

#[test]
fn a_sound_host_is_told_in_one_line_and_ends_with_zero() {
    let tree = Tree::of(&[DEBIAN, SSHD, COMMON]);
    let (code, text) = tree.doctor(&[]);
    assert_eq!(text, "Asked after the right password, and cannot be skipped: sshd.\n\nNothing was found.\n");
    assert_eq!(code, 0);
}

#[test]
fn a_finding_names_severity_service_line_what_is_met_and_a_remedy() {
    let sshd = ("etc/pam.d/sshd", "@include common-auth\n\nauth optional pam_mfad.so\n");
    let tree = Tree::of(&[DEBIAN, sshd, COMMON]);
    let (code, text) = tree.doctor(&[]);
    assert_eq!(
        text,
        "\
CRITICAL  sshd  /etc/pam.d/sshd:3
    pam_mfad.so is optional: what it says does not count
    Whoever knows the password gets in with any code, or none
    Write: auth required pam_mfad.so

Flawed, see above: sshd.

Found: 1 critical.
"
    );
    assert_eq!(code, 1);
}

#[test]
fn a_host_that_names_the_module_nowhere_is_not_switched_on() {
    let tree = Tree::of(&[DEBIAN, ("etc/pam.d/sshd", "@include common-auth\n"), COMMON]);
    let (code, text) = tree.doctor(&[]);
    assert!(text.contains("none of 1 services names pam_mfad.so"), "{text}");
    assert_eq!(code, 0);
    let report = tree.report();
    assert_eq!(report.services.iter().map(|line| line.state).collect::<Vec<_>>(), [State::Without]);
}

#[test]
fn who_does_not_speak_debians_dialect_does_not_know_its_include() {
    let tree = Tree::of(&[SSHD, COMMON]);
    assert_eq!(tree.found(Id::LineUnreadable).len(), 1);
    let vendor = [
        ("usr/lib/pam.d/sshd", "auth substack password-auth\n"),
        ("etc/pam.d/password-auth", "auth requisite pam_unix.so\nauth required pam_mfad.so\n"),
    ];
    assert_eq!(Tree::of(&vendor).report().services[0].state, State::Proved);
}

#[test]
fn absolute_links_of_an_image_stay_within_it() {
    let tree = Tree::of(&[DEBIAN, SSHD, ("etc/authselect/system-auth", COMMON.1)]);
    std::os::unix::fs::symlink("/etc/authselect/system-auth", tree.0.join("etc/pam.d/common-auth")).unwrap();
    assert_eq!(tree.report().services[0].state, State::Proved);
}

#[test]
fn services_without_the_line_are_named_once_another_has_it() {
    let tree = Tree::of(&[DEBIAN, SSHD, COMMON, ("etc/pam.d/cockpit", "@include common-auth\n")]);
    let found = tree.found(Id::ServiceWithout);
    assert_eq!(found.iter().map(|finding| finding.service.as_deref()).collect::<Vec<_>>(), [Some("cockpit")]);
}

#[test]
fn a_module_that_is_missing_or_none_or_anybodys_is_found() {
    let modules = "usr/lib/x86_64-linux-gnu/security";
    let elf = "\u{7f}ELF\u{2}\u{1}\u{1}\0\0\0\0\0\0\0\0\0\u{3}\0>\0";
    let tree = Tree::of(&[DEBIAN, SSHD, COMMON]);
    for name in ["pam_unix.so", "pam_deny.so", "pam_permit.so"] {
        tree.write(&format!("{modules}/{name}"), elf);
    }
    assert_eq!(tree.found(Id::ModuleMissing).len(), 1);
    let ours = format!("{modules}/pam_mfad.so");
    tree.write(&ours, "text");
    assert!(tree.found(Id::ModuleForeign)[0].fact.contains("no shared object"));
    tree.write(&ours, &elf.replace('>', "\u{28}"));
    assert!(tree.found(Id::ModuleForeign)[0].fact.contains("another kind of machine"));
    tree.write(&ours, elf);
    assert_eq!(tree.found(Id::ModuleForeign), []);
    tree.mode(&ours, 0o664);
    assert!(tree.found(Id::ModuleForeign)[0].fact.contains("0664"));
}

#[test]
fn arguments_that_the_module_refuses_are_found() {
    for (argument, expected) in [
        ("debug timeout=30 socket=/run/x", 0),
        ("append=verify", 0),
        ("nullok", 1),
        ("timeout=301", 1),
        ("debug debug", 1),
        ("socket=run", 1),
    ] {
        let text = format!("@include common-auth\nauth required pam_mfad.so {argument}\n");
        let tree = Tree::of(&[DEBIAN, ("etc/pam.d/sshd", &text), COMMON]);
        assert_eq!(tree.found(Id::ModuleArguments).len(), expected, "{argument}");
    }
}

#[test]
fn files_that_others_may_change_or_read_are_found() {
    let tree = Tree::of(&[DEBIAN, SSHD, COMMON, ("etc/mfad/mfad.toml", ""), ("etc/mfad/key", "x")]);
    tree.mode("etc/mfad/key", 0o400);
    assert_eq!(tree.found(Id::KeyMode), []);
    tree.mode("etc/mfad/key", 0o444);
    assert_eq!(tree.found(Id::KeyMode)[0].file.as_deref(), Some("/etc/mfad/key"));
    tree.mode("etc/pam.d/common-auth", 0o666);
    tree.mode("etc/mfad/mfad.toml", 0o620);
    let files: Vec<_> = tree.found(Id::FileMode).into_iter().filter_map(|finding| finding.file).collect();
    assert!(files.contains(&"/etc/pam.d/common-auth".to_owned()), "{files:?}");
    assert!(files.contains(&"/etc/mfad/mfad.toml".to_owned()), "{files:?}");
}

#[test]
fn sudoers_are_read_with_what_they_include() {
    let sudo = ("etc/pam.d/sudo", SSHD.1);
    let tree = Tree::of(&[
        DEBIAN,
        sudo,
        COMMON,
        (
            "etc/sudoers",
            "root ALL=(ALL:ALL) ALL\n# x NOPASSWD: ALL\n@includedir /etc/sudoers.d\n#include /etc/sudoers.more\n",
        ),
        ("etc/sudoers.d/a", "ops ALL = \\\n  NOPASSWD: /usr/bin/systemctl\n"),
        ("etc/sudoers.d/b.bak", "x ALL=NOPASSWD: ALL\n"),
        ("etc/sudoers.more", "Defaults:bob !authenticate\nDefaults timestamp_timeout = -1\n"),
    ]);
    let places: Vec<_> =
        tree.found(Id::SudoNopasswd).into_iter().map(|it| (it.file.unwrap(), it.line.unwrap())).collect();
    assert_eq!(places, [("/etc/sudoers.d/a".to_owned(), 1), ("/etc/sudoers.more".to_owned(), 1)]);
    assert_eq!(tree.found(Id::SudoNeverAsksAgain).len(), 1);
}

#[test]
fn login_that_gives_up_before_the_code_does_is_found() {
    let login = ("etc/pam.d/login", SSHD.1);
    let tree = Tree::of(&[DEBIAN, login, COMMON, ("etc/login.defs", "# x\nLOGIN_TIMEOUT\t\t60\n")]);
    assert_eq!(tree.found(Id::LoginTimeout).len(), 1);
    tree.write("etc/mfad/mfad.toml", "[email]\nlifetime = \"5m\"\n");
    tree.write("etc/mfad/conf.d/short.toml", "[email]\nlifetime = \"60s\"\n");
    assert_eq!(tree.found(Id::LoginTimeout), []);
}

#[test]
fn a_policy_that_keeps_programs_from_mfad_is_found() {
    let tree = Tree::of(&[DEBIAN, SSHD, COMMON, ("sys/fs/selinux/enforce", "1")]);
    assert_eq!(tree.found(Id::SelinuxPolicy).len(), 1);
    tree.write("var/lib/selinux/targeted/active/modules/400/mfad/cil", "");
    assert_eq!(tree.found(Id::SelinuxPolicy), []);
    tree.write(
        "sys/kernel/security/apparmor/profiles",
        "/usr/sbin/cupsd (enforce)\n/usr/sbin/sshd (enforce)\n",
    );
    assert_eq!(tree.found(Id::ApparmorRule).len(), 1);
    tree.write("etc/apparmor.d/abstractions/authentication.d/mfad", "");
    assert_eq!(tree.found(Id::ApparmorRule), []);
}

#[test]
fn a_large_host_takes_less_than_two_seconds() {
    let many: String = (0..20).map(|at| format!("auth optional pam_env.so conf={at}\nauth [success=1 default=ignore] pam_succeed_if.so uid = {at}\nauth optional pam_cap.so\n")).collect();
    let stack = format!("{many}@include common-auth\nauth required pam_mfad.so\n");
    let files: Vec<(String, &str)> =
        (0..40).map(|at| (format!("etc/pam.d/service{at}"), stack.as_str())).collect();
    let mut named: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    named.extend([DEBIAN, COMMON]);
    let tree = Tree::of(&named);
    let start = Instant::now();
    assert!(tree.report().services.iter().all(|line| line.state == State::Proved));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

/// What is found about sockets on this very host, with the tree's /etc/pam.d and /run in the place of its own.
fn sockets(tree: &Tree) -> Vec<(Severity, Id)> {
    let way = "mount --bind $0/etc/pam.d /etc/pam.d && mount --bind $0/run /run && exec \"$@\"";
    let mut command = Command::new("/usr/bin/unshare");
    command.args(["-m", "--propagation", "private", "/bin/sh", "-c", way]).arg(&tree.0);
    let output = command.args([env!("CARGO_BIN_EXE_mfactl"), "doctor", "--json"]).output().unwrap();
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    let is_it = |finding: &&Finding| matches!(finding.id, Id::SocketMissing | Id::SocketForeign);
    report.findings.iter().filter(is_it).map(|finding| (finding.severity, finding.id)).collect()
}

#[test]
fn a_socket_is_trusted_as_the_module_trusts_it() {
    let socket = "run/mfad/io.mfad.Login";
    let tree = Tree::of(&[SSHD, COMMON, (socket, "")]);
    assert_eq!(sockets(&tree), [(Severity::High, Id::SocketForeign)], "a file");
    fs::remove_file(tree.0.join(socket)).unwrap();
    assert_eq!(sockets(&tree), [(Severity::High, Id::SocketMissing)]);
    // The tree's own path is longer than a socket's may be.
    let short = std::env::temp_dir().join(format!("doctor-{}", std::process::id()));
    let _listener = UnixListener::bind(&short).unwrap();
    fs::rename(&short, tree.0.join(socket)).or_else(|_| moved(&short, &tree.0.join(socket))).unwrap();
    tree.mode(socket, 0o666);
    assert_eq!(sockets(&tree), []);
    tree.mode(socket, 0o600);
    assert_eq!(sockets(&tree), [(Severity::Low, Id::SocketForeign)]);
    tree.mode("run/mfad", 0o777);
    assert_eq!(sockets(&tree), [(Severity::High, Id::SocketForeign)], "anybody may put another there");
}

/// To another file system.
fn moved(from: &Path, to: &Path) -> std::io::Result<()> {
    Command::new("mv").args([from, to]).status().map(drop)
}

const SSHD_CONFIG: &str = "\
Include /etc/ssh/sshd_config.d/*.conf
UsePAM yes
KbdInteractiveAuthentication yes
PasswordAuthentication no
AuthenticationMethods keyboard-interactive:pam
LoginGraceTime 300
Match User git
    AuthenticationMethods publickey
Match Address 10.0.0.0/8
    PasswordAuthentication yes
    AuthenticationMethods password
Match Group nogroup LocalPort 2222
    AuthenticationMethods publickey,keyboard-interactive:pam
";

/// sshd wants /run/sshd, which is there only while it runs: it gets a /run of its own.
fn sshd(tree: &Tree) -> Program {
    let key = tree.0.join("key");
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status().unwrap();
    assert!(made.success());
    let way = "mount -t tmpfs none /run && mkdir -m 0755 /run/sshd && exec \"$@\"";
    let words = ["/usr/bin/unshare", "-m", "/bin/sh", "-c", way, "sh", "/usr/sbin/sshd", "-h"];
    let words = words.into_iter().map(OsString::from).chain([key.into()]);
    Program::of_words(words.chain(["-f".into(), tree.0.join("etc/ssh/sshd_config").into()]))
}

fn ssh_findings(config: &str) -> Vec<(Id, u32)> {
    let tree = Tree::of(&[
        ("etc/ssh/sshd_config", config),
        ("etc/group", "nogroup:x:65534:\n"),
        ("etc/passwd", "nobody:x:65534:65534::/:/bin/false\n"),
    ]);
    let ssh = Ssh::ask(&Host::in_directory(&tree.0), Some(&sshd(&tree)));
    let lines = Lines { asking: 1, splitting: 0 };
    let found = ssh.findings(lines, Duration::from_secs(300));
    found.into_iter().map(|it| (it.id, it.line.unwrap_or_default())).collect()
}

#[test]
fn the_real_sshd_is_asked_about_each_match_block() {
    let found = ssh_findings(SSHD_CONFIG);
    let expected = [(Id::MethodWithoutPam, 8), (Id::KeyboardInteractiveOff, 3), (Id::PasswordBlind, 10)];
    for finding in expected {
        assert!(found.contains(&finding), "{finding:?} in {found:?}");
    }
    // The block for git lets nobody be asked, the one for 10.0.0.0/8 neither: both at the setting that is there.
    assert_eq!(found.len(), expected.len(), "{found:?}");
}

#[test]
fn sshd_as_debian_ships_it_lets_nobody_be_asked() {
    let debian = "KbdInteractiveAuthentication no\nUsePAM yes\n";
    let found: Vec<Id> = ssh_findings(debian).into_iter().map(|(id, _)| id).collect();
    for id in [Id::KeyboardInteractiveOff, Id::MethodWithoutPam, Id::PasswordBlind, Id::LoginGraceTime] {
        assert!(found.contains(&id), "{id:?} in {found:?}");
    }
    let block = "Match User git\n    AuthenticationMethods publickey\n    X11Forwarding no\n";
    assert_eq!(
        ssh_findings(&format!("{debian}{block}")).len(),
        found.len(),
        "what a block inherits is said once"
    );
    let broken: Vec<Id> = ssh_findings("NoSuchThing yes\n").into_iter().map(|(id, _)| id).collect();
    assert_eq!(broken, [Id::SshdUnknown]);
}
