//! How long something took, counted in classes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper ends of the classes, in milliseconds; what takes longer is in the last class.
pub const CLASSES: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 250, 500, 1_000, 2_500, 10_000];

/// Durations, counted.
#[derive(Debug)]
pub struct Histogram {
    classes: [AtomicU64; CLASSES.len() + 1],
    microseconds: AtomicU64,
}

impl Histogram {
    pub(super) const fn new() -> Self {
        Histogram {
            classes: [const { AtomicU64::new(0) }; CLASSES.len() + 1],
            microseconds: AtomicU64::new(0),
        }
    }

    /// Counts one.
    pub fn note(&self, took: Duration) {
        let is_within = |end: &u64| took <= Duration::from_millis(*end);
        let class = CLASSES.iter().position(is_within).unwrap_or(CLASSES.len());
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        let more = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.microseconds.fetch_add(more, Ordering::Relaxed);
    }

    /// For each class how many took so long or less, and then all; and their sum in microseconds.
    pub fn read(&self) -> (Vec<u64>, u64) {
        let add = |sum: &mut u64, class: &AtomicU64| {
            *sum += class.load(Ordering::Relaxed);
            Some(*sum)
        };
        (self.classes.iter().scan(0, add).collect(), self.microseconds.load(Ordering::Relaxed))
    }
}
