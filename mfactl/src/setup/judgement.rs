//! Whether it is good enough to be switched on: what the doctor finds, and who would stay outside.

use super::Setup;
use super::fault::Fault;
use super::outsiders::{self, Concern};
use super::ssh_lines::Sshd;
use crate::doctor::finding::{Finding, Id, Report, Severity, State};
use crate::failure::Failure;

/// When the host is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// As it would be.
    Beforehand,
    /// As it is.
    Afterwards,
}

impl Setup<'_, '_> {
    /// Whether the host would be well, or is. What only should be known is told once.
    pub(super) fn judge(
        &mut self,
        report: &Report,
        program: &'static str,
        meant: &[Id],
        when: When,
    ) -> Result<(), Fault> {
        if report.asking().is_empty() {
            return Err(Fault::LeftAlone(program));
        }
        let mut is_well = true;
        for finding in report.findings.iter().filter(|finding| finding.severity <= Severity::Medium) {
            // Of sshd nothing may be unknown: it is what most people come in by.
            let is_sshds = finding.service.as_deref() == Some("sshd");
            let is_bad = finding.severity <= Severity::High
                || (is_sshds && matches!(finding.id, Id::SshdUnknown | Id::ServiceWithout));
            if is_bad && !meant.contains(&finding.id) && !self.is_accepted(&finding.id.name()) {
                is_well = false;
                self.told.failed(&finding.id.name(), sentence(finding));
            } else if when == When::Beforehand {
                self.told.warning(&finding.id.name(), sentence(finding));
            }
        }
        if !is_well {
            return Err(Fault::Unwell);
        }
        let proved = report.services.iter().filter(|line| line.state == State::Proved);
        let services = proved.map(|line| line.service.as_str()).collect::<Vec<_>>().join(", ");
        let ask = if when == When::Beforehand { "would ask" } else { "ask" };
        self.told.well("stacks", format!("{ask} after a right password, and cannot be skipped: {services}"));
        Ok(())
    }

    /// Who would stay outside. `sshd` if a key shall not be enough for it any more.
    pub(super) fn look_for_outsiders(&mut self, sshd: Option<&Sshd>) -> Result<(), Failure> {
        self.told.well("root", outsiders::spare_root(&mut self.daemon)?);
        let refused = outsiders::refused(&mut self.daemon)?;
        let without = sshd.map_or(Ok(Vec::new()), outsiders::by_key_alone)?;
        Ok(self.concern(refused.into_iter().chain(without))?)
    }

    /// Stops where something is not as it should be, unless that is meant.
    pub(super) fn concern(&mut self, concerns: impl IntoIterator<Item = Concern>) -> Result<(), Fault> {
        let mut is_well = true;
        for Concern { name, detail } in concerns {
            if self.is_accepted(name) {
                self.told.warning(name, detail);
            } else {
                is_well = false;
                self.told.failed(name, detail);
            }
        }
        if is_well { Ok(()) } else { Err(Fault::Unwell) }
    }

    fn is_accepted(&self, name: &str) -> bool {
        self.wanted.accept.iter().any(|accepted| accepted == name)
    }
}

pub(super) fn sentence(finding: &Finding) -> String {
    let place = finding.place();
    let place = if place.is_empty() { place } else { format!("{place}: ") };
    format!("{place}{}. {}", finding.fact, finding.remedy)
}
