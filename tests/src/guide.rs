//! A guide of docs/guide, as a reader would carry it out: its fenced blocks, section by section.
//!
//! What the word behind the fence means:
//! - `sh`: commands of root, one a line (`\` at the end goes on); each must succeed.
//! - `console`: a transcript. `# ` and `NAME@PLACE$ ` begin a command of root or of somebody; the other lines are what it
//!   shows, where `…` stands for anything; what stands behind `code: ` is typed.
//! - `pam`, `sshd_config`, `toml`, with a path behind it: the file is written so.
//! - `text`, and nothing: to be read.

use std::fs;

use crate::binaries;

/// A guide, and how far it was played.
pub struct Guide {
    name: String,
    blocks: Vec<Block>,
    played: Vec<String>,
}

/// A fenced block.
#[derive(Debug, Clone)]
pub struct Block {
    /// The heading above it, without `#`.
    pub section: String,
    /// What it is.
    pub content: Content,
    /// The line that it begins on, for failures.
    pub place: String,
}

/// What a block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Commands of root.
    Commands(Vec<String>),
    /// A transcript.
    Transcript(Vec<Shown>),
    /// A file: its kind, its path, its text.
    File(String, String, String),
    /// Something to be read.
    Prose,
}

/// A command of a transcript, and the lines that it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Whose command it is: `root`, or somebody's name.
    pub who: String,
    /// The command line.
    pub command: String,
    /// What is shown.
    pub lines: Vec<String>,
}

/// The guides, by the names of their files.
///
/// # Panics
/// If docs/guide cannot be read.
pub fn all() -> Vec<String> {
    let directory = binaries::source("../docs/guide");
    let entries = fs::read_dir(directory).expect("docs/guide").flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".md")).collect();
    names.sort();
    names
}

/// The text of a guide.
///
/// # Panics
/// If it cannot be read.
pub fn text(name: &str) -> String {
    let path = binaries::source("../docs/guide").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Guide {
    /// Reads it.
    ///
    /// # Panics
    /// If it cannot be read, or a fence has a word that is not known.
    pub fn open(name: &str) -> Self {
        Guide { name: name.to_owned(), blocks: blocks(name, &text(name)), played: Vec::new() }
    }

    /// All its blocks.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The blocks of a section that are more than prose; it counts as played.
    ///
    /// # Panics
    /// If there are none.
    pub fn section(&mut self, heading: &str) -> Vec<Block> {
        let is_in = |block: &&Block| block.section == heading && block.content != Content::Prose;
        let found: Vec<Block> = self.blocks.iter().filter(is_in).cloned().collect();
        assert!(!found.is_empty(), "{} has nothing to do below {heading:?}", self.name);
        self.played.push(heading.to_owned());
        found
    }

    /// Every block was played.
    ///
    /// # Panics
    /// If one was not.
    pub fn finish(self) {
        let left = |block: &&Block| block.content != Content::Prose && !self.played.contains(&block.section);
        let left: Vec<&Block> = self.blocks.iter().filter(left).collect();
        assert!(left.is_empty(), "nobody has carried this out: {left:#?}");
    }
}

fn blocks(name: &str, text: &str) -> Vec<Block> {
    let (mut blocks, mut section) = (Vec::new(), String::new());
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(heading) = line.strip_prefix('#') {
            heading.trim_start_matches('#').trim().clone_into(&mut section);
        }
        let Some(fence) = line.trim_start().strip_prefix("```") else { continue };
        let indent = line.len() - line.trim_start().len();
        let inside = lines.by_ref().take_while(|(_, line)| line.trim() != "```");
        let inside: Vec<String> =
            inside.map(|(_, line)| line.get(indent..).unwrap_or_default().to_owned()).collect();
        let place = format!("docs/guide/{name}:{}", number + 1);
        let content = content(fence, &inside).unwrap_or_else(|| panic!("{place}: what is {fence:?}?"));
        blocks.push(Block { section: section.clone(), content, place });
    }
    blocks
}

fn content(fence: &str, lines: &[String]) -> Option<Content> {
    match fence.split_once(' ').unwrap_or((fence, "")) {
        ("sh", "") => Some(Content::Commands(commands(lines))),
        ("console", "") => Some(Content::Transcript(transcript(lines))),
        (kind @ ("pam" | "sshd_config" | "toml"), path) if path.starts_with('/') => {
            let text = lines.iter().map(|line| format!("{line}\n")).collect();
            Some(Content::File(kind.to_owned(), path.to_owned(), text))
        }
        ("" | "text" | "toml" | "pam" | "sshd_config", "") => Some(Content::Prose),
        _ => None,
    }
}

/// Lines that end in `\` are one with the next; comments are left out.
fn commands(lines: &[String]) -> Vec<String> {
    let joined = lines.join("\n").replace("\\\n", " ");
    let lines = joined.lines().map(|line| line.split("   #").next().unwrap_or_default().trim().to_owned());
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn transcript(lines: &[String]) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    for line in lines {
        match (prompt(line), shown.last_mut()) {
            (Some((who, command)), _) => {
                let (who, command) = (who.to_owned(), command.to_owned());
                shown.push(Shown { who, command, lines: Vec::new() });
            }
            (None, Some(last)) => last.lines.push(line.clone()),
            (None, None) => panic!("a transcript begins with a command: {line:?}"),
        }
    }
    shown
}

fn prompt(line: &str) -> Option<(&str, &str)> {
    if let Some(command) = line.strip_prefix("# ") {
        return Some(("root", command));
    }
    let (place, command) = line.split_once("$ ")?;
    let (who, place) = place.split_once('@')?;
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    (is_word(who) && is_word(place)).then_some((who, command))
}

/// Whether a line is what the guide shows; `…` stands for anything, and one space for many.
pub fn fits(shown: &str, line: &str) -> bool {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (shown, line) = (squeezed(shown), squeezed(line));
    let parts: Vec<&str> = shown.split('…').collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    if parts.len() == 1 {
        return shown == line;
    }
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    for part in &parts[1..parts.len() - 1] {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}
