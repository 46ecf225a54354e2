//! What mfad itself says: how it is, how its mails go, and who would be refused.

use std::path::Path;
use std::time::Duration;

use protocol::manage::{
    Finding as Check, Health, HealthReply, ListUsers, Outcome, Rollout, ShowUser, Switch,
};

use super::finding::{Finding, Id, Severity};
use crate::connection::Connection;
use crate::failure::Failure;

/// How long one answer may take: the whole run shall take two seconds.
const PATIENCE: Duration = Duration::from_millis(700);

/// Pages of accounts that are looked at.
const MOST_PAGES: usize = 20;

/// Names that mfad takes in one request.
const BATCH: usize = 100;

/// Asks mfad. `is_needed` if a stack names the module.
pub fn findings(socket: &Path, needed: Needed) -> Vec<Finding> {
    let mut daemon = match Connection::open_within(socket, PATIENCE) {
        Ok(daemon) => daemon,
        Err(failure) => return vec![silent(socket, needed, &failure)],
    };
    let mut findings = Vec::new();
    match daemon.call(&Health {}) {
        Ok(reply) => findings.extend(health(&reply)),
        Err(failure @ Failure::Refused(_)) => return vec![not_allowed(&failure)],
        Err(failure) => return vec![silent(socket, needed, &failure)],
    }
    // What cannot be had is no fault of the host.
    findings.extend(people(&mut daemon).unwrap_or_default());
    findings.extend(root(&mut daemon).ok().flatten());
    findings
}

/// Whether somebody's login needs mfad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// A stack names the module.
    Yes,
    /// None does.
    No,
}

fn silent(socket: &Path, needed: Needed, failure: &Failure) -> Finding {
    let (severity, meets) = match needed {
        Needed::Yes => (Severity::High, "Everybody whose stack names pam_mfad.so is refused"),
        Needed::No => (Severity::Low, "Nobody yet: no stack names pam_mfad.so"),
    };
    Finding::new(severity, Id::DaemonSilent, failure.to_string())
        .in_file(socket)
        .meets(meets)
        .remedy("systemctl status mfad.socket mfad")
}

fn not_allowed(failure: &Failure) -> Finding {
    Finding::new(Severity::Info, Id::NotRoot, failure.to_string())
        .meets("What mfad knows was not looked at")
        .remedy("Run mfactl doctor as root")
}

fn health(reply: &HealthReply) -> Vec<Finding> {
    let mut findings: Vec<Finding> = reply.checks.iter().filter_map(check).collect();
    let count = |name: &str| {
        reply.counters.iter().find(|counter| counter.name == name).map_or(0, |counter| counter.value)
    };
    let (sent, failed) = (count("mails-sent"), count("mails-failed"));
    if failed > 0 {
        let severity = if sent == 0 { Severity::High } else { Severity::Medium };
        let fact = format!("since its start mfad sent {sent} mails, and failed to send {failed}");
        findings.push(
            Finding::new(severity, Id::MailFailing, fact)
                .meets("Whose code comes by mail alone cannot log in while mail fails")
                .remedy("mfactl test mail YOU@EXAMPLE.ORG tells where it fails"),
        );
    }
    findings
}

fn check(check: &Check) -> Option<Finding> {
    let severity = match check.outcome {
        Outcome::Ok => return None,
        Outcome::Warning => Severity::Medium,
        Outcome::Failed => Severity::High,
    };
    let id = if check.name == "clock" { Id::ClockUnsynchronised } else { Id::DaemonUnwell };
    let fact = format!("mfad says of its {}: {}", check.name, check.detail);
    Some(Finding::new(severity, id, fact).remedy("mfactl health"))
}

/// Who is switched on, and would be refused.
fn people(daemon: &mut Connection) -> Result<Vec<Finding>, Failure> {
    let mut enabled = Vec::new();
    let mut after = None;
    for _ in 0..MOST_PAGES {
        let page = daemon.call(&ListUsers { after, filter: None })?;
        let on = page.users.into_iter().filter(|line| line.switch == Switch::Enabled);
        enabled.extend(on.map(|line| line.user));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut findings = Vec::new();
    for users in enabled.chunks(BATCH) {
        let reply = daemon.call(&Rollout { users: users.to_vec(), service: "sshd".to_owned() })?;
        findings.extend(reply.lines.into_iter().map(|line| {
            let fact = format!("{} is switched on, and would be refused: {}", line.user, line.cause);
            Finding::new(Severity::Medium, Id::WouldBeRefused, fact)
                .meets("This person cannot log in where pam_mfad.so stands")
                .remedy(format!("mfactl user email {0} ADDRESS, or: mfactl enrol totp --user {0}", line.user))
        }));
    }
    Ok(findings)
}

/// Root is who repairs mail.
fn root(daemon: &mut Connection) -> Result<Option<Finding>, Failure> {
    let account = daemon.call(&ShowUser { user: "root".to_owned() })?.account;
    let by_mail_alone = account.switch == Switch::Enabled
        && !account.factors.is_empty()
        && account.factors.iter().all(|factor| factor == "email");
    Ok(by_mail_alone.then(|| {
        Finding::new(Severity::Medium, Id::RootByMailAlone, "root's only factor is mail")
            .meets("When mail fails, root cannot log in to repair it")
            .remedy("mfactl enrol totp --user root, and mfactl recovery new --user root")
    }))
}
