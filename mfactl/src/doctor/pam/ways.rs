//! Every way through a stack, whatever the modules answer. The search goes through states, not through lists of answers:
//! two ways that come to the same state with the same facts go on in the same way, so that long stacks stay cheap.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::dispatch::{Answer, Run, Turn};
use super::modules::{self, Abstention, Part, Role};
use super::{Action, Code, Entry, Handler, Stack};

/// Conditions of which every combination is looked at; with more, they are all left open.
const MOST_CONDITIONS: usize = 6;

/// What our module had said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Factor {
    /// Nothing: it was not called.
    NotAsked,
    /// Yes.
    Proved,
    /// That nothing is asked of this person.
    Exempt,
    /// No, by this code.
    Refused(Code),
}

impl Factor {
    /// Whether it lets the person in.
    pub fn allows(self) -> bool {
        matches!(self, Factor::Proved | Factor::Exempt)
    }
}

/// Whether anything else was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Proved {
    /// Nothing.
    Nothing,
    /// What the module of this step checks.
    By(usize),
    /// That root runs the program.
    Root,
}

/// What is known at some point of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Facts {
    /// Of the second factor.
    pub factor: Factor,
    /// Of the first.
    pub proved: Proved,
    /// The step that led past our module.
    pub passed_by: Option<usize>,
}

/// A way, or its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The calls, with their answers.
    pub calls: Vec<(usize, Code)>,
    /// What is known at its end.
    pub facts: Facts,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Survey {
    /// Ways that end with PAM_SUCCESS, the shortest of each kind.
    pub open: Vec<Way>,
    /// Ways on which our module is called before anything was proved.
    pub premature: Vec<Way>,
    /// Of the ways past our module, those that are open whatever the conditions say, as long as anybody can log in.
    pub for_everybody: BTreeSet<Passing>,
}

/// How our module was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Passing {
    /// What it had said.
    pub factor: Factor,
    /// The step that led past it.
    pub passed_by: Option<usize>,
}

impl Way {
    /// How it passed our module without being let in by it; none if it did not, or root runs the program.
    pub fn passing(&self) -> Option<Passing> {
        let is_good = self.facts.factor.allows() || self.facts.proved == Proved::Root;
        (!is_good).then_some(Passing { factor: self.facts.factor, passed_by: self.facts.passed_by })
    }
}

/// Goes through a stack. `missing` tells whether a module cannot be loaded.
pub fn survey(stack: &Stack, service: &str, missing: &dyn Fn(&str) -> bool) -> Survey {
    let roles: Vec<Option<Role>> = stack.entries.iter().map(|entry| role(entry, service, missing)).collect();
    let conditions: Vec<usize> = (0..roles.len()).filter(|at| roles[*at] == Some(Role::Condition)).collect();
    let last = roles.iter().rposition(|role| *role == Some(Role::Ours(Part::Asks)));
    let search = Search { stack, roles, last };
    let mut whole = search.through(&|_| Condition::Open);
    whole.for_everybody = whole.open.iter().filter_map(Way::passing).collect();
    if conditions.len() <= MOST_CONDITIONS {
        for settled in 0..1_u32 << conditions.len() {
            let holds = |at: usize| match conditions.iter().position(|it| *it == at) {
                Some(bit) if settled & (1 << bit) != 0 => Condition::Holds,
                Some(_) => Condition::Fails,
                None => Condition::Open,
            };
            let part = search.through(&holds);
            if !part.open.is_empty() {
                let here: BTreeSet<Passing> = part.open.iter().filter_map(Way::passing).collect();
                whole.for_everybody.retain(|passing| here.contains(passing));
            }
        }
    }
    whole
}

