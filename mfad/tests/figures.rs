//! What the daemon counts, over its socket and over HTTP; what the audit counts.

mod running;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use protocol::call::Replies;
use protocol::manage;
use running::{Running, every_event};

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn ask(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    let _ = stream.read_to_string(&mut reply);
    reply
}

#[test]
fn the_counters_are_served_on_this_host_and_are_those_of_the_socket() {
    let port = free_port();
    let running = Running::start(&format!("[metrics]\nlisten = \"127.0.0.1:{port}\"\n"));
    let reply = ask(port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    let lines = running.manage().call(&manage::Metrics {}).unwrap().lines;
    let names = |lines: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        lines.map(|line| line.split(' ').take(3).next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(names(&mut body.lines()), names(&mut lines.iter().map(String::as_str)));
    assert!(body.contains("mfad_login_call_seconds_bucket{call=\"answer\",le=\"+Inf\"} 0\n"), "{body}");
    assert!(ask(port, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
    assert!(ask(port, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
}

#[test]
fn a_peer_that_says_nothing_or_too_much_keeps_nobody_from_the_counters() {
    let port = free_port();
    let running = Running::start(&format!("[metrics]\nlisten = \"127.0.0.1:{port}\"\n"));
    let silent: Vec<_> = (0..8).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    assert!(!ask(port, &"x".repeat(20_000)).starts_with("HTTP/1.1 200"));
    let reply = ask(port, "GET /metrics HTTP/1.1\r\n\r\n");
    assert!(reply.starts_with("HTTP/1.1 200 OK"), "{reply}");
    running.manage().call(&manage::Health {}).unwrap();
    drop(silent);
}

#[test]
fn without_the_key_nothing_listens_and_only_administrators_count() {
    let running = Running::start("");
    assert!(running.manage_as(12_345).call(&manage::Metrics {}).is_err());
    assert!(running.manage_as(12_345).call(&manage::Stats { since: 0 }).is_err());
    let refused = running.manage().call(&manage::Stats { since: 0 }).unwrap_err();
    assert!(refused.contains("31 days"), "{refused}");
}

#[test]
fn events_are_filtered_by_what_they_hold() {
    let running = Running::start("");
    for (user, address) in [("root", "root@example.org"), ("daemon", "daemon@example.org")] {
        let set = manage::SetEmail { user: user.into(), address: Some(address.into()) };
        running.manage().call(&set).unwrap();
    }
    let all = running.events();
    let reference = all[1].reference.clone().unwrap();
    let count = |change: fn(&mut manage::Events, &str)| {
        let mut wanted = every_event(manage::Follow::No);
        change(&mut wanted, &reference);
        let mut peer = running.manage();
        peer.send(&wanted, Replies::Many);
        peer.receive::<manage::Events>().unwrap().0.events.len()
    };
    assert_eq!(count(|_, _| ()), 2);
    assert_eq!(count(|wanted, _| wanted.kind = Some("account-changed".into())), 2);
    assert_eq!(count(|wanted, _| wanted.kind = Some("login-refused".into())), 0);
    assert_eq!(count(|wanted, _| wanted.service = Some("mfactl".into())), 2);
    assert_eq!(count(|wanted, _| wanted.service = Some("sshd".into())), 0);
    assert_eq!(count(|wanted, _| wanted.source = Some("unknown".into())), 2);
    assert_eq!(count(|wanted, _| wanted.source = Some("192.0.2.1".into())), 0);
    assert_eq!(count(|wanted, reference| wanted.reference = Some(reference[..5].to_owned())), 1);
    assert_eq!(count(|wanted, _| wanted.reference = Some("never".into())), 0);
    let last = |wanted: &mut manage::Events, _: &str| {
        (wanted.kind, wanted.last) = (Some("account-changed".into()), Some(1));
    };
    assert_eq!(count(last), 1);
}
