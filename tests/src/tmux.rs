//! A person in a pane of a real tmux: what a program draws goes through a terminal's own understanding of it before it is
//! seen. The server listens in the story's private directory and ends with it.

use std::os::unix::net::UnixStream;

use crate::host::path;
use crate::process::{Family, Running, explain, run};
use crate::wait::until;

/// Columns and rows: a large window, as one has it on a screen of today.
const SIZE: [&str; 4] = ["-x", "120", "-y", "60"];

/// The only pane of a tmux. Dropping it ends both.
pub struct Pane {
    _server: Running,
    socket: String,
}

impl Pane {
    /// Starts a program as root.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(arguments: &[&str]) -> Self {
        let socket = path("tmux").display().to_string();
        // In the foreground: a server that went its own way would survive a story that is killed.
        let server = Running::start("tmux", Family::Whole, "tmux", &["-f", "/dev/null", "-S", &socket, "-D"]);
        until("tmux to listen", || UnixStream::connect(&socket).ok());
        let pane = Pane { _server: server, socket };
        pane.tmux(&["set-option", "-g", "remain-on-exit", "on"]);
        pane.tmux(&[&["new-session", "-d"], SIZE.as_slice(), &["--"], arguments].concat());
        pane
    }

    /// Waits until a text is on the screen.
    ///
    /// # Panics
    /// If it never is.
    pub fn expect(&self, text: &str) {
        until(&format!("{text:?} in a pane"), || {
            self.tmux(&["capture-pane", "-p"]).contains(text).then_some(())
        });
    }

    /// Types a line and Enter.
    ///
    /// # Panics
    /// If tmux is gone.
    pub fn type_line(&self, line: &str) {
        if !line.is_empty() {
            self.tmux(&["send-keys", "-l", "--", line]);
        }
        self.tmux(&["send-keys", "Enter"]);
    }

    /// Empties the screen and what was scrolled off it, between two questions.
    ///
    /// # Panics
    /// If tmux is gone.
    pub fn clear(&self) {
        self.tmux(&["send-keys", "-R"]);
    }

    /// The screen, with escapes for colours.
    ///
    /// # Panics
    /// If tmux is gone.
    pub fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-e", "-p"])
    }

    fn tmux(&self, command: &[&str]) -> String {
        let arguments = [&["-u", "-S", &self.socket], command].concat();
        run("tmux", &arguments).expect_success("tmux")
    }
}

impl Drop for Pane {
    fn drop(&mut self) {
        if std::thread::panicking() {
            explain("tmux", &run("tmux", &["-u", "-S", &self.socket, "capture-pane", "-p"]).out);
        }
    }
}