fn role(entry: &Entry, service: &str, missing: &dyn Fn(&str) -> bool) -> Option<Role> {
    let Handler::Module { path, arguments } = &entry.handler else { return None };
    Some(match modules::role(path, arguments, service) {
        Role::Ours(part) => Role::Ours(part),
        _ if missing(path) => Role::Always(Code::MODULE_UNKNOWN),
        role => role,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Open,
    Holds,
    Fails,
}

/// Every call that was tried, each with the one before it.
#[derive(Default)]
struct Trail(Vec<(Option<usize>, usize, Code)>);

impl Trail {
    fn add(&mut self, before: Option<usize>, at: usize, code: Code) -> usize {
        self.0.push((before, at, code));
        self.0.len() - 1
    }

    fn back_from(&self, last: Option<usize>) -> Vec<(usize, Code)> {
        let one = |index: &usize| self.0[*index].0;
        let mut calls: Vec<(usize, Code)> =
            std::iter::successors(last, one).map(|index| (self.0[index].1, self.0[index].2)).collect();
        calls.reverse();
        calls
    }
}

struct Search<'a> {
    stack: &'a Stack,
    roles: Vec<Option<Role>>,
    /// The last step with our module.
    last: Option<usize>,
}

impl Search<'_> {
    fn through(&self, condition: &dyn Fn(usize) -> Condition) -> Survey {
        let nothing = Facts { factor: Factor::NotAsked, proved: Proved::Nothing, passed_by: None };
        let mut survey = Survey::default();
        let mut seen = HashSet::new();
        let mut trail = Trail::default();
        let mut ahead = VecDeque::from([(Run::start(), nothing, None)]);
        while let Some((mut run, facts, last)) = ahead.pop_front() {
            let turn = run.turn(self.stack);
            if !seen.insert((run.clone(), facts)) {
                continue;
            }
            let at = match turn {
                Turn::Calls(at) => at,
                Turn::Over(status) => {
                    if status == Code::SUCCESS {
                        survey.open.push(Way { calls: trail.back_from(last), facts });
                    }
                    continue;
                }
            };
            let is_ours = self.roles[at] == Some(Role::Ours(Part::Asks));
            if is_ours && facts.proved == Proved::Nothing {
                survey.premature.push(Way { calls: trail.back_from(last), facts });
            }
            for code in self.answers(at, condition(at)) {
                if let Ok(next) = run.clone().answered(self.stack, Answer::now(Some(code))) {
                    let facts = self.facts(facts, at, code, &next);
                    ahead.push_back((next, facts, Some(trail.add(last, at, code))));
                }
            }
        }
        survey
    }

    /// The answers that make a difference: one of each kind.
    fn answers(&self, at: usize, condition: Condition) -> Vec<Code> {
        let possible: Vec<Code> = match (self.roles[at], condition) {
            (None, _) => vec![Code::PERM_DENIED],
            (Some(Role::Always(code)), _) => vec![code],
            (Some(Role::Ours(Part::Splits)), _) => usual().filter(|code| *code != Code::SUCCESS).collect(),
            (Some(Role::Condition), Condition::Holds) => vec![Code::SUCCESS],
            (Some(Role::Condition), Condition::Fails) => {
                usual().filter(|code| *code != Code::SUCCESS).collect()
            }
            _ => usual().filter(|code| *code != Code::IGNORE || self.may_ignore(at)).collect(),
        };
        let control = &self.stack.entries[at].control;
        let keep_each = matches!(self.roles[at], Some(Role::Ours(Part::Asks)));
        let mut kinds = HashSet::new();
        let kind = |code: Code| (control.action(code), [Code::SUCCESS, Code::IGNORE].map(|it| it == code));
        possible.into_iter().filter(|code| keep_each || kinds.insert(kind(*code))).collect()
    }

    fn may_ignore(&self, at: usize) -> bool {
        match (self.roles[at], &self.stack.entries[at].handler) {
            (Some(role), Handler::Module { arguments, .. }) => {
                modules::abstention(role, arguments) == Abstention::Sometimes
            }
            _ => true,
        }
    }

    fn facts(&self, before: Facts, at: usize, code: Code, next: &Run) -> Facts {
        let mut facts = before;
        let is_yes = code == Code::SUCCESS;
        match self.roles[at] {
            Some(Role::Ours(Part::Asks)) => facts.factor = said(before.factor, code),
            Some(Role::Root) if is_yes => facts.proved = Proved::Root,
            // Right, and expired.
            Some(Role::Proof(_))
                if (is_yes || code == Code::NEW_AUTHTOK_REQD) && facts.proved == Proved::Nothing =>
            {
                facts.proved = Proved::By(at);
            }
            _ => {}
        }
        let is_past = self.last.is_some_and(|last| at < last && next.at() > last);
        if is_past && facts.factor == Factor::NotAsked {
            facts.passed_by = Some(at);
        }
        let forgets = self.stack.entries[at].control.action(code) == Action::Reset;
        if forgets && matches!(facts.factor, Factor::Refused(_)) {
            facts.passed_by = Some(at);
        }
        facts
    }
}

/// What our lines said together: who proved a factor at one of them has proved it.
fn said(before: Factor, code: Code) -> Factor {
    match (before, code) {
        (_, Code::SUCCESS) => Factor::Proved,
        (before, _) if before == Factor::Proved => before,
        (_, Code::IGNORE) => Factor::Exempt,
        (Factor::Exempt, _) => before,
        (_, code) => Factor::Refused(code),
    }
}

/// What modules answer. The common ones first: they make the better examples.
fn usual() -> impl Iterator<Item = Code> {
    let first = [Code::SUCCESS, Code::AUTH_ERR, Code::AUTHINFO_UNAVAIL, Code::USER_UNKNOWN, Code::MAXTRIES];
    let others = Code::all().filter(move |code| !first.contains(code) && *code != Code::INCOMPLETE);
    first.into_iter().chain(others)
}
