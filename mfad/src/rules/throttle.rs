//! How often a person may be wrong, and how often a mail may go out. Counted in the account, so that connections,
//! services and restarts share one budget (RFC 4226, 7.3).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::{Login, MailCap, Throttle};
use crate::moment::Moment;

/// Wrong codes of one person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failures {
    /// The latest, the oldest first; no more than a throttle can look at.
    recent: Vec<Moment>,
    /// In a row since the last right code, a factor each, by name.
    #[serde(default)]
    consecutive: BTreeMap<String, u32>,
    /// In a row since the last right code, of all factors together.
    #[serde(default)]
    in_a_row: u32,
}

/// So many wrong codes in a row, and the person is told: somebody knows their password.
const SUSPICIOUS: u32 = 5;

/// What a throttle can look at: the most that the configuration takes. Another rule may look at more than this one.
const MOST_FAILURES: usize = 100;

/// A wait that grows ends here, unless the site's own is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

impl Failures {
    /// How much longer no code is looked at, because of too many failures lately.
    pub fn throttled(&self, throttle: &Throttle, now: Moment) -> Option<Duration> {
        let window = self.window(throttle);
        let within = |failure: &&Moment| now.at_least_since(**failure) < window;
        let recent: Vec<&Moment> = self.recent.iter().filter(within).collect();
        let surplus = recent.len().checked_sub(throttle.failures as usize)?;
        let lifts = recent.get(surplus)?;
        Some(window.saturating_sub(now.at_least_since(**lifts)))
    }

    /// How long failures count. It doubles each time that as many again were made without a right one.
    fn window(&self, throttle: &Throttle) -> Duration {
        let doublings = (self.in_a_row / throttle.failures.max(1)).saturating_sub(1).min(16);
        let grown = throttle.within.saturating_mul(1 << doublings);
        grown.min(LONGEST_WAIT.max(throttle.within))
    }

    /// Whether the wrong code that was counted last is the one at which the person is told.
    pub fn is_suspicious(&self) -> bool {
        self.in_a_row == SUSPICIOUS
    }

    /// Whether a factor is locked: until an administrator unlocks, or another factor of the person is right.
    pub fn is_locked(&self, factor: &str, settings: &Login) -> bool {
        self.consecutive.get(factor).is_some_and(|count| *count >= settings.lock_after)
    }

    /// Whether any factor is locked.
    pub fn any_locked(&self, settings: &Login) -> bool {
        self.consecutive.values().any(|count| *count >= settings.lock_after)
    }

    /// Wrong codes in a row, of the factor that has most.
    pub fn most_in_a_row(&self) -> u32 {
        self.consecutive.values().copied().max().unwrap_or_default()
    }

    /// Counts one wrong code, for each factor that it was compared with. Answers the factors that this locked.
    pub fn count(&mut self, factors: &[&str], settings: &Login, now: Moment) -> Vec<String> {
        self.recent.push(now);
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.recent.drain(..self.recent.len().saturating_sub(MOST_FAILURES));
        let mut locked = Vec::new();
        for factor in factors {
            let count = self.consecutive.entry((*factor).to_owned()).or_default();
            *count = count.saturating_add(1);
            if *count == settings.lock_after {
                locked.push((*factor).to_owned());
            }
        }
        locked
    }

    /// Takes back what [`Failures::count`] counted last against these factors.
    pub fn take_back(&mut self, factors: &[String]) {
        self.recent.pop();
        self.in_a_row = self.in_a_row.saturating_sub(1);
        for factor in factors {
            if let Some(count) = self.consecutive.get_mut(factor) {
                *count = count.saturating_sub(1);
            }
        }
    }

    /// A right code makes good all wrong ones before it (SP 800-63B-4, 3.2.2).
    pub fn forgive(&mut self) {
        *self = Failures::default();
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
            assert_eq!(failures.throttled(&config.terms.login.throttle, moment(second)), None);
            failures.count(&["email"], &config.terms.login, moment(second));
        }
        assert_eq!(
            failures.throttled(&config.terms.login.throttle, moment(5)),
            Some(Duration::from_secs(85))
        );
        assert_eq!(failures.throttled(&config.terms.login.throttle, moment(90)), None);
    }

    #[test]
    fn failures_in_a_row_lock_however_slowly_they_come() {
        let config = settings();
        let mut failures = Failures::default();
        for failure in 0..u64::from(config.terms.login.lock_after) {
            assert!(!failures.is_locked("totp", &config.terms.login));
            failures.count(&["totp"], &config.terms.login, moment(failure * 3600));
        }
        assert!(failures.is_locked("totp", &config.terms.login));
        assert!(
            !failures.is_locked("email", &config.terms.login),
            "another factor is not locked, and unlocks"
        );
        failures.forgive();
        assert!(!failures.is_locked("totp", &config.terms.login));
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

    #[test]
    fn the_wait_grows_with_each_round_of_failures_and_ends_with_a_right_code() {
        let config = settings();
        let (login, mut failures, mut second) = (config.terms.login, Failures::default(), 0);
        for expected in [90, 180, 360, 720, 900, 900] {
            for _ in 0..5 {
                assert_eq!(failures.throttled(&login.throttle, moment(second)), None);
                failures.count(&["totp"], &login, moment(second));
            }
            assert_eq!(
                failures.throttled(&login.throttle, moment(second)),
                Some(Duration::from_secs(expected))
            );
            second += expected;
        }
        failures.forgive();
        (0..5).for_each(|_| drop(failures.count(&["totp"], &login, moment(second))));
        assert_eq!(failures.throttled(&login.throttle, moment(second)), Some(Duration::from_secs(90)));
    }
}
