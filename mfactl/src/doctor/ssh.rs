//! sshd asked about each kind of login, and judged.

use std::time::Duration;

use super::finding::{Finding, Id, Severity};
use super::host::Host;
use super::ssh_logins::{self, Rules};
use super::sshd::{self, Line, Login, Program, Settings};
use super::stacks::{Beforehand, Lines};

/// What sshd said.
pub struct Ssh {
    configuration: Vec<Line>,
    logins: Vec<(Login, Settings)>,
    /// Why it did not say all.
    silence: Option<String>,
}

impl Ssh {
    /// Asks it, if there is one.
    pub fn ask(host: &Host, program: Option<&Program>) -> Self {
        let configuration = sshd::configuration(host);
        let mut ssh = Ssh { configuration, logins: Vec::new(), silence: None };
        for login in sshd::logins(host, &ssh.configuration) {
            match program.map(|program| program.ask(&login)) {
                None => break,
                Some(Ok(settings)) => ssh.logins.push((login, settings)),
                Some(Err(why)) => {
                    ssh.silence = Some(why);
                    break;
                }
            }
        }
        ssh
    }

    /// The PAM service's name; since OpenSSH 9.8 it can be another.
    pub fn service(&self) -> &str {
        let name = self.logins.first().and_then(|(_, settings)| settings.value("pamservicename"));
        name.unwrap_or("sshd")
    }

    /// What is proved before PAM is asked, in this service.
    pub fn beforehand(&self, service: &str) -> Beforehand {
        let keys = self.logins.iter().all(|(_, settings)| ssh_logins::key_comes_first(settings));
        let is_it = service == self.service() && !self.logins.is_empty();
        if is_it && keys { Beforehand::Key } else { Beforehand::Nothing }
    }

    /// What is wrong, given our lines in its stack and how long a mailed code is good. What holds for several logins is
    /// said of the first.
    pub fn findings(&self, lines: Lines, lifetime: Duration) -> Vec<Finding> {
        let rules = Rules { lines, lifetime, configuration: &self.configuration };
        let mut findings: Vec<Finding> = Vec::new();
        for finding in self.logins.iter().flat_map(|(login, settings)| rules.judge(login, settings)) {
            // A block inherits what it does not set: that is no second fault.
            let is_said = |said: &Finding| (said.id, &said.remedy) == (finding.id, &finding.remedy);
            if !findings.iter().any(is_said) {
                findings.push(finding);
            }
        }
        let silence = self.silence.as_ref().filter(|_| lines.asking > 0);
        findings.extend(silence.map(|why| {
            Finding::new(Severity::Medium, Id::SshdUnknown, format!("sshd does not tell its settings: {why}"))
                .service("sshd")
                .meets("Ways around the code that sshd leaves open were not looked for")
                .remedy("sshd -T, as root, says what keeps it")
        }));
        findings
    }
}
