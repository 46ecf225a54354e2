//! The configuration, as mfad's own parser sees it.

use protocol::manage::{CheckConfig, CheckConfigReply, Problem, Reload};

use crate::Ending;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;

/// Shows every problem in the files. [`Ending::Refused`] if there is one.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn check(daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let reply = daemon.call(&CheckConfig {})?;
    output.answer(&reply, text)?;
    Ok(if reply.problems.is_empty() { Ending::Done } else { Ending::Refused })
}

/// Puts the files into effect.
///
/// # Errors
/// [`Failure`] if something is wrong in them, or mfad did not answer.
pub fn reload(daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let reply = daemon.call(&Reload {})?;
    output.answer(&reply, |_| "The configuration is in effect.".to_owned())?;
    Ok(Ending::Done)
}

fn text(reply: &CheckConfigReply) -> String {
    let files = reply.files.join(", ");
    let mut lines: Vec<String> = reply.problems.iter().chain(&reply.warnings).map(problem).collect();
    lines.push(match (reply.problems.len(), files.as_str()) {
        (0, "") => "No files, so the defaults hold.".to_owned(),
        (0, _) if !reply.warnings.is_empty() => format!("No problems in {files}; see what is odd above."),
        (0, _) => format!("No problems in {files}."),
        (1, _) => "1 problem.".to_owned(),
        (count, _) => format!("{count} problems."),
    });
    lines.join("\n")
}

/// The place as compilers write it, so that editors can jump to it.
fn problem(problem: &Problem) -> String {
    let Problem { file, line, column, key, message, remedy } = problem;
    let place = match (line, column) {
        (None, _) => file.clone(),
        (Some(line), None) => format!("{file}:{line}"),
        (Some(line), Some(column)) => format!("{file}:{line}:{column}"),
    };
    let fact = key.as_ref().map_or(message.clone(), |key| format!("{key}: {message}"));
    format!("{place}: {fact}\n    {remedy}")
}
