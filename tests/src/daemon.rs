//! mfad, started from the build, and mfactl to speak to it.

use std::fmt::Write as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use crate::audit::{Event, events};
use crate::binaries;
use crate::host::{Host, Person, path};
use crate::mail::{MailDirectory, MailServer};
use crate::namespace;
use crate::process::{Family, Finished, Running, run};
use crate::wait::until;

/// Where the module looks for the daemon unless told otherwise.
pub const LOGIN_SOCKET: &str = "/run/mfad/io.mfad.Login";

/// Where mfactl does.
pub const MANAGE_SOCKET: &str = "/run/mfad/io.mfad.Manage";

/// What a story writes into `mfad.toml`, section by section.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    login: String,
    email: String,
    sections: String,
}

impl Settings {
    /// Mails go to this SMTP server.
    pub fn smtp(server: &MailServer) -> Self {
        Settings::smtp_url(&server.url())
    }

    /// Mails go to this relay; more keys of its table may follow the URL.
    pub fn smtp_url(url: &str) -> Self {
        Settings::default().email("transport = \"smtp\"").email(&format!("smtp = {{ url = \"{url}\" }}"))
    }

    /// Mails are left as files.
    pub fn maildir(directory: &MailDirectory) -> Self {
        let line = format!("maildir = \"{}\"", directory.pattern());
        Settings::default().email("transport = \"maildir\"").email(&line)
    }

    /// Adds a line to `[login]`.
    #[must_use]
    pub fn login(mut self, line: &str) -> Self {
        self.login.push_str(line);
        self.login.push('\n');
        self
    }

    /// Adds a line to `[email]`.
    #[must_use]
    pub fn email(mut self, line: &str) -> Self {
        self.email.push_str(line);
        self.email.push('\n');
        self
    }

    /// Adds sections, as they stand in a file.
    #[must_use]
    pub fn sections(mut self, text: &str) -> Self {
        self.sections.push_str(text);
        self
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let (state, key) = (state_directory(), path("key"));
        write!(text, "[paths]\nstate = \"{}\"\nruntime = \"/run/mfad\"\n", state.display()).expect("text");
        write!(text, "key = \"{}\"\n\n[login]\n{}\n[email]\n{}", key.display(), self.login, self.email)
            .expect("text");
        write!(text, "\n{}", self.sections).expect("text");
        text
    }
}

/// A running daemon.
pub struct Mfad {
    running: Running,
    config: PathBuf,
}

impl Mfad {
    /// Starts it with these settings, and waits until both sockets accept.
    ///
    /// # Panics
    /// If they never do.
    pub fn start(host: &Host, settings: &Settings) -> Self {
        prepare(host);
        host.write(config_file(), &settings.text(), 0o600);
        Mfad::start_with(config_file())
    }

