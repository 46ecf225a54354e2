//! A login through the real stack as it would be, by sshd or su. The administrator types; or, where nobody is there, a wrong code
//! must stay outside and a bypass code for one login must get in. mfad's own record says whether a code was asked for.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use protocol::Secret;
use protocol::manage::{Events, Follow, IssueBypass};

use super::fault::Fault;
use super::program;
use super::rehearsal::Rehearsal;
use crate::arguments::setup::Door;
use crate::connection::Connection;
use crate::failure::Failure;

/// For how long somebody may type.
const PATIENCE: Duration = Duration::from_mins(10);

/// How long an answer without anybody typing may take, with pam_unix's delay and mail that goes out first.
const UNATTENDED: Duration = Duration::from_secs(60);

/// For how long the bypass code is good, in milliseconds.
const BYPASS: u64 = 5 * 60 * 1000;

/// The shape of a bypass code, which is made at random: nobody has this one.
const WRONG: &str = "0000-0000-0000-0000";

/// Who calls su, because root is not asked for a password.
const NOBODY: &str = "65534";

/// ssh's exit status when nobody got in (ssh(1)).
const SSH_FAILED: i32 = 255;

/// A login to try.
pub struct Trial<'a> {
    /// The host as it would be.
    pub rehearsal: &'a Rehearsal,
    /// Who logs in.
    pub user: &'a str,
    /// How.
    pub door: Door,
    /// The sshd, for [`Door::Sshd`].
    pub sshd: &'a str,
}

/// Who answers.
#[derive(Clone, Copy)]
enum Typist<'a> {
    /// The person at the terminal.
    Person,
    /// These, in this order.
    Answers(&'a Secret, &'a Secret),
}

/// How a login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Inside,
    Outside,
}

