//! A private `/dev/log`, read by a thread, so that stories can say what the log must and must not hold.

use std::fs;
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::wait::until;

/// Everything that was logged on a host.
pub struct Syslog {
    lines: Arc<Mutex<Vec<String>>>,
    socket: UnixDatagram,
    reader: Option<JoinHandle<()>>,
}

impl Syslog {
    /// Binds `/dev/log`, which must be private by now.
    ///
    /// # Panics
    /// If it cannot be bound.
    pub fn listen() -> Self {
        let socket = UnixDatagram::bind("/dev/log").expect("a private /dev/log");
        fs::set_permissions("/dev/log", fs::Permissions::from_mode(0o666)).expect("its mode");
        let lines = Arc::default();
        let (reading, sink) = (socket.try_clone().expect("the socket again"), Arc::clone(&lines));
        let reader = std::thread::spawn(move || collect(&reading, &sink));
        Syslog { lines, socket, reader: Some(reader) }
    }

    /// The lines so far, priority and time stamp included.
    pub fn lines(&self) -> Vec<String> {
        lock(&self.lines).clone()
    }

    /// Waits for a line that contains each of these texts, and returns it.
    ///
    /// # Panics
    /// If none comes.
    pub fn await_line(&self, texts: &[&str]) -> String {
        until(&format!("a log line with {texts:?}; there are: {:#?}", self.lines()), || {
            self.lines().into_iter().find(|line| texts.iter().all(|text| line.contains(text)))
        })
    }
}

impl Drop for Syslog {
    fn drop(&mut self) {
        drop(self.socket.shutdown(Shutdown::Both));
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
    }
}

fn collect(socket: &UnixDatagram, lines: &Mutex<Vec<String>>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length) = socket.recv(&mut buffer) {
        if length == 0 {
            return;
        }
        let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
        lock(lines).push(text.trim_end_matches(['\0', '\n']).to_owned());
    }
}

fn lock(lines: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}
