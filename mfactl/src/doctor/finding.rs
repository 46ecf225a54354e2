//! What was found, as people and programs read it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::pam::Place;
use crate::output::Colour;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Who knows a password, or less, gets in without a code.
    Critical,
    /// Some get in without a code, or nobody gets in at all.
    High,
    /// Somebody is harmed or kept out.
    Medium,
    /// It will bite one day.
    Low,
    /// It should be known.
    Info,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Severity; 5] =
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
            Severity::Info => "info",
        }
    }

    fn colour(self) -> u8 {
        match self {
            Severity::Critical | Severity::High => 31,
            Severity::Medium => 33,
            Severity::Low | Severity::Info => 36,
        }
    }
}

/// What kind of fault it is. The names are stable: scripts may look for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is explained where it is found")]
pub enum Id {
    FactorOptional,
    FactorSufficient,
    FactorIgnored,
    UnavailableIgnored,
    MissingModuleIgnored,
    FactorReset,
    SkippedBySuccess,
    SkippedByInclude,
    SkippedByJump,
    SkippedByCondition,
    TokenAlone,
    CodeAlone,
    AskedBeforePassword,
    NobodyEnters,
    ExemptRefused,
    RefusedAfterwards,
    AppendHalf,
    ModuleArguments,
    ModuleMissing,
    ModuleForeign,
    StackBroken,
    LineUnreadable,
    ReadersDiffer,
    LostByReader,
    ServiceWithout,
    NotSwitchedOn,
    SshdUnknown,
    SshdWithoutPam,
    KeyboardInteractiveOff,
    PasswordBlind,
    MethodWithoutPam,
    MethodsContradict,
    LoginGraceTime,
    LoginTimeout,
    SudoNopasswd,
    SudoNeverAsksAgain,
    SocketMissing,
    SocketForeign,
    FileMode,
    KeyMode,
    DaemonSilent,
    DaemonUnwell,
    MailFailing,
    ClockUnsynchronised,
    SelinuxPolicy,
    ApparmorRule,
    WouldBeRefused,
    RootByMailAlone,
    NotRoot,
}

impl Id {
    /// Its name.
    pub fn name(self) -> String {
        // As it is serialised: one list of names.
        serde_json::to_value(self)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// Something that an administrator should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of fault it is.
    pub id: Id,
    /// The PAM service that it is about.
    pub service: Option<String>,
    /// The file that it is in.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// What is so.
    pub fact: String,
    /// What an attacker or a user meets.
    pub meets: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    /// One that is about no service and in no file, so far.
    pub fn new(severity: Severity, id: Id, fact: impl Into<String>) -> Self {
        Finding {
            severity,
            id,
            service: None,
            file: None,
            line: None,
            fact: fact.into(),
            meets: String::new(),
            remedy: String::new(),
        }
    }

    /// Says what somebody meets.
    pub fn meets(self, meets: impl Into<String>) -> Self {
        Finding { meets: meets.into(), ..self }
    }

    /// Says what to do.
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Finding { remedy: remedy.into(), ..self }
    }

    /// Where it is, as compilers write it; empty if it is in no file.
    pub fn place(&self) -> String {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (Some(file), None) => file.clone(),
            (None, _) => String::new(),
        }
    }

    /// Says which service it is about.
    pub fn service(self, service: &str) -> Self {
        Finding { service: Some(service.to_owned()), ..self }
    }

    /// Says where it is.
    pub fn at(self, place: &Place) -> Self {
        Finding { line: Some(place.line), ..self.in_file(&place.file) }
    }

    /// Says in which file it is.
    pub fn in_file(self, file: &Path) -> Self {
        Finding { file: Some(file.display().to_string()), ..self }
    }
}

/// What is known of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The second factor is asked for after the right password, and cannot be skipped.
    Proved,
    /// It can be, or nobody gets in.
    Flawed,
    /// Its stack does not name the module.
    Without,
    /// libpam refuses its files.
    Broken,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceLine {
    /// Its name.
    pub service: String,
    /// What is known of it.
    pub state: State,
}

/// All that was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// The services that were looked at.
    pub services: Vec<ServiceLine>,
    /// The worst first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Sorts it, and leaves out what is said twice.
    pub fn settle(&mut self) {
        let key = |finding: &Finding| {
            (finding.severity, finding.service.clone(), finding.file.clone(), finding.line, finding.id)
        };
        self.findings.sort_by_key(key);
        self.findings.dedup_by_key(|finding| (key(finding), finding.fact.clone()));
    }

    /// The services whose stacks name the module.
    pub fn asking(&self) -> Vec<&str> {
        let is_asking = |line: &&ServiceLine| matches!(line.state, State::Proved | State::Flawed);
        self.services.iter().filter(is_asking).map(|line| line.service.as_str()).collect()
    }

    /// Whether something is so bad that a script should stop.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).min()
    }
}

/// The report for people.
pub fn text(report: &Report, colour: Colour) -> String {
    let mut parts: Vec<String> = report.findings.iter().map(|it| finding(it, colour)).collect();
    parts.push(services(&report.services));
    parts.push(summary(&report.findings));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

fn finding(finding: &Finding, colour: Colour) -> String {
    let severity = finding.severity.name().to_uppercase();
    let severity = match colour {
        Colour::Ansi => format!("\x1b[{}m{severity}\x1b[0m", finding.severity.colour()),
        Colour::Plain => severity,
    };
    let place = finding.place();
    let about =
        finding.service.iter().map(String::as_str).chain([place.as_str()]).filter(|it| !it.is_empty());
    let about = about.collect::<Vec<_>>().join("  ");
    let mut lines =
        vec![format!("{severity}  {about}").trim_end().to_owned(), format!("    {}", finding.fact)];
    lines.extend(
        [&finding.meets, &finding.remedy]
            .into_iter()
            .filter(|it| !it.is_empty())
            .map(|it| format!("    {it}")),
    );
    lines.join("\n")
}

fn services(services: &[ServiceLine]) -> String {
    let of = |state: State| {
        let names = services.iter().filter(|line| line.state == state).map(|line| line.service.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let told = [
        (State::Proved, "Asked after the right password, and cannot be skipped"),
        (State::Flawed, "Flawed, see above"),
        (State::Broken, "Refused altogether, see above"),
        (State::Without, "Without a second factor"),
    ];
    let lines = told.iter().map(|(state, text)| (text, of(*state))).filter(|(_, names)| !names.is_empty());
    lines.map(|(text, names)| format!("{text}: {names}.")).collect::<Vec<_>>().join("\n")
}

fn summary(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let counts = Severity::ALL.map(|severity| (count(severity), severity.name()));
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    if told.is_empty() { "Nothing was found.".to_owned() } else { format!("Found: {}.", told.join(", ")) }
}
