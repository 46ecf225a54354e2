//! Moments and spans, as people write and read them: in local time, to the second. mfad counts milliseconds since 1970.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp, Zoned};

/// A moment in milliseconds since 1970, in local time.
pub fn local(milliseconds: u64) -> String {
    let moment = i64::try_from(milliseconds).ok().and_then(|count| Timestamp::from_millisecond(count).ok());
    match moment {
        Some(moment) => moment.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        None => format!("{milliseconds} ms after 1970"),
    }
}

/// The hour of the day of a moment in milliseconds since 1970, in local time: 0 to 23.
pub fn hour(milliseconds: u64) -> usize {
    let moment = i64::try_from(milliseconds).ok().and_then(|count| Timestamp::from_millisecond(count).ok());
    moment.map_or(0, |moment| usize::try_from(moment.to_zoned(TimeZone::system()).hour()).unwrap_or(0))
}

/// A day ago, in milliseconds since 1970.
pub fn yesterday() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond() - 86_400_000).unwrap_or(0)
}

/// A span of seconds in its two largest units.
pub fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

/// Reads a moment in the past, in milliseconds since 1970: a span before now ("1h"), RFC 3339, or a local date with or
/// without a time.
///
/// # Errors
/// A sentence for people.
pub fn since(text: &str) -> Result<u64, String> {
    before(&Zoned::now(), text)
}

/// Reads any moment, in milliseconds since 1970: RFC 3339, or a local date with or without a time.
///
/// # Errors
/// A sentence for people.
pub fn any(text: &str) -> Result<u64, String> {
    let no_moment = "write a date (2026-11-05) or a moment (2026-11-05T14:00:00Z)";
    let moment = absolute(&Zoned::now(), text).ok_or(no_moment)?;
    u64::try_from(moment.as_millisecond()).map_err(|_| before_1970())
}

fn absolute(now: &Zoned, text: &str) -> Option<Timestamp> {
    let local = |date: DateTime| Some(date.to_zoned(now.time_zone().clone()).ok()?.timestamp());
    text.parse::<Timestamp>().ok().or_else(|| local(text.parse().ok()?))
}

fn before(now: &Zoned, text: &str) -> Result<u64, String> {
    let moment = if let Some(moment) = absolute(now, text) {
        moment
    } else {
        let span = text.parse::<Span>().map_err(|_| not_understood())?;
        now.checked_sub(span).map_err(|_| before_1970())?.timestamp()
    };
    if moment > now.timestamp() {
        return Err("that is in the future".to_owned());
    }
    u64::try_from(moment.as_millisecond()).map_err(|_| before_1970())
}

/// Reads a span ("90s", "1h", "3d") in milliseconds. A day has 24 hours.
///
/// # Errors
/// A sentence for people.
pub fn length(text: &str) -> Result<u64, String> {
    let not_a_length = || "write a span (90s, 1h, 3d)".to_owned();
    let span = text.parse::<Span>().map_err(|_| not_a_length())?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| not_a_length())?;
    match u64::try_from(length.as_millis()) {
        Ok(0) | Err(_) => Err("that is no time at all".to_owned()),
        Ok(milliseconds) => Ok(milliseconds),
    }
}

fn before_1970() -> String {
    "that is before 1970".to_owned()
}

fn not_understood() -> String {
    "write a span (1h, 2d), a date (2026-11-05), or a moment (2026-11-05T14:00:00Z)".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: &str = "2026-11-05T12:00:00+01:00[+01:00]";

    #[test]
    fn a_moment_is_read_from_a_span_a_date_or_rfc_3339() {
        let now: Zoned = NOON.parse().unwrap();
        let hour = 3_600_000;
        let noon = u64::try_from(now.timestamp().as_millisecond()).unwrap();
        for (text, expected) in [
            ("1h", noon - hour),
            ("90 minutes", noon - hour * 3 / 2),
            ("2d", noon - 48 * hour),
            ("2026-11-05", noon - 12 * hour),
            ("2026-11-05 11:00", noon - hour),
            ("2026-11-05T11:00:00", noon - hour),
            ("2026-11-05T10:00:00Z", noon - hour),
            ("2026-11-05T09:00:00.25-01:00", noon - hour + 250),
        ] {
            assert_eq!(before(&now, text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_in_the_past_is_refused() {
        let now: Zoned = NOON.parse().unwrap();
        for (text, complaint) in [
            ("yesterday", not_understood()),
            ("", not_understood()),
            ("2026-13-01", not_understood()),
            ("-1h", "that is in the future".to_owned()),
            ("2027-01-01", "that is in the future".to_owned()),
            ("100y", before_1970()),
            ("19000y", before_1970()),
            ("1969-12-31T00:00:00Z", before_1970()),
        ] {
            assert_eq!(before(&now, text), Err(complaint), "{text}");
        }
    }

    #[test]
    fn a_length_is_a_span_that_lasts() {
        let hour = 3_600_000;
        for (text, expected) in [("90s", 90_000), ("1h", hour), ("3d", 72 * hour), ("1h 30m", hour * 3 / 2)] {
            assert_eq!(length(text), Ok(expected), "{text}");
        }
        for (text, complaint) in [
            ("", "write a span (90s, 1h, 3d)"),
            ("90", "write a span (90s, 1h, 3d)"),
            ("soon", "write a span (90s, 1h, 3d)"),
            ("1mo", "write a span (90s, 1h, 3d)"),
            ("0s", "that is no time at all"),
            ("-1h", "that is no time at all"),
        ] {
            assert_eq!(length(text), Err(complaint.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        let spans = [0, 59, 60, 3599, 3600, 86_399, 86_400, 100_000_000].map(span);
        assert_eq!(spans, ["0s", "59s", "1m 0s", "59m 59s", "1h 0m", "23h 59m", "1d 0h", "1157d 9h"]);
    }

    #[test]
    fn a_moment_beyond_the_calendar_is_told_as_a_number() {
        assert_eq!(local(u64::MAX), "18446744073709551615 ms after 1970");
    }
}
