//! The time: the system's wall clock and its boot clock, read together.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

use crate::moment::Moment;

/// Tells the time of a step.
pub struct Clock {
    boot_id: u64,
    /// Set where the kernel hides which boot this is: then this run counts as one, and its clock starts with it.
    run: Option<Instant>,
}

impl Clock {
    /// Reads which boot this is. Where the kernel does not say (a hidden /proc), this run of mfad counts as one.
    pub fn of_system(run: u64) -> Self {
        let named = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        let Ok(name) = named else {
            return Clock { boot_id: run, run: Some(Instant::now()) };
        };
        let mut hasher = DefaultHasher::new();
        name.trim().hash(&mut hasher);
        // JSON's integers are safe up to 2^53 in every reader.
        Clock { boot_id: hasher.finish() >> 11, run: None }
    }

    /// Now. A wall clock before 1970 reads as 1970: every code is then expired or void.
    pub fn now(&self) -> Moment {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let since_boot = || clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default();
        let boot = self.run.map_or_else(since_boot, |start| start.elapsed());
        Moment { wall: millis(wall), boot: millis(boot), boot_id: self.boot_id }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
