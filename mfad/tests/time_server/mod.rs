//! A time server on loopback, and a daemon that asks it.

#![allow(dead_code, unreachable_pub)] // A part of each test file that uses it.

use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mfad::config::NtpServer;
use protocol::manage::{self, Finding, Outcome};

use crate::running::Running;

/// Seconds from 1900, where NTP begins, to 1970 (RFC 5905, 6).
const ERA: u64 = 2_208_988_800;

/// How a server answers.
#[derive(Clone, Copy)]
pub enum Manner {
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
pub fn server(manner: Manner) -> NtpServer {
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

fn clock(running: &Running) -> Finding {
    let checks = running.manage().call(&manage::Health {}).unwrap().checks;
    checks.into_iter().find(|check| check.name == "clock").unwrap()
}

/// Waits until the daemon says this of its clock.
pub fn await_clock(running: &Running, outcome: Outcome, detail: &str) {
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

/// Names the server in a configuration.
pub fn section(server: &NtpServer) -> String {
    format!("[time]\nprovider = \"ntp\"\nntp = {{ server = \"{server}\", timeout = \"1s\" }}\n")
}
