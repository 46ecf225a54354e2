//! Where answers go: text for people or JSON for programs, one answer at a time. The words are the topics' business;
//! this sees to it that nothing from a socket reaches the terminal unsanitised, and that a closed pipe is no error.

use std::io::{self, IsTerminal, StdoutLock, Write};

use comfy_table::{Table, presets};
use protocol::Secret;
use protocol::manage::{Finding, Outcome};
use protocol::text::{printable, printable_lines};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::failure::Failure;

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: the answer's parameters as they came, one answer a line.
    Json,
}

/// Whether words are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// With ANSI escape sequences.
    Ansi,
    /// Not.
    Plain,
}

/// The terminal or pipe that answers go to.
pub struct Output {
    format: Format,
    colour: Colour,
    stdout: StdoutLock<'static>,
}

impl Output {
    /// Standard output, coloured if a person looks at it and did not ask otherwise (<https://no-color.org>).
    pub fn new(format: Format) -> Self {
        let stdout = io::stdout().lock();
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        let colour = if stdout.is_terminal() && !unwanted { Colour::Ansi } else { Colour::Plain };
        Output { format, colour, stdout }
    }

    /// How answers are printed.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether words in a text may be coloured.
    pub fn colour(&self) -> Colour {
        self.colour
    }

    /// Prints one answer at once. `text` gets a copy in which every string is safe for a terminal; no text, no line.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub fn answer<R, F>(&mut self, reply: &R, text: F) -> Result<(), Failure>
    where
        R: Serialize + DeserializeOwned,
        F: FnOnce(&R) -> String,
    {
        let lines = match self.format {
            Format::Json => escaped(&serde_json::to_string(reply).map_err(unprintable)?),
            Format::Text => text(&sanitised(reply)?),
        };
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(self.stdout, "{lines}").and_then(|()| self.stdout.flush()).map_err(Failure::Output)
    }

    /// Draws for people what belongs to the next answer; programs get the answer alone.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub fn drawing(&mut self, drawing: &Secret) -> Result<(), Failure> {
        match self.format {
            Format::Json => Ok(()),
            Format::Text => {
                writeln!(self.stdout, "{}", printable_lines(drawing.expose())).map_err(Failure::Output)
            }
        }
    }

    /// Tells people what they should know beside the answer. In JSON the answer holds it already.
    pub fn warning(&mut self, text: &str) {
        self.remark(&format!("Warning: {text}"));
    }

    /// Tells people what is no part of the answer, where it is not mistaken for one.
    pub fn remark(&mut self, text: &str) {
        if self.format == Format::Text {
            complain(&printable(text));
        }
    }

    /// Tells why there is no answer.
    pub fn failure(&mut self, failure: &Failure) {
        if !failure.is_quiet() {
            complain(&printable(&failure.to_string()));
        }
    }
}

/// Rows under each other, columns as wide as they need to be. Lines are not wrapped: `grep` shall find whole ones.
pub fn table(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// A row of a name and a value.
pub fn row(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}

/// A step or a check, as a line.
pub fn finding(finding: &Finding, colour: Colour) -> String {
    // Padded outside the colour: escape sequences have no width.
    let padding = " ".repeat(8_usize.saturating_sub(finding.outcome.name().len()));
    format!("{}{padding}{}: {}", outcome(finding.outcome, colour), finding.name, finding.detail)
}

/// The word for an outcome.
pub fn outcome(outcome: Outcome, colour: Colour) -> String {
    let code = match outcome {
        Outcome::Ok => 32,
        Outcome::Warning => 33,
        Outcome::Failed => 31,
    };
    match colour {
        Colour::Ansi => format!("\x1b[{code}m{}\x1b[0m", outcome.name()),
        Colour::Plain => outcome.name().to_owned(),
    }
}

fn complain(line: &str) {
    // Nobody is left to tell if stderr is closed.
    let _ = writeln!(io::stderr(), "{line}");
}

/// The same reply with every string made safe, so that no topic can forget one.
fn sanitised<R: Serialize + DeserializeOwned>(reply: &R) -> Result<R, Failure> {
    let mut value = serde_json::to_value(reply).map_err(unprintable)?;
    sanitise(&mut value);
    serde_json::from_value(value).map_err(unprintable)
}

fn sanitise(value: &mut Value) {
    match value {
        Value::String(text) => *text = printable(text),
        Value::Array(items) => items.iter_mut().for_each(sanitise),
        Value::Object(fields) => fields.values_mut().for_each(sanitise),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The same JSON, written so that a terminal cannot be harmed by it. Only strings hold such characters.
fn escaped(json: &str) -> String {
    if printable(json) == json {
        return json.to_owned();
    }
    json.chars()
        .map(|c| if printable(c.encode_utf8(&mut [0; 4])).starts_with(c) { c.to_string() } else { escape(c) })
        .collect()
}

fn escape(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn unprintable(error: serde_json::Error) -> Failure {
    Failure::Output(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_stand_around_the_word_alone() {
        assert_eq!(
            Outcome::ALL.iter().map(|it| outcome(*it, Colour::Ansi)).collect::<Vec<_>>(),
            ["\x1b[32mok\x1b[0m", "\x1b[33mwarning\x1b[0m", "\x1b[31mfailed\x1b[0m"]
        );
        let store = Finding { name: "store".into(), outcome: Outcome::Ok, detail: "open".into() };
        assert_eq!(finding(&store, Colour::Ansi), "\x1b[32mok\x1b[0m      store: open");
        assert_eq!(finding(&store, Colour::Plain), "ok      store: open");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let hostile = "a\x1b\u{7f}\u{9b}\u{202e}\u{e0001}é东\"\\?";
        let json = escaped(&serde_json::to_string(hostile).unwrap());
        assert_eq!(json, "\"a\\u001b\\u007f\\u009b\\u202e\\udb40\\udc01é东\\\"\\\\?\"");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
    }
}
