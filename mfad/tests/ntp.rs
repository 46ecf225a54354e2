//! A time server on loopback that tells the truth, lies, talks nonsense or says nothing.

mod running;

use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mfad::clock::Clock;
use mfad::clock::ntp::{NtpError, ask};
use mfad::config::NtpServer;
use protocol::manage::{self, Finding, Outcome};
use running::Running;

/// Seconds from 1900, where NTP begins, to 1970 (RFC 5905, 6).
const ERA: u64 = 2_208_988_800;

#[derive(Clone, Copy)]
enum Manner {
    /// Answers with its own clock: seconds away from this host's.
    Says(i64),
    /// Answers with 20 bytes.
    Stutters,
    /// Answers somebody else's question.
    Mistakes,
    /// Has no time itself (leap indicator 3, stratum 16).
    KnowsNothing,
    Silent,
}

/// Answers one question after the other until the test ends.
fn server(manner: Manner) -> NtpServer {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut question = [0; 48];
        while let Ok((48, peer)) = socket.recv_from(&mut question) {
            if let Some(answer) = answer(manner, &question) {
                let _ = socket.send_to(&answer, peer);
            }
        }
    });
    NtpServer { host: "127.0.0.1".to_owned(), port, timeout: Duration::from_secs(1) }
}

fn answer(manner: Manner, question: &[u8; 48]) -> Option<Vec<u8>> {
    let ahead = match manner {
        Manner::Says(seconds) => seconds,
        Manner::Silent => return None,
        Manner::Stutters => return Some(vec![0x24; 20]),
        Manner::Mistakes | Manner::KnowsNothing => 0,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seconds = (now.as_secs() + ERA).checked_add_signed(ahead).unwrap();
    let fraction = (u64::from(now.subsec_nanos()) << 32) / 1_000_000_000;
    let time = ((seconds << 32) | fraction).to_be_bytes();
    let mut packet = vec![0; 48];
    packet[0] = if matches!(manner, Manner::KnowsNothing) { 0xe4 } else { 0x24 };
    packet[1] = if matches!(manner, Manner::KnowsNothing) { 16 } else { 2 };
    packet[12..16].copy_from_slice(&[127, 0, 0, 1]);
    packet[24..32].copy_from_slice(&question[40..48]);
    if matches!(manner, Manner::Mistakes) {
        packet[31] ^= 1;
    }
    packet[32..40].copy_from_slice(&time);
    packet[40..48].copy_from_slice(&time);
    Some(packet)
}

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

fn clock(running: &Running) -> Finding {
    let checks = running.manage().call(&manage::Health {}).unwrap().checks;
    checks.into_iter().find(|check| check.name == "clock").unwrap()
}

fn await_clock(running: &Running, outcome: Outcome, detail: &str) {
    let start = Instant::now();
    loop {
        let found = clock(running);
        if found.outcome == outcome && found.detail.contains(detail) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{found:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn section(server: &NtpServer) -> String {
    format!("[time]\nprovider = \"ntp\"\nntp = {{ server = \"{server}\", timeout = \"1s\" }}\n")
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
