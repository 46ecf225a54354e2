//! `[[hook]]`: programs of the site that send codes or check them.
//!
//! A hook is a factor under its own name. Hooks of several files are one list: a later file's hook takes the place of an
//! earlier file's of the same name, and keeps its rank.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::duration::{self, minutes, seconds};
use super::factor::{self, FactorKind};
use super::fields::Fields;
use super::problem::{Problem, Problems};
use super::tree::{Node, Place, Value};
use super::values::{self, collect, number, text};

/// A `[[hook]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// 1 to 32 lower case letters, digits and dashes; no other hook and no built-in factor has it.
    pub name: String,
    /// What its programs do.
    pub proof: HookProof,
    /// The factor that is asked for when this one fails; following the fallbacks never leads back here.
    pub fallback: Option<FactorKind>,
    /// How long one run of a program may take: 1 s to 30 s, default 10 s.
    pub timeout: Duration,
    /// How long a code or a question is good: 30 s to 10 min, default 5 min.
    pub lifetime: Duration,
}

/// Who makes the code, and who compares. Commands are arguments without a shell, never empty; the first is the absolute
/// path of a program that was there when the configuration was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookProof {
    /// mfad makes a code of so many digits (4 to 10, default 6) and compares; the program carries it.
    Sent {
        /// Carries a code to the person.
        send: Vec<String>,
        /// Digits of the code.
        digits: u8,
    },
    /// A program compares what was typed.
    Checked {
        /// Starts what the person has to answer, such as a call; no code is given to it.
        send: Option<Vec<String>>,
        /// Says whether what was typed is right.
        check: Vec<String>,
    },
}

impl Hook {
    /// The command that sends, if there is one.
    pub fn send(&self) -> Option<&[String]> {
        match &self.proof {
            HookProof::Sent { send, .. } => Some(send),
            HookProof::Checked { send, .. } => send.as_deref(),
        }
    }

    /// The command that checks, if there is one.
    pub fn check(&self) -> Option<&[String]> {
        match &self.proof {
            HookProof::Sent { .. } => None,
            HookProof::Checked { check, .. } => Some(check),
        }
    }
}

/// The keys of a hook.
pub(super) const KEYS: &[&str] = &["name", "send", "check", "digits", "fallback", "timeout", "lifetime"];

const LONGEST_NAME: usize = 32;
const DIGITS: RangeInclusive<u32> = 4..=10;
const TIMEOUT: RangeInclusive<Duration> = seconds(1)..=seconds(30);
const LIFETIME: RangeInclusive<Duration> = seconds(30)..=minutes(10);
const COMMAND_REMEDY: &str = "write [\"/usr/local/lib/mfad/sms-hook\"]: there is no shell to split it";

/// Hooks whose names are known and whose other keys are not read yet.
pub(super) struct Drafts {
    drafts: Vec<Draft>,
    problems: Vec<Problem>,
}

struct Draft {
    /// None if it is not valid.
    name: Option<String>,
    place: Place,
    fields: Fields,
}

impl Drafts {
    /// The sections in the order of the files.
    pub(super) fn read(sections: &[Node]) -> Self {
        let mut drafts = Drafts { drafts: Vec::new(), problems: Vec::new() };
        for section in sections {
            match Draft::read(section) {
                Ok(draft) => drafts.add(draft),
                Err(problem) => drafts.problems.push(problem),
            }
        }
        drafts
    }

    fn add(&mut self, draft: Draft) {
        let is_the_same = |other: &&mut Draft| draft.name.is_some() && other.name == draft.name;
        match self.drafts.iter_mut().find(is_the_same) {
            None => self.drafts.push(draft),
            Some(earlier) if earlier.place.is_in_the_file_of(&draft.place) => {
                let remedy = "give one of them another name";
                self.problems.push(draft.place.problem("two hooks of this file have the same name", remedy));
            }
            Some(earlier) => *earlier = draft,
        }
    }

    /// What `login.factors` may name.
    pub(super) fn names(&self) -> Vec<String> {
        self.drafts.iter().filter_map(|draft| draft.name.clone()).collect()
    }

