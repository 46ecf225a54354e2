//! A test mail, sent the way codes are sent.

use protocol::manage::{Outcome, TestMail};

use crate::Ending;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{self, Output};

/// Shows each step as it happens. [`Ending::Refused`] if one failed.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn send(address: &str, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let colour = output.colour();
    let mut ending = Ending::Done;
    daemon.stream(&TestMail { address: address.to_owned() }, |step| {
        if step.finding.outcome == Outcome::Failed {
            ending = Ending::Refused;
        }
        output.answer(&step, |step| output::finding(&step.finding, colour))
    })?;
    Ok(ending)
}
