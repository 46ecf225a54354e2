//! Whether the audit is what mfad wrote.

use protocol::manage::{AuditBreak, Outcome, VerifyAudit, VerifyAuditReply};

use crate::Ending;
use crate::arguments::administration::AuditVerb;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{self, Colour, Output};

/// Shows what was found. [`Ending::Refused`] if the audit is broken, or is not the one that was known.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn carry_out(verb: &AuditVerb, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let AuditVerb::Verify { known } = verb;
    let colour = output.colour();
    let mut ending = Ending::Done;
    // A million events take a while.
    daemon.stream(&VerifyAudit { known: known.clone() }, |reply| {
        if reply.outcome == Outcome::Failed {
            ending = Ending::Refused;
        }
        output.answer(&reply, |reply| text(reply, colour))
    })?;
    Ok(ending)
}

fn text(reply: &VerifyAuditReply, colour: Colour) -> String {
    let VerifyAuditReply { outcome: _, events, forgotten, head, breaks, count, known } = reply;
    let mut lines = vec![match count {
        0 => format!("The audit is whole. Events: {events}. Forgotten on purpose: {forgotten}."),
        _ => format!("The audit is NOT what mfad wrote. Breaks: {count}. Events: {events}."),
    }];
    lines.extend(breaks.iter().map(line));
    if u64::try_from(breaks.len()).is_ok_and(|shown| shown < *count) {
        lines.push("These are the first.".to_owned());
    }
    lines.extend(known.as_ref().map(|known| output::finding(known, colour)));
    lines.extend(head.as_ref().map(|head| format!("Its head, to note down elsewhere: {head}")));
    lines.join("\n")
}

fn line(found: &AuditBreak) -> String {
    let AuditBreak { first, last, text } = found;
    if first == last { format!("event {first}: {text}") } else { format!("events {first} to {last}: {text}") }
}
