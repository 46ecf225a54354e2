//! The rules: pure. What an account is, who must prove what, how an answer is judged, and the only way to a grant.
//!
//! Nothing here knows a socket, a file, a clock or a random source: time, fresh ids, keys and addresses are arguments,
//! so that property tests can run a login a million times. Read in this order:
//! [`attempt`] who wants in · [`account`] what is known · [`policy`] what is asked · [`login`] asking and judging ·
//! [`throttle`] how often · [`grant`] how it ends.

pub mod account;
pub mod attempt;
pub mod grant;
pub mod login;
pub mod policy;
#[cfg(test)]
mod properties;
pub mod throttle;

use crate::audit::Event;

/// What a step of the rules wants written beside the account: its audit events, in order.
#[derive(Debug, Default)]
pub struct Ledger {
    events: Vec<Event>,
}

impl Ledger {
    /// Adds an event; it is committed in the same transaction as the account.
    pub fn record(&mut self, event: Event) {
        self.events.push(event);
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
