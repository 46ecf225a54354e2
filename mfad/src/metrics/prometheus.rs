//! The counters as Prometheus reads them
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>). No name of a person is in them.

use super::histogram::CLASSES;
use super::{Histogram, Metrics};

/// What the server says that this is.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All of them, line by line. `uptime` in seconds.
pub fn lines(metrics: &Metrics, uptime: u64) -> Vec<String> {
    let mut lines = vec![
        "# HELP mfad_info The release that runs.".to_owned(),
        "# TYPE mfad_info gauge".to_owned(),
        format!("mfad_info{{release=\"{}\"}} 1", env!("CARGO_PKG_VERSION")),
    ];
    lines.extend(one("uptime_seconds", "gauge", "Seconds since the start.", uptime));
    lines.extend(one("connections", "gauge", "Connections that are open.", metrics.connections.value()));
    for (name, help, value) in counters(metrics) {
        lines.extend(one(&format!("{name}_total"), "counter", help, value));
    }
    lines.extend(login_calls(metrics));
    lines
}

fn counters(metrics: &Metrics) -> [(&'static str, &'static str, u64); 11] {
    [
        ("logins", "Logins begun.", metrics.logins.value()),
        ("logins_allowed", "Logins that ended with a proved factor.", metrics.allowed.value()),
        ("logins_exempted", "Logins that a rule let pass.", metrics.exempted.value()),
        ("logins_opened", "Logins let in because mail or a hook failed.", metrics.opened.value()),
        ("logins_refused", "Logins that ended otherwise.", metrics.refused.value()),
        ("mails_sent", "Mails that a courier took.", metrics.mails_sent.value()),
        ("mails_failed", "Mails that none took.", metrics.mails_failed.value()),
        ("commits", "Transactions of the database.", metrics.commits.value()),
        ("rows_written", "Accounts and events written.", metrics.rows.value()),
        ("flushes", "Transactions that waited for the disk.", metrics.flushes.value()),
        ("connections_refused", "Connections refused: too many.", metrics.connections_refused.value()),
    ]
}

fn one(name: &str, kind: &str, help: &str, value: u64) -> [String; 3] {
    [
        format!("# HELP mfad_{name} {help}"),
        format!("# TYPE mfad_{name} {kind}"),
        format!("mfad_{name} {value}"),
    ]
}

/// How long a login program waited for an answer, a histogram a call.
fn login_calls(metrics: &Metrics) -> Vec<String> {
    let mut lines = vec![
        "# HELP mfad_login_call_seconds How long a login program waited for mfad, mail included.".to_owned(),
        "# TYPE mfad_login_call_seconds histogram".to_owned(),
    ];
    let calls = [("begin", &metrics.begins), ("continue", &metrics.continues), ("answer", &metrics.answers)];
    for (call, histogram) in calls {
        lines.extend(histogram_lines(call, histogram));
    }
    lines
}

fn histogram_lines(call: &str, histogram: &Histogram) -> Vec<String> {
    let (counts, microseconds) = histogram.read();
    let ends = CLASSES.iter().map(|end| seconds(end * 1000)).chain(["+Inf".to_owned()]);
    let class = |(end, count): (String, &u64)| {
        format!("mfad_login_call_seconds_bucket{{call=\"{call}\",le=\"{end}\"}} {count}")
    };
    let mut lines: Vec<String> = ends.zip(&counts).map(class).collect();
    let all = counts.last().copied().unwrap_or(0);
    lines.push(format!("mfad_login_call_seconds_sum{{call=\"{call}\"}} {}", seconds(microseconds)));
    lines.push(format!("mfad_login_call_seconds_count{{call=\"{call}\"}} {all}"));
    lines
}

fn seconds(microseconds: u64) -> String {
    let (whole, rest) = (microseconds / 1_000_000, microseconds % 1_000_000);
    let text = format!("{whole}.{rest:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_histogram_counts_what_took_so_long_or_less() {
        let histogram = Histogram::new();
        for millis in [0, 1, 3, 60_000] {
            histogram.note(Duration::from_millis(millis));
        }
        let lines = histogram_lines("begin", &histogram);
        assert_eq!(lines[0], "mfad_login_call_seconds_bucket{call=\"begin\",le=\"0.001\"} 2");
        assert_eq!(lines[2], "mfad_login_call_seconds_bucket{call=\"begin\",le=\"0.005\"} 3");
        assert_eq!(lines[11], "mfad_login_call_seconds_bucket{call=\"begin\",le=\"10\"} 3");
        assert_eq!(lines[12], "mfad_login_call_seconds_bucket{call=\"begin\",le=\"+Inf\"} 4");
        assert_eq!(lines[13], "mfad_login_call_seconds_sum{call=\"begin\"} 60.004");
        assert_eq!(lines[14], "mfad_login_call_seconds_count{call=\"begin\"} 4");
    }
}
