//! Mail servers that fail in one way each.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use crate::wait::until;

/// What a broken mail server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Accepts connections and says nothing.
    Silent,
    /// Closes the connection in the middle of the message.
    DropsInData,
    /// Speaks SMTP but offers no STARTTLS, as after somebody on the way stripped it.
    StripsStartTls,
}

/// A mail server that fails in one way. It stops listening when dropped.
pub struct BrokenMailServer {
    port: u16,
    connections: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl BrokenMailServer {
    /// Starts it on this port.
    ///
    /// # Panics
    /// If the port is taken.
    pub fn start_on(port: u16, fault: Fault) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port for the broken mail server");
        let connections = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&connections);
        let thread = std::thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming().flatten() {
                if is_the_end(&stream) {
                    return;
                }
                counter.fetch_add(1, Ordering::Relaxed);
                match fault {
                    Fault::Silent => open.push(stream),
                    fault => drop(std::thread::spawn(move || converse(stream, fault))),
                }
            }
        });
        BrokenMailServer { port, connections, thread: Some(thread) }
    }

    /// Waits until somebody has connected.
    ///
    /// # Panics
    /// If nobody does.
    pub fn await_connection(&self) {
        until("a connection to the broken mail server", || {
            (self.connections.load(Ordering::Relaxed) > 0).then_some(())
        });
    }
}

impl Drop for BrokenMailServer {
    fn drop(&mut self) {
        // A connection from a port of our choice tells the thread to stop: see `is_the_end`.
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            drop(stream.write_all(END));
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

const END: &[u8] = b"THE END\r\n";

/// A client of SMTP never speaks first, so whoever does within a moment is our own `drop`.
fn is_the_end(stream: &TcpStream) -> bool {
    let mut first = [0; END.len()];
    drop(stream.set_read_timeout(Some(std::time::Duration::from_millis(30))));
    let spoke = stream.peek(&mut first).is_ok_and(|count| first[..count] == *END);
    drop(stream.set_read_timeout(None));
    spoke
}

/// Enough of RFC 5321 to reach the point of failure.
fn converse(mut stream: TcpStream, fault: Fault) {
    let mut say = |line: &str| stream.write_all(format!("{line}\r\n").as_bytes()).is_ok();
    say("220 broken.test ESMTP");
    let mut in_data = false;
    let mut reader = stream.try_clone().expect("the connection again");
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        if in_data && fault == Fault::DropsInData {
            drop(stream.shutdown(std::net::Shutdown::Both));
            return;
        }
        let mut say = |line: &str| drop(stream.write_all(format!("{line}\r\n").as_bytes()));
        // A client may pipeline its commands: one answer each.
        for command in String::from_utf8_lossy(&buffer[..count]).to_uppercase().lines() {
            match command.split_whitespace().next() {
                Some("EHLO") => say("250-broken.test\r\n250 8BITMIME"),
                Some("DATA") => {
                    in_data = true;
                    say("354 go on");
                }
                _ => say("250 2.0.0 OK"),
            }
        }
    }
}
