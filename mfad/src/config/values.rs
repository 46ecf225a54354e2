//! Readers for the kinds of value that many keys have: words, numbers, texts, paths, lists.

use std::ops::RangeInclusive;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::problem::{Problem, Problems};
use super::suggest;
use super::tree::{Node, Value};

/// The words that a key takes, and those that a later version will take.
pub(super) struct Words<T: 'static> {
    pub(super) now: &'static [(&'static str, T)],
    pub(super) later: &'static [&'static str],
}

impl<T: Copy> Words<T> {
    pub(super) fn read(&self, node: &Node) -> Result<T, Problem> {
        let Value::Text(text) = &node.value else {
            return Err(node.problem("a word belongs here", format!("write {}", self.choice())));
        };
        self.find(node, text)
    }

    /// As [`Self::read`], for a word that is a part of the value.
    pub(super) fn find(&self, node: &Node, text: &str) -> Result<T, Problem> {
        if let Some((_, value)) = self.now.iter().find(|(word, _)| *word == text) {
            return Ok(*value);
        }
        if let Some(word) = self.later.iter().find(|word| **word == text) {
            let message = format!("\"{word}\" is not in this version of mfad");
            return Err(node.problem(message, format!("write {}", self.choice())));
        }
        let words: Vec<&str> = self.now.iter().map(|(word, _)| *word).collect();
        let remedy = match suggest::nearest(text, &words) {
            Some(word) => format!("did you mean \"{word}\"?"),
            None => format!("write {}", self.choice()),
        };
        Err(node.problem("this word is not known here", remedy))
    }

    fn choice(&self) -> String {
        let words: Vec<String> = self.now.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        match words.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

/// A number in `range`; `reason` is said when it is not.
pub(super) fn number(node: &Node, range: &RangeInclusive<u32>, reason: &str) -> Result<u32, Problem> {
    let remedy = format!("write {} to {}, without quotes", range.start(), range.end());
    match &node.value {
        Value::Integer(number) => number
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let message = format!("the number is not between {} and {}", range.start(), range.end());
                let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                node.problem(message + &reason, remedy)
            }),
        _ => Err(node.problem("a whole number belongs here", remedy)),
    }
}

pub(super) fn boolean(node: &Node) -> Result<bool, Problem> {
    match node.value {
        Value::Boolean(value) => Ok(value),
        _ => Err(node.problem("true or false belongs here", "write true or false, without quotes")),
    }
}

/// A text that is not empty and moves no cursor.
pub(super) fn text(node: &Node) -> Result<&str, Problem> {
    let Value::Text(text) = &node.value else {
        return Err(node.problem("a text belongs here", "write it in \"quotes\""));
    };
    if text.is_empty() {
        return Err(
            node.problem("the text is empty", "write something, or remove the key: the default holds then")
        );
    }
    if protocol::text::printable(text) != *text {
        let message = "the text has a control character, or one that is invisible";
        return Err(node.problem(message, "remove it"));
    }
    Ok(text)
}

pub(super) fn absolute_path(node: &Node) -> Result<PathBuf, Problem> {
    absolute(node, text(node)?)
}

/// A path that does not depend on the directory that mfad was started in.
pub(super) fn absolute(node: &Node, path: &str) -> Result<PathBuf, Problem> {
    let path = Path::new(path);
    if !path.is_absolute() {
        return Err(
            node.problem("the path does not start at /", "write the whole path, as in \"/etc/mfad/…\"")
        );
    }
    if path.components().any(|part| part == Component::ParentDir) || path.parent().is_none() {
        return Err(node.problem("the path is /, or goes up by ..", "write the path without .."));
    }
    Ok(path.to_owned())
}

/// A file that has to be there, because the configuration names it.
pub(super) fn existing_file(node: &Node) -> Result<PathBuf, Problem> {
    let path = absolute_path(node)?;
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(path),
        Ok(_) => Err(node.problem("what the path names is not a file", "name a file")),
        Err(error) => Err(node.problem(
            format!("the file cannot be used: {error}"),
            "create it where mfad can read it, or remove the key",
        )),
    }
}

/// A program that has to be there, and that nobody but root and the daemon's own user can have written: mfad runs it with
/// codes in its hands.
pub(super) fn program(node: &Node) -> Result<PathBuf, Problem> {
    let path = absolute_path(node)?;
    let metadata = path.metadata().map_err(|error| {
        let remedy = "install the program where mfad can run it, or correct the path";
        node.problem(format!("the program cannot be used: {error}"), remedy)
    })?;
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    if !metadata.is_file() || mode & 0o111 == 0 {
        return Err(node.problem("what the path names is no program", "name a file, and make it executable"));
    }
    if owner != 0 && owner != nix::unistd::geteuid().as_raw() {
        let message = format!("the program belongs to uid {owner}, who could change it");
        return Err(node.problem(message, format!("chown root {}", path.display())));
    }
    if mode & 0o022 != 0 {
        let message = format!("others than its owner may write to the program (mode {mode:04o})");
        return Err(node.problem(message, format!("chmod go-w {}", path.display())));
    }
    Ok(path)
}

/// What the items of a list are, in order; every fault of every item.
pub(super) fn list<T, E: Into<Problems>>(
    node: &Node,
    item: impl Fn(&Node) -> Result<T, E>,
) -> Result<Vec<T>, Problems> {
    let Value::List(items) = &node.value else {
        return Err(node.problem("a list belongs here", "write it in [brackets]").into());
    };
    collect(items.iter().map(item))
}

/// A list in which something must be, and nothing twice.
pub(super) fn distinct_list<T: PartialEq, E: Into<Problems>>(
    node: &Node,
    item: impl Fn(&Node) -> Result<T, E>,
) -> Result<Vec<T>, Problems> {
    let items = list(node, item)?;
    if items.is_empty() {
        return Err(node.problem("the list is empty", "write at least one, or remove the key").into());
    }
    let twice = |(at, item): (usize, &T)| items[..at].contains(item);
    if items.iter().enumerate().any(twice) {
        return Err(node.problem("something is in the list twice", "write it once").into());
    }
    Ok(items)
}

/// All values, or all faults.
pub(super) fn collect<T, E: Into<Problems>>(
    results: impl Iterator<Item = Result<T, E>>,
) -> Result<Vec<T>, Problems> {
    let mut values = Vec::new();
    let mut problems = Vec::new();
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(more) => problems.extend(more.into().0),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(Problems(problems)) }
}
