//! What the doctor's evaluator makes of a stack and its answers.

use std::collections::BTreeMap;

use mfactl::doctor::pam::code::Code;
use mfactl::doctor::pam::dispatch::{self, Answer};
use mfactl::doctor::pam::library::Dialect;
use mfactl::doctor::pam::{Handler, Stack};

use crate::libpam::{Answers, Outcome, arguments, number};

/// `pam_authenticate`, then `pam_setcred`.
pub(crate) fn both(
    stack: &Stack,
    answers: &Answers,
    later: &Answers,
    dialect: Dialect,
) -> (Outcome, Outcome) {
    let first = dispatch::run(stack, |at| Answer::now(answer(stack, at, answers)));
    let earlier: BTreeMap<usize, Option<Code>> = first.calls.iter().copied().collect();
    let second = dispatch::run(stack, |at| {
        Answer::later(answer(stack, at, later), earlier.get(&at).copied(), dialect)
    });
    (outcome(stack, &first), outcome(stack, &second))
}

fn answer(stack: &Stack, at: usize, answers: &Answers) -> Option<Code> {
    match (&stack.entries[at].handler, number(stack, at)) {
        (Handler::Module { .. }, None) => Some(Code::MODULE_UNKNOWN),
        (_, None) => Some(Code::PERM_DENIED),
        (_, Some(number)) => Code::numbered(answers.get(&number).copied().unwrap_or(0)),
    }
}

fn outcome(stack: &Stack, finished: &dispatch::Finished) -> Outcome {
    let call = |(at, _): &(usize, Option<Code>)| Some((number(stack, *at)?, arguments(stack, *at)));
    Outcome {
        status: finished.status.number().into(),
        called: finished.calls.iter().filter_map(call).collect(),
    }
}
