//! The person before the terminal: shown lines on standard error, so that the answer on standard output stays clean,
//! and asked on standard input. What is typed is a secret from its first byte here.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use protocol::Secret;
use protocol::text::printable_lines;

use crate::failure::Failure;

/// No code is as long; in bytes.
const LONGEST_LINE: u64 = 1024;

/// A terminal on standard input.
pub struct Terminal(());

impl Terminal {
    /// The terminal, if standard input is one.
    pub fn on_stdin() -> Option<Self> {
        io::stdin().is_terminal().then_some(Terminal(()))
    }

    /// Shows a line, or several.
    pub fn tell(&mut self, text: &str) {
        show(&format!("{}\n", printable_lines(text)));
    }

    /// Asks, and waits for a line; none if the person ended the input instead.
    ///
    /// # Errors
    /// [`Failure::Input`] if what was typed is no text.
    pub fn ask(&mut self, question: &str) -> Result<Option<Secret>, Failure> {
        show(&printable_lines(question));
        let typed = line()?;
        if typed.is_none() {
            // The cursor still stands behind the question.
            show("\n");
        }
        Ok(typed)
    }
}

/// The next line of standard input, without blanks around it; none at its end.
///
/// # Errors
/// [`Failure::Input`] if it is no text or cannot be read.
pub fn line() -> Result<Option<Secret>, Failure> {
    let mut line = String::with_capacity(64);
    let read = io::stdin().lock().take(LONGEST_LINE).read_line(&mut line);
    let line = Secret::new(line);
    Ok((read.map_err(Failure::Input)? > 0).then(|| Secret::new(line.expose().trim().to_owned())))
}

fn show(text: &str) {
    // Nobody is there to be told if stderr is closed.
    let mut stderr = io::stderr();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
