//! What is wrong with a configuration, told so that it can be put right: file, line, column, key, fact, remedy.

use std::fmt;
use std::path::{Path, PathBuf};

use protocol::text::printable;

/// Everything that is wrong, in the order of the files. Never empty when [`super::load`] returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file that has to be changed.
    pub file: PathBuf,
    /// From 1; none if it is about the file as a whole.
    pub line: Option<u32>,
    /// In characters, from 1.
    pub column: Option<u32>,
    /// The dotted key, as in `email.smtp.url`.
    pub key: Option<String>,
    /// The fact.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// The line itself; none where it may hold a secret.
    pub excerpt: Option<Box<Excerpt>>,
}

/// A line of a file, and the part of it that a problem is about. Control characters are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, without its end.
    pub line: String,
    /// Characters before the part.
    pub start: usize,
    /// Characters of the part, at least 1.
    pub width: usize,
}

impl Problem {
    /// A problem with a file, not with a line of it.
    pub(super) fn with_file(file: &Path, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Problem {
            file: file.to_owned(),
            line: None,
            column: None,
            key: None,
            message: message.into(),
            remedy: remedy.into(),
            excerpt: None,
        }
    }
}

impl Problem {
    /// For a log: place, fact and remedy, without the line of the file.
    pub fn in_one_line(&self) -> String {
        let line = self.line.map_or(String::new(), |line| format!(":{line}"));
        format!("{}{line}: {}; {}", self.file.display(), self.message, self.remedy)
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Problems(vec![problem])
    }
}

impl std::error::Error for Problem {}
impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(f, "{gap}{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", printable(&self.file.to_string_lossy()))?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ": {}", printable(key))?;
        }
        write!(f, ": {}", printable(&self.message))?;
        if let Some(excerpt) = &self.excerpt {
            let (indent, carets) = (" ".repeat(excerpt.start), "^".repeat(excerpt.width));
            write!(f, "\n    {}\n    {indent}{carets}", excerpt.line)?;
        }
        write!(f, "\n  {}", printable(&self.remedy))
    }
}
