//! Runs a program of the operator: an argument vector and never a shell, a clean environment, its own process group,
//! an end to its time and to its talk.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::quotable;

/// The only variable a program finds.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// How much of what a program says is kept, in bytes.
const TALK_LIMIT: usize = 4 << 10;
/// How long after its end a program's last words are waited for: a child it left behind may hold the pipe.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code or signal.
    pub status: ExitStatus,
    /// What it wrote to standard error, else to standard output; printable and short.
    pub said: String,
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
/// what it started are killed; what a program leaves running after a timely end stays.
///
/// # Errors
/// [`ChildError`]. An exit code other than 0 is not an error here.
pub async fn run(argv: &[String], input: &[u8], deadline: Duration) -> Result<Ended, ChildError> {
    let (program, arguments) = argv.split_first().ok_or(ChildError::Empty)?;
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(ChildError::Start)?;
    let mut group = Group::of(&child);
    let ended = timeout(deadline, attend(&mut child, input)).await.map_err(|_| ChildError::Deadline)?;
    group.0 = None;
    ended.map_err(ChildError::Start)
}

/// Feeds the program, listens to it and waits for it, all at once: any other order can lock up on a full pipe.
async fn attend(child: &mut Child, input: &[u8]) -> io::Result<Ended> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (output, errors) = (Talk::default(), Talk::default());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A program may end without reading all: its exit code says what that means.
            let _ = stdin.write_all(input).await;
        }
    };
    let conversation = async { tokio::join!(feed, output.hear(stdout), errors.hear(stderr)) };
    tokio::pin!(conversation);
    let status = tokio::select! {
        status = child.wait() => {
            let _ = timeout(LAST_WORDS, &mut conversation).await;
            status?
        }
        _ = &mut conversation => child.wait().await?,
    };
    let said = Some(errors.text()).filter(|text| !text.is_empty()).unwrap_or_else(|| output.text());
    Ok(Ended { status, said })
}

#[derive(Default)]
struct Talk(Mutex<Vec<u8>>);

impl Talk {
    async fn hear(&self, from: Option<impl AsyncRead + Unpin>) {
        let Some(mut from) = from else { return };
        let mut chunk = [0; 1024];
        while let Ok(length @ 1..) = from.read(&mut chunk).await {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let room = TALK_LIMIT.saturating_sub(kept.len());
            kept.extend_from_slice(&chunk[..length.min(room)]);
        }
    }

    fn text(&self) -> String {
        quotable(&String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Kills the whole group unless it is disarmed. It is dropped before the child is reaped, so the number is still ours.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}
