//! How often a person may be wrong, and how often a mail may go out. Counted in the account, so that connections,
//! services and restarts share one budget (RFC 4226, 7.3).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::{Login, MailCap, Throttle};
use crate::moment::Moment;

/// Wrong codes of one person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failures {
    /// The latest, the oldest first; no more than the throttle looks at.
    recent: Vec<Moment>,
    /// In a row, since the last right code.
    pub consecutive: u32,
}

/// Why no code is looked at now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Too many failures lately; this much longer.
    Throttled(Duration),
    /// Too many in a row; until an administrator unlocks.
    Locked,
}

impl Failures {
    /// Whether codes are looked at now.
    pub fn hold(&self, settings: &Login, now: Moment) -> Option<Hold> {
        if self.consecutive >= settings.lock_after {
            return Some(Hold::Locked);
        }
        self.throttled(&settings.throttle, now).map(Hold::Throttled)
    }

    /// Counts one wrong code.
    pub fn count(&mut self, settings: &Login, now: Moment) {
        self.consecutive = self.consecutive.saturating_add(1);
        self.recent.push(now);
        let kept = settings.throttle.failures as usize;
        self.recent.drain(..self.recent.len().saturating_sub(kept));
    }

    /// A right code makes good all wrong ones before it (SP 800-63B-4, 3.2.2).
    pub fn forgive(&mut self) {
        *self = Failures::default();
    }

    fn throttled(&self, throttle: &Throttle, now: Moment) -> Option<Duration> {
        let within = |failure: &&Moment| now.at_least_since(**failure) < throttle.within;
        let recent: Vec<&Moment> = self.recent.iter().filter(within).collect();
        let surplus = recent.len().checked_sub(throttle.failures as usize)?;
        let lifts = recent.get(surplus)?;
        Some(throttle.within.saturating_sub(now.at_least_since(**lifts)))
    }
}

/// How long until another mail may go out; none if it may now. Forgets mails that no cap looks at.
pub fn mail_wait(mails: &mut Vec<Moment>, caps: &[MailCap], now: Moment) -> Option<Duration> {
    let longest = caps.iter().map(|cap| cap.within).max().unwrap_or_default();
    mails.retain(|sent| now.at_least_since(*sent) < longest);
    caps.iter().filter_map(|cap| wait_for(mails, cap, now)).max()
}

fn wait_for(mails: &[Moment], cap: &MailCap, now: Moment) -> Option<Duration> {
    let recent: Vec<Moment> =
        mails.iter().copied().filter(|sent| now.at_least_since(*sent) < cap.within).collect();
    let surplus = recent.len().checked_sub(cap.count as usize)?;
    let lifts = *recent.get(surplus)?;
    Some(cap.within.saturating_sub(now.at_least_since(lifts)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::properties::{moment, settings};

    #[test]
    fn the_fifth_failure_throttles_until_the_first_of_the_five_is_old() {
        let config = settings();
        let mut failures = Failures::default();
        for second in 0..5 {
            assert_eq!(failures.hold(&config.login, moment(second)), None);
            failures.count(&config.login, moment(second));
        }
        assert_eq!(failures.hold(&config.login, moment(5)), Some(Hold::Throttled(Duration::from_secs(85))));
        assert_eq!(failures.hold(&config.login, moment(90)), None);
    }

    #[test]
    fn failures_in_a_row_lock_however_slowly_they_come() {
        let config = settings();
        let mut failures = Failures::default();
        for failure in 0..u64::from(config.login.lock_after) {
            assert_eq!(failures.hold(&config.login, moment(failure * 3600)), None);
            failures.count(&config.login, moment(failure * 3600));
        }
        assert_eq!(failures.hold(&config.login, moment(10_000_000)), Some(Hold::Locked));
        failures.forgive();
        assert_eq!(failures.hold(&config.login, moment(10_000_000)), None);
    }

    #[test]
    fn the_sixth_mail_in_ten_minutes_waits_for_the_first_to_be_old() {
        let caps = [
            MailCap { within: Duration::from_secs(600), count: 5 },
            MailCap { within: Duration::from_secs(86_400), count: 20 },
        ];
        let mut mails = Vec::new();
        for second in 0..5 {
            assert_eq!(mail_wait(&mut mails, &caps, moment(second)), None);
            mails.push(moment(second));
        }
        assert_eq!(mail_wait(&mut mails, &caps, moment(10)), Some(Duration::from_secs(590)));
        assert_eq!(mail_wait(&mut mails, &caps, moment(601)), None);
        assert_eq!(mail_wait(&mut mails, &caps, moment(90_000)), None);
        assert!(mails.is_empty());
    }
}
