//! The list of accounts, a page a call.

use protocol::manage::{ListUsers, ListUsersReply, Switch, UserLine};

use crate::Ending;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{self, Format, Output};
use crate::time;

const HEADINGS: [&str; 6] = ["USER", "UID", "SECOND FACTOR", "STATE", "ADDRESS", "LAST LOGIN"];

/// Lists the accounts: one table for people, a page a line for programs.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn list(filter: Option<&str>, daemon: &mut Connection, output: &mut Output) -> Result<Ending, Failure> {
    match output.format() {
        Format::Json => each_page(filter, daemon, |page| output.answer(&page, |_| String::new()))?,
        Format::Text => {
            let mut users = Vec::new();
            each_page(filter, daemon, |page| {
                users.extend(page.users);
                Ok(())
            })?;
            if users.is_empty() {
                output.remark(&nobody(filter));
            }
            let whole = ListUsersReply { users, next: None };
            output.answer(&whole, |whole| text(&whole.users))?;
        }
    }
    Ok(Ending::Done)
}

fn each_page(
    filter: Option<&str>,
    daemon: &mut Connection,
    mut each: impl FnMut(ListUsersReply) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = daemon.call(&ListUsers { after: after.clone(), filter: filter.map(str::to_owned) })?;
        let next = page.next.clone();
        each(page)?;
        if next.is_none() {
            return Ok(());
        }
        if next == after {
            // The same page for ever.
            return Err(Failure::Malformed);
        }
        after = next;
    }
}

fn nobody(filter: Option<&str>) -> String {
    match filter {
        None => "mfad knows nobody yet.".to_owned(),
        Some(filter) => format!("No name and no address contains \"{filter}\"."),
    }
}

fn text(users: &[UserLine]) -> String {
    if users.is_empty() {
        return String::new();
    }
    let headings = HEADINGS.map(str::to_owned).to_vec();
    output::table(std::iter::once(headings).chain(users.iter().map(row)))
}

fn row(line: &UserLine) -> Vec<String> {
    let UserLine { user, uid, switch, email, lock, last_login } = line;
    let switch = match switch {
        Switch::Enabled => "on",
        Switch::Disabled => "off",
    };
    vec![
        user.clone(),
        uid.map_or("-".to_owned(), |uid| uid.to_string()),
        switch.to_owned(),
        lock.name().to_owned(),
        email.clone().unwrap_or("-".to_owned()),
        last_login.map_or("never".to_owned(), time::local),
    ]
}
