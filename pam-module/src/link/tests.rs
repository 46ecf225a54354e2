use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{JoinHandle, spawn};

use protocol::login::{Attempt, Verdict};

use super::*;

const ALLOWED: &str =
    r#"{"parameters":{"step":{"login":"l1","notices":[],"question":null,"verdict":"allow"}}}"#;

/// What a server does with a connection.
type Serve = Box<dyn Fn(&mut UnixStream) + Send>;

/// Trusts every path, and one peer.
struct Peer(u32);

impl Guard for Peer {
    fn inspect(&self, socket: &Path) -> Result<(), Failure> {
        std::fs::symlink_metadata(socket).map(drop).map_err(|error| Failure::Unreachable(error.to_string()))
    }

    fn admits(&self, uid: u32) -> bool {
        uid == self.0
    }
}

fn myself() -> Peer {
    Peer(nix::unistd::geteuid().as_raw())
}

/// A socket path of its own for each test; the file goes with it.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mfad-link-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Place(std::env::temp_dir().join(name))
    }

    /// Serves one connection after the other, each by its closure, after reading one frame.
    fn serve(&self, each: Vec<Serve>) -> JoinHandle<()> {
        let listener = UnixListener::bind(&self.0).unwrap();
        spawn(move || {
            for serve in each {
                let mut stream = listener.accept().unwrap().0;
                // A client that refuses this server hangs up without a word.
                if read_frame(&mut stream, &mut FrameBuffer::default()).is_ok() {
                    serve(&mut stream);
                }
            }
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn begin() -> Request {
    let attempt = Attempt {
        user: "ann".into(),
        service: "sshd".into(),
        tty: None,
        remote_host: None,
        remote_user: None,
        ssh_connection: None,
        ssh_auth_info: None,
    };
    Request::Begin(Begin { protocol: protocol::VERSION, attempt, appended: None })
}

fn send(text: impl Into<Vec<u8>>) -> Serve {
    let text = text.into();
    Box::new(move |stream| {
        let _ = stream.write_all(&text);
    })
}

fn frame_of(text: &str) -> Vec<u8> {
    format!("{text}\0").into_bytes()
}

/// One `Begin` against one connection served like this, with a second to spend, and how long it took.
fn call(serve: Serve) -> (Result<Step, Failure>, Duration) {
    let place = Place::new();
    let server = place.serve(vec![serve]);
    let guard = myself();
    let start = Instant::now();
    let outcome = Client::new(&place.0, &guard, Duration::from_secs(1)).call(&begin());
    let took = start.elapsed();
    server.join().unwrap();
    (outcome, took)
}

#[test]
fn a_reply_is_a_step() {
    let step = call(send(frame_of(ALLOWED))).0.unwrap();
    assert_eq!(step.then, protocol::login::Then::End(Verdict::Allow));
}

#[test]
fn a_daemon_that_hangs_is_left_at_the_deadline() {
    let (outcome, took) = call(Box::new(|stream| {
        let _ = stream.read(&mut [0]);
    }));
    assert!(matches!(outcome, Err(Failure::Deadline(1))), "{outcome:?}");
    assert!((Duration::from_millis(990)..Duration::from_millis(1500)).contains(&took), "{took:?}");
}

#[test]
fn a_daemon_that_drips_bytes_gains_no_time() {
    let (outcome, took) = call(Box::new(|stream| {
        while stream.write_all(b" ").is_ok() {
            sleep(Duration::from_millis(50));
        }
    }));
    assert!(matches!(outcome, Err(Failure::Deadline(1))), "{outcome:?}");
    assert!(took < Duration::from_millis(1500), "{took:?}");
}

#[test]
fn what_is_no_reply_is_refused() {
    let twice = format!("{ALLOWED}\0{ALLOWED}\0");
    let streamed = ALLOWED.replacen('{', r#"{"continues":true,"#, 1);
    for bytes in [
        frame_of(""),
        frame_of("garbage"),
        frame_of("[]"),
        frame_of(r#"{"parameters":{}}"#),
        frame_of(&ALLOWED.replace("allow", "perhaps")),
        frame_of(&ALLOWED.replace(r#""login""#, r#""more":1,"login""#)),
        frame_of(&ALLOWED.replace("null", r#"{"id":"q","text":"t","echo":"on"}"#)),
        frame_of(&streamed),
        vec![0xff, 0xfe, 0],
        vec![b' '; 64 * 1024],
        vec![b'['; 100_000],
    ] {
        let (outcome, _) = call(send(bytes.clone()));
        assert!(matches!(outcome, Err(Failure::Malformed(_))), "{outcome:?} for {} bytes", bytes.len());
    }
    // The second reply to one call is found at the next.
    let place = Place::new();
    let server = place.serve(vec![send(twice)]);
    let guard = myself();
    let mut client = Client::new(&place.0, &guard, Duration::from_secs(1));
    client.call(&begin()).unwrap();
    assert!(matches!(client.call(&begin()), Err(Failure::Malformed(_))));
    server.join().unwrap();
}

#[test]
fn an_error_reply_is_a_refusal_with_its_reason() {
    let (outcome, _) =
        call(send(frame_of(r#"{"error":"io.mfad.UnknownLogin","parameters":{"reason":"none"}}"#)));
    let Err(Failure::Refused { name, reason }) = outcome else { panic!("{outcome:?}") };
    assert_eq!((name.as_str(), reason.as_str()), ("io.mfad.UnknownLogin", "none"));
}

#[test]
fn a_close_inside_a_frame_or_before_it_is_a_loss_that_a_new_connection_heals() {
    for bytes in ["", r#"{"parameters":"#] {
        let place = Place::new();
        let server = place.serve(vec![send(bytes), send(frame_of(ALLOWED))]);
        let guard = myself();
        let mut client = Client::new(&place.0, &guard, Duration::from_secs(5));
        assert!(matches!(client.call(&begin()), Err(Failure::Lost)));
        client.call(&begin()).unwrap();
        server.join().unwrap();
    }
}

#[test]
fn a_daemon_that_closes_every_connection_is_left_when_patience_ends() {
    let place = Place::new();
    let listener = UnixListener::bind(&place.0).unwrap();
    spawn(move || listener.incoming().for_each(drop));
    let guard = myself();
    let mut client = Client::new(&place.0, &guard, Duration::from_secs(1));
    let mut losses = 0;
    let end = loop {
        match client.call(&begin()) {
            Err(Failure::Lost) => losses += 1,
            end => break end,
        }
    };
    assert!(matches!(end, Err(Failure::Unreachable(_) | Failure::Deadline(_))), "{end:?}");
    assert!((5..=11).contains(&losses), "{losses}");
}

#[test]
fn a_daemon_that_starts_late_is_waited_for() {
    let place = Place::new();
    let path = place.0.clone();
    let late = spawn(move || {
        sleep(Duration::from_millis(400));
        Place(path).serve(vec![send(frame_of(ALLOWED))]).join().unwrap();
    });
    let guard = myself();
    Client::new(&place.0, &guard, Duration::from_secs(5)).call(&begin()).unwrap();
    late.join().unwrap();
}

#[test]
fn a_daemon_that_is_away_is_given_up_after_three_seconds_or_the_deadline() {
    let place = Place::new();
    let guard = myself();
    for (timeout, bound) in [(1, 1500), (30, 3800)] {
        let start = Instant::now();
        let outcome = Client::new(&place.0, &guard, Duration::from_secs(timeout)).call(&begin());
        assert!(matches!(outcome, Err(Failure::Unreachable(_))), "{outcome:?}");
        assert!(start.elapsed() < Duration::from_millis(bound), "{:?}", start.elapsed());
    }
}

#[test]
fn a_full_backlog_does_not_outlast_the_deadline() {
    let place = Place::new();
    let listener = socket::socket(AddressFamily::Unix, SockType::Stream, SockFlag::empty(), None).unwrap();
    socket::bind(listener.as_raw_fd(), &UnixAddr::new(&place.0).unwrap()).unwrap();
    socket::listen(&listener, socket::Backlog::new(0).unwrap()).unwrap();
    let _waiting = UnixStream::connect(&place.0).unwrap();
    let guard = myself();
    let start = Instant::now();
    let outcome = Client::new(&place.0, &guard, Duration::from_secs(1)).call(&begin());
    assert!(matches!(outcome, Err(Failure::Deadline(1))), "{outcome:?}");
    assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
}

#[test]
fn another_users_server_is_told_nothing() {
    let place = Place::new();
    let server = place.serve(vec![Box::new(|_| panic!("the client spoke"))]);
    let stranger = Peer(nix::unistd::geteuid().as_raw().wrapping_add(1));
    let outcome = Client::new(&place.0, &stranger, Duration::from_secs(1)).call(&begin());
    assert!(matches!(outcome, Err(Failure::Foreign(_))), "{outcome:?}");
    server.join().unwrap();
}

#[test]
fn the_farewell_arrives_and_nobody_waits_for_a_reply() {
    let place = Place::new();
    let server = place.serve(vec![Box::new(|stream| {
        stream.write_all(&frame_of(ALLOWED)).unwrap();
        let farewell = read_frame(stream, &mut FrameBuffer::default()).unwrap();
        assert!(std::str::from_utf8(&farewell).unwrap().contains("io.mfad.Login.Cancel"));
    })]);
    let guard = myself();
    let mut client = Client::new(&place.0, &guard, Duration::from_secs(1));
    client.call(&begin()).unwrap();
    client.cancel("l1".into());
    server.join().unwrap();
}
