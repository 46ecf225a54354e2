//! A change to one's own factors needs a proof by one of them: a login of oneself, on the connection that asks for the
//! change. mfactl plays the part that the PAM module plays in a login; every decision is the daemon's.

use protocol::call::Method;
use protocol::login::{
    Answer, Attempt, Begin, Cancel, Continue, Conversation, Question, Step, Then, Verdict,
};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::myself;
use crate::terminal::Terminal;

/// The PAM service that the proof is recorded under.
const SERVICE: &str = "mfactl";

/// Asks; and if mfad wants a proof first, asks the person for it, and then mfad once more.
///
/// # Errors
/// As for [`Connection::call`]; [`Failure::NoTerminal`], [`Failure::NotProved`].
pub fn call<M: Method>(method: &M, daemon: &mut Connection) -> Result<M::Reply, Failure> {
    match daemon.call(method) {
        Err(Failure::ProofNeeded(_)) => {
            prove(daemon)?;
            daemon.call(method)
        }
        answered => answered,
    }
}

fn prove(daemon: &mut Connection) -> Result<(), Failure> {
    let question = "mfad wants a proof of who you are before it changes this";
    let mut terminal = Terminal::on_stdin().ok_or(Failure::NoTerminal { question })?;
    terminal.tell("Prove who you are first.");
    let attempt = Attempt {
        user: myself::name()?,
        service: SERVICE.to_owned(),
        tty: None,
        remote_host: None,
        remote_user: None,
        ssh_connection: None,
        ssh_auth_info: None,
    };
    let mut step = daemon.call(&Begin { protocol: protocol::VERSION, attempt, appended: None })?.step;
    loop {
        for notice in &step.notices {
            terminal.tell(&notice.text);
        }
        step = match &step.then {
            Then::End(Verdict::Allow | Verdict::Exempt) => return Ok(()),
            Then::End(verdict) => return Err(Failure::NotProved(*verdict)),
            Then::Continue => proceed(&step, daemon)?,
            Then::Ask(question) => answer(&step, question, &mut terminal, daemon)?,
        };
    }
}

fn proceed(step: &Step, daemon: &mut Connection) -> Result<Step, Failure> {
    let proceed = Continue { login: step.login.clone(), conversation: Conversation::Seen };
    Ok(daemon.call(&proceed)?.step)
}

/// The next step; who ends the input gives up.
fn answer(
    step: &Step,
    question: &Question,
    terminal: &mut Terminal,
    daemon: &mut Connection,
) -> Result<Step, Failure> {
    let login = step.login.clone();
    match terminal.ask(&question.text)? {
        Some(text) => Ok(daemon.call(&Answer { login, question: question.id.clone(), text })?.step),
        None => {
            daemon.call(&Cancel { login })?;
            Err(Failure::NotProved(Verdict::Cancelled))
        }
    }
}
