//! A new factor: started, shown, and confirmed by its first code, at once if a person is there.

use protocol::Secret;
use protocol::manage::{ConfirmEnrolment, ConfirmEnrolmentReply, StartEnrolment, StartEnrolmentReply};

use crate::Ending;
use crate::arguments::factors::{Confirmation, Ground, Wish};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{self, Format, Output};
use crate::proof;
use crate::terminal::{self, Terminal};
use crate::{about, codes};

/// Codes that are asked for before mfactl leaves it for later. The daemon counts for itself.
const TRIES: u32 = 3;

/// Starts an enrolment, shows what the app needs, and asks for the first code.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn start(wish: &Wish, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let request = StartEnrolment {
        user: wish.whose.user.clone(),
        factor: wish.factor.clone(),
        contact: wish.contact.clone(),
        algorithm: wish.algorithm(),
        digits: wish.digits,
        step: wish.step,
    };
    let mut reply = proof::call(&request, daemon)?;
    let (dark, light) = (reply.drawing.take(), reply.drawing_inverted.take());
    let drawing = match wish.ground() {
        Ground::Dark => dark,
        Ground::Light => light,
    };
    if let Some(drawing) = &drawing {
        output.drawing(drawing)?;
    }
    output.answer(&reply, shown)?;
    if reply.secret.is_none() && reply.sent_to.is_none() {
        // A hook judges by itself: there is nothing to confirm.
        return Ok(Ending::Done);
    }
    let pending = Pending { user: wish.whose.user.clone(), id: Some(reply.id.clone()) };
    match Terminal::on_stdin().filter(|_| output.format() == Format::Text) {
        Some(terminal) => pending.ask(&question(&reply), terminal, daemon, output),
        None => {
            output.remark(&pending.later());
            Ok(Ending::Done)
        }
    }
}

/// Confirms an enrolment by the code that was given, or by the one that is typed or comes on standard input.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn confirm(
    wanted: &Confirmation,
    daemon: &mut Connection,
    output: &mut Output,
) -> Result<Ending, Failure> {
    let pending = Pending { user: wanted.whose.user.clone(), id: wanted.id().map(str::to_owned) };
    match (wanted.code(), Terminal::on_stdin()) {
        (None, Some(terminal)) => pending.ask("Code (Enter: later): ", terminal, daemon, output),
        (code, _) => {
            let typed = code.map_or_else(terminal::line, |code| Ok(Some(code)))?;
            let code = typed.filter(|code| !code.expose().is_empty()).ok_or(Failure::NoCode)?;
            let reply = pending.confirm(code, daemon)?;
            pending.confirmed(&reply, output)
        }
    }
}

/// An enrolment that waits for its first code.
struct Pending {
    /// Whose; the caller's own if none.
    user: Option<String>,
    /// Which; the only one if none.
    id: Option<String>,
}

impl Pending {
    /// Asks until a code is right, the person leaves it, or it was tried often enough.
    fn ask(
        &self,
        question: &str,
        mut terminal: Terminal,
        daemon: &mut Connection,
        output: &mut Output,
    ) -> Result<Ending, Failure> {
        for _ in 0..TRIES {
            let Some(code) = terminal.ask(question)?.filter(|code| !code.expose().is_empty()) else {
                terminal.tell(&self.later());
                return Ok(Ending::Done);
            };
            match self.confirm(code, daemon) {
                Ok(reply) => return self.confirmed(&reply, output),
                Err(Failure::Refused(reason)) => terminal.tell(&reason),
                Err(failure) => return Err(failure),
            }
        }
        terminal.tell(&self.later());
        Ok(Ending::Refused)
    }

    fn confirm(&self, code: Secret, daemon: &mut Connection) -> Result<ConfirmEnrolmentReply, Failure> {
        let request = ConfirmEnrolment { user: self.user.clone(), id: self.id.clone(), code };
        proof::call(&request, daemon)
    }

    fn confirmed(&self, reply: &ConfirmEnrolmentReply, output: &mut Output) -> Result<Ending, Failure> {
        output.answer(reply, |reply| {
            let fact = about(self.user.as_deref(), &format!("{} is active.", reply.id));
            match reply.recovery.as_slice() {
                [] => fact,
                codes => format!("{fact}\n\n{}", codes::recovery(codes)),
            }
        })?;
        Ok(Ending::Done)
    }

    /// What to type when the code is at hand.
    fn later(&self) -> String {
        let mut command = "mfactl confirm".to_owned();
        for word in self.id.iter() {
            command.push_str(&format!(" {word}"));
        }
        for user in self.user.iter() {
            command.push_str(&format!(" --user {user}"));
        }
        format!("Not confirmed yet. When the code is at hand: {command}")
    }
}

fn question(reply: &StartEnrolmentReply) -> String {
    let which = match (&reply.sent_to, &reply.secret) {
        (Some(_), _) => "The code that was sent",
        (None, Some(_)) => "The code that the app shows now",
        (None, None) => "Code",
    };
    format!("{which} (Enter: later): ")
}

fn shown(reply: &StartEnrolmentReply) -> String {
    let StartEnrolmentReply { id, secret, uri, drawing: _, drawing_inverted: _, sent_to } = reply;
    let waits = secret.is_some() || sent_to.is_some();
    let state = if waits { "waits for its first code" } else { "active" };
    let mut rows = vec![output::row("factor", format!("{id}, {state}"))];
    rows.extend(secret.iter().map(|key| output::row("key", codes::grouped(key).expose().to_owned())));
    rows.extend(uri.iter().map(|uri| output::row("URI", uri.expose().to_owned())));
    rows.extend(sent_to.iter().map(|place| output::row("code sent to", place.clone())));
    output::table(rows)
}
