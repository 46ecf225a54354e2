//! One person's account: shown, switched on and off, unlocked, reset, given an address.

use protocol::manage::{Change, DisableUser, EnableUser, ResetUser, SetEmail, ShowUser, UnlockUser};

use crate::arguments::user::{EmailArguments, UserVerb};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::{Ending, about, account};

/// Carries out one verb on an account.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn carry_out(verb: &UserVerb, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    match verb {
        UserVerb::Enable(person) => enable(&person.user, daemon, output)?,
        UserVerb::Disable(person) => disable(&person.user, daemon, output)?,
        UserVerb::Show(person) => show(&person.user, daemon, output)?,
        UserVerb::Unlock(person) => unlock(&person.user, daemon, output)?,
        UserVerb::Reset(person) => reset(&person.user, daemon, output)?,
        UserVerb::Email(wanted) => set_email(wanted, daemon, output)?,
    }
    Ok(Ending::Done)
}

fn enable(user: &str, daemon: &mut Connection, output: &mut Output) -> Result<(), Failure> {
    let reply = daemon.call(&EnableUser { user: user.to_owned() })?;
    output.answer(&reply, |reply| match reply.change {
        Change::Changed => about(Some(user), "second factor switched on."),
        Change::Unchanged => about(Some(user), "second factor was on already."),
    })?;
    if let Some(warning) = &reply.warning {
        output.warning(warning);
    }
    Ok(())
}

fn disable(user: &str, daemon: &mut Connection, output: &mut Output) -> Result<(), Failure> {
    let reply = daemon.call(&DisableUser { user: user.to_owned() })?;
    output.answer(&reply, |reply| match reply.change {
        Change::Changed => about(Some(user), "second factor switched off."),
        Change::Unchanged => about(Some(user), "second factor was off already."),
    })
}

fn unlock(user: &str, daemon: &mut Connection, output: &mut Output) -> Result<(), Failure> {
    let reply = daemon.call(&UnlockUser { user: user.to_owned() })?;
    output.answer(&reply, |reply| match reply.change {
        Change::Changed => about(Some(user), "unlocked, failures forgotten."),
        Change::Unchanged => about(Some(user), "was not locked, and no failures were counted."),
    })
}

fn reset(user: &str, daemon: &mut Connection, output: &mut Output) -> Result<(), Failure> {
    let reply = daemon.call(&ResetUser { user: user.to_owned() })?;
    output.answer(&reply, |reply| match reply.change {
        Change::Changed => about(Some(user), "factors and codes forgotten; switch and address stay."),
        Change::Unchanged => about(Some(user), "nothing was enrolled, and no code was out."),
    })
}

fn set_email(wanted: &EmailArguments, daemon: &mut Connection, output: &mut Output) -> Result<(), Failure> {
    let user = &wanted.user;
    let reply = daemon.call(&SetEmail { user: user.clone(), address: wanted.new.address.clone() })?;
    output.answer(&reply, |reply| match (reply.change, &reply.address) {
        (Change::Changed, Some(address)) => about(Some(user), &format!("address set to {address}.")),
        (Change::Unchanged, Some(address)) => about(Some(user), &format!("address was {address} already.")),
        (Change::Changed, None) => about(Some(user), "address cleared."),
        (Change::Unchanged, None) => about(Some(user), "no address was kept."),
    })
}

fn show(user: &str, daemon: &mut Connection, output: &mut Output) -> Result<(), Failure> {
    let reply = daemon.call(&ShowUser { user: user.to_owned() })?;
    output.answer(&reply, |reply| account::block(&reply.account))
}
