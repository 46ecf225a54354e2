//! What was done and seen, a line a step, as it happens. That nobody reads it stops nothing half-way: it is told at the end.

use protocol::manage::{Finding, Outcome};

use crate::failure::Failure;
use crate::output::{self, Output};

/// Tells the steps.
pub struct Told<'a> {
    output: &'a mut Output,
    unheard: Option<Failure>,
}

impl<'a> Told<'a> {
    /// Tells them here.
    pub fn to(output: &'a mut Output) -> Self {
        Told { output, unheard: None }
    }

    /// Something that went well.
    pub fn well(&mut self, step: &str, detail: impl Into<String>) {
        self.step(step, Outcome::Ok, detail.into());
    }

    /// Something that should be known.
    pub fn warning(&mut self, step: &str, detail: impl Into<String>) {
        self.step(step, Outcome::Warning, detail.into());
    }

    /// Something that keeps it from being switched on.
    pub fn failed(&mut self, step: &str, detail: impl Into<String>) {
        self.step(step, Outcome::Failed, detail.into());
    }

    /// Where answers of other verbs go.
    pub fn output(&mut self) -> &mut Output {
        self.output
    }

    /// The end.
    ///
    /// # Errors
    /// [`Failure::Output`] if a step could not be told.
    pub fn finish(self) -> Result<(), Failure> {
        self.unheard.map_or(Ok(()), Err)
    }

    fn step(&mut self, name: &str, outcome: Outcome, detail: String) {
        let colour = self.output.colour();
        let finding = Finding { name: name.to_owned(), outcome, detail };
        let told = self.output.answer(&finding, |finding| output::finding(finding, colour));
        self.unheard = self.unheard.take().or(told.err());
    }
}
