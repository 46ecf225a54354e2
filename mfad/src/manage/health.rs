//! How the daemon is, and what the configuration on disk would be.

use protocol::manage::{self as wire, Finding, Outcome};

use super::Administration;
use crate::config;
use crate::daemon::{Daemon, KeyState};
use crate::metrics::METRICS;
use crate::store::Store;
use crate::unknown_names;

impl Administration<'_> {
    pub(super) async fn check_config(&self) -> wire::CheckConfigReply {
        match config::load(&self.daemon.origin.file, self.daemon.origin.presence) {
            Ok(config) => wire::CheckConfigReply {
                files: config.files.iter().map(|file| file.display().to_string()).collect(),
                problems: vec![],
                warnings: warnings(config).await.into_iter().map(problem).collect(),
            },
            Err(problems) => wire::CheckConfigReply {
                files: vec![self.daemon.origin.file.display().to_string()],
                problems: problems.0.into_iter().map(problem).collect(),
                warnings: vec![],
            },
        }
    }

    pub(super) async fn health(&self) -> wire::HealthReply {
        let provider = &self.daemon.live().config.time.provider;
        let checks = vec![
            database(self.daemon).await,
            configuration(self.daemon),
            openings(self.daemon),
            key(self.daemon),
            audit(self.daemon),
            super::clock::check(&self.daemon.clock, provider),
        ];
        let worst = [Outcome::Failed, Outcome::Warning]
            .into_iter()
            .find(|outcome| checks.iter().any(|check| check.outcome == *outcome));
        wire::HealthReply {
            outcome: worst.unwrap_or(Outcome::Ok),
            release: env!("CARGO_PKG_VERSION").to_owned(),
            uptime: self.daemon.started.elapsed().as_secs(),
            checks,
            counters: METRICS.counters(),
        }
    }
}

/// What is odd in the files, and the names in them that nobody has.
async fn warnings(config: config::Config) -> Vec<config::Problem> {
    let own = config.warnings.clone();
    let unknown = tokio::task::spawn_blocking(move || unknown_names::warnings(&config));
    [own, unknown.await.unwrap_or_default()].concat()
}

async fn database(daemon: &Daemon) -> Finding {
    let finding = |outcome, detail: String| Finding { name: "database".to_owned(), outcome, detail };
    match daemon.store.ping().await {
        Ok(()) => finding(Outcome::Ok, "takes writes".to_owned()),
        Err(error) => finding(Outcome::Failed, error.to_string()),
    }
}

fn configuration(daemon: &Daemon) -> Finding {
    let finding = |outcome, detail: String| Finding { name: "configuration".to_owned(), outcome, detail };
    match daemon.rejected() {
        None => finding(Outcome::Ok, "in force as it was last read".to_owned()),
        Some(why) => finding(
            Outcome::Warning,
            format!("the last reload was refused, the older one is in force: {why}"),
        ),
    }
}

/// What the site has opened on purpose is said each time.
fn openings(daemon: &Daemon) -> Finding {
    let open = daemon.live().config.openings();
    let outcome = if open.is_empty() { Outcome::Ok } else { Outcome::Warning };
    let detail = if open.is_empty() { "none".to_owned() } else { open.join("; ") };
    Finding { name: "openings".to_owned(), outcome, detail }
}

/// Whether an older key is still needed, as it was when it was last looked at.
fn key(daemon: &Daemon) -> Finding {
    let finding = |outcome, detail: String| Finding { name: "key".to_owned(), outcome, detail };
    match daemon.key_state() {
        KeyState::Adopted => {
            finding(Outcome::Ok, "the first key of the key file is the only one needed".to_owned())
        }
        KeyState::Waiting(accounts) => finding(
            Outcome::Warning,
            format!(
                "{accounts} accounts are still sealed by an older key. Seal them anew: mfactl key rotate"
            ),
        ),
        KeyState::Unknown(why) => {
            finding(Outcome::Warning, format!("it is not known whether an older key is needed: {why}"))
        }
    }
}

/// Its end: the whole of it takes longer than a check of health may.
fn audit(daemon: &Daemon) -> Finding {
    let finding = |outcome, detail: String| Finding { name: "audit".to_owned(), outcome, detail };
    match daemon.store.audit_damage() {
        None => finding(Outcome::Ok, "goes on where it ended. All of it: mfactl audit verify".to_owned()),
        Some(cause) => finding(Outcome::Failed, format!("{cause}. See what is missing: mfactl audit verify")),
    }
}

fn problem(problem: config::Problem) -> wire::Problem {
    wire::Problem {
        file: problem.file.display().to_string(),
        line: problem.line,
        column: problem.column,
        key: problem.key,
        message: problem.message,
        remedy: problem.remedy,
    }
}
