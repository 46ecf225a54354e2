//! The rules: pure. What an account is, who must prove what, how an answer is judged, and the only way to a grant.
//!
//! Nothing here knows a socket, a file, a clock or a random source: time, fresh ids, keys and addresses are arguments,
//! so that property tests can run a login a million times. Read in this order:
//! [`attempt`] who wants in · [`account`] what is known, with [`enrolled`] and [`round`] · [`matching`] which rule of the site · [`policy`] what is asked ·
//! [`login`] asking and judging · [`enrol`] and [`import`] ways to a factor · [`change`] what is asked outside a login · [`trust`] who is not asked again · [`throttle`] how often · [`grant`] how it ends · [`news`] what the person hears of it.

pub mod account;
#[cfg(test)]
mod app_properties;
pub mod attempt;
pub mod change;
pub mod enrol;
pub mod enrolled;
pub mod grant;
pub mod import;
pub mod login;
pub mod matching;
pub mod news;
pub mod policy;
#[cfg(test)]
mod properties;
pub mod round;
pub mod throttle;
pub mod trust;

use attempt::Attempt;
use news::News;
use policy::{KnownAddress, Purpose};

use crate::address::EmailAddress;
use crate::audit::{Event, Kind};
use crate::config::{Config, Login, NoSuchTime, Terms};
use crate::factor::Keys;
use crate::moment::Moment;

/// What every step may look at.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The configuration in force when the step began.
    pub config: &'a Config,
    /// What of it holds for this login; an error lets nobody in.
    pub terms: Result<&'a Terms, NoSuchTime>,
    /// The key that is not in the database.
    pub keys: &'a dyn Keys,
    /// The time of the step.
    pub now: Moment,
    /// Who wants in.
    pub attempt: &'a Attempt,
    /// Why they are asked.
    pub purpose: Purpose,
    /// This host's name.
    pub host: &'a str,
    /// The uid that the name service gave; the highest, which is nobody's, if it knows nobody of the name.
    pub uid: u32,
    /// The uid of who asks: the person's, or an administrator's.
    pub by: u32,
    /// What each configured source knows of the person's address.
    pub known: &'a [KnownAddress],
    /// The login's reference.
    pub reference: &'a str,
}

impl Context<'_> {
    /// An event of this login.
    fn event(&self, kind: Kind) -> Event {
        let uid = (self.uid != u32::MAX).then_some(self.uid);
        Event::of_login(self.attempt, uid, self.reference, kind)
    }

    /// The tries, waits and factors.
    fn login(&self) -> &Login {
        &self.terms().login
    }

    /// Who hears of what concerns the site's security.
    pub fn security_contact(&self) -> &[EmailAddress] {
        &self.login().security_contact
    }

    /// What holds for this login.
    fn terms(&self) -> &Terms {
        self.terms.unwrap_or(&self.config.terms)
    }
}

/// What a step of the rules wants written beside the account: its audit events, in order; and what the person is to hear
/// once that is committed.
#[derive(Debug, Default)]
pub struct Ledger {
    events: Vec<Event>,
    news: Vec<News>,
}

impl Ledger {
    /// Adds an event; it is committed in the same transaction as the account.
    pub fn record(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Tells the person, by mail to the address that is known before the change.
    pub fn tell(&mut self, news: News) {
        self.news.push(news);
    }

    /// Takes what the person is to hear.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// True if there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.news.is_empty()
    }

    /// Takes all events.
    pub fn into_events(self) -> Vec<Event> {
        self.events
    }

    /// The events so far.
    pub fn events(&self) -> &[Event] {
        &self.events
    }
}
