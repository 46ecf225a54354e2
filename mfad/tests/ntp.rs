//! A time server on loopback that tells the truth, lies, talks nonsense or says nothing.

mod running;
mod time_server;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mfad::clock::Clock;
use mfad::clock::ntp::{NtpError, ask};
use mfad::config::NtpServer;
use protocol::manage::Outcome;
use running::Running;
use time_server::{Manner, await_clock, section, server};

fn near(one: i64, other: i64) -> bool {
    one.abs_diff(other) < 2000
}

#[test]
fn a_server_that_is_ahead_or_behind_sets_the_clock_right() {
    let clock = Clock::of_system(1);
    for ahead in [0, 61, -61, 86_000, -86_000] {
        let wall = clock.now().wall;
        let fix = ask(&server(Manner::Says(ahead))).unwrap();
        assert!(near(fix.offset, ahead * 1000), "{fix:?}");
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        clock.set_fix(fix);
        let shifted = i64::try_from(clock.now().wall).unwrap() - i64::try_from(before).unwrap();
        assert!(near(shifted, ahead * 1000), "{shifted} instead of {ahead} s");
        clock.clear_fix();
        assert!(clock.now().wall.abs_diff(wall) < 10_000);
    }
}

#[test]
fn a_server_that_is_more_than_a_day_away_is_not_believed() {
    for ahead in [87_000, -87_000, 40_000_000] {
        let error = ask(&server(Manner::Says(ahead))).unwrap_err();
        assert!(matches!(error, NtpError::TooFar(_)), "{error}");
    }
}

#[test]
fn silence_and_nonsense_are_errors_within_the_timeout() {
    for manner in [Manner::Silent, Manner::Stutters, Manner::Mistakes, Manner::KnowsNothing] {
        let start = Instant::now();
        let error = ask(&server(manner)).unwrap_err();
        assert!(matches!(error, NtpError::Answer(_)), "{error}");
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    }
}

#[test]
fn a_name_without_an_address_is_an_error_with_a_remedy() {
    let server = NtpServer { host: "no-such-host.invalid".to_owned(), ..NtpServer::default() };
    let text = ask(&server).unwrap_err().to_string();
    assert!(text.contains("does not resolve") && text.contains("Check"), "{text}");
}

#[test]
fn a_daemon_takes_the_time_of_its_server_and_gives_it_up_when_it_is_told_to() {
    let (ahead, silent) = (server(Manner::Says(7200)), server(Manner::Silent));
    let mut running = Running::start(&section(&ahead));
    await_clock(&running, Outcome::Ok, &format!("{ahead}, 7"));
    running.configure("");
    running.reload();
    await_clock(&running, Outcome::Ok, "the clock of this host");
    running.configure(&section(&silent));
    running.reload();
    await_clock(&running, Outcome::Warning, "has not answered lately");
    // Whoever waits for a time server holds nobody up, not even the end.
    let start = Instant::now();
    running.terminate();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
