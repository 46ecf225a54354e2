//! A stack run as libpam does (`_pam_dispatch_aux` in libpam/pam_dispatch.c), call by call, so that the same steps serve a
//! run with given answers and a search through all answers.

use super::library::Dialect;
use super::{Action, Code, Handler, Stack};

/// What the calls so far amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Impression {
    Undecided,
    Positive,
    Negative,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Sum {
    impression: Impression,
    status: Code,
}

const START: Sum = Sum { impression: Impression::Undecided, status: Code::PERM_DENIED };

/// What a call brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// What the module returned now; none if it is no code at all.
    returned: Option<Code>,
    /// What it returned when the path was laid down: the same, but in `pam_setcred` that of `pam_authenticate`.
    laid_down: Option<Code>,
    /// Whether a jump counts as success, as it does in upstream's `pam_setcred`.
    jump: Jump,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Jump {
    Counts,
    CountsNot,
}

impl Answer {
    /// In `pam_authenticate`.
    pub fn now(returned: Option<Code>) -> Self {
        Answer { returned, laid_down: returned, jump: Jump::CountsNot }
    }

    /// In `pam_setcred`, after a `pam_authenticate` in which the same step returned `earlier`, if it was called.
    pub fn later(returned: Option<Code>, earlier: Option<Option<Code>>, dialect: Dialect) -> Self {
        let jump = if dialect == Dialect::Upstream { Jump::Counts } else { Jump::CountsNot };
        Answer { returned, laid_down: earlier.unwrap_or(returned), jump }
    }
}

/// A run that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Run {
    at: usize,
    previous_level: usize,
    sum: Sum,
    /// By level: the sum at the start of the substack.
    saved: Vec<Sum>,
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// This entry is next.
    Calls(usize),
    /// It is over.
    Over(Code),
}

impl Run {
    /// Before the first step.
    pub fn start() -> Self {
        Run { at: 0, previous_level: 0, sum: START, saved: vec![START] }
    }

    /// Goes to the next call.
    pub fn turn(&mut self, stack: &Stack) -> Turn {
        while let Some(entry) = stack.entries.get(self.at) {
            if self.previous_level < entry.level {
                self.saved.resize(self.saved.len().max(entry.level + 1), START);
                self.saved[entry.level] = self.sum;
            }
            if entry.handler != Handler::Substack {
                return Turn::Calls(self.at);
            }
            self.previous_level = entry.level;
            self.at += 1;
        }
        let caught = self.sum.status == Code::SUCCESS && self.sum.impression != Impression::Positive;
        Turn::Over(if caught { Code::PERM_DENIED } else { self.sum.status })
    }

    /// The step that comes next, were there no more turns.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What the answer at the current call leads to.
    pub fn answered(mut self, stack: &Stack, answer: Answer) -> Result<Run, Code> {
        if answer.returned == Some(Code::INCOMPLETE) {
            return Err(Code::INCOMPLETE);
        }
        let entry = &stack.entries[self.at];
        let level = entry.level;
        let (returned, action) = match (answer.returned, answer.laid_down) {
            (Some(returned), Some(laid_down)) => (returned, entry.control.action(laid_down)),
            (None, Some(laid_down)) => (Code::PERM_DENIED, entry.control.action(laid_down)),
            (_, None) => (Code::PERM_DENIED, Action::Bad),
        };
        let is_new_ignore = returned == Code::IGNORE && answer.laid_down != Some(returned);
        match action {
            Action::Ignore => {}
            Action::Reset => self.sum = self.saved[level],
            Action::Ok | Action::Done => {
                self.good(returned, is_new_ignore);
                if action == Action::Done && self.sum.impression == Impression::Positive {
                    self.leave(stack, level);
                }
            }
            Action::Bad | Action::Die => {
                self.bad(returned);
                if action == Action::Die {
                    self.leave(stack, level);
                }
            }
            Action::Jump(steps) => {
                if answer.jump == Jump::Counts {
                    self.good(returned, is_new_ignore);
                }
                self.jump(stack, level, steps);
            }
        }
        self.previous_level = level;
        self.at += 1;
        Ok(self)
    }

    fn good(&mut self, returned: Code, is_new_ignore: bool) {
        let counts = match self.sum.impression {
            Impression::Undecided => true,
            Impression::Positive => self.sum.status == Code::SUCCESS,
            Impression::Negative => false,
        };
        if counts && !is_new_ignore {
            self.sum = Sum { impression: Impression::Positive, status: returned };
        }
    }

    fn bad(&mut self, returned: Code) {
        if self.sum.impression != Impression::Negative {
            let status = if returned == Code::IGNORE { Code::PERM_DENIED } else { returned };
            self.sum = Sum { impression: Impression::Negative, status };
        }
    }

    /// Leaves out what is left of this substack.
    fn leave(&mut self, stack: &Stack, level: usize) {
        while stack.entries.get(self.at + 1).is_some_and(|next| next.level >= level) {
            self.at += 1;
        }
    }

    /// A whole substack is one step. A jump that does not come to its end within its stack is an error.
    fn jump(&mut self, stack: &Stack, level: usize, steps: u32) {
        let next_level = |at: usize| stack.entries.get(at + 1).map(|next| next.level);
        for _ in 0..steps {
            if next_level(self.at).is_none_or(|next| next < level) {
                self.sum = Sum { impression: Impression::Negative, status: Code::PERM_DENIED };
                return;
            }
            self.at += 1;
            while next_level(self.at).is_some_and(|next| next > level) {
                self.at += 1;
            }
        }
    }
}

/// A run that is over: what it returns, and which steps were called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// What the program is told.
    pub status: Code,
    /// The calls in order, with their answers.
    pub calls: Vec<(usize, Option<Code>)>,
}

/// Runs a stack from its start. `answer` is asked for each step that is called.
pub fn run(stack: &Stack, mut answer: impl FnMut(usize) -> Answer) -> Finished {
    let mut run = Run::start();
    let mut calls = Vec::new();
    loop {
        let at = match run.turn(stack) {
            Turn::Calls(at) => at,
            Turn::Over(status) => return Finished { status, calls },
        };
        let answer = match stack.entries[at].handler {
            Handler::MustFail => Answer { returned: Some(Code::PERM_DENIED), ..answer(at) },
            _ => answer(at),
        };
        calls.push((at, answer.returned));
        run = match run.answered(stack, answer) {
            Ok(run) => run,
            Err(status) => return Finished { status, calls },
        };
    }
}
