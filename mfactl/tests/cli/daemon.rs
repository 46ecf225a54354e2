//! A daemon that says what it is told to, and remembers what it was asked.

use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

use protocol::call::{self, Position};
use protocol::frame::{self, FrameBuffer};
use protocol::manage::{HelloReply, REFUSED};
use serde::Serialize;

pub(crate) const MFACTL: &str = env!("CARGO_BIN_EXE_mfactl");

/// What the daemon does with one call.
pub(crate) enum Scene {
    Says(Vec<u8>),
    HangsUp,
}

pub(crate) fn reply(reply: &impl Serialize) -> Scene {
    Scene::Says(framed(&call::success(reply, Position::Last)))
}

pub(crate) fn stream<R: Serialize>(replies: &[R]) -> Scene {
    let position = |at| if at + 1 == replies.len() { Position::Last } else { Position::Continues };
    let each = replies.iter().enumerate();
    Scene::Says(each.flat_map(|(at, reply)| framed(&call::success(reply, position(at)))).collect())
}

pub(crate) fn refusal(reason: &str) -> Scene {
    failure(REFUSED, reason)
}

pub(crate) fn failure(name: &str, reason: &str) -> Scene {
    Scene::Says(framed(&call::failure(name, reason)))
}

pub(crate) fn hello() -> Scene {
    reply(&HelloReply { protocol: protocol::VERSION, release: "0.1.0".into() })
}

fn framed(message: &impl Serialize) -> Vec<u8> {
    frame::encode(message).unwrap().to_vec()
}

/// What came of one run of mfactl.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Every call, as it came, Hello excepted.
    pub(crate) asked: Vec<String>,
}

impl Run {
    #[track_caller]
    pub(crate) fn ended(&self, code: i32, stdout: &str, stderr: &str) {
        assert_eq!((self.stdout.as_str(), self.stderr.as_str(), self.code), (stdout, stderr, code));
    }
}

/// Runs mfactl against a daemon that agrees on the version and then plays these scenes.
pub(crate) fn run(words: &[&str], scenes: impl IntoIterator<Item = Scene>) -> Run {
    let mut run = run_from_the_start(words, std::iter::once(hello()).chain(scenes));
    assert_eq!(run.asked.remove(0), r#"{"method":"io.mfad.Manage.Hello","parameters":{"protocol":1}}"#);
    run
}

/// The same, Hello left to the script.
pub(crate) fn run_from_the_start(words: &[&str], scenes: impl IntoIterator<Item = Scene>) -> Run {
    let directory = Directory::new();
    let daemon = Daemon::start(&directory.socket(), scenes.into_iter().collect());
    let output = mfactl(&directory.socket()).args(words).output().unwrap();
    ended(&output, daemon.asked())
}

/// The same with a person at a terminal, who has typed this already; `\x04` ends the input.
pub(crate) fn run_at_terminal(words: &[&str], typed: &str, scenes: impl IntoIterator<Item = Scene>) -> Run {
    let terminal = nix::pty::openpty(None, None).unwrap();
    let mut keyboard = std::fs::File::from(terminal.master);
    keyboard.write_all(typed.as_bytes()).unwrap();
    let mut run = run_with_input(words, terminal.slave.into(), scenes);
    run.asked.remove(0);
    run
}

/// The same with something on standard input.
pub(crate) fn run_with_input(words: &[&str], input: Stdio, scenes: impl IntoIterator<Item = Scene>) -> Run {
    let directory = Directory::new();
    let scenes = std::iter::once(hello()).chain(scenes).collect();
    let daemon = Daemon::start(&directory.socket(), scenes);
    let output = mfactl(&directory.socket()).args(words).stdin(input).output().unwrap();
    ended(&output, daemon.asked())
}

/// The same through a shell: `$MFACTL` is the program with its socket.
pub(crate) fn run_in_shell(line: &str, scenes: impl IntoIterator<Item = Scene>) -> Run {
    let directory = Directory::new();
    let scenes = std::iter::once(hello()).chain(scenes).collect();
    let daemon = Daemon::start(&directory.socket(), scenes);
    let program = format!("{MFACTL} --socket {}", directory.socket().display());
    let output = Command::new("/bin/sh")
        .args(["-c", line])
        .env_clear()
        .envs([("MFACTL", program.as_str()), ("TZ", "UTC"), ("PATH", "/usr/bin:/bin")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    ended(&output, daemon.asked())
}

/// mfactl in a bare environment.
pub(crate) fn mfactl(socket: &Path) -> Command {
    let mut command = Command::new(MFACTL);
    command.env_clear().env("TZ", "UTC").stdin(Stdio::null()).arg("--socket").arg(socket);
    command
}

pub(crate) fn ended(output: &Output, asked: Vec<String>) -> Run {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let code = output.status.code().expect("mfactl was killed by a signal");
    Run { code, stdout: text(&output.stdout), stderr: text(&output.stderr), asked }
}

struct Daemon {
    socket: PathBuf,
    thread: JoinHandle<Vec<String>>,
}

impl Daemon {
    fn start(socket: &Path, scenes: Vec<Scene>) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let thread = thread::spawn(move || play(listener.accept().unwrap().0, scenes));
        Daemon { socket: socket.to_owned(), thread }
    }

    /// What it was asked; mfactl has ended by now.
    fn asked(self) -> Vec<String> {
        // Frees it if mfactl never came.
        drop(UnixStream::connect(&self.socket));
        self.thread.join().unwrap()
    }
}

fn play(mut stream: UnixStream, scenes: Vec<Scene>) -> Vec<String> {
    let mut arrived = FrameBuffer::default();
    let mut asked = Vec::new();
    let mut scenes = scenes.into_iter();
    while let Ok(frame) = frame::read_frame(&mut stream, &mut arrived) {
        asked.push(String::from_utf8(frame.to_vec()).unwrap());
        match scenes.next() {
            // mfactl may have gone on purpose.
            Some(Scene::Says(bytes)) => drop(stream.write_all(&bytes)),
            Some(Scene::HangsUp) => break,
            None => panic!("no scene for {asked:?}"),
        }
    }
    asked
}

/// A directory of a test's own; gone with it, however it ends.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mfactl-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Directory(path)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("manage")
    }

    /// A file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
