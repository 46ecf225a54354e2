//! The time: the wall clock and the boot clock, read together. The wall clock is the system's, or that of a time server
//! while one was heard of lately ([`ntp`], [`watch`]). Reading it never waits.

pub mod ntp;
pub mod watch;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use nix::time::{ClockId, clock_gettime};
use tokio::sync::Notify;

use crate::moment::Moment;

/// How long what a time server said holds. Boot clocks drift by a tenth of a second in this time.
pub const NTP_HOLDS: Duration = Duration::from_secs(3600);

/// Tells the time of a step. Clones share what a time server said.
#[derive(Clone)]
pub struct Clock {
    boot_id: u64,
    /// Set where the kernel hides which boot this is: then this run counts as one, and its clock starts with it.
    run: Option<Instant>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    fix: ArcSwapOption<Fix>,
    reconsider: Notify,
}

/// What the time was at one point of the boot clock: a system clock that somebody sets later changes nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Who said so.
    pub server: String,
    /// Since 1970, UTC.
    pub wall: Duration,
    /// CLOCK_BOOTTIME of this machine, at the same time.
    pub boot: Duration,
    /// How far the server was ahead of the system clock then, in milliseconds; negative if it was behind.
    pub offset: i64,
}

impl Clock {
    /// Reads which boot this is. Where the kernel does not say (a hidden /proc), this run of mfad counts as one.
    pub fn of_system(run: u64) -> Self {
        let shared = Arc::default();
        let named = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        let Ok(name) = named else {
            return Clock { boot_id: run, run: Some(Instant::now()), shared };
        };
        let mut hasher = DefaultHasher::new();
        name.trim().hash(&mut hasher);
        // JSON's integers are safe up to 2^53 in every reader.
        Clock { boot_id: hasher.finish() >> 11, run: None, shared }
    }

    /// Now. A wall clock before 1970 reads as 1970: every code is then expired or void.
    pub fn now(&self) -> Moment {
        let since_boot = since_boot();
        let wall = self.wall_by_fix(since_boot).unwrap_or_else(system_time);
        let boot = self.run.map_or(since_boot, |start| start.elapsed());
        Moment { wall: millis(wall), boot: millis(boot), boot_id: self.boot_id }
    }

    /// What a time server said, and how long ago; none if none did, or too long ago to count.
    pub fn fix(&self) -> Option<(Arc<Fix>, Duration)> {
        let fix = self.shared.fix.load_full()?;
        let age = since_boot().checked_sub(fix.boot)?;
        (age < NTP_HOLDS).then_some((fix, age))
    }

    /// From now on this counts, until it is too old.
    pub fn set_fix(&self, fix: Fix) {
        self.shared.fix.store(Some(Arc::new(fix)));
    }

    /// From now on the system clock counts.
    pub fn clear_fix(&self) {
        self.shared.fix.store(None);
    }

    /// The configuration was read again: whoever asks time servers looks at it.
    pub fn reconsider(&self) {
        self.shared.reconsider.notify_one();
    }

    async fn reconsidered(&self) {
        self.shared.reconsider.notified().await;
    }

    fn wall_by_fix(&self, since_boot: Duration) -> Option<Duration> {
        let fix = self.shared.fix.load();
        let fix = fix.as_ref()?;
        let age = since_boot.checked_sub(fix.boot).filter(|age| *age < NTP_HOLDS)?;
        fix.wall.checked_add(age)
    }
}

/// CLOCK_BOOTTIME: it goes on while the machine sleeps, and nobody can set it.
fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}

/// The system's wall clock, since 1970.
fn system_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(age: Duration, wall: Duration) -> Fix {
        Fix { server: "ntp.example:123".to_owned(), wall, boot: since_boot().saturating_sub(age), offset: 0 }
    }

    fn near(clock: &Clock, expected: Duration) -> bool {
        Duration::from_millis(clock.now().wall).abs_diff(expected) < Duration::from_secs(5)
    }

    #[test]
    fn what_a_time_server_said_counts_for_an_hour_and_goes_on_with_the_boot_clock() {
        let clock = Clock::of_system(1);
        let other = clock.clone();
        assert!(near(&clock, system_time()));
        let ahead = system_time() + Duration::from_secs(9000);
        clock.set_fix(fix(Duration::ZERO, ahead));
        assert!(near(&other, ahead), "a clone knows it too");
        let aged = Duration::from_secs(60).min(since_boot());
        clock.set_fix(fix(aged, ahead));
        assert!(near(&clock, ahead + aged));
        clock.clear_fix();
        assert!(near(&clock, system_time()));
    }

    #[test]
    fn what_is_too_old_or_from_a_later_boot_time_does_not_count() {
        let clock = Clock::of_system(1);
        let ahead = system_time() + Duration::from_secs(9000);
        clock.set_fix(Fix { boot: since_boot() + Duration::from_secs(60), ..fix(Duration::ZERO, ahead) });
        assert!(near(&clock, system_time()) && clock.fix().is_none());
        if since_boot() > NTP_HOLDS {
            clock.set_fix(fix(NTP_HOLDS, ahead));
            assert!(near(&clock, system_time()) && clock.fix().is_none());
        }
    }
}