    /// Starts it with a configuration that is there, and whatever that one names.
    ///
    /// # Panics
    /// If it does not listen.
    pub fn start_with(config: PathBuf) -> Self {
        Mfad { running: launch(&config), config }
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// What it printed since its last start.
    pub fn log(&self) -> String {
        self.running.log()
    }

    /// SIGKILL, and a new start.
    ///
    /// # Panics
    /// If it does not come back.
    pub fn kill_and_start(&mut self) {
        self.kill();
        self.running = launch(&self.config);
    }

    /// SIGKILL.
    ///
    /// # Panics
    /// If it does not end.
    pub fn kill(&mut self) {
        self.running.signal(Signal::SIGKILL);
        self.running.await_end();
    }

    /// Starts it again after [`Mfad::kill`] or [`Mfad::terminate`].
    ///
    /// # Panics
    /// If it does not come back.
    pub fn start_again(&mut self) {
        self.running = launch(&self.config);
    }

    /// SIGTERM; it ends on its own.
    ///
    /// # Panics
    /// If it does not.
    pub fn terminate(&mut self) {
        self.running.signal(Signal::SIGTERM);
        let ended = self.running.await_end();
        assert!(ended.success(), "mfad ended with {ended} after SIGTERM");
    }

    /// Whether it is down.
    pub fn has_ended(&mut self) -> bool {
        self.running.has_ended().is_some()
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// If it does not, or not well.
    pub fn await_end(&mut self) {
        let ended = self.running.await_end();
        assert!(ended.success(), "mfad ended with {ended}");
    }

    /// SIGHUP: it reads its configuration again.
    ///
    /// # Panics
    /// If it is gone.
    pub fn reload(&self) {
        self.running.signal(Signal::SIGHUP);
    }

    /// SIGSTOP: it is there and answers nothing.
    ///
    /// # Panics
    /// If it is gone.
    pub fn freeze(&self) {
        self.running.signal(Signal::SIGSTOP);
    }

    /// SIGCONT.
    ///
    /// # Panics
    /// If it is gone.
    pub fn thaw(&self) {
        self.running.signal(Signal::SIGCONT);
    }

    /// Switches the second factor on for somebody, with their address.
    ///
    /// # Panics
    /// If mfactl refuses.
    pub fn enrol(&self, person: &Person) {
        self.control(&["user", "email", &person.name, &person.address()]).expect_success("mfactl user email");
        self.control(&["user", "enable", &person.name]).expect_success("mfactl user enable");
    }

    /// Runs mfactl as root.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn control(&self, arguments: &[&str]) -> Finished {
        run(binaries::mfactl(), arguments)
    }

    /// Runs mfactl as somebody.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn control_as(&self, person: &Person, arguments: &[&str]) -> Finished {
        let (id, program) = (person.uid.to_string(), reachable(&binaries::mfactl()).display().to_string());
        let mut all = vec!["--reuid", &id, "--regid", &id, "--clear-groups", "--", &program];
        all.extend_from_slice(arguments);
        run("setpriv", &all)
    }

    /// The audit, oldest first.
    ///
    /// # Panics
    /// If mfactl fails.
    pub fn events(&self) -> Vec<Event> {
        events(&self.control(&["events", "--json"]).expect_success("mfactl events"))
    }

    /// The events about somebody whose kind is one of these.
    ///
    /// # Panics
    /// If mfactl fails.
    pub fn events_about(&self, person: &Person, kinds: &[&str]) -> Vec<Event> {
        let mut events = self.events();
        events.retain(|event| {
            event.user.as_ref() == Some(&person.name) && kinds.contains(&event.kind.as_str())
        });
        events
    }
}

/// Where its database is.
pub fn state_directory() -> PathBuf {
    path("state")
}

/// Its configuration.
pub fn config_file() -> PathBuf {
    path("mfad.toml")
}

/// What an installation creates.
fn prepare(host: &Host) {
    if path("key").exists() {
        return;
    }
    namespace::directory(state_directory(), 0o700);
    namespace::directory("/run/mfad", 0o755);
    let key = run("openssl", &["rand", "-base64", "32"]).expect_success("a key");
    host.write(path("key"), &key, 0o400);
}

/// The same program where everybody may look: the build may lie in a directory of root's own.
///
/// # Panics
/// If it cannot be shown there.
pub fn reachable(program: &Path) -> PathBuf {
    reachable_as(program, &program.file_name().expect("a program").to_string_lossy())
}

/// As [`reachable`], under another name.
///
/// # Panics
/// If it cannot be shown there.
pub fn reachable_as(program: &Path, name: &str) -> PathBuf {
    let place = path("reachable").join(name);
    if !place.exists() {
        namespace::directory(path("reachable"), 0o755);
        std::fs::write(&place, "").expect("a file to mount on");
        namespace::bind(program, &place);
    }
    place
}

fn launch(config: &Path) -> Running {
    let config = config.display().to_string();
    let arguments = ["--config", config.as_str(), "--allow-root"];
    let mut running = Running::start("mfad", Family::Alone, binaries::mfad(), &arguments);
    until("mfad to listen on both sockets", || {
        assert!(running.has_ended().is_none(), "mfad ended at its start:\n{}", running.log());
        let accepts = |path: &&str| UnixStream::connect(path).is_ok();
        [LOGIN_SOCKET, MANAGE_SOCKET].iter().all(accepts).then_some(())
    });
    running
}
