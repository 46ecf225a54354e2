//! Tree → sections: which keys exist, which file wins, and what is not (yet) a key.

use std::sync::Arc;

use super::fields::Fields;
use super::problem::{Problem, Problems};
use super::suggest;
use super::tree::{self, Entry, Node, Source, Value};

/// The keys of `[login]`. A rule may set each of them.
pub(super) const LOGIN_KEYS: [&str; 15] = [
    "require",
    "unenrolled",
    "enrol-ticket",
    "security-contact",
    "factors",
    "prompt",
    "language",
    "tries",
    "throttle",
    "lock-after",
    "resume-window",
    "no-address",
    "on-hook-failure",
    "even-root",
    "grace",
];

/// The sections of this version with all their keys.
pub(super) const KNOWN: [(&str, &[&str]); 7] = [
    ("paths", &["state", "runtime", "key"]),
    ("login", &LOGIN_KEYS),
    (
        "email",
        &[
            "digits",
            "lifetime",
            "subject",
            "from",
            "template",
            "transport",
            "smtp",
            "sendmail",
            "maildir",
            "address",
            "self-enrol-domains",
            "per-user",
            "on-failure",
            "log-codes",
        ],
    ),
    ("trust", &["days", "bind", "ask", "services"]),
    ("time", &["provider", "ntp", "skew"]),
    ("audit", &["keep-days", "keep-events"]),
    ("metrics", &["listen"]),
];

/// Sections that a later version will know: whoever writes one expects it to hold, so it is never skipped.
const LATER: [&str; 3] = ["server", "upstream", "database"];

const REMOVE: &str = "remove it; this version knows [paths], [login], [email], [trust], [time], [audit], [metrics], [[hook]] and [[rule]]";

/// The keys that are set, section by section, each from the last file that sets it.
#[derive(Debug)]
pub(super) struct Sections {
    pub(super) paths: Fields,
    pub(super) login: Fields,
    pub(super) email: Fields,
    pub(super) trust: Fields,
    pub(super) time: Fields,
    pub(super) audit: Fields,
    pub(super) metrics: Fields,
    /// The sections `[[hook]]` of all files, in order.
    pub(super) hooks: Vec<Node>,
    /// The sections `[[rule]]` likewise.
    pub(super) rules: Vec<Node>,
}

impl Sections {
    /// The sections, and what does not belong in any. The error is about files that are not TOML.
    pub(super) fn read(sources: &[Arc<Source>]) -> Result<(Self, Problems), Problems> {
        let mut entries = Vec::new();
        let mut problems = Problems(Vec::new());
        for source in sources {
            match tree::parse(source) {
                Ok(more) => entries.extend(more),
                Err(more) => problems.0.extend(more.0),
            }
        }
        if !problems.0.is_empty() {
            return Err(problems);
        }
        let [paths, login, email, trust, time, audit, metrics] =
            KNOWN.map(|(name, keys)| Fields::empty(name, keys));
        let mut sections = Sections {
            paths,
            login,
            email,
            trust,
            time,
            audit,
            metrics,
            hooks: Vec::new(),
            rules: Vec::new(),
        };
        for entry in entries {
            sections.add(entry, &mut problems);
        }
        Ok((sections, problems))
    }

    fn add(&mut self, entry: Entry, problems: &mut Problems) {
        let section = match entry.name.as_str() {
            "paths" => &mut self.paths,
            "login" => &mut self.login,
            "email" => &mut self.email,
            "time" => &mut self.time,
            "audit" => &mut self.audit,
            "metrics" => &mut self.metrics,
            "trust" => &mut self.trust,
            "hook" => return many(&mut self.hooks, &entry, problems),
            "rule" => return many(&mut self.rules, &entry, problems),
            _ => return problems.0.push(not_a_section(&entry)),
        };
        match entry.node {
            Node { value: Value::Table(keys), .. } => keys.into_iter().for_each(|key| section.add(key)),
            node => problems.0.push(node.problem(
                format!("{} is a section", entry.name),
                format!("write its keys below one line [{}]", entry.name),
            )),
        }
    }
}

/// A section that there may be many of.
fn many(sections: &mut Vec<Node>, entry: &Entry, problems: &mut Problems) {
    match &entry.node {
        Node { value: Value::List(more), .. } => sections.extend(more.iter().cloned()),
        node => problems.0.push(node.problem(
            format!("there may be many {}s, so each is an item of a list", entry.name),
            format!("write its keys below one line [[{}]]", entry.name),
        )),
    }
}

fn not_a_section(entry: &Entry) -> Problem {
    let name = entry.name.as_str();
    if LATER.contains(&name) {
        let message = format!("[{name}] is not in this version of mfad");
        return entry.place.problem(message, REMOVE);
    }
    if let Some((section, _)) = KNOWN.iter().find(|(_, keys)| keys.contains(&name)) {
        let message = format!("{name} is a key of [{section}], and stands outside of it");
        return entry.place.problem(message, format!("move it below the line [{section}]"));
    }
    let mut sections = vec!["hook", "rule"];
    sections.extend(KNOWN.map(|(section, _)| section));
    let remedy = match suggest::nearest(name, &sections) {
        Some(list @ ("hook" | "rule")) => format!("did you mean [[{list}]]?"),
        Some(section) => format!("did you mean [{section}]?"),
        None => REMOVE.to_owned(),
    };
    entry.place.problem("unknown section", remedy)
}
