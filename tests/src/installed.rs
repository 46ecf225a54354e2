//! A host as the packages leave it, for guides to be played on: mfad's files where they are installed, a mail server on
//! port 25 and sshd on port 22 of a network of its own, the distribution's own PAM stacks.
//!
//! Commands of guides run for real. What no throw-away host has (systemd, a package manager) is a row of [`OF_THE_HOST`]:
//! it says what such a command does here, and which test runs it for real.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::binaries;
use crate::daemon::Mfad;
use crate::guide::{Block, Content, Guide, Shown};
use crate::host::{Host, Person, path};
use crate::mail::MailServer;
use crate::namespace;
use crate::process::{Family, Finished, Running, bare, run};
use crate::sshd::{key_pair, without_penalties};
use crate::terminal::Terminal;
use crate::wait::until;

mod host_commands;
mod transcript;
pub use host_commands::{Effect, OF_THE_HOST, OfTheHost, Proof};

const CONFIG: &str = "/etc/mfad/mfad.toml";
const PATH: &str = "/run/mfad-test/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Tells the code that somebody types, by the mails so far and by what is on the screen.
pub type Codes<'c> = &'c mut dyn FnMut(&MailServer, &str) -> String;

/// Such a host.
pub struct Installed<'a> {
    /// The machine under it.
    pub host: &'a Host,
    /// What listens on port 25.
    pub mail: MailServer,
    /// The daemon.
    pub mfad: Mfad,
    sshd: Option<Running>,
}

impl<'a> Installed<'a> {
    /// Installs it.
    ///
    /// # Panics
    /// If a part does not start.
    pub fn on(host: &'a Host) -> Self {
        namespace::own_network();
        host.stock_stacks();
        put_files(host);
        let mail = MailServer::start_on(25, &[]);
        let mfad = Mfad::start_with(CONFIG.into());
        let mut installed = Installed { host, mail, mfad, sshd: None };
        installed.restart_sshd();
        installed
    }

    /// Somebody with an account, a mail address, and a home that ssh finds.
    ///
    /// # Panics
    /// If they cannot be added.
    pub fn person(&self, name: &str) -> Person {
        let person = self.host.person(name);
        let home = format!("/home/{name}");
        let id = person.uid.to_string();
        run("mkdir", &["-p", &home]).expect_success("mkdir");
        run("cp", &["-r", "/etc/skel/.", &home]).expect_success("cp");
        run("chown", &["-R", &format!("{id}:{id}"), &home]).expect_success("chown");
        run("sed", &["-i", &format!("s|{}|{home}|", person.home.display()), "/etc/passwd"])
            .expect_success("sed");
        Person { home: home.into(), ..person }
    }

    /// Gives somebody a key of SSH that lets them in here.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn give_key(&self, name: &str) {
        let make = "mkdir -m 700 ~/.ssh; ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519; \
                    cp ~/.ssh/id_ed25519.pub ~/.ssh/authorized_keys";
        shell(name, make).expect_success("ssh-keygen");
    }

    /// Carries out a section of a guide.
    ///
    /// # Panics
    /// If a command fails, or shows something else than the guide.
    pub fn play(&mut self, guide: &mut Guide, heading: &str) {
        self.play_with(guide, heading, &mut |_, shown| panic!("nobody was to be asked:\n{shown}"));
    }

    /// As [`Installed::play`]; whoever is asked for a code gets it by the mails and by what was shown.
    ///
    /// # Panics
    /// If a command fails, or shows something else than the guide.
    pub fn play_with(&mut self, guide: &mut Guide, heading: &str, code: Codes<'_>) {
        for block in guide.section(heading) {
            self.carry_out(&block, code);
        }
    }

    fn carry_out(&mut self, block: &Block, code: Codes<'_>) {
        let place = &block.place;
        match &block.content {
            Content::Commands(commands) => commands.iter().for_each(|command| self.command(place, command)),
            Content::Transcript(shown) => shown.iter().for_each(|shown| self.transcript(place, shown, code)),
            Content::File(kind, path, text) => self.file(kind, path, text),
            Content::Prose => {}
        }
    }

    fn command(&mut self, place: &str, command: &str) {
        match OF_THE_HOST.iter().find(|row| row.command == command) {
            Some(row) => self.effect(row.effect),
            None => drop(shell("root", command).expect_success(&format!("{place}: {command}"))),
        }
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::None => {}
            Effect::ReloadMfad => self.reload(),
            Effect::StartMfad if !self.mfad.has_ended() => {}
            Effect::RestartMfad if !self.mfad.has_ended() => self.mfad.kill_and_start(),
            Effect::StartMfad | Effect::RestartMfad => self.mfad.start_again(),
            Effect::PutModuleBack => put_module(),
            Effect::RestartSshd => self.restart_sshd(),
        }
    }

    /// The signal is only sent by the command; what follows in a guide counts on the new configuration.
    fn reload(&self) {
        let reloads = || {
            let lines = self.host.syslog().lines();
            lines.iter().filter(|line| line.contains("the configuration was read again")).count()
        };
        let before = reloads();
        self.mfad.reload();
        until("mfad to read its configuration again", || (reloads() > before).then_some(()));
    }

    /// What is typed makes it a conversation; anything else is compared line by line.
    fn transcript(&self, place: &str, shown: &Shown, code: Codes<'_>) {
        if transcript::is_a_conversation(shown) {
            return transcript::converse(shown, &self.mail, code);
        }
        transcript::compare(place, shown, &shell(&shown.who, &shown.command));
    }

    /// PAM lines stand in the place of those of their kind, and other files are written whole.
    fn file(&mut self, kind: &str, path: &str, text: &str) {
        if kind == "pam" {
            let before = fs::read_to_string(path).unwrap_or_default();
            let is_auth = |line: &&str| {
                let line = line.trim_start_matches('-');
                line.starts_with("auth") || line.starts_with("@include common-auth")
            };
            let others = before.lines().filter(|line| !is_auth(line));
            let lines: Vec<&str> = text.lines().chain(others).collect();
            return self.host.write(path, &format!("{}\n", lines.join("\n")), 0o644);
        }
        namespace::directory(Path::new(path).parent().expect("a directory"), 0o755);
        self.host.write(path, text, 0o644);
    }

    /// Starts sshd as the host has configured it.
    ///
    /// # Panics
    /// If it does not listen.
    pub fn restart_sshd(&mut self) {
        self.sshd = None;
        // The kernel ends what the last one forked a moment after it.
        until("port 22 to be free", || TcpListener::bind(("127.0.0.1", 22)).ok());
        let arguments = ["-D", "-e", "-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none"];
        let mut running = Running::start("sshd", Family::Whole, "/usr/sbin/sshd", &arguments);
        running.await_output("Server listening on");
        self.sshd = Some(running);
    }
}

