//! The audit: what happened, and with `--follow` what happens.

use protocol::manage::{EventLine, Events, Follow};

use crate::Ending;
use crate::arguments::EventsArguments;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::time;

/// Shows events as they come, oldest first: of one person, or of everybody.
///
/// # Errors
/// [`Failure`] if mfad refused or did not answer.
pub fn show(
    wanted: &EventsArguments,
    user: Option<String>,
    daemon: &mut Connection,
    output: &mut Output,
) -> Result<Ending, Failure> {
    let follow = wanted.follow();
    let request = Events {
        user,
        kind: wanted.kind.clone(),
        service: wanted.service.clone(),
        source: wanted.source.clone(),
        reference: wanted.reference.clone(),
        since: wanted.since,
        last: wanted.last(),
        follow,
    };
    let mut shown = Shown::Nothing;
    daemon.stream(&request, |batch| {
        if !batch.events.is_empty() {
            shown = Shown::Something;
        }
        output.answer(&batch, |batch| batch.events.iter().map(line).collect::<Vec<_>>().join("\n"))
    })?;
    if shown == Shown::Nothing && follow == Follow::No {
        output.remark("No events.");
    }
    Ok(Ending::Done)
}

#[derive(PartialEq)]
enum Shown {
    Nothing,
    Something,
}

fn line(event: &EventLine) -> String {
    let EventLine { id: _, at, kind, priority, user, uid, service, source, reference, text } = event;
    let mut particulars = Vec::new();
    particulars.extend(user.as_ref().map(|user| format!("user {user}")));
    particulars.extend(uid.map(|uid| format!("uid {uid}")));
    particulars.extend(service.as_ref().map(|service| format!("service {service}")));
    particulars.extend(source.as_ref().map(|source| format!("from {source}")));
    particulars.extend(reference.as_ref().map(|reference| format!("reference {reference}")));
    let particulars =
        if particulars.is_empty() { String::new() } else { format!(" ({})", particulars.join(", ")) };
    format!("{}  {priority:<7}  {kind:<16}  {text}{particulars}", time::local(*at))
}
