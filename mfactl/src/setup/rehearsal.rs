//! The host as it would be: a mount namespace in which PAM and sshd can be changed without anybody's noticing. What is started
//! in it is the real thing; what is written there is in memory. It ends with this value, or with the process.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use protocol::Secret;

use super::fault::Fault;
use super::program;
use crate::doctor::finding::Report;

/// What switching on writes to.
const COPIED: [&str; 4] = ["/etc", "/var/lib/pam", "/var/cache/debconf", "/var/lib/authselect"];

/// Without it sshd says nothing; where systemd starts it for each connection, it may not be there yet.
const PRIVILEGE_SEPARATION: &str = "/run/sshd";

const SCRIPT: &str = include_str!("rehearsal.sh");

/// The host as it would be.
pub struct Rehearsal {
    holder: Child,
    place: PathBuf,
}

impl Rehearsal {
    /// The host as it is, to be changed.
    ///
    /// # Errors
    /// [`Fault`] if the kernel allows no mount namespace.
    pub fn start() -> Result<Self, Fault> {
        if fs::create_dir(PRIVILEGE_SEPARATION).is_ok() {
            let open = fs::Permissions::from_mode(0o755);
            fs::set_permissions(PRIVILEGE_SEPARATION, open).map_err(Fault::file(PRIVILEGE_SEPARATION))?;
        }
        let place = PathBuf::from(format!("/run/mfactl-setup-{}", std::process::id()));
        fs::DirBuilder::new().mode(0o700).create(&place).map_err(Fault::file(&place))?;
        let shown = place.display().to_string();
        let mut words = vec!["unshare", "--mount", "--propagation", "private", "--", "/bin/sh", "-c", SCRIPT];
        words.extend(["rehearsal", &shown]);
        words.extend(COPIED);
        // Not for it to be stopped by a Ctrl-C: it clears up behind a setup that was.
        let mut command = program::command(&words);
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let holder = command.spawn().map_err(|error| {
            let _ = fs::remove_dir(&place);
            program::failed(&["unshare", "--mount"], &error.to_string())
        })?;
        let mut rehearsal = Rehearsal { holder, place };
        rehearsal.await_ready()?;
        Ok(rehearsal)
    }

    fn await_ready(&mut self) -> Result<(), Fault> {
        let mut line = String::new();
        let said = self.holder.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        if matches!(said, Some(Ok(_))) && line == "ready\n" {
            return Ok(());
        }
        let error = self.holder.stderr.take().and_then(|err| std::io::read_to_string(err).ok());
        Err(program::failed(&["unshare", "--mount"], &error.unwrap_or_default()))
    }

    /// The words that run others within it.
    pub fn within<'a>(&self, target: &'a mut String, words: &[&'a str]) -> Vec<&'a str> {
        *target = format!("--target={}", self.holder.id());
        let mut all = vec!["nsenter", &*target, "--mount", "--"];
        all.extend(words);
        all
    }

    /// Runs a program within it.
    ///
    /// # Errors
    /// [`Fault::Program`].
    pub fn run(&self, words: &[&str]) -> Result<String, Fault> {
        program::run(&self.within(&mut String::new(), words))
    }

    /// A program within it, which ends when setup does.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut target = String::new();
        let mut all = vec!["setpriv", "--pdeathsig", "KILL", "--"];
        all.extend(self.within(&mut target, words));
        program::command(&all)
    }

    /// What the doctor finds in it.
    ///
    /// # Errors
    /// [`Fault::Program`].
    pub fn examine(&self, socket: &Path) -> Result<Report, Fault> {
        // The file of the program that runs, whatever lies at its path by now.
        let own = format!("/proc/{}/exe", std::process::id());
        let socket = socket.display().to_string();
        let words = [&own, "--socket", &socket, "--json", "doctor"];
        let (_, out, err) = program::ended(&self.within(&mut String::new(), &words))?;
        serde_json::from_str(out.trim()).map_err(|_| program::failed(&["mfactl", "doctor"], &err))
    }

    /// Where a file of it is for this process.
    pub fn path(&self, path: &Path) -> PathBuf {
        let below = path.strip_prefix("/").unwrap_or(path);
        PathBuf::from(format!("/proc/{}/root", self.holder.id())).join(below)
    }

    /// Writes a file within it.
    ///
    /// # Errors
    /// [`Fault::File`].
    pub fn write(&self, path: &Path, text: &str) -> Result<(), Fault> {
        fs::write(self.path(path), text).map_err(Fault::file(path))
    }

    /// Puts a secret where only root within it can read it.
    ///
    /// # Errors
    /// [`Fault::File`].
    pub fn hide(&self, name: &str, secret: &Secret) -> Result<(), Fault> {
        self.put(name, secret.expose(), 0o600).map(drop)
    }

    /// Puts a script of root's own there, and returns where that is within.
    ///
    /// # Errors
    /// [`Fault::File`].
    pub fn script(&self, name: &str, text: &str) -> Result<PathBuf, Fault> {
        self.put(name, text, 0o700)
    }

    fn put(&self, name: &str, text: &str, mode: u32) -> Result<PathBuf, Fault> {
        let there = self.place.join(name);
        let mut options = fs::OpenOptions::new();
        let opened = options.write(true).create(true).truncate(true).mode(mode).open(self.path(&there));
        let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(Fault::file(&there)).map(|()| there)
    }

    /// Its private directory, as it is called within.
    pub fn place(&self) -> &Path {
        &self.place
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
        let _ = fs::remove_dir(&self.place);
    }
}