/// Runs a command line as somebody.
///
/// # Panics
/// If it cannot be started.
pub fn shell(who: &str, command: &str) -> Finished {
    let words = as_somebody(who, command);
    run("env", &words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The same at a terminal.
///
/// # Panics
/// If it cannot be started.
pub fn terminal(who: &str, command: &str) -> Terminal {
    let mut words = vec!["env".to_owned()];
    words.extend(as_somebody(who, command));
    Terminal::start(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn as_somebody(who: &str, command: &str) -> Vec<String> {
    let path = format!("PATH={PATH}");
    let mut words: Vec<String> = vec![path, "DEBIAN_FRONTEND=noninteractive".to_owned()];
    if who != "root" {
        let changed = ["setpriv", "--reuid", who, "--regid", who, "--init-groups"].map(str::to_owned);
        words.extend(["env".to_owned(), format!("HOME=/home/{who}")]);
        words.extend(changed);
    }
    words.extend(["sh", "-eu", "-c", command].map(str::to_owned));
    words
}

/// What packages install and their scripts make, in a private view of the machine.
fn put_files(host: &Host) {
    ["/var/lib", "/root", "/srv"].into_iter().for_each(namespace::open_to_more);
    for at in ["/usr/share/pam-configs", "/var/lib/pam", "/var/cache/debconf"] {
        namespace::private_copy(at);
    }
    namespace::private_copy(&modules().display().to_string());
    put_module();
    copy(&binaries::source("../packaging/pam-configs/mfad"), Path::new("/usr/share/pam-configs/mfad"), 0o644);
    namespace::directory(path("bin"), 0o755);
    for program in [binaries::mfactl(), binaries::mfad()] {
        copy(&program, &path("bin").join(program.file_name().expect("a name")), 0o755);
    }
    for (directory, mode) in [("/etc/mfad/conf.d", 0o755), ("/run/mfad", 0o755), ("/var/lib/mfad", 0o700)] {
        namespace::directory(directory, mode);
    }
    namespace::tmpfs("/home", "mode=755");
    copy(&binaries::source("../packaging/mfad.toml"), Path::new(CONFIG), 0o644);
    let key = run("openssl", &["rand", "-base64", "32"]).expect_success("a key");
    host.write("/etc/mfad/key", &key, 0o400);
    put_sshd(host);
    namespace::protect_the_machine();
}

/// Host keys of its own, known to every client of this host.
fn put_sshd(host: &Host) {
    for entry in fs::read_dir("/etc/ssh").expect("/etc/ssh").flatten() {
        if entry.file_name().to_string_lossy().starts_with("ssh_host_") {
            fs::remove_file(entry.path()).expect("a host key");
        }
    }
    let key = key_pair("host-key");
    let public = fs::read_to_string(key.with_extension("pub")).expect("a public key");
    copy(&key, Path::new("/etc/ssh/ssh_host_ed25519_key"), 0o600);
    host.write("/etc/ssh/ssh_known_hosts", &format!("host {public}localhost {public}"), 0o644);
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    host.write("/etc/hosts", &format!("127.0.0.1 localhost host\n{hosts}"), 0o644);
    host.write("/etc/ssh/sshd_config.d/99-of-the-tests.conf", without_penalties(), 0o644);
}

fn put_module() {
    copy(&binaries::module(), &modules().join("pam_mfad.so"), 0o644);
}

/// Where libpam looks for modules.
///
/// # Panics
/// If there is no such directory.
pub fn modules() -> PathBuf {
    let found = bare("sh").args(["-c", "dirname /usr/lib/*-linux-gnu/security/pam_unix.so"]).output();
    let found = String::from_utf8(found.expect("sh").stdout).expect("a path");
    PathBuf::from(found.trim())
}

fn copy(from: &Path, to: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::copy(from, to)
        .and_then(|_| fs::set_permissions(to, fs::Permissions::from_mode(mode)))
        .unwrap_or_else(|error| panic!("{} to {}: {error}", from.display(), to.display()));
}
