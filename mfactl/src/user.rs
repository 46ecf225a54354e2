//! One person's account: shown, switched on and off, unlocked, given an address.

use protocol::manage::{
    ChallengeLine, Change, DisableUser, EnableUser, Lock, SetEmail, ShowUser, Switch, UnlockUser, UserDetail,
};
use protocol::text::printable;

use crate::Ending;
use crate::arguments::{EmailArguments, UserVerb};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::time;

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
        UserVerb::Email(wanted) => set_email(wanted, daemon, output)?,
    }
    Ok(Ending::Done)
}

fn enable(user: &str, daemon: &mut Connection, output: &mut Output) -> Result<(), Failure> {
    let reply = daemon.call(&EnableUser { user: user.to_owned() })?;
    output.answer(&reply, |reply| match reply.change {
        Change::Changed => about(user, "second factor switched on."),
        Change::Unchanged => about(user, "second factor was on already."),
    })?;
    if let Some(warning) = &reply.warning {
        output.warning(warning);
    }
    Ok(())
}

fn disable(user: &str, daemon: &mut Connection, output: &mut Output) -> Result<(), Failure> {
    let reply = daemon.call(&DisableUser { user: user.to_owned() })?;
    output.answer(&reply, |reply| match reply.change {
        Change::Changed => about(user, "second factor switched off."),
        Change::Unchanged => about(user, "second factor was off already."),
    })
}

fn unlock(user: &str, daemon: &mut Connection, output: &mut Output) -> Result<(), Failure> {
    let reply = daemon.call(&UnlockUser { user: user.to_owned() })?;
    output.answer(&reply, |reply| match reply.change {
        Change::Changed => about(user, "unlocked, failures forgotten."),
        Change::Unchanged => about(user, "was not locked, and no failures were counted."),
    })
}

fn set_email(wanted: &EmailArguments, daemon: &mut Connection, output: &mut Output) -> Result<(), Failure> {
    let user = &wanted.user;
    let reply = daemon.call(&SetEmail { user: user.clone(), address: wanted.new.address.clone() })?;
    output.answer(&reply, |reply| match (reply.change, &reply.address) {
        (Change::Changed, Some(address)) => about(user, &format!("address set to {address}.")),
        (Change::Unchanged, Some(address)) => about(user, &format!("address was {address} already.")),
        (Change::Changed, None) => about(user, "address cleared."),
        (Change::Unchanged, None) => about(user, "no address was kept."),
    })
}

fn about(user: &str, fact: &str) -> String {
    format!("{}: {fact}", printable(user))
}

fn show(user: &str, daemon: &mut Connection, output: &mut Output) -> Result<(), Failure> {
    let reply = daemon.call(&ShowUser { user: user.to_owned() })?;
    output.answer(&reply, |reply| block(&reply.account))
}

fn block(account: &UserDetail) -> String {
    let mut rows = vec![
        row("user", account.user.clone()),
        row("uid", account.uid.map_or("not known yet".to_owned(), |uid| uid.to_string())),
        row("second factor", second_factor(account.switch).to_owned()),
        row(
            "factors",
            if account.factors.is_empty() { "none".to_owned() } else { account.factors.join(", ") },
        ),
        row("address kept", account.email.clone().unwrap_or("none".to_owned())),
        row("mail goes to", destination(account)),
        row("state", state(account)),
        row("wrong codes", format!("{} in a row", account.consecutive_failures)),
        row("mails", format!("{} within the last day", account.mails_today)),
        row("last login", account.last_login.map_or("never".to_owned(), time::local)),
    ];
    rows.extend(account.challenges.iter().map(|challenge| row("code is out", code_is_out(challenge))));
    output::table(rows)
}

fn row(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}

fn second_factor(switch: Switch) -> &'static str {
    match switch {
        Switch::Enabled => "on",
        Switch::Disabled => "off",
    }
}

fn destination(account: &UserDetail) -> String {
    match (&account.sends_to, &account.sends_to_source) {
        (None, _) => "nowhere: no address is known".to_owned(),
        (Some(address), None) => address.clone(),
        (Some(address), Some(source)) => format!("{address} (from {source})"),
    }
}

fn state(account: &UserDetail) -> String {
    match (account.lock, account.throttled_until) {
        (Lock::Throttled, Some(until)) => format!("throttled until {}", time::local(until)),
        (lock, _) => lock.name().to_owned(),
    }
}

fn code_is_out(challenge: &ChallengeLine) -> String {
    let ChallengeLine { service, source, opened, expires, tries_left } = challenge;
    let tries = if *tries_left == 1 { "1 try".to_owned() } else { format!("{tries_left} tries") };
    format!(
        "{service} from {source}: sent {}, ends {}, {tries} left",
        time::local(*opened),
        time::local(*expires)
    )
}
