//! A point in time that survives a clock that jumps.
//!
//! The wall clock can be set by people and by NTP; the boot clock cannot, but starts anew at each boot. A moment has
//! both. What protects by waiting (a throttle) asks for the smaller distance, what protects by ending (a code's life)
//! for the larger one, so that no jump opens anything.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How far the wall clock may go back before a moment in its future is taken for a fault, not for jitter.
const TOLERANCE: u64 = 60_000;

/// Wall clock and boot clock, read together.
///
/// Kept as `[wall, boot, boot_id]`: an account has many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64, u64)", into = "(u64, u64, u64)")]
pub struct Moment {
    /// Milliseconds since 1970, UTC.
    pub wall: u64,
    /// Milliseconds since the boot (CLOCK_BOOTTIME).
    pub boot: u64,
    /// Which boot.
    pub boot_id: u64,
}

impl From<(u64, u64, u64)> for Moment {
    fn from((wall, boot, boot_id): (u64, u64, u64)) -> Self {
        Moment { wall, boot, boot_id }
    }
}

impl From<Moment> for (u64, u64, u64) {
    fn from(moment: Moment) -> Self {
        (moment.wall, moment.boot, moment.boot_id)
    }
}

impl Moment {
    /// The time that has surely passed since `earlier`: what a wait may count on. In the same boot the boot clock knows;
    /// a moment of an earlier boot is at least as old as this one. A wall clock that was wrong for a minute, years ahead
    /// perhaps, keeps nobody waiting for years.
    pub fn at_least_since(self, earlier: Moment) -> Duration {
        let passed = if self.boot_id == earlier.boot_id {
            self.boot.saturating_sub(earlier.boot)
        } else {
            self.boot.max(self.wall.saturating_sub(earlier.wall))
        };
        Duration::from_millis(passed)
    }

    /// The most time that can have passed since `earlier`: what a lifetime must fear. Without end if the clock went
    /// back behind `earlier`, for then nobody knows.
    pub fn at_most_since(self, earlier: Moment) -> Duration {
        if self.wall.saturating_add(TOLERANCE) < earlier.wall {
            return Duration::MAX;
        }
        let wall = self.wall.saturating_sub(earlier.wall);
        let passed = if self.boot_id == earlier.boot_id {
            wall.max(self.boot.saturating_sub(earlier.boot))
        } else {
            wall
        };
        Duration::from_millis(passed)
    }

    /// The wall clock `later` from now, in milliseconds since 1970.
    pub fn wall_after(self, later: Duration) -> u64 {
        self.wall.saturating_add(u64::try_from(later.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A span in words: rounded up, so that nobody who waits for its end comes too early.
pub fn span(wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    match seconds {
        0..=1 => "1 second".to_owned(),
        2..=119 => format!("{seconds} seconds"),
        120..=7199 => format!("{} minutes", seconds.div_ceil(60)),
        _ => format!("{} hours", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(wall: u64, boot: u64, boot_id: u64) -> Moment {
        Moment { wall, boot, boot_id }
    }

    #[test]
    fn a_clock_set_forward_ends_a_code_but_lifts_no_wait() {
        let then = moment(1_000_000, 5_000, 1);
        let now = moment(1_000_000 + 3_600_000, 6_000, 1);
        assert_eq!(now.at_most_since(then), Duration::from_secs(3600));
        assert_eq!(now.at_least_since(then), Duration::from_secs(1));
    }

    #[test]
    fn a_clock_set_back_lengthens_no_code() {
        let then = moment(1_000_000, 5_000, 1);
        assert_eq!(moment(990_000, 305_000, 1).at_most_since(then), Duration::from_secs(300));
        assert_eq!(moment(900_000, 5_500, 1).at_most_since(then), Duration::MAX);
        assert_eq!(moment(900_000, 305_000, 1).at_least_since(then), Duration::from_secs(300));
    }

    #[test]
    fn after_a_boot_the_wall_clock_counts_unless_it_was_wrong() {
        let then = moment(1_000_000, 900_000, 1);
        let now = moment(1_010_000, 1_000, 2);
        let from_the_future = moment(9_000_000_000, 900_000, 1);
        assert_eq!(moment(1_000_000, 120_000, 2).at_least_since(from_the_future), Duration::from_secs(120));
        assert_eq!(now.at_most_since(then), Duration::from_secs(10));
        assert_eq!(now.at_least_since(then), Duration::from_secs(10));
    }
}
