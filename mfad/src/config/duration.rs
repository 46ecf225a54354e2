//! Durations as people write them: `"90s"`, `"5m"`, `"1h"`, `"1d"`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::problem::Problem;
use super::tree::{Node, Value};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Seconds as a duration; to write bounds and defaults with.
pub(super) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Minutes as a duration.
pub(super) const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * MINUTE)
}

/// Days as a duration.
pub(super) const fn days(count: u64) -> Duration {
    Duration::from_secs(count * DAY)
}

/// A duration that lies in `range`.
pub(super) fn read(node: &Node, range: &RangeInclusive<Duration>) -> Result<Duration, Problem> {
    let text = match &node.value {
        Value::Text(text) => text,
        Value::Integer(Some(number)) if *number > 0 => {
            return Err(node.problem("a duration needs a unit", format!("write \"{number}s\"")));
        }
        _ => return Err(node.problem("a duration belongs here", "write \"90s\", \"5m\", \"1h\" or \"1d\"")),
    };
    let within = |duration: &Duration| range.contains(duration);
    parse(text).ok_or_else(|| no_duration(node))?.filter(within).ok_or_else(|| outside(node, range))
}

/// A duration that is the name of a key, as in `per-user`.
pub(super) fn read_text(
    node: &Node,
    text: &str,
    range: &RangeInclusive<Duration>,
) -> Result<Duration, Problem> {
    let within = |duration: &Duration| range.contains(duration);
    parse(text).ok_or_else(|| no_duration(node))?.filter(within).ok_or_else(|| outside(node, range))
}

fn no_duration(node: &Node) -> Problem {
    node.problem(
        "this is not a duration",
        "write a number and s, m, h or d, as in \"90s\", \"5m\", \"1h\", \"1d\"",
    )
}

fn outside(node: &Node, range: &RangeInclusive<Duration>) -> Problem {
    let (least, most) = (in_words(*range.start()), in_words(*range.end()));
    node.problem(
        format!("the duration is not between {least} and {most}"),
        format!("write {least} to {most}"),
    )
}

/// None if it is no duration; none within if it is too long for a computer.
fn parse(text: &str) -> Option<Option<Duration>> {
    let unit = match text.bytes().next_back()? {
        b's' => 1,
        b'm' => MINUTE,
        b'h' => HOUR,
        b'd' => DAY,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let seconds = digits.parse().ok().and_then(|count: u64| count.checked_mul(unit));
    Some(seconds.map(Duration::from_secs))
}

/// The shortest way to write it: the inverse of the parser.
fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let unit = [(DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm')];
    match unit.into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit)) {
        Some((unit, letter)) => format!("{}{letter}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, seconds) in
            [("90s", 90), ("5m", 300), ("1h", 3600), ("1d", 86_400), ("007s", 7), ("0s", 0)]
        {
            assert_eq!(parse(text), Some(Some(Duration::from_secs(seconds))), "{text}");
        }
        for text in ["", "s", "5", "-5s", "+5s", "5 s", "5S", "5ms", "1h30m", "1.5h", "٥s", "5w", "s5", "5§"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_duration_that_overflows_is_outside_of_every_range() {
        for text in ["99999999999999999999s", "18446744073709551615m", "213503982334602d"] {
            assert_eq!(parse(text), Some(None), "{text}");
        }
    }

    #[test]
    fn what_is_printed_can_be_written() {
        for (duration, text) in
            [(seconds(90), "90s"), (minutes(10), "10m"), (days(7), "7d"), (seconds(0), "0s")]
        {
            assert_eq!(in_words(duration), text);
            assert_eq!(parse(text), Some(Some(duration)));
        }
    }
}
