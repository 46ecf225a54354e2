//! The factors that somebody has: shown, taken away, put in order, and recovery codes made anew.

use protocol::manage::{Change, NewRecovery, PreferFactor, RemoveFactor, RemoveFactorReply, ShowUser};

use crate::Ending;
use crate::arguments::factors::{Preference, RecoveryVerb, Removal, Whose};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::{about, account, codes, myself, proof};

/// Shows the caller's own account, or another for an administrator.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn status(whose: &Whose, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let user = whose.user.clone().map_or_else(myself::name, Ok)?;
    let reply = daemon.call(&ShowUser { user })?;
    output.answer(&reply, |reply| account::block(&reply.account))?;
    Ok(Ending::Done)
}

/// Takes a factor away.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn remove(wanted: &Removal, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let (user, id) = (wanted.whose.user.clone(), wanted.id.clone());
    let reply = proof::call(&RemoveFactor { user: user.clone(), id: id.clone() }, daemon)?;
    output.answer(&reply, |reply| about(user.as_deref(), &removed(&id, reply)))?;
    if reply.left.is_empty() && reply.change == Change::Changed {
        output.warning("nothing is left to prove with: a login that asks for a factor is refused");
    }
    Ok(Ending::Done)
}

fn removed(id: &str, reply: &RemoveFactorReply) -> String {
    let left = if reply.left.is_empty() { "nothing".to_owned() } else { reply.left.join(", ") };
    match reply.change {
        Change::Changed => format!("{id} removed. Left: {left}."),
        Change::Unchanged => format!("there was no {id}. Left: {left}."),
    }
}

/// Chooses the factor that is asked for first.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn prefer(wanted: &Preference, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    let (user, factor) = (wanted.whose.user.clone(), wanted.first.id.clone());
    let reply = proof::call(&PreferFactor { user: user.clone(), factor: factor.clone() }, daemon)?;
    output.answer(&reply, |reply| {
        let fact = match (reply.change, &factor) {
            (Change::Changed, Some(id)) => format!("{id} is asked for first."),
            (Change::Unchanged, Some(id)) => format!("{id} was asked for first already."),
            (Change::Changed, None) => "no factor is preferred: the order of this host counts.".to_owned(),
            (Change::Unchanged, None) => "no factor was preferred.".to_owned(),
        };
        about(user.as_deref(), &fact)
    })?;
    Ok(Ending::Done)
}

/// Makes new recovery codes.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn recovery(
    verb: &RecoveryVerb,
    daemon: &mut Connection,
    output: &mut Output,
) -> Result<Ending, Failure> {
    let RecoveryVerb::New(whose) = verb;
    let reply = proof::call(&NewRecovery { user: whose.user.clone() }, daemon)?;
    output.answer(&reply, |reply| {
        let fact = about(whose.user.as_deref(), "earlier recovery codes are void.");
        format!("{fact}\n\n{}", codes::recovery(&reply.codes))
    })?;
    Ok(Ending::Done)
}
