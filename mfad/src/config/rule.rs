//! `[[rule]]`: exceptions of the site. The first whose conditions all hold says what holds for a login; what it does not
//! set stays as `[login]`, `[trust]` and `[email]` say.

use super::fields::Fields;
use super::patterns::{self, Glob, KeyPattern, SourcePattern};
use super::problem::{Problem, Problems};
use super::schedule::{self, Schedule};
use super::sections::LOGIN_KEYS;
use super::terms::{Draft, RuleName, Terms};
use super::tree::{Entry, Node, Place, Value};
use super::values::{Words, distinct_list, text};

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// For whom it is.
    pub when: Conditions,
    /// What holds for them. They name the rule.
    pub terms: Terms,
}

/// All of them must hold; an empty one always does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The person's name fits one of these.
    pub users: Vec<Glob>,
    /// The person is in one of these groups, as the name service says.
    pub groups: Vec<String>,
    /// The PAM service fits one of these.
    pub services: Vec<Glob>,
    /// They come from one of these.
    pub sources: Vec<SourcePattern>,
    /// They proved one of these keys to sshd.
    pub ssh_keys: Vec<KeyPattern>,
    /// This is what they proved before.
    pub first_factor: Option<FirstFactor>,
    /// It is one of these times.
    pub between: Vec<Schedule>,
}

/// What was proved before the second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstFactor {
    /// An SSH key, as sshd vouches.
    PublicKey,
    /// No SSH key: a password, as the PAM stack asks for it.
    Password,
}

const CONDITIONS: [&str; 7] =
    ["users", "groups", "services", "sources", "ssh-keys", "first-factor", "between"];

/// What a rule sets of other sections than `[login]`, under a name that says of which.
const OF_OTHER_SECTIONS: [&str; 5] =
    [ON_EMAIL_FAILURE, "trust-days", "trust-bind", "trust-ask", "trust-services"];

/// Name and conditions; what the rule sets of `[login]`; of the other sections.
pub(super) const KEYS: &[&str] = &joined::<
    { 1 + CONDITIONS.len() + LOGIN_KEYS.len() + OF_OTHER_SECTIONS.len() },
>([&["name"], &CONDITIONS, &LOGIN_KEYS, &OF_OTHER_SECTIONS]);

const FIRST_FACTOR: Words<FirstFactor> =
    Words { now: &[("publickey", FirstFactor::PublicKey), ("password", FirstFactor::Password)], later: &[] };

const ON_EMAIL_FAILURE: &str = "on-email-failure";

const LONGEST_NAME: usize = 64;

