//! What the doctor claims of a stack, held against runs of libpam with every combination of answers that matters, or as
//! many of them as there is time for.

use std::path::Path;

use mfactl::doctor::pam::modules::{Part, Role, role};
use mfactl::doctor::pam::ways::{Factor, Proved, Survey, Way, survey};
use mfactl::doctor::pam::{Handler, Stack};

use crate::libpam::{Answers, Bench, Outcome, Written, number};

/// Combinations that are run, at the most.
const MOST: usize = 150;

/// What a run showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    /// In, and our module had not said yes.
    PastUs,
    /// In, and nothing but the code was proved.
    CodeAlone,
    /// Our module was called, and nothing was proved before.
    Premature,
}

/// Replays every way that the doctor found, and looks for ways that it did not find.
pub(crate) fn hold(bench: &Bench, written: &Written, service: &str, stack: &Stack) {
    let missing = |path: &str| !Path::new(path).exists();
    let survey = survey(stack, service, &missing);
    for way in &survey.open {
        let outcome = bench.authenticate(written, service, &answers(stack, way));
        // A line that is called twice, by two includes of its file, has one probe, which cannot answer in two ways.
        if contradicts_itself(stack, way) {
            continue;
        }
        assert_eq!(outcome.status, 0, "the doctor thinks that this opens: {way:?}");
        let numbers: Vec<u32> = way.calls.iter().filter_map(|(at, _)| number(stack, *at)).collect();
        assert_eq!(outcome.called.iter().map(|(number, _)| *number).collect::<Vec<_>>(), numbers);
    }
    let claims = claims(&survey);
    for answers in combinations(stack, service) {
        let outcome = bench.authenticate(written, service, &answers);
        for seen in seen(stack, service, &answers, &outcome) {
            assert!(
                claims.contains(&seen),
                "libpam shows {seen:?}, the doctor knows {claims:?}: {answers:?}"
            );
        }
    }
}

fn contradicts_itself(stack: &Stack, way: &Way) -> bool {
    let answers = answers(stack, way);
    way.calls.iter().any(|(at, code)| {
        number(stack, *at).is_some_and(|number| answers[&number] != i32::from(code.number()))
    })
}

fn claims(survey: &Survey) -> Vec<Seen> {
    let mut claims = Vec::new();
    if survey.open.iter().any(|way| way.passing().is_some()) {
        claims.push(Seen::PastUs);
    }
    if survey.open.iter().any(|way| way.facts.factor.allows() && way.facts.proved == Proved::Nothing) {
        claims.push(Seen::CodeAlone);
    }
    if !survey.premature.is_empty() {
        claims.push(Seen::Premature);
    }
    claims
}

fn answers(stack: &Stack, way: &Way) -> Answers {
    way.calls.iter().filter_map(|(at, code)| Some((number(stack, *at)?, code.number().into()))).collect()
}

/// The role of each probe.
fn roles(stack: &Stack, service: &str) -> Vec<(u32, Role)> {
    let role = |at: usize| match &stack.entries[at].handler {
        Handler::Module { path, arguments } => Some((number(stack, at)?, role(path, arguments, service))),
        Handler::MustFail | Handler::Substack => None,
    };
    (0..stack.entries.len()).filter_map(role).collect()
}

fn possible(role: Role) -> Vec<i32> {
    match role {
        Role::Ours(Part::Asks) => vec![0, 25, 7, 9, 11, 28, 26],
        Role::Ours(Part::Splits) => vec![25, 7],
        Role::Proof(_) => vec![0, 7, 9, 10],
        Role::Condition | Role::Aside | Role::Root => vec![0, 7, 25],
        Role::Always(code) => vec![code.number().into()],
    }
}

/// All combinations, or evenly spaced ones.
fn combinations(stack: &Stack, service: &str) -> Vec<Answers> {
    let mut roles = roles(stack, service);
    roles.sort_by_key(|(number, _)| *number);
    roles.dedup_by_key(|(number, _)| *number);
    let choices: Vec<(u32, Vec<i32>)> =
        roles.into_iter().map(|(number, role)| (number, possible(role))).collect();
    let all: usize = choices.iter().map(|(_, codes)| codes.len()).product();
    // Odd and prime, so that every choice comes by.
    let step = if all > MOST { (all / MOST) | 1 } else { 1 };
    let combination = |mut index: usize| {
        let mut answers = Answers::new();
        for (number, codes) in &choices {
            answers.insert(*number, codes[index % codes.len()]);
            index /= codes.len();
        }
        answers
    };
    (0..all).step_by(step).map(combination).collect()
}

fn seen(stack: &Stack, service: &str, answers: &Answers, outcome: &Outcome) -> Vec<Seen> {
    let roles = roles(stack, service);
    let role = |wanted: u32| roles.iter().find(|(number, _)| *number == wanted).map(|(_, role)| *role);
    let (mut proved, mut root, mut factor, mut seen) = (false, false, Factor::NotAsked, Vec::new());
    for (number, _) in &outcome.called {
        match (role(*number), answers.get(number).copied().unwrap_or(0)) {
            (Some(Role::Ours(Part::Asks)), code) => {
                if !proved && !root {
                    seen.push(Seen::Premature);
                }
                if code == 0 {
                    factor = Factor::Proved;
                } else if code == 25 && factor != Factor::Proved {
                    factor = Factor::Exempt;
                }
            }
            (Some(Role::Proof(_)), 0) => proved = true,
            (Some(Role::Root), 0) => root = true,
            _ => {}
        }
    }
    if outcome.status == 0 && !root {
        if !factor.allows() {
            seen.push(Seen::PastUs);
        } else if !proved {
            seen.push(Seen::CodeAlone);
        }
    }
    seen
}
