//! Runs the programs of `[[hook]]` sections: one JSON object on standard input, an exit code as the answer. What a
//! program says is quoted in the log, with the code blanked out, and is never shown to the person who waits.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use protocol::Secret;
use serde::Serialize;
use zeroize::Zeroizing;

use super::child::{self, ChildError, Ended, Leftovers};
use super::{Cause, DeliveryError, Receipt};
use crate::config::Hook;
use crate::rules::attempt::{Service, Source, UserName};

/// What a program is told. It never stands in arguments or the environment, which others can read.
#[derive(Debug, Serialize)]
pub struct Request<'a> {
    /// The account.
    pub user: &'a UserName,
    /// Where the person is reached: a telephone number, an address. As the account or its administrator gave it.
    pub contact: Option<&'a str>,
    /// What to send, or what was typed. None where the program makes its own.
    pub code: Option<&'a Secret>,
    /// This host, as people know it.
    pub host: &'a str,
    /// The PAM service.
    pub service: &'a Service,
    /// Where the login comes from: an address, `local` or `unknown`.
    pub source: Source,
    /// The language of the person, as in `en`.
    pub language: &'a str,
}

/// What a program says of what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Judgement {
    /// It is right.
    Accepted,
    /// It is wrong.
    Rejected,
}

/// EX_TEMPFAIL of <sysexits.h>.
const TRY_LATER: i32 = 75;

/// Runs the hook's `send`. Its time ends after the hook's timeout or this deadline, whichever is shorter.
///
/// # Errors
/// [`DeliveryError`], if the program did not end by itself with exit code 0. It may have sent the code nevertheless.
pub async fn send(hook: &Hook, request: &Request<'_>, deadline: Duration) -> Result<Receipt, DeliveryError> {
    let run = Run { hook, argv: hook.send(), key: "send", code: request.code };
    let ended = run.until_its_end(request, deadline).await?;
    match ended.status.code() {
        Some(0) => Ok(Receipt { by: run.name(), answer: run.said(&ended) }),
        Some(TRY_LATER) => Err(run.failure(Cause::Deferred, &ended)),
        Some(_) | None => Err(run.failure(Cause::Rejected, &ended)),
    }
}

/// Runs the hook's `check`, under the deadline of [`send`].
///
/// # Errors
/// [`DeliveryError`], if the program ended with another exit code than 0 (right) and 1 (wrong), by a signal, or not in
/// time. Nothing is known of the code then, and nobody may be let in.
pub async fn check(
    hook: &Hook,
    request: &Request<'_>,
    deadline: Duration,
) -> Result<Judgement, DeliveryError> {
    let run = Run { hook, argv: hook.check(), key: "check", code: request.code };
    let ended = run.until_its_end(request, deadline).await?;
    match ended.status.code() {
        Some(0) => Ok(Judgement::Accepted),
        Some(1) => Ok(Judgement::Rejected),
        Some(TRY_LATER) => Err(run.failure(Cause::Deferred, &ended)),
        Some(_) | None => Err(run.failure(Cause::Rejected, &ended)),
    }
}

/// One run of one program.
struct Run<'a> {
    hook: &'a Hook,
    argv: Option<&'a [String]>,
    /// What the hook calls it.
    key: &'static str,
    code: Option<&'a Secret>,
}

impl Run<'_> {
    async fn until_its_end(&self, request: &Request<'_>, deadline: Duration) -> Result<Ended, DeliveryError> {
        let argv = self.argv.unwrap_or_default();
        let input = on_one_line(request).map_err(|error| self.not_run(Cause::Misconfigured, &error))?;
        let deadline = deadline.min(self.hook.timeout);
        let ended = child::run(argv, &input, deadline, Leftovers::Killed).await;
        ended.map_err(|error| match error {
            ChildError::Empty | ChildError::Start(_) => self.not_run(Cause::Misconfigured, &error),
            ChildError::Deadline => self.not_run(Cause::Timeout, &error),
        })
    }

    fn name(&self) -> String {
        format!("hook {}", self.hook.name)
    }

    fn said(&self, ended: &Ended) -> String {
        self.code.map_or_else(|| ended.said(), |code| ended.said_without(code))
    }

    fn not_run(&self, cause: Cause, error: &dyn std::fmt::Display) -> DeliveryError {
        let remedy = match cause {
            Cause::Timeout => "see why it hangs, or raise the hook's timeout",
            _ => "check the command, and that mfad may run it",
        };
        DeliveryError::new(cause, format!("hook {} ({}): {error}; {remedy}", self.hook.name, self.key))
    }

    fn failure(&self, cause: Cause, ended: &Ended) -> DeliveryError {
        let how = in_words(ended.status);
        let said = match self.said(ended).as_str() {
            "" => "it said nothing, run it by hand".to_owned(),
            said => format!("it said: {said}"),
        };
        DeliveryError::new(cause, format!("hook {} ({}): {how}; {said}", self.hook.name, self.key))
    }
}

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(TRY_LATER), _) => format!("try later (exit code {TRY_LATER})"),
        (Some(code), _) => format!("failed (exit code {code})"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "ended in an unknown way".to_owned(),
    }
}

/// JSON and a line feed, so that a shell's `read` is content too.
fn on_one_line(request: &Request<'_>) -> serde_json::Result<Zeroizing<Vec<u8>>> {
    // A vector that grows leaves copies behind: a letter needs six bytes (\u001b) at the most.
    let texts = [request.user.as_str(), request.contact.unwrap_or_default(), request.host, request.language];
    let letters: usize = texts.iter().map(|text| text.len()).sum();
    let code = request.code.map_or(0, |code| code.expose().len());
    let room = 6 * (letters + code + request.service.as_str().len()) + 256;
    let mut line = Zeroizing::new(Vec::with_capacity(room));
    serde_json::to_writer(&mut *line, request)?;
    line.push(b'\n');
    debug_assert!(line.len() <= room, "the buffer was too small");
    Ok(line)
}
