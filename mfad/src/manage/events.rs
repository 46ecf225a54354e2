//! The audit, read: what is there, and what comes.

use std::io;

use protocol::call::{Call, Position};
use protocol::manage::{self as wire, EventLine, Follow};
use tokio::sync::broadcast::error::RecvError;

use super::{Administration, Rank, Refused};
use crate::daemon::Daemon;
use crate::listen::Connection;
use crate::store::{EventQuery, Store};

/// Events a reply: well within a frame, for an event is capped by the fields that it is made of.
const BATCH: u32 = 40;

/// Sends what is there, and with `follow` what comes, until the caller hangs up. Administrators see everything, other
/// people what is about themselves: not what is about somebody who had their name before.
pub(super) async fn stream(
    connection: &mut Connection,
    administration: &Administration<'_>,
    call: &Call<'_>,
) -> io::Result<()> {
    let daemon = administration.daemon;
    let asked = match call.parameters::<wire::Events>() {
        Ok(asked) => asked,
        Err(fault) => return connection.fault(fault).await,
    };
    let about = match administration.readable(asked.user.clone()).await {
        Ok(about) => about,
        Err(Refused::Fault(fault)) => return connection.fault(fault).await,
        Err(refused) => return connection.refuse(wire::REFUSED, &refused.to_string()).await,
    };
    let wire::Events { kind, service, source, reference, since, last, .. } = asked;
    let mut query = EventQuery { kind, service, source, reference, since, limit: BATCH, ..about };
    if let Some(last) = last {
        query.after = first_of_last(daemon, &query, last).await;
    }
    let mut news = daemon.store_news();
    loop {
        let events = match daemon.store.events(query.clone()).await {
            Ok(events) => events,
            Err(error) => return connection.refuse(wire::REFUSED, &error.to_string()).await,
        };
        let is_full = events.len() >= BATCH as usize;
        query.after = events.last().map_or(query.after, |event| event.id);
        let goes_on = is_full || asked.follow == Follow::Yes;
        if goes_on && !call.more {
            return connection.reply(&wire::EventsReply { events }, Position::Last).await;
        }
        if !goes_on {
            return connection.reply(&wire::EventsReply { events }, Position::Last).await;
        }
        if !events.is_empty() {
            connection.reply(&wire::EventsReply { events }, Position::Continues).await?;
        }
        if !is_full {
            tokio::select! {
                arrived = arrival(&mut news) => if arrived.is_none() { return Ok(()) },
                () = connection.hung_up() => return Ok(()),
            }
        }
    }
}

impl Administration<'_> {
    /// Whose events the caller gets: those that were asked for, or everybody's, or the caller's own.
    async fn readable(&self, user: Option<String>) -> Result<EventQuery, Refused> {
        match self.rank {
            Rank::Administrator => Ok(EventQuery { user, ..EventQuery::default() }),
            Rank::Person => {
                let subject = self.person(user.as_deref()).await?;
                let account = self.daemon.store.account(&subject.name).await?.unwrap_or_default();
                self.may_read(&subject, &account)?;
                let (user, uid) = (Some(subject.name.to_string()), Some(self.peer.uid));
                Ok(EventQuery { user, uid, ..EventQuery::default() })
            }
        }
    }
}

/// Waits for the next event; none if there will be no more.
async fn arrival(news: &mut tokio::sync::broadcast::Receiver<EventLine>) -> Option<()> {
    match news.recv().await {
        Ok(_) | Err(RecvError::Lagged(_)) => Some(()),
        Err(RecvError::Closed) => None,
    }
}

/// The id before the first of the newest `last` events; what cannot be found out is found out by the query itself.
async fn first_of_last(daemon: &Daemon, query: &EventQuery, last: u32) -> i64 {
    let newest = EventQuery { last: Some(last), limit: last, ..query.clone() };
    match daemon.store.events(newest).await {
        Ok(events) => events.first().map_or(i64::MAX - 1, |event| event.id - 1),
        Err(_) => 0,
    }
}
