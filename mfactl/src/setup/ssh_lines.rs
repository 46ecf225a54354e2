//! The lines that sshd needs to ask for a code, in a file of their own.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::fault::Fault;
use super::program;
use super::rehearsal::Rehearsal;
use super::told::Told;
use super::way_back;
use crate::arguments::setup::SshKeys;
use crate::doctor::finding::{Id, Report};
use crate::failure::Failure;

/// Before what other packages put there: of two lines sshd takes the first.
pub const FILE: &str = "/etc/ssh/sshd_config.d/00-mfad.conf";

/// Where it is, in the order that it is looked for.
const PROGRAMS: [&str; 2] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"];

/// What its unit is called: on Debian, on Fedora.
const UNITS: [&str; 2] = ["ssh.service", "sshd.service"];

/// What the doctor finds where sshd cannot ask, or does not have to.
const FINDINGS: [Id; 6] = [
    Id::SshdWithoutPam,
    Id::KeyboardInteractiveOff,
    Id::PasswordBlind,
    Id::MethodWithoutPam,
    Id::MethodsContradict,
    Id::LoginGraceTime,
];

/// This host's sshd, if it has one.
pub fn program() -> Option<&'static str> {
    PROGRAMS.into_iter().find(|path| Path::new(path).exists())
}

/// Whether sshd has to be told anything, where a key is worth this much.
pub fn are_needed(report: &Report, keys: SshKeys) -> bool {
    let missing = |id| FINDINGS.contains(&id) && !(id == Id::MethodWithoutPam && keys == SshKeys::Alone);
    report.findings.iter().any(|finding| missing(finding.id))
}

/// Whether a key is worth anything to sshd.
pub fn take_keys(report: &Report) -> bool {
    report.findings.iter().any(|finding| finding.id == Id::MethodWithoutPam)
}

/// The lines. `takes_keys` if sshd lets keys in now.
pub fn text(keys: Option<SshKeys>, lifetime: Duration) -> String {
    let methods = match keys {
        None => "keyboard-interactive:pam",
        Some(SshKeys::Alone) => "publickey keyboard-interactive:pam",
        Some(SshKeys::WithCode) => "publickey,keyboard-interactive:pam keyboard-interactive:pam",
    };
    format!(
        "# Written by mfactl setup; mfactl setup --undo takes it away.\n\
         UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n\
         AuthenticationMethods {methods}\nLoginGraceTime {}\n",
        lifetime.as_secs()
    )
}

/// Tries the lines where nobody sees them.
///
/// # Errors
/// [`Fault`], also if sshd does not take them.
pub fn rehearse(lines: &str, sshd: &str, rehearsal: &Rehearsal) -> Result<(), Fault> {
    rehearsal.write(Path::new(FILE), lines)?;
    rehearsal.run(&[sshd, "-t"]).map(drop)
}

/// Writes them, and has sshd read them.
///
/// # Errors
/// [`Fault`], [`Failure::Output`].
pub fn write(lines: &str, told: &mut Told<'_>) -> Result<(), Failure> {
    way_back::write(Path::new(FILE), lines, 0o644).map_err(Fault::file(FILE))?;
    told.well("sshd", format!("{FILE} is written"))?;
    read_again(told)
}

/// Takes them away, unless somebody has changed them since.
///
/// # Errors
/// [`Fault`], [`Failure::Output`].
pub fn remove(lines: &str, told: &mut Told<'_>) -> Result<(), Failure> {
    match fs::read_to_string(FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Fault::file(FILE)(error).into()),
        Ok(text) if text != lines => {
            return told.warning("sshd", format!("{FILE} was changed by somebody, so it stays"));
        }
        Ok(_) => fs::remove_file(FILE).map_err(Fault::file(FILE))?,
    }
    told.well("sshd", format!("{FILE} is gone"))?;
    read_again(told)
}

/// Logins that are under way go on. Where no systemd is, somebody else knows how sshd was started.
fn read_again(told: &mut Told<'_>) -> Result<(), Failure> {
    let is_active = |unit: &&&str| program::run(&["systemctl", "--quiet", "is-active", unit]).is_ok();
    let unit = UNITS.iter().filter(|_| Path::new("/run/systemd/system").exists()).find(is_active);
    match unit {
        Some(unit) => {
            program::run(&["systemctl", "reload-or-restart", unit])?;
            told.well("sshd", format!("{unit} reads its configuration again"))
        }
        None => {
            told.warning("sshd", "no unit of it runs: if it does run, let it read its configuration again")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::{Finding, Severity};

    #[test]
    fn the_lines_say_what_a_key_is_worth() {
        let text = |keys| text(keys, Duration::from_mins(5));
        assert!(text(None).contains("AuthenticationMethods keyboard-interactive:pam\nLoginGraceTime 300\n"));
        assert!(text(Some(SshKeys::Alone)).contains("Methods publickey keyboard-interactive:pam\n"));
        let both = "Methods publickey,keyboard-interactive:pam keyboard-interactive:pam\n";
        assert!(text(Some(SshKeys::WithCode)).contains(both));
    }

    #[test]
    fn a_key_that_may_let_in_alone_needs_no_lines() {
        let report =
            |id| Report { findings: vec![Finding::new(Severity::High, id, "")], ..Report::default() };
        for id in FINDINGS {
            assert!(are_needed(&report(id), SshKeys::WithCode), "{id:?}");
            assert_eq!(are_needed(&report(id), SshKeys::Alone), id != Id::MethodWithoutPam, "{id:?}");
        }
        assert!(!are_needed(&report(Id::SudoNopasswd), SshKeys::WithCode));
    }
}
