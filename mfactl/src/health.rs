//! How the daemon is.

use protocol::manage::{Health, HealthReply, Outcome};

use crate::Ending;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{self, Colour, Output};
use crate::time;

/// Shows the checks and counters. [`Ending::Refused`] if mfad calls itself failed; a warning is none.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn show(daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let colour = output.colour();
    let reply = daemon.call(&Health {})?;
    output.answer(&reply, |reply| text(reply, colour))?;
    Ok(match reply.outcome {
        Outcome::Ok | Outcome::Warning => Ending::Done,
        Outcome::Failed => Ending::Refused,
    })
}

fn text(reply: &HealthReply, colour: Colour) -> String {
    let outcome = output::outcome(reply.outcome, colour);
    let mut parts = vec![format!("mfad {}, up {}: {outcome}", reply.release, time::span(reply.uptime))];
    parts.extend(reply.checks.iter().map(|check| output::finding(check, colour)));
    if !reply.counters.is_empty() {
        parts.push("\nCounted since the start:".to_owned());
        let rows = reply.counters.iter().map(|counter| vec![counter.name.clone(), counter.value.to_string()]);
        parts.push(output::table(rows));
    }
    parts.join("\n")
}
