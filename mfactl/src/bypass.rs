//! What an administrator gives out: codes that let somebody in, and tickets that let somebody enrol. Each is shown once.

use protocol::Secret;
use protocol::manage::{Change, IssueBypass, IssueTicket, RevokeBypass};

use crate::arguments::administration::{Bypass, BypassVerb, Ticket, TicketVerb};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::{Ending, about, time};

/// Gives out a bypass code, or makes all of them void.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn carry_out(verb: &BypassVerb, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    match verb {
        BypassVerb::Issue(wanted) => issue(wanted, daemon, output)?,
        BypassVerb::Revoke(person) => revoke(&person.user, daemon, output)?,
    }
    Ok(Ending::Done)
}

fn issue(wanted: &Bypass, daemon: &mut Connection, output: &mut Output) -> Result<(), Failure> {
    let Bypass { user, uses, lifetime, reason } = wanted;
    let request =
        IssueBypass { user: user.clone(), uses: *uses, lifetime: *lifetime, reason: reason.clone() };
    let reply = daemon.call(&request)?;
    let logins = if *uses == 1 { "one login".to_owned() } else { format!("{uses} logins") };
    output.answer(&reply, |reply| {
        let fact = format!("bypass code, good for {logins} until {}.", time::local(reply.expires));
        once(&about(Some(user), &fact), &reply.code)
    })
}

fn revoke(user: &str, daemon: &mut Connection, output: &mut Output) -> Result<(), Failure> {
    let reply = daemon.call(&RevokeBypass { user: user.to_owned() })?;
    output.answer(&reply, |reply| match reply.change {
        Change::Changed => about(Some(user), "bypass codes are void."),
        Change::Unchanged => about(Some(user), "no bypass code was out."),
    })
}

/// Gives out a ticket.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn ticket(verb: &TicketVerb, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let TicketVerb::Issue(Ticket { user, lifetime }) = verb;
    let reply = daemon.call(&IssueTicket { user: user.clone(), lifetime: *lifetime })?;
    output.answer(&reply, |reply| {
        let fact = format!("ticket to enrol at a login until {}.", time::local(reply.expires));
        once(&about(Some(user), &fact), &reply.code)
    })?;
    Ok(Ending::Done)
}

fn once(fact: &str, code: &Secret) -> String {
    format!("{fact} It is not shown again.\n\n    {}", code.expose())
}
