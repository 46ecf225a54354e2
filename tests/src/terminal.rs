//! A person at a pseudo-terminal: types lines, waits for texts, sees everything.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::pty::{Winsize, openpty};

use crate::host::Person;
use crate::process::{bare, explain};
use crate::wait::until;

/// Who looks over the person's shoulder: gets every byte as it comes.
pub type Onlooker = Box<dyn Write + Send>;

/// A program on a terminal of its own. Dropping it hangs up.
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<Screen>>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Screen {
    text: String,
    read: usize,
    closed: Option<()>,
}

impl Terminal {
    /// Starts a program as root.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(arguments: &[&str]) -> Self {
        Terminal::start_before(None, arguments)
    }

    /// Starts a program as somebody, in their home.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start_as(person: &Person, arguments: &[&str]) -> Self {
        let id = person.uid.to_string();
        let mut all = vec!["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups", "--"];
        all.extend_from_slice(arguments);
        Terminal::start(&all)
    }

    /// As [`Terminal::start`], with somebody who looks on.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start_before(onlooker: Option<Onlooker>, arguments: &[&str]) -> Self {
        let size = Winsize { ws_row: 50, ws_col: 160, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(Some(&size), None).expect("a pseudo-terminal");
        // A program that held its own terminal's other side would never be hung up.
        let no_heir = FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC);
        fcntl(&pair.master, no_heir).expect("close-on-exec");
        let line = || pair.slave.try_clone().expect("the terminal again");
        // setsid makes the terminal the program's own, so that /dev/tty is it, and hanging up reaches the program.
        let mut command = bare("env");
        command
            .args(["--default-signal", "setpriv", "--pdeathsig", "HUP", "--", "setsid", "--ctty", "--"])
            .args(arguments);
        let child = command.stdin(line()).stdout(line()).stderr(line()).spawn().expect("setsid");
        drop((command, pair.slave));
        let screen = Arc::default();
        let (source, sink) = (pair.master.try_clone().expect("the terminal again"), Arc::clone(&screen));
        let reader = std::thread::spawn(move || watch(source, &sink, onlooker));
        Terminal { child, keyboard: pair.master.into(), screen, reader: Some(reader) }
    }

    /// Waits for a text that was not read yet; what came before it counts as read, and is returned with it.
    ///
    /// # Panics
    /// If the program ends first, or the text never comes.
    pub fn expect(&mut self, text: &str) -> String {
        self.expect_one_of(&[text]).1
    }

    /// Waits for whichever of these texts comes first; returns its place in the list and everything up to its end.
    ///
    /// # Panics
    /// If the program ends first, or none comes.
    pub fn expect_one_of(&mut self, texts: &[&str]) -> (usize, String) {
        until(&format!("{texts:?} on a terminal"), || {
            let mut screen = lock(&self.screen);
            let unread = &screen.text[screen.read..];
            let found = texts
                .iter()
                .enumerate()
                .filter_map(|(which, text)| Some((unread.find(text)? + text.len(), which)));
            if let Some((end, which)) = found.min() {
                let seen = unread[..end].to_owned();
                screen.read += end;
                return Some((which, seen));
            }
            assert!(screen.closed.is_none(), "the program ended before {texts:?} came:\n{}", screen.text);
            None
        })
    }

    /// Types a line and Enter.
    ///
    /// # Panics
    /// If nobody reads.
    pub fn type_line(&mut self, line: &str) {
        self.press(&format!("{line}\n"));
    }

    /// Presses keys; `\x03` is Ctrl-C.
    ///
    /// # Panics
    /// If nobody reads.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("typing");
    }

    /// Waits for the program's end; returns its status and everything it showed.
    ///
    /// # Panics
    /// If it does not end.
    pub fn await_end(&mut self) -> (ExitStatus, String) {
        let status = until("a program on a terminal to end", || self.child.try_wait().expect("its state"));
        until("the last of its output", || lock(&self.screen).closed);
        (status, self.transcript())
    }

    /// True once the program has ended.
    ///
    /// # Panics
    /// If the kernel does not know it.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_some()
    }

    /// Everything shown so far.
    pub fn transcript(&self) -> String {
        lock(&self.screen).text.clone()
    }

    /// The pid of the program.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            explain("terminal", &self.transcript());
        }
        drop(self.child.kill());
        drop(self.child.wait());
        // A grandchild may hold the terminal open for a moment longer; it dies of the hang-up, and so does the reader.
        drop(self.reader.take());
    }
}

fn watch(source: OwnedFd, screen: &Mutex<Screen>, mut onlooker: Option<Onlooker>) {
    let mut source = File::from(source);
    let mut buffer = [0; 4096];
    let mut unread = Vec::new();
    // Linux answers EIO once nobody has the other side open.
    while let Ok(count @ 1..) = source.read(&mut buffer) {
        let bytes = &buffer[..count];
        if let Some(onlooker) = &mut onlooker {
            drop(onlooker.write_all(bytes).and_then(|()| onlooker.flush()));
        }
        unread.extend_from_slice(bytes);
        // A read may end in the middle of a character.
        let whole = match std::str::from_utf8(&unread) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => unread.len(),
        };
        let text: Vec<u8> = unread.drain(..whole).collect();
        lock(screen).text.push_str(&String::from_utf8_lossy(&text));
    }
    lock(screen).closed = Some(());
}

fn lock(screen: &Mutex<Screen>) -> MutexGuard<'_, Screen> {
    screen.lock().unwrap_or_else(PoisonError::into_inner)
}
