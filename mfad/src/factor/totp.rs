//! TOTP (RFC 6238): a code for each step of time, out of a secret that a person's app shares.
//!
//! A step grants once, ever: only steps after the last one that granted are accepted. The app's clock may be a little
//! off; how much is learned from right codes alone, so that nobody can move the window by guessing.

use serde::{Deserialize, Serialize};

use super::oath::{Algorithm, Codes, Digits};
use super::sealed::Sealed;
use super::shape::normalised;

/// Steps on either side of the window where a code tells that a clock is off.
const SEARCH: u64 = 20;

/// Steps on either side that a setting can make the window.
const WIDEST: u8 = 10;

/// Steps that the window may follow an app's clock.
const FARTHEST_DRIFT: i8 = 2;

/// An authenticator app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totp {
    /// What the app has too.
    pub secret: Sealed,
    /// The hash.
    pub algorithm: Algorithm,
    /// Digits of its codes.
    pub digits: Digits,
    /// How long a code is shown.
    pub step: StepLength,
    last_step: Option<u64>,
    drift: i8,
}

/// Seconds of a step: 15 to 120.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct StepLength(u16);

/// Steps that an app's clock is ahead (behind, if negative), as far as mfad follows one: -2 to 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drift(i8);

/// What is known of an app that was used with another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct History {
    /// How far its clock is off.
    pub drift: Drift,
    /// The last step that granted, in steps since 1970.
    pub last_step: Option<u64>,
}

/// How one code was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Comparison {
    /// The code is right. It is good for nothing until it is spent.
    Right(StepMatch),
    /// It is a code of a step that granted, or of one before that: wait for the next one.
    Reused,
    /// It is wrong.
    Wrong {
        /// Seconds that the app's clock seems to be ahead (behind, if negative), where the code is right for another
        /// time not far away.
        clock_off: Option<i64>,
    },
}

/// A right code that has not been spent yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct StepMatch {
    step: u64,
    drift: i8,
}

impl Totp {
    /// A new one, nothing of it used.
    pub fn new(secret: Sealed, algorithm: Algorithm, digits: Digits, step: StepLength) -> Self {
        Totp { secret, algorithm, digits, step, last_step: None, drift: 0 }
    }

    /// One that was used with another program: what granted there does not grant here.
    pub fn with_history(self, history: History) -> Self {
        Totp { last_step: history.last_step, drift: history.drift.0, ..self }
    }

    /// Compares a code at a time, in seconds since 1970. `secret` is the opened one; the window reaches `skew` steps
    /// either way, at most 10.
    pub fn compare(&self, secret: &[u8], typed: &str, unix_seconds: u64, skew: u8) -> Comparison {
        let Some(codes) = Codes::of(secret, self.algorithm, self.digits) else {
            return Comparison::Wrong { clock_off: None };
        };
        let skew = skew.min(WIDEST);
        let now = unix_seconds / self.step.seconds();
        let centre = now.saturating_add_signed(self.drift_within(skew).into());
        let first = centre.saturating_sub(skew.into());
        let last = centre.saturating_add(skew.into());
        let plain = normalised(typed);
        let inside = codes.matching(first..=last, plain.expose());
        // Where two steps of the window have the same code, it was shown already if either of them is past; else the
        // later one is spent, and takes the earlier one with it.
        if inside.iter().any(|step| self.is_past(*step)) {
            return Comparison::Reused;
        }
        if let Some(step) = inside.into_iter().max() {
            return Comparison::Right(StepMatch { step, drift: self.learned(step, unix_seconds, skew) });
        }
        let around =
            (first.saturating_sub(SEARCH)..first).chain(last.saturating_add(1)..=last.saturating_add(SEARCH));
        let outside = codes.matching(around, plain.expose());
        let off = outside.into_iter().filter(|step| !self.is_past(*step)).filter_map(|step| steps(step, now));
        let nearest = off.min_by_key(|off| off.abs());
        let length = i64::from(u16::from(self.step));
        Comparison::Wrong { clock_off: nearest.map(|off| off.saturating_mul(length)) }
    }

    /// True for a step that granted, and those before it.
    fn is_past(&self, step: u64) -> bool {
        self.last_step.is_some_and(|last| step <= last)
    }

    /// The drift, as far as the window can follow it: the code that a right clock shows now is always within.
    fn drift_within(&self, skew: u8) -> i8 {
        clamped(self.drift.into(), skew)
    }

    /// The drift after a right code.
    ///
    /// A code of the step before may come from a slow clock or from a slow typist. It is known to half a step at best,
    /// so the drift is moved only where the code contradicts it, and no farther than it must: a person whose clock is
    /// right and who sometimes types late is never shut out.
    fn learned(&self, step: u64, unix_seconds: u64, skew: u8) -> i8 {
        let length = self.step.seconds();
        let Some(off) = steps(step, unix_seconds / length) else { return self.drift };
        let late_in_step = unix_seconds % length >= length / 2;
        let (least, most) =
            if late_in_step { (off.saturating_sub(1), off) } else { (off, off.saturating_add(1)) };
        clamped(i64::from(self.drift_within(skew)).clamp(least, most), skew)
    }
}

impl StepMatch {
    /// Which step it is: steps since 1970.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Spends the code: its step and those before it never grant again.
    pub fn spend(self, totp: &mut Totp) {
        totp.last_step = totp.last_step.max(Some(self.step));
        totp.drift = self.drift;
    }
}

/// From `earlier` to `step`, negative if it is before.
fn steps(step: u64, earlier: u64) -> Option<i64> {
    step.checked_signed_diff(earlier)
}

fn clamped(drift: i64, skew: u8) -> i8 {
    let farthest = FARTHEST_DRIFT.min(i8::try_from(skew).unwrap_or(FARTHEST_DRIFT));
    i8::try_from(drift.clamp((-farthest).into(), farthest.into())).unwrap_or(0)
}

impl Drift {
    /// Takes steps; none if they are more than two either way.
    pub fn new(steps: i64) -> Option<Self> {
        i8::try_from(steps)
            .ok()
            .filter(|steps| steps.unsigned_abs() <= FARTHEST_DRIFT.unsigned_abs())
            .map(Drift)
    }
}

impl StepLength {
    /// Thirty seconds: what every app knows.
    pub const THIRTY_SECONDS: Self = StepLength(30);

    /// Takes seconds; none if they are not 15 to 120.
    pub const fn new(seconds: u16) -> Option<Self> {
        if matches!(seconds, 15..=120) { Some(StepLength(seconds)) } else { None }
    }

    /// The seconds.
    pub fn seconds(self) -> u64 {
        self.0.into()
    }
}

impl TryFrom<u16> for StepLength {
    type Error = &'static str;

    fn try_from(seconds: u16) -> Result<Self, Self::Error> {
        StepLength::new(seconds).ok_or("a step has 15 to 120 seconds")
    }
}

impl From<StepLength> for u16 {
    fn from(step: StepLength) -> Self {
        step.0
    }
}

#[cfg(test)]
mod tests;
