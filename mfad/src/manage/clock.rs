//! Which clock counts, and what is known of it.

use std::path::Path;

use protocol::manage::{Finding, Outcome};

use crate::clock::Clock;
use crate::config::TimeProvider;

/// systemd-timesyncd makes this file when it has set the clock (systemd-timesyncd.service(8)).
const SYNCHRONIZED: &str = "/run/systemd/timesync/synchronized";

/// The check "clock".
pub(super) fn check(clock: &Clock, provider: &TimeProvider) -> Finding {
    let (outcome, detail) = match provider {
        TimeProvider::System => (Outcome::Ok, of_system(Path::new(SYNCHRONIZED)).to_owned()),
        TimeProvider::Ntp(server) => match clock.fix() {
            Some((fix, age)) => (Outcome::Ok, of_server(&fix.server, fix.offset, age.as_secs())),
            None => {
                let text = format!("{server} has not answered lately: the clock of this host counts");
                (Outcome::Warning, text)
            }
        },
    };
    Finding { name: "clock".to_owned(), outcome, detail }
}

/// No crate that may be relied on reads the kernel's own word (adjtimex(2)) safely, so other daemons than systemd's go
/// unnoticed: docs/dependencies.md.
fn of_system(synchronized: &Path) -> &'static str {
    if synchronized.exists() {
        "the clock of this host; systemd-timesyncd has synchronised it"
    } else {
        "the clock of this host; whether something synchronises it is not known"
    }
}

fn of_server(server: &str, offset: i64, age: u64) -> String {
    let (seconds, millis) = (offset.unsigned_abs() / 1000, offset.unsigned_abs() % 1000);
    let side = if offset < 0 { "behind" } else { "ahead of" };
    format!("{server}, {seconds}.{millis:03} s {side} the clock of this host, asked {age} s ago")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Fix;
    use crate::config::NtpServer;
    use std::time::Duration;

    #[test]
    fn a_time_server_is_named_with_its_offset_and_age_or_is_a_warning() {
        let clock = Clock::of_system(1);
        let provider = TimeProvider::Ntp(NtpServer::default());
        let finding = check(&clock, &provider);
        assert_eq!(finding.outcome, Outcome::Warning);
        assert!(finding.detail.starts_with("pool.ntp.org:123 has not answered"), "{}", finding.detail);
        let boot = Duration::from(nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).unwrap());
        let wall = Duration::from_secs(1_800_000_000);
        clock.set_fix(Fix { server: "ntp.example:123".to_owned(), wall, boot, offset: -61_007 });
        let finding = check(&clock, &provider);
        assert_eq!(finding.outcome, Outcome::Ok);
        let expected = "ntp.example:123, 61.007 s behind the clock of this host, asked 0 s ago";
        assert_eq!(finding.detail, expected);
    }

    #[test]
    fn nothing_is_claimed_of_the_system_clock_that_is_not_known() {
        assert!(of_system(Path::new("/")).contains("systemd-timesyncd has"));
        assert!(of_system(Path::new("/nonexistent")).contains("not known"));
    }
}
