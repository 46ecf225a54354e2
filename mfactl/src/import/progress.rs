//! How far a long import is: a line on stderr that counts, if somebody looks at it. A short import shows nothing.

use std::io::{self, IsTerminal, Stderr, Write};

/// Rows between two updates of the line.
const EVERY: usize = 100;

/// Who reads the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A person before a terminal.
    Person,
    /// A file or a program, that needs no such line.
    Nobody,
}

/// Counts rows. The line is ended when it is dropped.
#[derive(Debug)]
pub struct Progress<W: Write> {
    stream: W,
    audience: Audience,
    total: usize,
    done: usize,
}

impl Progress<Stderr> {
    /// Counts to `total` on stderr, if that is a terminal.
    pub fn on_stderr(total: usize) -> Self {
        let stream = io::stderr();
        let audience = if stream.is_terminal() { Audience::Person } else { Audience::Nobody };
        Progress::new(stream, audience, total)
    }
}

impl<W: Write> Progress<W> {
    /// Counts to `total` on a stream.
    pub fn new(stream: W, audience: Audience, total: usize) -> Self {
        Progress { stream, audience, total, done: 0 }
    }

    /// One more row is done.
    pub fn advance(&mut self) {
        self.done += 1;
        if self.audience == Audience::Person && self.done.is_multiple_of(EVERY) {
            // A terminal that is gone must not end the import.
            let _ = write!(self.stream, "\r{} of {}", self.done, self.total);
            let _ = self.stream.flush();
        }
    }
}

impl<W: Write> Drop for Progress<W> {
    fn drop(&mut self) {
        if self.audience == Audience::Person && self.done >= EVERY {
            let _ = writeln!(self.stream, "\r{} of {}", self.done, self.total);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(audience: Audience, rows: usize) -> String {
        let mut stream = Vec::new();
        let mut progress = Progress::new(&mut stream, audience, rows);
        (0..rows).for_each(|_| progress.advance());
        drop(progress);
        String::from_utf8(stream).unwrap()
    }

    #[test]
    fn a_person_sees_every_hundredth_row_and_the_end() {
        assert_eq!(shown(Audience::Person, 250), "\r100 of 250\r200 of 250\r250 of 250\n");
    }

    #[test]
    fn short_imports_and_pipes_show_nothing() {
        assert_eq!(shown(Audience::Person, 99), "");
        assert_eq!(shown(Audience::Nobody, 250), "");
    }
}
