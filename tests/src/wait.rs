//! Waiting for a condition instead of for time to pass.

use std::time::{Duration, Instant};

/// Long enough for two busy cores; a story that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(40);

const PAUSE: Duration = Duration::from_millis(10);

/// Asks again and again until there is an answer.
///
/// # Panics
/// If there is none within [`PATIENCE`]; the text says what was waited for.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {} s for {what}", PATIENCE.as_secs());
        std::thread::sleep(PAUSE);
    }
}
