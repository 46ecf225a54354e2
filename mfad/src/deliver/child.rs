//! Runs a program of the operator: an argument vector and never a shell, a clean environment, its own process group,
//! an end to its time and to its talk.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use protocol::Secret;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::signal::unix::{self, SignalKind};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::quotable;

/// The only variables a program finds.
const ENVIRONMENT: [(&str, &str); 2] = [("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("LC_ALL", "C.UTF-8")];
/// How much of what a program says is kept, in bytes.
const TALK_LIMIT: usize = 4 << 10;
/// How long after its end a program's last words are waited for: a child it left behind may hold the pipe.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// What becomes of processes that a program leaves running after a timely end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftovers {
    /// They stay: a queue runner of a mail system.
    Stay,
    /// They are killed with their process group.
    Killed,
}

/// How a program ended.
pub struct Ended {
    /// Its exit code or signal.
    pub status: ExitStatus,
    /// May repeat what it was given.
    said: Zeroizing<Vec<u8>>,
}

impl Ended {
    /// What it wrote to standard error, else to standard output; printable and short.
    pub fn said(&self) -> String {
        quotable(&Zeroizing::new(String::from_utf8_lossy(&self.said).into_owned()))
    }

    /// As [`Self::said`], with `…` in the place of a secret that it was given and repeats.
    pub fn said_without(&self, secret: &Secret) -> String {
        if secret.expose().is_empty() {
            return self.said();
        }
        let said = Zeroizing::new(String::from_utf8_lossy(&self.said).into_owned());
        quotable(&Zeroizing::new(said.replace(secret.expose(), "…")))
    }
}

/// Why there is no exit status.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The vector is empty.
    #[error("the command is empty")]
    Empty,
    /// The program could not be started.
    #[error("{0}")]
    Start(io::Error),
    /// Its time was up; it and all its children were killed.
    #[error("it did not end in time and was killed")]
    Deadline,
}

/// Runs `argv` with `input` on standard input. When the future is dropped or the deadline passes, the program and
/// what it started are killed. What leaves the process group (setsid(2)) escapes.
///
/// # Errors
/// [`ChildError`]. An exit code other than 0 is not an error here.
pub async fn run(
    argv: &[String],
    input: &[u8],
    deadline: Duration,
    leftovers: Leftovers,
) -> Result<Ended, ChildError> {
    let (program, arguments) = argv.split_first().ok_or(ChildError::Empty)?;
    // Heard from now on, so that no end is missed.
    let ends = unix::signal(SignalKind::child()).map_err(ChildError::Start)?;
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(ENVIRONMENT)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(ChildError::Start)?;
    let mut group = Group::of(&child);
    let attended = attend(&mut child, input, group.ended(ends));
    let said = timeout(deadline, attended).await.map_err(|_| ChildError::Deadline)?;
    match leftovers {
        Leftovers::Stay => group.0 = None,
        Leftovers::Killed => drop(group),
    }
    // It has ended, so this does not wait; only now may its number be given to somebody else.
    let status = child.wait().await.map_err(ChildError::Start)?;
    Ok(Ended { status, said })
}

/// Feeds the program, listens to it and waits for it, all at once: any other order can lock up on a full pipe.
async fn attend(child: &mut Child, input: &[u8], end: impl Future<Output = ()>) -> Zeroizing<Vec<u8>> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (output, errors) = (Talk::default(), Talk::default());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A program may end without reading all: its exit code says what that means.
            let _ = stdin.write_all(input).await;
        }
    };
    let conversation = async { tokio::join!(feed, output.hear(stdout), errors.hear(stderr)) };
    tokio::pin!(conversation, end);
    tokio::select! {
        () = &mut end => {
            let _ = timeout(LAST_WORDS, &mut conversation).await;
        }
        _ = &mut conversation => end.await,
    }
    let errors = errors.take();
    if errors.trim_ascii().is_empty() { output.take() } else { errors }
}

#[derive(Default)]
struct Talk(Mutex<Zeroizing<Vec<u8>>>);

impl Talk {
    async fn hear(&self, from: Option<impl AsyncRead + Unpin>) {
        let Some(mut from) = from else { return };
        let mut chunk = Zeroizing::new([0; 1024]);
        while let Ok(length @ 1..) = from.read(chunk.as_mut()).await {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // All at once, for a vector that grows leaves copies behind.
            let room = TALK_LIMIT.saturating_sub(kept.len());
            kept.reserve_exact(room);
            kept.extend_from_slice(&chunk[..length.min(room)]);
        }
    }

    fn take(&self) -> Zeroizing<Vec<u8>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Kills the whole group unless it is disarmed. It is dropped before the child is reaped, so the number is still ours.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }

    /// Waits until the leader has ended, and does not reap it: as long as it is a zombie, its number is nobody else's.
    fn ended(&self, mut ends: unix::Signal) -> impl Future<Output = ()> + use<> {
        let leader = self.0;
        async move {
            let Some(leader) = leader else { return };
            let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
            while let Ok(WaitStatus::StillAlive) = waitid(Id::Pid(leader), flags) {
                ends.recv().await;
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}
