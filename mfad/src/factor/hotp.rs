//! HOTP (RFC 4226): a code for each press of a token's button.
//!
//! A counter grants once, ever: it moves behind each code that was right, and only then, so that nobody without the token
//! can push it away. A token that was played with comes back by two codes in a row (RFC 4226, 7.4).

use serde::{Deserialize, Serialize};

use super::oath::{Algorithm, Codes, Digits};
use super::sealed::Sealed;
use super::shape::normalised;

/// Codes behind the next one that are accepted at once.
const LOOK_AHEAD: u64 = 3;

/// Codes behind the next one that are accepted if the one after them follows.
const RESYNC: u64 = 20;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hotp {
    /// What the token has too.
    pub secret: Sealed,
    /// The hash.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// Digits of its codes.
    pub digits: Digits,
    counter: u64,
    /// The counter of the code before, if it was beyond the look-ahead.
    resync: Option<u64>,
}

/// How one code was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Comparison {
    /// The code is right. It is good for nothing until it is spent.
    Right(CounterMatch),
    /// It is the code that was spent last: press again.
    Reused,
    /// It is wrong.
    Wrong {
        /// How far the token is ahead, where the code is one of its next: if the code after it follows, that one is right.
        ahead: Option<u64>,
    },
}

/// A right code that has not been spent yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct CounterMatch {
    counter: u64,
}

impl Hotp {
    /// A new one; `counter` is the next that is expected.
    pub fn new(secret: Sealed, algorithm: Algorithm, digits: Digits, counter: u64) -> Self {
        Hotp { secret, algorithm, digits, counter, resync: None }
    }

    /// The counter that is expected next.
    pub fn counter(&self) -> u64 {
        self.counter
    }

    /// Compares a code. `secret` is the opened one.
    pub fn compare(&mut self, secret: &[u8], typed: &str) -> Comparison {
        let before = self.resync.take();
        let Some(codes) = Codes::of(secret, self.algorithm, self.digits) else {
            return Comparison::Wrong { ahead: None };
        };
        let next = self.counter;
        let spent = next.checked_sub(1);
        let successor = before.and_then(|counter| counter.checked_add(1)).filter(|counter| *counter > next);
        // The last number of all never matches: no counter comes after it, so it could not be spent.
        let ahead = (0..=RESYNC).filter_map(|step| next.checked_add(step)).chain(successor);
        let searched = spent.into_iter().chain(ahead.filter(|counter| *counter < u64::MAX));
        let matching = codes.matching(searched, normalised(typed).expose());
        if matching.iter().any(|counter| Some(*counter) == spent) {
            return Comparison::Reused;
        }
        let near = |counter: &u64| *counter <= next.saturating_add(LOOK_AHEAD);
        let follows = |counter: &u64| Some(*counter) == successor;
        let right = matching.iter().copied().find(near).or_else(|| matching.iter().copied().find(follows));
        if let Some(counter) = right {
            return Comparison::Right(CounterMatch { counter });
        }
        self.resync = matching.first().copied();
        Comparison::Wrong { ahead: self.resync.map(|counter| counter.saturating_sub(next)) }
    }
}

impl CounterMatch {
    /// Spends the code: its counter and those before it never grant again.
    pub fn spend(self, hotp: &mut Hotp) {
        hotp.counter = hotp.counter.max(self.counter.saturating_add(1));
        hotp.resync = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    fn token(counter: u64) -> Hotp {
        Hotp::new(Sealed::from_bytes(b""), Algorithm::Sha1, Digits::SIX, counter)
    }

    /// Types the code of a counter, and spends it if it is right; the store writes and reads the token between.
    fn press(token: &mut Hotp, counter: u64) -> Comparison {
        *token = serde_json::from_str(&serde_json::to_string(token).unwrap()).unwrap();
        let code = Codes::of(SECRET, Algorithm::Sha1, Digits::SIX).unwrap().code(counter);
        let comparison = token.compare(SECRET, &code);
        if let Comparison::Right(matched) = comparison.clone() {
            matched.spend(token);
        }
        comparison
    }

    fn right(token: &mut Hotp, counter: u64) {
        let comparison = press(token, counter);
        assert!(matches!(comparison, Comparison::Right(_)), "{counter}: {comparison:?}");
        assert_eq!(token.counter(), counter + 1);
    }

    #[test]
    fn the_look_ahead_reaches_three_codes_behind_the_next() {
        for ahead in 0..=3 {
            right(&mut token(5), 5 + ahead);
        }
        let mut played_with = token(5);
        assert_eq!(press(&mut played_with, 9), Comparison::Wrong { ahead: Some(4) });
        assert_eq!(played_with.counter(), 5, "a wrong code moves nothing");
    }

    #[test]
    fn a_code_is_used_once() {
        let mut token = token(0);
        right(&mut token, 0);
        assert_eq!(press(&mut token, 0), Comparison::Reused);
        right(&mut token, 2);
        assert_eq!(press(&mut token, 2), Comparison::Reused);
        assert_eq!(press(&mut token, 1), Comparison::Wrong { ahead: None });
        assert_eq!(press(&mut token, 0), Comparison::Wrong { ahead: None });
    }

    #[test]
    fn two_codes_in_a_row_bring_a_token_back() {
        for ahead in 4..=20 {
            let mut token = token(5);
            assert_eq!(press(&mut token, 5 + ahead), Comparison::Wrong { ahead: Some(ahead) });
            right(&mut token, 5 + ahead + 1);
        }
        let mut too_far = token(5);
        assert_eq!(press(&mut too_far, 26), Comparison::Wrong { ahead: None });
        assert_eq!(press(&mut too_far, 27), Comparison::Wrong { ahead: None });
    }

    #[test]
    fn two_codes_that_do_not_follow_each_other_bring_nothing_back() {
        let mut token = token(5);
        assert_eq!(press(&mut token, 12), Comparison::Wrong { ahead: Some(7) });
        assert_eq!(token.compare(SECRET, "000000"), Comparison::Wrong { ahead: None });
        assert_eq!(press(&mut token, 13), Comparison::Wrong { ahead: Some(8) }, "something was between");
        assert_eq!(press(&mut token, 15), Comparison::Wrong { ahead: Some(10) }, "one was left out");
        assert_eq!(press(&mut token, 15), Comparison::Wrong { ahead: Some(10) }, "the same again");
        right(&mut token, 16);
        assert_eq!(press(&mut token, 15), Comparison::Wrong { ahead: None });
    }

    #[test]
    fn the_end_of_all_counters_grants_nothing_and_breaks_nothing() {
        let mut last = token(u64::MAX - 1);
        right(&mut last, u64::MAX - 1);
        for _ in 0..2 {
            assert_eq!(press(&mut last, u64::MAX), Comparison::Wrong { ahead: None });
        }
        assert_eq!(press(&mut last, u64::MAX - 1), Comparison::Reused);
        let mut near = token(u64::MAX - 10);
        assert_eq!(press(&mut near, u64::MAX - 1), Comparison::Wrong { ahead: Some(9) });
        assert_eq!(press(&mut near, u64::MAX), Comparison::Wrong { ahead: None });
        for resync in [0, 3, u64::MAX] {
            let mut token = Hotp { resync: Some(resync), ..token(4) };
            assert!(matches!(token.compare(SECRET, "000000"), Comparison::Wrong { .. }));
        }
    }

    #[test]
    fn the_algorithm_need_not_be_named() {
        let text = r#"{"secret":"","digits":6,"counter":7,"resync":null}"#;
        assert_eq!(serde_json::from_str::<Hotp>(text).unwrap(), token(7));
    }
}
