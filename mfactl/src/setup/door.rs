//! Where a login is tried: the host's own sshd or su, in the host as it would be.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use protocol::Secret;

use super::fault::Fault;
use super::program;
use super::rehearsal::Rehearsal;
use super::ssh_lines::Sshd;

/// For how long somebody may type.
const PATIENCE: Duration = Duration::from_mins(10);

/// How long an answer without anybody typing may take, with pam_unix's delay and mail that goes out first.
const UNATTENDED: Duration = Duration::from_secs(60);

/// Connections that are served at once: ours, and whoever finds the port on loopback.
const MOST_SERVERS: usize = 3;

/// How whoever got in says so: no program ends like this by itself.
const INSIDE: &str = "exit 57";

/// The same, as an exit status.
const INSIDE_STATUS: i32 = 57;

/// Who calls su, because root is not asked for a password.
const NOBODY: &str = "65534";

/// What a login is tried by.
pub enum Entrance<'a> {
    /// The host's sshd, over loopback.
    Sshd(&'a Rehearsal, &'a Sshd),
    /// su, called by nobody.
    Su(&'a Rehearsal),
}

/// Who answers.
#[derive(Clone, Copy)]
pub enum Typist<'a> {
    /// The person at the terminal.
    Person,
    /// These: the password, then the code.
    Answers(&'a Secret, &'a Secret),
}

/// How a login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It got in.
    Inside,
    /// It did not.
    Outside,
}

impl Entrance<'_> {
    /// The PAM service.
    pub fn service(&self) -> &str {
        match self {
            Entrance::Sshd(_, sshd) => sshd.service(),
            Entrance::Su(_) => "su",
        }
    }

    /// Tries it.
    ///
    /// # Errors
    /// [`Fault`] if a program is not there.
    pub fn log_in(&self, user: &str, typist: Typist<'_>) -> Result<End, Fault> {
        let patience = match typist {
            Typist::Person => PATIENCE,
            Typist::Answers(..) => UNATTENDED,
        };
        let status = match self {
            Entrance::Sshd(rehearsal, sshd) => by_sshd(rehearsal, sshd, user, typist, patience)?,
            Entrance::Su(rehearsal) => by_su(rehearsal, user, typist, patience)?,
        };
        Ok(if status == Some(INSIDE_STATUS) { End::Inside } else { End::Outside })
    }
}

/// The host's sshd serves connections that are accepted here: no port of its own, and nobody else's configuration.
fn by_sshd(
    rehearsal: &Rehearsal,
    sshd: &Sshd,
    user: &str,
    typist: Typist<'_>,
    patience: Duration,
) -> Result<Option<i32>, Fault> {
    let door = TcpListener::bind(("127.0.0.1", 0)).map_err(Fault::file("127.0.0.1"))?;
    door.set_nonblocking(true).map_err(Fault::file("127.0.0.1"))?;
    let port = door.local_addr().map_err(Fault::file("127.0.0.1"))?.port().to_string();
    let mut client = started(ssh(rehearsal, user, &port, typist)?, "ssh")?;
    let mut servers: Vec<Child> = Vec::new();
    let status = ended_within(&mut client, patience, || {
        servers.retain_mut(|server| matches!(server.try_wait(), Ok(None)));
        if servers.len() < MOST_SERVERS
            && let Ok((connection, _)) = door.accept()
        {
            servers.extend(serve(rehearsal, sshd, connection));
        }
    });
    // Each ends with its client; what has not by now is somebody else's.
    thread::sleep(Duration::from_millis(100));
    for mut server in servers {
        let _ = server.kill();
        let _ = server.wait();
    }
    Ok(status)
}

fn ssh(rehearsal: &Rehearsal, user: &str, port: &str, typist: Typist<'_>) -> Result<Command, Fault> {
    let mut words = vec!["ssh", "-F", "none", "-p", port, "-l", user];
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
            words.extend(["127.0.0.1", INSIDE]);
            let mut command = rehearsal.command(&words);
            command.stdin(Stdio::inherit()).env("TERM", std::env::var_os("TERM").unwrap_or_default());
            Ok(command)
        }
        Typist::Answers(password, code) => {
            words.extend(["-o", "NumberOfPasswordPrompts=1", "127.0.0.1", INSIDE]);
            // Without a terminal ssh asks the program that answers, also before it knew SSH_ASKPASS_REQUIRE.
            let mut all = vec!["setsid", "--wait"];
            all.extend(words);
            let mut command = rehearsal.command(&all);
            command
                .env("SSH_ASKPASS", askpass(rehearsal, password, code)?)
                .env("SSH_ASKPASS_REQUIRE", "force");
            command.env("DISPLAY", ":").stdout(Stdio::null()).stderr(Stdio::null());
            Ok(command)
        }
    }
}

/// The first question is the password's, the second the code's, whatever they are called here; later ones get no answer, so
/// that a wrong code costs one try.
fn askpass(rehearsal: &Rehearsal, password: &Secret, code: &Secret) -> Result<PathBuf, Fault> {
    rehearsal.hide("password", password)?;
    rehearsal.hide("code", code)?;
    let place = rehearsal.place();
    for asked in ["once", "twice"] {
        let _ = fs::remove_dir(rehearsal.path(&place.join(asked)));
    }
    let text = format!(
        "#!/bin/sh\ncd {} || exit\nif mkdir once 2>/dev/null; then cat password; elif mkdir twice 2>/dev/null; then cat code; \
         else exit 1; fi\n",
        place.display()
    );
    rehearsal.script("askpass", &text)
}

fn serve(rehearsal: &Rehearsal, sshd: &Sshd, connection: TcpStream) -> Option<Child> {
    // The connection does not block for sshd, whatever it does here.
    connection.set_nonblocking(false).ok()?;
    let other: OwnedFd = connection.try_clone().ok()?.into();
    let mut command = rehearsal.command(&[sshd.program, "-i"]);
    command.stdin(OwnedFd::from(connection)).stdout(other).stderr(Stdio::null());
    command.spawn().ok()
}

fn by_su(
    rehearsal: &Rehearsal,
    user: &str,
    typist: Typist<'_>,
    patience: Duration,
) -> Result<Option<i32>, Fault> {
    let words = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "su", user, "-c", INSIDE];
    let mut command = rehearsal.command(&words);
    match typist {
        Typist::Person => command.stdin(Stdio::inherit()),
        Typist::Answers(..) => command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()),
    };
    let mut su = started(command, "su")?;
    if let (Typist::Answers(password, code), Some(mut keyboard)) = (typist, su.stdin.take()) {
        let typed = Secret::new(format!("{}\n{}\n", password.expose(), code.expose()));
        // Whoever hangs up early did not want to hear the rest.
        let _ = keyboard.write_all(typed.expose().as_bytes());
    }
    Ok(ended_within(&mut su, patience, || {}))
}

fn started(mut command: Command, name: &str) -> Result<Child, Fault> {
    command.spawn().map_err(|error| program::failed(&[name], &error.to_string()))
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
    let _ = child.kill();
    let _ = child.wait();
    None
}
