//! A round: the tries that somebody has in one service from one place, and the codes that were sent to them meanwhile.
//! Whatever connection asks, and whatever factor a guess is meant for, it is one budget.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::Login;
use crate::factor::mailed::{ChallengeId, Channel, SentCode};
use crate::moment::Moment;

/// A round lasts this long at the least, so that one dialogue cannot outlive its own count.
const SHORTEST: Duration = Duration::from_secs(60);

/// The tries of one service and place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    opened: Moment,
    tries_left: u32,
    /// When the last try was used, if it was.
    used_up: Option<Moment>,
    /// The factor that the person chose in the menu.
    pub chosen: Option<String>,
    codes: Vec<SentCode>,
}

/// Whether a guess may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum State {
    /// Yes.
    Open,
    /// Not for this long.
    UsedUp(Duration),
    /// It is over; the next guess begins another.
    Over,
}

impl Round {
    /// A new one.
    pub fn open(tries: u32, now: Moment) -> Self {
        Round { opened: now, tries_left: tries, used_up: None, chosen: None, codes: Vec::new() }
    }

    /// How it stands.
    pub fn state(&self, settings: &Login, now: Moment) -> State {
        if let Some(used_up) = self.used_up {
            let wait = settings.throttle.within.saturating_sub(now.at_least_since(used_up));
            return if wait.is_zero() { State::Over } else { State::UsedUp(wait) };
        }
        let life = settings.resume_window.max(settings.throttle.within).max(SHORTEST);
        let has_codes = self.codes.iter().any(|code| !code.is_expired(now));
        if now.at_least_since(self.opened) >= life && !has_codes { State::Over } else { State::Open }
    }

    /// Takes one try, before anything is compared; none if none is left. Answers how many are left.
    pub fn claim(&mut self, now: Moment) -> Option<u32> {
        self.tries_left = self.tries_left.checked_sub(1)?;
        if self.tries_left == 0 {
            self.used_up = Some(now);
        }
        Some(self.tries_left)
    }

    /// Tries left.
    pub fn tries_left(&self) -> u32 {
        self.tries_left
    }

    /// True if no try is left.
    pub fn is_used_up(&self) -> bool {
        self.used_up.is_some()
    }

    /// The codes that were sent.
    pub fn codes(&self) -> &[SentCode] {
        &self.codes
    }

    /// One of them.
    pub fn code(&self, id: &ChallengeId) -> Option<&SentCode> {
        self.codes.iter().find(|code| code.id == *id)
    }

    /// The same, to change it.
    pub fn code_mut(&mut self, id: &ChallengeId) -> Option<&mut SentCode> {
        self.codes.iter_mut().find(|code| code.id == *id)
    }

    /// The code that a later connection may still ask for.
    pub fn resumable(&self, channel: &Channel, settings: &Login, now: Moment) -> Option<&SentCode> {
        let fresh = |code: &&SentCode| {
            code.channel == *channel
                && !code.is_expired(now)
                && now.at_most_since(code.opened) <= settings.resume_window
        };
        self.codes.iter().find(fresh)
    }

    /// Keeps a code in the place of an older one that went the same way. The round lasts as long as if it began now; its
    /// tries do not come back.
    pub fn keep(&mut self, code: SentCode, now: Moment) {
        self.codes.retain(|old| old.channel.factor() != code.channel.factor() && !old.is_expired(now));
        self.codes.push(code);
        self.opened = now;
    }

    /// Forgets one code.
    pub fn forget(&mut self, id: &ChallengeId) {
        self.codes.retain(|code| code.id != *id);
    }
}