/// Several lists as one, of `N` words in all.
const fn joined<const N: usize>(lists: [&[&'static str]; 4]) -> [&'static str; N] {
    let mut all = [""; N];
    let (mut list, mut filled) = (0, 0);
    while list < lists.len() {
        let mut word = 0;
        while word < lists[list].len() {
            all[filled] = lists[list][word];
            word += 1;
            filled += 1;
        }
        list += 1;
    }
    all
}

/// The rules and what is odd about them, though it is no fault.
pub(super) fn check(
    sections: &[Node],
    base: &Draft,
    hooks: &[String],
) -> Result<(Vec<Rule>, Vec<Problem>), Problems> {
    let mut problems = Problems(Vec::new());
    let mut rules: Vec<(Rule, Place)> = Vec::new();
    for section in sections {
        match rule(section, base, hooks) {
            Ok(rule) => rules.push((rule, section.place.clone())),
            Err(more) => problems.0.extend(more.0),
        }
    }
    problems.0.extend(named_twice(&rules));
    if !problems.0.is_empty() {
        return Err(problems);
    }
    let warnings = rules.iter().enumerate().filter_map(|(at, (rule, place))| idle(rule, place, &rules[..at]));
    let warnings = warnings.collect();
    Ok((rules.into_iter().map(|(rule, _)| rule).collect(), warnings))
}

fn rule(section: &Node, base: &Draft, hooks: &[String]) -> Result<Rule, Problems> {
    let mut fields = Fields::of(section, KEYS)?;
    if fields.place("name").is_none() {
        let remedy = "add a name, as in name = \"admins\": the audit and mfactl explain call it so";
        fields.refuse(section.problem("the key name is missing", remedy));
    }
    let name = fields.optional("name", name).unwrap_or_default();
    let when = conditions(&mut fields);
    form(section, &mut fields);
    if when == Conditions::default() && !fields.has_faults() {
        let remedy =
            "add users, groups, services or another condition; what holds for everybody stands in [login]";
        fields.refuse(section.problem("the rule has no condition", remedy));
    }
    let mut terms = base.again();
    terms.login.overlay(&mut fields, |key| LOGIN_KEYS.contains(&key).then_some(key));
    terms.trust.overlay(&mut fields, |key| key.strip_prefix("trust-"));
    terms.email.overlay(&mut fields, |key| (key == ON_EMAIL_FAILURE).then_some("on-failure"));
    let (file, line) = section.place.file_and_line();
    let terms = terms.check(Some(RuleName { name, file, line }), hooks);
    match (fields.done(when), terms) {
        (Ok(when), Ok(terms)) => Ok(Rule { when, terms }),
        (when, terms) => {
            let faults = [when.err(), terms.err()];
            Err(Problems(faults.into_iter().flatten().flat_map(|problems| problems.0).collect()))
        }
    }
}

/// Conditions stand first, and something follows: a file that was cut off makes no rule wider.
fn form(section: &Node, fields: &mut Fields) {
    let Value::Table(entries) = &section.value else { return };
    let is_condition = |entry: &&Entry| entry.name == "name" || CONDITIONS.contains(&entry.name.as_str());
    let mut terms = entries.iter().skip_while(is_condition).peekable();
    if terms.peek().is_none() {
        let remedy = "add what holds for them, as in require = \"always\"";
        fields.refuse(section.problem("the rule sets nothing", remedy));
    }
    if let Some(late) = terms.find(is_condition) {
        let remedy = "move it up: conditions come first, so that a file that was cut off makes no rule wider";
        fields.refuse(late.place.problem("a condition stands below what the rule sets", remedy));
    }
}

fn conditions(fields: &mut Fields) -> Conditions {
    Conditions {
        users: fields.read("users", Vec::new(), |node| distinct_list(node, patterns::glob)),
        groups: fields
            .read("groups", Vec::new(), |node| distinct_list(node, |item| text(item).map(str::to_owned))),
        services: fields.read("services", Vec::new(), |node| distinct_list(node, patterns::glob)),
        sources: fields.read("sources", Vec::new(), |node| distinct_list(node, patterns::source)),
        ssh_keys: fields.read("ssh-keys", Vec::new(), |node| distinct_list(node, patterns::key)),
        first_factor: fields.optional("first-factor", |node| FIRST_FACTOR.read(node)),
        between: fields.read("between", Vec::new(), between),
    }
}

/// One time, or a list of them.
fn between(node: &Node) -> Result<Vec<Schedule>, Problems> {
    match node.value {
        Value::List(_) => distinct_list(node, schedule::read),
        _ => Ok(vec![schedule::read(node)?]),
    }
}

fn name(node: &Node) -> Result<String, Problem> {
    let name = text(node)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_. ".contains(c);
    if name.len() > LONGEST_NAME || !name.chars().all(fits) {
        let remedy = format!("write at most {LONGEST_NAME} letters, digits, spaces, and - _ .");
        return Err(node.problem("this is no name for a rule", remedy));
    }
    Ok(name.to_owned())
}

fn named_twice(rules: &[(Rule, Place)]) -> Vec<Problem> {
    let name = |rule: &Rule| rule.terms.rule.as_ref().map(|rule| rule.name.to_lowercase());
    let earlier = |at: usize, rule: &Rule| rules[..at].iter().any(|(other, _)| name(other) == name(rule));
    let twice = rules.iter().enumerate().filter(|(at, (rule, _))| earlier(*at, rule));
    twice
        .map(|(_, (_, place))| {
            place.problem("another rule has this name", "give each its own: the audit names it")
        })
        .collect()
}

/// A rule that no login can come to.
fn idle(rule: &Rule, place: &Place, earlier: &[(Rule, Place)]) -> Option<Problem> {
    let warn =
        |why: String, remedy: &str| Some(place.problem(format!("this rule can never match: {why}"), remedy));
    if let Some((other, _)) = earlier.iter().find(|(other, _)| other.when.cover(&rule.when)) {
        let name = other.terms.rule.as_ref().map(|rule| rule.name.as_str()).unwrap_or_default();
        return warn(format!("\"{name}\" stands before it, and matches whatever it would"), "move it up");
    }
    let needs_ssh = !rule.when.ssh_keys.is_empty() || rule.when.first_factor == Some(FirstFactor::PublicKey);
    if needs_ssh
        && !rule.when.sources.is_empty()
        && rule.when.sources.iter().all(|source| *source == SourcePattern::Local)
    {
        return warn("an SSH key is proved over the network".to_owned(), "remove \"local\", or the keys");
    }
    if !rule.when.ssh_keys.is_empty() && rule.when.first_factor == Some(FirstFactor::Password) {
        return warn(
            "who proved an SSH key proved no password".to_owned(),
            "remove first-factor or ssh-keys",
        );
    }
    None
}

impl Conditions {
    /// Whether they hold wherever the others do, as far as that is plain to see.
    fn cover(&self, other: &Conditions) -> bool {
        fn each<T>(wide: &[T], narrow: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
            let covered = |item: &T| wide.iter().any(|pattern| covers(pattern, item));
            wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(covered))
        }
        each(&self.users, &other.users, Glob::covers)
            && each(&self.groups, &other.groups, |one, other| one == other)
            && each(&self.services, &other.services, Glob::covers)
            && each(&self.sources, &other.sources, SourcePattern::covers)
            && each(&self.ssh_keys, &other.ssh_keys, KeyPattern::covers)
            && (self.first_factor.is_none() || self.first_factor == other.first_factor)
            && each(&self.between, &other.between, |one, other| one == other)
    }
}
