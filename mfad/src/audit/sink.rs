//! Where committed events go besides the database: the journal where there is one, else syslog (AUTHPRIV). A slow or
//! missing log never delays a login, for the database has the event already: what the log does not take at once is
//! written by a thread.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use protocol::manage::EventLine;

use super::Priority;

/// journald's socket for its native protocol (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL>).
const JOURNAL: &str = "/run/systemd/journal/socket";

/// syslog's socket.
const SYSLOG: &str = "/dev/log";

/// LOG_AUTHPRIV (syslog(3)).
const AUTHPRIV: u8 = 10;

/// Lines that may wait for a slow log; more are dropped here, not in the database.
const QUEUE: usize = 4096;

/// A message for the log.
#[derive(Debug, Clone)]
pub enum Entry {
    /// An event of the audit.
    Event(EventLine),
    /// Something about the daemon itself, with its priority.
    Note(Priority, String),
}

/// The log. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    target: Arc<Mutex<Target>>,
    queue: SyncSender<Entry>,
}

impl Log {
    /// Starts the thread that writes when the log is slow or away.
    ///
    /// # Errors
    /// The operating system's, if no thread can be had.
    pub fn start() -> io::Result<Self> {
        let (queue, entries) = mpsc::sync_channel(QUEUE);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || run(&entries))?;
        Ok(Log { target: Arc::new(Mutex::new(Target::find(Patience::None))), queue })
    }

    /// Writes an entry: at once if the log takes it at once, else from the thread. Control characters cannot reach it.
    pub fn write(&self, entry: Entry) {
        let mut target = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sent = target.send(&entry);
        if sent.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::WouldBlock) {
            // The log daemon was restarted, or was not there yet.
            *target = Target::find(Patience::None);
            sent = target.send(&entry);
        }
        if sent.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            let _ = self.queue.try_send(entry);
        }
    }

    /// Writes about the daemon itself.
    pub fn note(&self, priority: Priority, text: &str) {
        self.write(Entry::Note(priority, protocol::text::printable(text)));
    }
}

/// The thread: waits for a slow log.
fn run(entries: &Receiver<Entry>) {
    let mut target = Target::None;
    for entry in entries {
        if target.send(&entry).is_err() {
            target = Target::find(Patience::Waits);
            let _ = target.send(&entry);
        }
    }
}

/// Whether a full log is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    None,
    Waits,
}

enum Target {
    None,
    Journal(UnixDatagram),
    Syslog(UnixDatagram),
}

impl Target {
    fn find(patience: Patience) -> Self {
        if let Ok(socket) = connect(JOURNAL, patience) {
            return Target::Journal(socket);
        }
        connect(SYSLOG, patience).map_or(Target::None, Target::Syslog)
    }

    fn send(&self, entry: &Entry) -> io::Result<()> {
        match self {
            Target::None => Err(io::ErrorKind::NotConnected.into()),
            Target::Journal(socket) => socket.send(&journal_record(entry)).map(drop),
            Target::Syslog(socket) => socket.send(syslog_record(entry).as_bytes()).map(drop),
        }
    }
}

fn connect(path: &str, patience: Patience) -> io::Result<UnixDatagram> {
    if !Path::new(path).exists() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.set_nonblocking(patience == Patience::None)?;
    Ok(socket)
}

/// One sentence with named fields; what fail2ban and people read.
fn message(entry: &Entry) -> String {
    let Entry::Event(event) = entry else {
        let Entry::Note(_, text) = entry else { return String::new() };
        return text.clone();
    };
    let mut message = event.kind.clone();
    let fields = [
        ("user", &event.user),
        ("service", &event.service),
        ("source", &event.source),
        ("ref", &event.reference),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            message.push_str(&format!(" {name}={}", quoted(value)));
        }
    }
    message.push_str(&format!(": {}", event.text));
    message
}

/// A value that cannot be taken for another field.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "._-@:/\\".contains(c);
    if value.chars().all(is_plain) { value.to_owned() } else { format!("{value:?}") }
}

fn priority(entry: &Entry) -> Priority {
    match entry {
        Entry::Event(event) => Priority::from_name(&event.priority),
        Entry::Note(priority, _) => *priority,
    }
}

/// RFC 3164 as local senders write it: the log daemon adds host and time.
fn syslog_record(entry: &Entry) -> String {
    let number = AUTHPRIV * 8 + priority(entry) as u8;
    format!("<{number}>mfad[{}]: {}", std::process::id(), message(entry))
}

fn journal_record(entry: &Entry) -> Vec<u8> {
    let mut fields = vec![
        ("MESSAGE", message(entry)),
        ("PRIORITY", (priority(entry) as u8).to_string()),
        ("SYSLOG_FACILITY", AUTHPRIV.to_string()),
        ("SYSLOG_IDENTIFIER", "mfad".to_owned()),
    ];
    if let Entry::Event(event) = entry {
        fields.push(("MFAD_EVENT", event.kind.clone()));
        fields.push(("MFAD_EVENT_ID", event.id.to_string()));
        let optional = [
            ("MFAD_USER", &event.user),
            ("MFAD_SERVICE", &event.service),
            ("MFAD_SOURCE", &event.source),
            ("MFAD_REFERENCE", &event.reference),
        ];
        fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
    }
    // No value has a line feed: `printable` took them out.
    fields.into_iter().flat_map(|(name, value)| format!("{name}={value}\n").into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(user: &str) -> Entry {
        Entry::Event(EventLine {
            id: 7,
            at: 0,
            kind: "login-refused".into(),
            priority: "notice".into(),
            user: Some(user.into()),
            uid: None,
            service: Some("sshd".into()),
            source: Some("192.0.2.7".into()),
            reference: Some("k3f9a".into()),
            text: "refused: expired".into(),
        })
    }

    #[test]
    fn a_line_has_named_fields_and_its_priority() {
        let line = syslog_record(&event("ada"));
        let (head, message) = line.split_once(": ").unwrap();
        assert!(head.starts_with("<85>mfad["), "{head}");
        assert_eq!(
            message,
            "login-refused user=ada service=sshd source=192.0.2.7 ref=k3f9a: refused: expired"
        );
    }

    #[test]
    fn a_name_cannot_pose_as_a_field() {
        let Entry::Event(line) = event("x source=10.0.0.1") else { unreachable!() };
        assert!(message(&Entry::Event(line)).contains(r#"user="x source=10.0.0.1" service=sshd"#));
    }
}