impl Trial<'_> {
    /// The person at the terminal logs in.
    ///
    /// # Errors
    /// [`Fault::Trial`] if they did not get in by a code.
    pub fn by_hand(&self, daemon: &mut Connection) -> Result<(), Failure> {
        let since = now();
        let end = self.log_in(Typist::Person, PATIENCE)?;
        self.require(
            end == End::Inside,
            "the login did not get in. Are password and code right? mfactl events has why",
        )?;
        self.require_code(since, daemon)
    }

    /// A wrong code stays outside, a bypass code gets in.
    ///
    /// # Errors
    /// [`Fault::Trial`] if it is otherwise.
    pub fn unattended(&self, password_file: &Path, daemon: &mut Connection) -> Result<(), Failure> {
        let text = fs::read_to_string(password_file).map_err(Fault::file(password_file))?;
        let password = Secret::new(text.trim_end_matches(['\n', '\r']).to_owned());
        // There is a bypass code from here on, so that a wrong one is looked at.
        let request = IssueBypass {
            user: self.user.to_owned(),
            uses: 1,
            lifetime: BYPASS,
            reason: "the trial of mfactl setup".to_owned(),
        };
        let code = daemon.call(&request)?.code;
        let wrong = Secret::new(WRONG.to_owned());
        let end = self.log_in(Typist::Answers(&password, &wrong), UNATTENDED)?;
        self.require(end == End::Outside, "a login with a wrong code got in")?;
        let since = now();
        let end = self.log_in(Typist::Answers(&password, &code), UNATTENDED)?;
        self.require(
            end == End::Inside,
            "a login with password and bypass code did not get in. Is the password right? mfactl events has why",
        )?;
        self.require_code(since, daemon)
    }

    fn require(&self, holds: bool, otherwise: &'static str) -> Result<(), Failure> {
        if holds { Ok(()) } else { Err(Fault::Trial(otherwise).into()) }
    }

    /// Who got in without one was let in by something else.
    fn require_code(&self, since: u64, daemon: &mut Connection) -> Result<(), Failure> {
        let asked = Events {
            user: Some(self.user.to_owned()),
            kind: Some("login-allowed".to_owned()),
            service: None,
            source: None,
            reference: None,
            since: Some(since),
            last: None,
            follow: Follow::No,
        };
        let mut found = 0;
        daemon.stream(&asked, |batch| {
            found += batch.events.len();
            Ok(())
        })?;
        self.require(
            found > 0,
            "the login got in, and mfad was not asked for a code. mfactl explain tells why",
        )
    }

    fn log_in(&self, typist: Typist<'_>, patience: Duration) -> Result<End, Fault> {
        match self.door {
            Door::Su => self.by_su(typist, patience),
            Door::Sshd | Door::None => self.by_sshd(typist, patience),
        }
    }

    /// The host's sshd serves connections that are accepted here: no port of its own, and nobody else's configuration.
    fn by_sshd(&self, typist: Typist<'_>, patience: Duration) -> Result<End, Fault> {
        let door = TcpListener::bind(("127.0.0.1", 0)).map_err(Fault::file("127.0.0.1"))?;
        door.set_nonblocking(true).map_err(Fault::file("127.0.0.1"))?;
        let port = door.local_addr().map_err(Fault::file("127.0.0.1"))?.port().to_string();
        let mut client = self.started(self.ssh(&port, typist)?, "ssh")?;
        let mut servers = Vec::new();
        let status = ended_within(&mut client, patience, || {
            if let Ok((connection, _)) = door.accept() {
                servers.extend(self.serve(connection));
            }
        });
        servers.iter_mut().for_each(end);
        Ok(if status.is_some_and(|status| status != SSH_FAILED) { End::Inside } else { End::Outside })
    }

    fn ssh(&self, port: &str, typist: Typist<'_>) -> Result<Command, Fault> {
        let mut words = vec!["ssh", "-F", "none", "-p", port, "-l", self.user];
        for option in [
            "UserKnownHostsFile=/dev/null",
            "GlobalKnownHostsFile=/dev/null",
            "StrictHostKeyChecking=no",
            "PreferredAuthentications=keyboard-interactive",
            "PubkeyAuthentication=no",
            "LogLevel=ERROR",
        ] {
            words.extend(["-o", option]);
        }
        match typist {
            Typist::Person => {
                words.extend(["127.0.0.1", "true"]);
                let mut command = self.rehearsal.command(&words);
                command.stdin(Stdio::inherit()).env("TERM", std::env::var_os("TERM").unwrap_or_default());
                Ok(command)
            }
            Typist::Answers(password, code) => {
                words.extend(["-o", "NumberOfPasswordPrompts=1", "127.0.0.1", "true"]);
                // Without a terminal ssh asks the program that answers, also before it knew SSH_ASKPASS_REQUIRE.
                let mut all = vec!["setsid", "--wait"];
                all.extend(words);
                let mut command = self.rehearsal.command(&all);
                command.env("SSH_ASKPASS", self.askpass(password, code)?).env("SSH_ASKPASS_REQUIRE", "force");
                command.env("DISPLAY", ":").stdout(Stdio::null()).stderr(Stdio::null());
                Ok(command)
            }
        }
    }

    /// The first question is the password's, the second the code's, whatever they are called here; later ones get no answer, so
    /// that a wrong code costs one try.
    fn askpass(&self, password: &Secret, code: &Secret) -> Result<std::path::PathBuf, Fault> {
        self.rehearsal.hide("password", password)?;
        self.rehearsal.hide("code", code)?;
        let place = self.rehearsal.place();
        for asked in ["once", "twice"] {
            let _ = fs::remove_dir(self.rehearsal.path(&place.join(asked)));
        }
        let text = format!(
            "#!/bin/sh\ncd {} || exit\nif mkdir once 2>/dev/null; then cat password; elif mkdir twice 2>/dev/null; then cat code; \
             else exit 1; fi\n",
            place.display()
        );
        self.rehearsal.script("askpass", &text)
    }

    fn serve(&self, connection: TcpStream) -> Option<Child> {
        // The connection does not block for sshd, whatever it does here.
        connection.set_nonblocking(false).ok()?;
        let other: OwnedFd = connection.try_clone().ok()?.into();
        let mut command = self.rehearsal.command(&[self.sshd, "-i"]);
        command.stdin(OwnedFd::from(connection)).stdout(other).stderr(Stdio::null());
        command.spawn().ok()
    }

    fn by_su(&self, typist: Typist<'_>, patience: Duration) -> Result<End, Fault> {
        let words = [
            "setpriv",
            "--reuid",
            NOBODY,
            "--regid",
            NOBODY,
            "--clear-groups",
            "su",
            self.user,
            "-c",
            "true",
        ];
        let mut command = self.rehearsal.command(&words);
        match typist {
            Typist::Person => command.stdin(Stdio::inherit()),
            Typist::Answers(..) => command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()),
        };
        let mut su = self.started(command, "su")?;
        if let (Typist::Answers(password, code), Some(mut keyboard)) = (typist, su.stdin.take()) {
            use std::io::Write;
            let typed = Secret::new(format!("{}\n{}\n", password.expose(), code.expose()));
            // Whoever hangs up early did not want to hear the rest.
            let _ = keyboard.write_all(typed.expose().as_bytes());
        }
        let status = ended_within(&mut su, patience, || {});
        Ok(if status == Some(0) { End::Inside } else { End::Outside })
    }

    fn started(&self, mut command: Command, name: &str) -> Result<Child, Fault> {
        command.spawn().map_err(|error| program::failed(&[name], &error.to_string()))
    }
}

/// Waits for the end, and does something meanwhile; no status if it was ended, or by a signal.
fn ended_within(child: &mut Child, patience: Duration, mut meanwhile: impl FnMut()) -> Option<i32> {
    let start = Instant::now();
    while start.elapsed() < patience {
        match child.try_wait() {
            Ok(None) => meanwhile(),
            Ok(Some(status)) => return status.code(),
            Err(_) => break,
        }
        thread::sleep(Duration::from_millis(20));
    }
    end(child);
    None
}

fn end(child: &mut Child) {
    // sshd ends with its client; what has not is not waited for.
    if !matches!(child.try_wait(), Ok(Some(_))) {
        thread::sleep(Duration::from_millis(200));
        let _ = child.kill();
    }
    let _ = child.wait();
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
