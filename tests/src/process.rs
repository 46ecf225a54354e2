//! A program that a story starts, and that ends with it.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::namespace::BASE;
use crate::wait::until;

/// What must die with a program when its story dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// The program alone; its pid is the program's.
    Alone,
    /// Whatever it forks too: it gets a pid namespace, and its pid is that of a guardian.
    Whole,
}

/// A running program. Dropping it kills it and waits.
pub struct Running {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Running {
    /// Starts a program with an environment of nothing but a path; what it prints goes to [`Running::log`].
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(name: &str, family: Family, program: impl AsRef<Path>, arguments: &[&str]) -> Self {
        let log = PathBuf::from(format!("{BASE}/{name}.{}.log", serial()));
        let out = File::create(&log).expect("a log file");
        let err = out.try_clone().expect("the log file again");
        let mut command = ending_with_us(family, program.as_ref());
        command.args(arguments).stdin(Stdio::piped()).stdout(out).stderr(err);
        let child = command.spawn().unwrap_or_else(|error| panic!("starting {name}: {error}"));
        Running { child, name: name.to_owned(), log }
    }

    /// The pid; see [`Family`] for whose.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Waits until it has printed this.
    ///
    /// # Panics
    /// If it ends before, or never does.
    pub fn await_output(&mut self, text: &str) {
        let what = format!("{} to print {text:?}", self.name);
        until(&what, || {
            let log = self.log();
            if log.contains(text) {
                return Some(());
            }
            assert!(self.has_ended().is_none(), "{} ended before it printed {text:?}:\n{log}", self.name);
            None
        });
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// If the process is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).expect("a pid");
        kill(Pid::from_raw(pid), signal).unwrap_or_else(|error| panic!("{signal} to {}: {error}", self.name));
    }

    /// SIGKILL; no matter if it has ended by itself.
    pub fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Its end, if it has come.
    ///
    /// # Panics
    /// If the kernel does not know the process.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the state of a child")
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not come.
    pub fn await_end(&mut self) -> ExitStatus {
        let what = format!("{} to end", self.name);
        until(&what, || self.child.try_wait().expect("the state of a child"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            explain(&self.name, &self.log());
        }
    }
}

/// Shows what a program had said when its story failed.
#[expect(clippy::print_stderr, reason = "the test runner shows this beside the failed assertion")]
pub fn explain(name: &str, said: &str) {
    eprintln!("--- {name} ---\n{said}");
}

/// How a program that ran to its end did.
pub struct Finished {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// The exit code; 128 and the signal's number if a signal ended it.
    pub code: i32,
}

impl Finished {
    /// The output of a program that must succeed.
    ///
    /// # Panics
    /// If it did not.
    pub fn expect_success(self, what: &str) -> String {
        assert_eq!(self.code, 0, "{what} failed: {}{}", self.out, self.err);
        self.out
    }
}

/// Runs a program to its end, with an environment of nothing but a path.
///
/// # Panics
/// If it cannot be started.
pub fn run(program: impl AsRef<Path>, arguments: &[&str]) -> Finished {
    let output = bare(program.as_ref())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("running {}: {error}", program.as_ref().display()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().or_else(|| output.status.signal().map(|signal| 128 + signal));
    Finished { out: text(&output.stdout), err: text(&output.stderr), code: code.expect("an exit status") }
}

/// A command that inherits nothing from the environment of the tests.
pub fn bare(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm")
        .env("HOME", "/run/home/root");
    command
}

/// `setpriv` asks the kernel to kill the program with the thread that started it. A program that changes its user loses
/// that, so a family gets a shell as its first process, whose end the kernel makes the end of all. Signals are back at
/// their defaults first: a test run under nohup(1) ignores SIGHUP, and whatever it starts would inherit that.
fn ending_with_us(family: Family, program: &Path) -> Command {
    let mut command = bare("env");
    command.args(["--default-signal", "setpriv", "--pdeathsig", "KILL", "--"]);
    if family == Family::Whole {
        command.args([
            "unshare",
            "--pid",
            "--fork",
            "--kill-child",
            "--",
            "sh",
            "-c",
            "\"$@\" <&0 & wait $!",
            "sh",
        ]);
    }
    command.arg(program);
    command
}

fn serial() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
