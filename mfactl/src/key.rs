//! The key that seals the secrets in the database.

use protocol::manage::{RotateKey, RotateKeyReply};

use crate::Ending;
use crate::arguments::administration::KeyVerb;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Format, Output};

/// Seals every secret anew. [`Ending::Refused`] if there is one that no key opens.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer; what was sealed anew until then stays so.
pub fn carry_out(verb: &KeyVerb, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let KeyVerb::Rotate = verb;
    let mut last = RotateKeyReply { accounts: 0, resealed: 0, lost: 0 };
    daemon.stream(&RotateKey {}, |page| {
        last = page;
        match output.format() {
            Format::Json => output.answer(&last, |_| String::new()),
            Format::Text => Ok(()),
        }
    })?;
    if output.format() == Format::Text {
        output.answer(&last, text)?;
    }
    if last.lost == 0 {
        return Ok(Ending::Done);
    }
    output.warning(
        "what no key opens cannot prove anything any more. Put the key that sealed it back into the key file as a \
         further line and repeat this, or let the persons enrol anew",
    );
    Ok(Ending::Refused)
}

fn text(reply: &RotateKeyReply) -> String {
    let RotateKeyReply { accounts, resealed, lost } = reply;
    let sum = format!("Accounts looked at: {accounts}. Secrets sealed anew: {resealed}.");
    if *lost == 0 { sum } else { format!("{sum} Secrets that no key opens: {lost}.") }
}
