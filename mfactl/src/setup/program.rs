//! Programs of the host, run to their end.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::fault::Fault;

/// Where the host's programs are, whatever the caller's environment says.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Of what a program said, as much is told.
const TOLD_LINES: usize = 3;

/// A program with a clean environment, and nobody to ask.
pub fn command(words: &[&str]) -> Command {
    let (program, arguments) = words.split_first().unwrap_or((&"true", &[]));
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", PATH).env("LC_ALL", "C.UTF-8");
    command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    command
}

/// Runs one, and returns what it printed.
///
/// # Errors
/// [`Fault::Program`] if it is not there or does not end well.
pub fn run(words: &[&str]) -> Result<String, Fault> {
    let (status, out, err) = ended(words)?;
    if status == Some(0) { Ok(out) } else { Err(failed(words, &(out + &err))) }
}

/// Runs one, and returns how it ended and what it printed on standard output and standard error. A Ctrl-C is not for it:
/// what changes the host is not cut off in the middle.
///
/// # Errors
/// [`Fault::Program`] if it cannot be started.
pub fn ended(words: &[&str]) -> Result<(Option<i32>, String, String), Fault> {
    let output =
        command(words).process_group(0).output().map_err(|error| failed(words, &error.to_string()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((output.status.code(), text(&output.stdout), text(&output.stderr)))
}

/// That a program did not do what it should.
pub fn failed(words: &[&str], said: &str) -> Fault {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.len().saturating_sub(TOLD_LINES);
    Fault::Program { program: words.join(" "), said: lines[last..].join("; ") }
}
