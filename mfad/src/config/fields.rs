//! Reads the keys of a section or table one by one, and remembers every fault instead of stopping at the first.

use super::problem::{Problem, Problems};
use super::sections::KNOWN;
use super::suggest;
use super::tree::{Entry, Node, Place, Value};

/// The keys of a table that are set, and what is wrong with it so far.
#[derive(Debug)]
pub(super) struct Fields {
    name: String,
    known: &'static [&'static str],
    nodes: Vec<(String, Node)>,
    problems: Vec<Problem>,
}

impl Fields {
    pub(super) fn empty(name: &str, known: &'static [&'static str]) -> Self {
        Fields { name: name.to_owned(), known, nodes: Vec::new(), problems: Vec::new() }
    }

    /// The table in a value: `{ key = …, key = … }`.
    pub(super) fn of(node: &Node, known: &'static [&'static str]) -> Result<Self, Problem> {
        let Value::Table(entries) = &node.value else {
            let keys = known.iter().map(|key| format!("{key} = …")).collect::<Vec<_>>().join(", ");
            return Err(node.problem("a table belongs here", format!("write {{ {keys} }}")));
        };
        let mut fields = Fields::empty(&node.place.key, known);
        entries.iter().for_each(|entry| fields.add(entry.clone()));
        Ok(fields)
    }

    /// The same keys, without the faults found so far.
    pub(super) fn again(&self) -> Self {
        Fields { problems: Vec::new(), nodes: self.nodes.clone(), name: self.name.clone(), ..*self }
    }

    /// Takes keys over from another table; they win over those that are here. `own_name` says how one is called here.
    pub(super) fn overlay(&mut self, other: &mut Fields, own_name: impl Fn(&str) -> Option<&str>) {
        let (taken, left) = std::mem::take(&mut other.nodes)
            .into_iter()
            .partition(|(name, _): &(String, Node)| own_name(name).is_some());
        other.nodes = left;
        for (name, node) in taken {
            let name = own_name(&name).unwrap_or_default().to_owned();
            self.nodes.retain(|(other, _)| *other != name);
            self.nodes.push((name, node));
        }
    }

    /// Adds a key; it takes the place of an earlier one of the same name.
    pub(super) fn add(&mut self, entry: Entry) {
        if !self.known.contains(&entry.name.as_str()) {
            self.problems.push(self.unknown(&entry));
            return;
        }
        self.nodes.retain(|(name, _)| *name != entry.name);
        self.nodes.push((entry.name, entry.node));
    }

    /// The value of a key, or `default` if it is not set. A value that does not fit is remembered as a fault.
    pub(super) fn read<T, E: Into<Problems>>(
        &mut self,
        key: &str,
        default: T,
        reader: impl FnOnce(&Node) -> Result<T, E>,
    ) -> T {
        self.optional(key, reader).unwrap_or(default)
    }

    /// The value of a key, if it is set and fits.
    pub(super) fn optional<T, E: Into<Problems>>(
        &mut self,
        key: &str,
        reader: impl FnOnce(&Node) -> Result<T, E>,
    ) -> Option<T> {
        debug_assert!(self.known.contains(&key), "{key} is missing in the list of known keys");
        let at = self.nodes.iter().position(|(name, _)| name == key)?;
        let (_, node) = self.nodes.remove(at);
        match reader(&node) {
            Ok(value) => Some(value),
            Err(problems) => {
                self.problems.extend(problems.into().0);
                None
            }
        }
    }

    /// Where the value of a key is that has not been read yet.
    pub(super) fn place(&self, key: &str) -> Option<Place> {
        self.nodes.iter().find(|(name, _)| name == key).map(|(_, node)| node.place.clone())
    }

    /// Whether a key that has not been read yet is set to something else than an empty list.
    pub(super) fn has_items(&self, key: &str) -> bool {
        let is_empty = |node: &Node| matches!(&node.value, Value::List(items) if items.is_empty());
        self.nodes.iter().any(|(name, node)| name == key && !is_empty(node))
    }

    /// Whether a fault was found so far.
    pub(super) fn has_faults(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Remembers a fault that concerns more than one key.
    pub(super) fn refuse(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// The value that was made of the fields, unless one of them had a fault.
    pub(super) fn done<T>(self, value: T) -> Result<T, Problems> {
        debug_assert!(self.nodes.is_empty(), "{} has keys that nobody reads", self.name);
        if self.problems.is_empty() { Ok(value) } else { Err(Problems(self.problems)) }
    }

    fn unknown(&self, entry: &Entry) -> Problem {
        let name = entry.name.as_str();
        let elsewhere = KNOWN.iter().find(|(section, keys)| *section != self.name && keys.contains(&name));
        let remedy = match (suggest::nearest(name, self.known), elsewhere) {
            (_, Some((section, _))) => format!("it is a key of [{section}]: move it there"),
            (Some(key), None) => format!("did you mean {key}?"),
            (None, None) => format!("remove it; the keys are {}", self.known.join(", ")),
        };
        entry.place.problem("unknown key", remedy)
    }
}
