//! What was done and seen, a line a step, as it happens.

use protocol::manage::{Finding, Outcome};

use crate::failure::Failure;
use crate::output::{self, Output};

/// Tells the steps.
pub struct Told<'a>(pub &'a mut Output);

impl Told<'_> {
    /// Something that went well.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub fn well(&mut self, step: &str, detail: impl Into<String>) -> Result<(), Failure> {
        self.step(step, Outcome::Ok, detail.into())
    }

    /// Something that should be known.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub fn warning(&mut self, step: &str, detail: impl Into<String>) -> Result<(), Failure> {
        self.step(step, Outcome::Warning, detail.into())
    }

    /// Something that keeps it from being switched on.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub fn failed(&mut self, step: &str, detail: impl Into<String>) -> Result<(), Failure> {
        self.step(step, Outcome::Failed, detail.into())
    }

    fn step(&mut self, name: &str, outcome: Outcome, detail: String) -> Result<(), Failure> {
        let colour = self.0.colour();
        let finding = Finding { name: name.to_owned(), outcome, detail };
        self.0.answer(&finding, |finding| output::finding(finding, colour))
    }
}