    pub(super) fn check(self) -> Result<Vec<Hook>, Problems> {
        let names = self.names();
        let places: Vec<Place> = self.drafts.iter().map(Draft::place_of_fallback).collect();
        let mut problems = Problems(self.problems);
        match collect(self.drafts.into_iter().map(|draft| draft.check(&names))) {
            Ok(hooks) => {
                let circles = hooks.iter().zip(&places).filter(|(hook, _)| leads_back(hook, &hooks));
                problems.0.extend(circles.map(|(_, place)| {
                    place.problem(
                        "the fallbacks lead back to this hook",
                        "let one of them name another factor",
                    )
                }));
                if problems.0.is_empty() { Ok(hooks) } else { Err(problems) }
            }
            Err(more) => {
                problems.0.extend(more.0);
                Err(problems)
            }
        }
    }
}

impl Draft {
    fn read(section: &Node) -> Result<Self, Problem> {
        let mut fields = Fields::of(section, KEYS)?;
        let place = fields.place("name").unwrap_or_else(|| section.place.clone());
        if fields.place("name").is_none() {
            fields.refuse(section.problem("the key name is missing", "add a name, as in name = \"sms\""));
        }
        Ok(Draft { name: fields.optional("name", name), place, fields })
    }

    fn place_of_fallback(&self) -> Place {
        self.fields.place("fallback").unwrap_or_else(|| self.place.clone())
    }

    fn check(self, names: &[String]) -> Result<Hook, Problems> {
        let Draft { name, place, mut fields } = self;
        let hook = Hook {
            name: name.unwrap_or_default(),
            proof: proof(&mut fields, &place),
            fallback: fields.optional("fallback", |node| factor::read(node, names)),
            timeout: fields.read("timeout", seconds(10), |node| duration::read(node, &TIMEOUT)),
            lifetime: fields.read("lifetime", minutes(5), |node| duration::read(node, &LIFETIME)),
        };
        fields.done(hook)
    }
}

fn proof(fields: &mut Fields, place: &Place) -> HookProof {
    let digits_place = fields.place("digits");
    // A command with a fault is there nevertheless: nothing is said to be missing.
    let (has_send, has_check) = (fields.has_items("send"), fields.has_items("check"));
    let send = fields.read("send", None, command);
    let check = fields.read("check", None, command);
    let digits = fields.read("digits", 6, digits);
    if !has_send && !has_check {
        let remedy = "add send = [\"/path/of/a/program\"], or check";
        fields.refuse(place.problem("the hook has neither send nor check", remedy));
    }
    if let (true, Some(place)) = (has_check, digits_place) {
        let message = "with check the program knows what a code looks like, and mfad makes none";
        fields.refuse(place.problem(message, "remove digits, or check"));
    }
    match check {
        Some(check) => HookProof::Checked { send, check },
        None => HookProof::Sent { send: send.unwrap_or_default(), digits },
    }
}

fn name(node: &Node) -> Result<String, Problem> {
    let name = text(node)?;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.len() > LONGEST_NAME || !name.bytes().all(fits) {
        let remedy = format!("write 1 to {LONGEST_NAME} of a-z, 0-9 and -, as in \"sms\"");
        return Err(node.problem("this is no name for a hook", remedy));
    }
    if factor::is_taken(name) {
        return Err(node.problem("a factor of mfad has this name", "write another one, as in \"sms\""));
    }
    Ok(name.to_owned())
}

fn digits(node: &Node) -> Result<u8, Problem> {
    let digits = number(node, &DIGITS, "")?;
    u8::try_from(digits).map_err(|_| node.problem("too many digits", "write 6"))
}

/// None for an empty list.
fn command(node: &Node) -> Result<Option<Vec<String>>, Problems> {
    if let Value::Text(_) = node.value {
        return Err(node.problem("a command is a list of arguments", COMMAND_REMEDY).into());
    }
    let arguments = values::list(node, |item| text(item).map(str::to_owned))?;
    if let Value::List(items) = &node.value {
        collect(items.iter().take(1).map(values::program))?;
    }
    Ok(Some(arguments).filter(|arguments| !arguments.is_empty()))
}

/// Whether one fallback after the other ends where it began.
fn leads_back(hook: &Hook, hooks: &[Hook]) -> bool {
    let mut at = hook;
    // No chain without a circle is longer than the list.
    for _ in hooks {
        let Some(FactorKind::Hook(next)) = &at.fallback else { return false };
        let Some(next) = hooks.iter().find(|hook| hook.name == *next) else { return false };
        if next.name == hook.name {
            return true;
        }
        at = next;
    }
    false
}
