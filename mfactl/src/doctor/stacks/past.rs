//! Ways in past our module, or in spite of what it says.

use std::collections::BTreeMap;

use super::{Case, INSTEAD, module_name};
use crate::doctor::finding::{Finding, Id, Severity};
use crate::doctor::pam::control::Spelling;
use crate::doctor::pam::modules::{self, OURS, Proof, Role};
use crate::doctor::pam::ways::{Factor, Proved, Way};
use crate::doctor::pam::{Action, Code};

impl Case<'_> {
    /// Ways in on which our module is never called.
    pub(super) fn past_us(&self) -> Vec<Finding> {
        let mut by_cause: BTreeMap<usize, &Way> = BTreeMap::new();
        for way in self.survey.open.iter().filter(|way| way.facts.factor == Factor::NotAsked) {
            if let (Some(_), Some(cause)) = (way.passing(), way.facts.passed_by) {
                by_cause.entry(cause).or_insert(way);
            }
        }
        by_cause.into_iter().map(|(cause, way)| self.skipped(cause, way)).collect()
    }

    fn skipped(&self, cause: usize, way: &Way) -> Finding {
        let entry = &self.stack.entries[cause];
        let name = module_name(entry);
        let code = way.calls.iter().find(|(at, _)| *at == cause).map_or(Code::SUCCESS, |(_, code)| *code);
        let says = if code == Code::SUCCESS { "yes".to_owned() } else { code.name().to_owned() };
        let jump = match entry.control.action(code) {
            Action::Jump(steps) => Some(steps),
            _ => None,
        };
        let how = match jump {
            Some(steps) => format!("the jump of {steps} leads past {OURS}"),
            None => format!("the stack ends before {OURS} is called"),
        };
        let fact = format!("if {name} says {says}, {how}");
        let role = self.role(cause);
        let is_for_everybody = way.passing().is_some_and(|it| self.survey.for_everybody.contains(&it));
        let from_file = self.our_line().map(|ours| ours.place.file.clone());
        let (severity, id) = match (role, jump) {
            _ if name == modules::KIOSK => (Severity::Info, Id::SkippedByCondition),
            _ if !is_for_everybody => (Severity::Medium, Id::SkippedByCondition),
            (Some(Role::Proof(Proof::Token)), _) => (Severity::High, Id::TokenAlone),
            (_, Some(_)) => (Severity::Critical, Id::SkippedByJump),
            (_, None) if from_file.is_none_or(|file| file == entry.place.file) => {
                (Severity::Critical, Id::SkippedBySuccess)
            }
            (_, None) => (Severity::Critical, Id::SkippedByInclude),
        };
        Finding::new(severity, id, fact).at(&entry.place).meets(self.who_gets_in(id, way, name)).remedy(match id {
            Id::SkippedByCondition => {
                "If that is wanted, write it as a rule with require = \"never\" in mfad.toml, where the audit sees it; \
                 else put the condition after pam_mfad.so"
                    .to_owned()
            }
            Id::SkippedByJump => "Let the jump end at pam_mfad.so, or before it".to_owned(),
            Id::SkippedByInclude => format!(
                "A line after the include comes too late. Put pam_mfad.so into {}: {INSTEAD}",
                entry.place.file.display()
            ),
            _ => format!("Write in its place: {INSTEAD}"),
        })
    }

    fn who_gets_in(&self, id: Id, way: &Way, name: &str) -> String {
        match (id, way.facts.proved) {
            (Id::SkippedByCondition, _) => {
                "Whoever meets that condition is never asked for a code, and mfad's audit has no word of it"
                    .to_owned()
            }
            (_, Proved::By(at)) => {
                format!("Whoever passes {} gets in without a code", module_name(&self.stack.entries[at]))
            }
            (_, Proved::Root) => "Root gets in without a code".to_owned(),
            (_, Proved::Nothing) if name == "pam_rootok.so" => {
                "This program runs as root, so pam_rootok.so lets everybody in: no password, no code"
                    .to_owned()
            }
            (_, Proved::Nothing) => "Anybody gets in: no password, no code".to_owned(),
        }
    }

    /// Ways in though our module said no.
    pub(super) fn refused_and_open(&self) -> Vec<Finding> {
        let mut codes: BTreeMap<(usize, Option<usize>), Vec<Code>> = BTreeMap::new();
        for way in self.survey.open.iter().filter(|way| way.passing().is_some()) {
            let Factor::Refused(code) = way.facts.factor else { continue };
            let asked = way.calls.iter().rev().find(|(at, _)| self.is_ours(*at));
            let forgotten_by = way.facts.passed_by.filter(|at| !self.is_ours(*at));
            if let Some((at, _)) = asked {
                codes.entry((*at, forgotten_by)).or_default().push(code);
            }
        }
        codes
            .into_iter()
            .flat_map(|((ours, forgotten_by), codes)| self.ignored(ours, forgotten_by, codes))
            .collect()
    }

    fn ignored(&self, ours: usize, forgotten_by: Option<usize>, mut codes: Vec<Code>) -> Vec<Finding> {
        codes.sort();
        codes.dedup();
        let entry = &self.stack.entries[ours];
        let strict = "Write: auth required pam_mfad.so";
        if let Some(at) = forgotten_by {
            let other = &self.stack.entries[at];
            let fact = format!("{} resets the stack after {OURS} has said no", module_name(other));
            return vec![
                Finding::new(Severity::Critical, Id::FactorReset, fact)
                    .at(&other.place)
                    .meets("Whoever knows the password gets in with a wrong code")
                    .remedy("Take the reset away"),
            ];
        }
        if codes.contains(&Code::AUTH_ERR) || codes.contains(&Code::MAXTRIES) {
            let (id, how) = match entry.control.spelling {
                Spelling::Word("optional") => (Id::FactorOptional, "optional: what it says does not count"),
                Spelling::Word("sufficient") => {
                    (Id::FactorSufficient, "sufficient: if it says no, the stack goes on")
                }
                _ => (Id::FactorIgnored, "written so that a wrong code is ignored"),
            };
            let finding = Finding::new(Severity::Critical, id, format!("{OURS} is {how}"));
            let meets = "Whoever knows the password gets in with any code, or none";
            return vec![finding.at(&entry.place).meets(meets).remedy(strict)];
        }
        let (missing, others): (Vec<Code>, Vec<Code>) =
            codes.into_iter().partition(|code| *code == Code::MODULE_UNKNOWN);
        let named = |codes: &[Code]| {
            let names: Vec<String> = codes
                .iter()
                .map(|code| format!("{}={:?}", code.name(), entry.control.action(*code)))
                .collect();
            format!("{OURS}: {} lets people pass", names.join(", ").to_lowercase())
        };
        let mut findings = Vec::new();
        if !missing.is_empty() {
            let meets = "If the module is ever missing, passwords alone open, and nobody notices";
            let finding = Finding::new(Severity::High, Id::MissingModuleIgnored, named(&missing));
            findings.push(finding.at(&entry.place).meets(meets).remedy(strict));
        }
        if !others.is_empty() {
            let meets = "Whoever makes mfad fail, by load or by a full disk, gets in by the password alone";
            let finding = Finding::new(Severity::High, Id::UnavailableIgnored, named(&others));
            findings.push(finding.at(&entry.place).meets(meets).remedy(strict));
        }
        findings
    }
}
