//! Text → tree: TOML values that know their file, span and dotted key. What a value must be is decided by its reader.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use protocol::text::printable;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};
use toml::value::{Date, Datetime};

use super::problem::{Excerpt, Problem, Problems};

/// Characters. A longer line is no help on a terminal.
const LONGEST_EXCERPT: usize = 160;

/// A file that was read.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Where each line but the first begins: there may be a thousand rules to place.
    lines: Vec<usize>,
}

impl Source {
    pub(super) fn new(path: PathBuf, text: String) -> Self {
        let lines = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        Source { path, text, lines }
    }
}

/// A part of a file, and the dotted key that it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Place {
    source: Arc<Source>,
    span: Range<usize>,
    pub(super) key: String,
    shown: Shown,
}

/// How much of its line may be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Line,
    /// The value of an unknown key may be a secret.
    UpToTheKey,
    /// A syntax error: nobody knows whose line it is.
    Nothing,
}

/// A key, and the value that it has.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Of the key, not of the value.
    pub(super) place: Place,
    pub(super) node: Node,
}

/// A value.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What TOML can say.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    /// None if it does not fit.
    Integer(Option<i64>),
    Boolean(bool),
    Date(Date),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// A number with a point, a time: nothing of ours takes them.
    Other,
}

/// The entries of the top level.
pub(super) fn parse(source: &Arc<Source>) -> Result<Vec<Entry>, Problems> {
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    if errors.is_empty() {
        return Ok(entries(source, "", table.get_ref()));
    }
    let problem = |error: &toml::de::Error| {
        let message = format!("not valid TOML: {}", error.message().replace('\n', ", "));
        let remedy = "correct this line: texts stand in \"quotes\", and each section and key is there once";
        match error.span() {
            None => Problem::with_file(&source.path, message, remedy),
            Some(span) => {
                let key = String::new();
                Place { source: Arc::clone(source), span, key, shown: Shown::Nothing }
                    .problem(message, remedy)
            }
        }
    };
    Err(Problems(errors.iter().map(problem).collect()))
}

fn entries(source: &Arc<Source>, prefix: &str, table: &DeTable<'_>) -> Vec<Entry> {
    let entry = |(name, value): (&Spanned<_>, &Spanned<_>)| {
        let name: &Spanned<std::borrow::Cow<'_, str>> = name;
        let key = if prefix.is_empty() {
            name.get_ref().to_string()
        } else {
            format!("{prefix}.{}", name.get_ref())
        };
        let span = name.span();
        let place = Place { source: Arc::clone(source), span, key: key.clone(), shown: Shown::UpToTheKey };
        Entry { name: name.get_ref().to_string(), place, node: node(source, key, value) }
    };
    let mut entries: Vec<Entry> = table.iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.place.span.start);
    entries
}

fn node(source: &Arc<Source>, key: String, value: &Spanned<DeValue<'_>>) -> Node {
    let value_of = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => Value::Integer(integer(number)),
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Datetime(Datetime { date: Some(date), time: None, offset: None }) => Value::Date(*date),
        DeValue::Float(_) | DeValue::Datetime(_) => Value::Other,
        DeValue::Array(list) => {
            Value::List(list.iter().map(|item| node(source, key.clone(), item)).collect())
        }
        DeValue::Table(table) => Value::Table(entries(source, &key, table)),
    };
    let place = Place { source: Arc::clone(source), span: value.span(), key, shown: Shown::Line };
    Node { place, value: value_of }
}

fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

impl Node {
    pub(super) fn problem(&self, message: impl Into<String>, remedy: impl Into<String>) -> Problem {
        self.place.problem(message, remedy)
    }
}

impl Place {
    pub(super) fn is_in_the_file_of(&self, other: &Place) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
    }

    /// The file, and the line in it, from 1.
    pub(super) fn file_and_line(&self) -> (PathBuf, u32) {
        (self.source.path.clone(), self.position().0)
    }

    pub(super) fn problem(&self, message: impl Into<String>, remedy: impl Into<String>) -> Problem {
        let (line, column, excerpt) = self.position();
        Problem {
            file: self.source.path.clone(),
            line: Some(line),
            column: Some(column),
            key: Some(self.key.clone()).filter(|key| !key.is_empty()),
            message: message.into(),
            remedy: remedy.into(),
            excerpt,
        }
    }

    fn position(&self) -> (u32, u32, Option<Box<Excerpt>>) {
        let text = &self.source.text;
        let start = floor_boundary(text, self.span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let number = self.source.lines.partition_point(|begin| *begin <= start) + 1;
        let column = text[line_start..start].chars().count() + 1;
        let one_based = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        (one_based(number), one_based(column), self.excerpt(line_start..line_end))
    }

    fn excerpt(&self, line: Range<usize>) -> Option<Box<Excerpt>> {
        let text = &self.source.text;
        let start = floor_boundary(text, self.span.start);
        let end = floor_boundary(text, self.span.end).clamp(start, line.end);
        let shown = match self.shown {
            Shown::Line => &text[line.clone()],
            Shown::UpToTheKey => &text[line.start..end_of_header(text, end)],
            Shown::Nothing => return None,
        };
        let shown = shown.trim_end();
        let may_be_secret = ["email.smtp", "hook.send", "hook.check"];
        if may_be_secret.iter().any(|key| self.key.starts_with(key)) || may_hold_a_secret(shown) {
            return None;
        }
        if shown.chars().count() > LONGEST_EXCERPT {
            return None;
        }
        let width = text[start..end].trim_end().chars().count().max(1);
        let line_start = line.start;
        let line = printable(&shown.replace('\t', " "));
        Some(Box::new(Excerpt { line, start: text[line_start..start].chars().count(), width }))
    }
}

/// What a password is written beside: a URL, a key that says so.
fn may_hold_a_secret(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    ["://", "pass", "secret", "token ="].iter().any(|sign| line.contains(sign))
}

/// Behind the brackets of `[section]`.
fn end_of_header(text: &str, end: usize) -> usize {
    text.len() - text[end..].trim_start_matches(']').len()
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
