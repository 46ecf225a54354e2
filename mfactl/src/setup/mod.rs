//! `mfactl setup`: an administrator's first run. Nothing is switched on before a login through the stack as it would be has been
//! tried, and there is a way back.
//!
//! - [`questions`]: where answers come from.  [`told`]: what is told.  [`fault`]: why it stops.
//! - [`relay`]: mail.  [`administrator`]: who goes first.
//! - [`rehearsal`]: the host as it would be.  [`trial`]: a login there.
//! - [`switch`]: PAM, switched on.  [`ssh_lines`]: what sshd needs.  [`way_back`]: all that, taken back.
//! - [`program`]: programs of the host.

pub mod administrator;
pub mod fault;
pub mod program;
pub mod questions;
pub mod rehearsal;
pub mod relay;
pub mod ssh_lines;
pub mod switch;
pub mod told;
pub mod trial;
pub mod way_back;

use std::path::Path;

use nix::unistd::Uid;
use protocol::manage::Explain;

use crate::Ending;
use crate::arguments::setup::{Attendance, Consent, Direction, Door, SetupArguments, SshKeys, SshdLines};
use crate::connection::Connection;
use crate::doctor::finding::{Finding, Id, Report, Severity, State};
use crate::doctor::host::Host;
use crate::doctor::{self, system};
use crate::failure::Failure;
use crate::output::Output;
use administrator::Administrator;
use fault::Fault;
use questions::{Question, Questions};
use rehearsal::Rehearsal;
use switch::{Stage, Switch};
use told::Told;
use trial::Trial;
use way_back::WayBack;

const SSH_KEYS: Question = Question {
    flag: "ssh-keys",
    about: "what an SSH key is worth",
    text: "An SSH key alone lets in now, and sshd asks for no code then. Shall it?",
};

const SSHD: Question = Question {
    flag: "sshd",
    about: "what becomes of sshd's lines",
    text: "Shall setup write this file, or did it show the lines for you to write?",
};

const PASSWORD: Question = Question {
    flag: "password-file",
    about: "the password for the trial",
    text: "The file with their password",
};

const SWITCH_ON: Question = Question {
    flag: "switch-on",
    about: "whether to switch on",
    text: "All is ready. Shall it be switched on?",
};

/// Sets mfad up, or takes back what the last setup switched on.
///
/// # Errors
/// [`Failure`]; nothing is switched on then, unless it says otherwise.
pub fn carry_out(wanted: &SetupArguments, socket: &Path, output: &mut Output) -> Result<Ending, Failure> {
    if !Uid::effective().is_root() {
        return Err(Fault::NotRoot.into());
    }
    let mut told = Told(output);
    match wanted.direction() {
        Direction::Back => way_back::take_back(&mut told).map(|()| Ending::Done),
        Direction::Forth => {
            let questions = Questions::to(wanted.attendance());
            let daemon = Connection::open(socket)?;
            Setup { wanted, socket, questions, daemon, told }.run()
        }
    }
}

/// When the host is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// As it would be.
    Beforehand,
    /// As it is.
    Afterwards,
}

/// A setup that is under way.
struct Setup<'a> {
    wanted: &'a SetupArguments,
    socket: &'a Path,
    questions: Questions,
    daemon: Connection,
    told: Told<'a>,
}

impl Setup<'_> {
    fn run(mut self) -> Result<Ending, Failure> {
        let switch = self.examine()?;
        let first = Administrator::find(self.wanted, &mut self.questions, &mut self.daemon)?;
        let (questions, daemon, told) = (&mut self.questions, &mut self.daemon, &mut self.told);
        relay::set_up(self.wanted, first.address.as_deref(), questions, daemon, told)?;
        first.enrol(self.wanted, questions, daemon, told)?;
        let rehearsal = Rehearsal::start()?;
        switch.on(Stage::Rehearsal(&rehearsal))?;
        let (lines, keys) = self.sshd(&rehearsal)?;
        self.judge(&rehearsal.examine(self.socket)?, switch.program(), keys, When::Beforehand)?;
        self.spare_root()?;
        self.try_login(&rehearsal, &first.name)?;
        drop(rehearsal);
        match self.questions.choice(SWITCH_ON, self.wanted.switch_on, None)? {
            Consent::No => self.told.well("ready", "nothing was switched on")?,
            Consent::Yes => self.switch_on(WayBack { switch, sshd: lines }, keys)?,
        }
        Ok(Ending::Done)
    }

    /// The host as it is: nothing may be switched on yet.
    fn examine(&mut self) -> Result<Switch, Failure> {
        if WayBack::exists() {
            return Err(Fault::AlreadySetUp.into());
        }
        let report = doctor::examine(&Host::running(), self.socket);
        let asking = doctor::asking(&Host::running());
        if !asking.is_empty() {
            return Err(Fault::AlreadyOn(asking.join(", ")).into());
        }
        let switch = Switch::of_host()?;
        let severe = report.findings.iter().filter(|finding| finding.severity <= Severity::Medium);
        for finding in severe {
            self.told.warning(&name(finding.id), sentence(finding))?;
        }
        self.told.well(
            "host",
            format!("{} switches PAM here; nobody is asked for a code yet", switch.program()),
        )?;
        Ok(switch)
    }

    /// What sshd needs, rehearsed if it shall be written; and what a key is worth.
    fn sshd(&mut self, rehearsal: &Rehearsal) -> Result<(Option<String>, SshKeys), Failure> {
        let Some(sshd) = ssh_lines::program() else { return Ok((None, SshKeys::Alone)) };
        let report = rehearsal.examine(self.socket)?;
        let takes_keys = ssh_lines::take_keys(&report);
        let keys = match takes_keys {
            true => self.questions.choice(SSH_KEYS, self.wanted.ssh_keys, Some(SshKeys::Alone))?,
            false => SshKeys::WithCode,
        };
        if !ssh_lines::are_needed(&report, keys) {
            self.told.well("sshd", "lets PAM ask as it is")?;
            return Ok((None, keys));
        }
        let lines = ssh_lines::text(takes_keys.then_some(keys), system::lifetime(&Host::running()));
        let settings: Vec<&str> = lines.lines().skip(1).collect();
        self.told.warning("sshd", format!("it has to be told: {}", settings.join("; ")))?;
        self.questions.tell(&format!("\n{}:\n\n{lines}", ssh_lines::FILE));
        match self.questions.choice(SSHD, self.wanted.sshd, Some(SshdLines::Show))? {
            SshdLines::Show => Ok((None, keys)),
            SshdLines::Write => {
                ssh_lines::rehearse(&lines, sshd, rehearsal)?;
                Ok((Some(lines), keys))
            }
        }
    }

    /// Whether the host would be well, or is. What only should be known is told once.
    fn judge(
        &mut self,
        report: &Report,
        program: &'static str,
        keys: SshKeys,
        when: When,
    ) -> Result<(), Failure> {
        if report.services.iter().all(|line| matches!(line.state, State::Without | State::Broken)) {
            return Err(Fault::LeftAlone(program).into());
        }
        let mut is_well = true;
        for finding in report.findings.iter().filter(|finding| finding.severity <= Severity::Medium) {
            let is_accepted = self.wanted.accept.iter().any(|id| *id == name(finding.id))
                || (finding.id == Id::MethodWithoutPam && keys == SshKeys::Alone);
            if finding.severity <= Severity::High && !is_accepted {
                is_well = false;
                self.told.failed(&name(finding.id), sentence(finding))?;
            } else if when == When::Beforehand {
                self.told.warning(&name(finding.id), sentence(finding))?;
            }
        }
        if !is_well {
            return Err(Fault::Unwell.into());
        }
        let proved = report.services.iter().filter(|line| line.state == State::Proved);
        let services: Vec<&str> = proved.map(|line| line.service.as_str()).collect();
        let ask = if when == When::Beforehand { "would ask" } else { "ask" };
        let services = services.join(", ");
        self.told.well("stacks", format!("{ask} after a right password, and cannot be skipped: {services}"))
    }

    /// Root is who repairs this host: at the console root may be asked, but not shut out.
    fn spare_root(&mut self) -> Result<(), Failure> {
        for service in ["login", "sshd"] {
            let explain = Explain {
                user: "root".to_owned(),
                service: service.to_owned(),
                source: (service == "login").then(|| "local".to_owned()),
                key_type: None,
                key_fingerprint: None,
                at: None,
            };
            let outcome = self.daemon.call(&explain)?.outcome;
            if outcome.starts_with("refused") {
                return Err(Fault::RootRefused { service, outcome }.into());
            }
            self.told.well("root", format!("by {service}: {outcome}"))?;
        }
        Ok(())
    }

    fn try_login(&mut self, rehearsal: &Rehearsal, user: &str) -> Result<(), Failure> {
        let sshd = ssh_lines::program();
        let door = match (self.wanted.trial, sshd) {
            (Some(door), _) => door,
            (None, Some(_)) => Door::Sshd,
            (None, None) => Door::Su,
        };
        let trial = Trial { rehearsal, user, door, sshd: sshd.unwrap_or_default() };
        let by = match door {
            Door::None => return self.told.warning("trial", "no login was tried"),
            Door::Sshd => "sshd",
            Door::Su => "su",
        };
        match (self.wanted.password_file.as_deref(), self.questions.attendance()) {
            (None, Attendance::Asked) => {
                self.questions.tell(&format!(
                    "\nNow log in as {user}, by {by} as it would be. Nothing is switched on yet.\n"
                ));
                trial.by_hand(&mut self.daemon)?;
                self.told.well("trial", format!("{user} got in by {by} with password and code"))
            }
            (given, _) => {
                let given = given.map(|path| path.display().to_string());
                let file = self.questions.text(PASSWORD, given.as_deref(), None)?;
                trial.unattended(Path::new(&file), &mut self.daemon)?;
                let detail =
                    format!("by {by} {user} got in with password and code, and stayed out with a wrong one");
                self.told.well("trial", detail)
            }
        }
    }

    /// Does it, looks at it, and takes it back if it is not as rehearsed.
    fn switch_on(&mut self, way_back: WayBack, keys: SshKeys) -> Result<(), Failure> {
        way_back.keep()?;
        let done = self.change(&way_back, keys);
        if done.is_err() {
            way_back::take_back(&mut self.told)?;
            done?;
        }
        self.told.well("switched on", "keep this shell open, and log in from another terminal now")?;
        self.told.well("way back", "mfactl setup --undo")
    }

    fn change(&mut self, way_back: &WayBack, keys: SshKeys) -> Result<(), Failure> {
        if let Some(lines) = &way_back.sshd {
            ssh_lines::write(lines, &mut self.told)?;
        }
        way_back.switch.on(Stage::Host)?;
        let report = doctor::examine(&Host::running(), self.socket);
        let judged = self.judge(&report, way_back.switch.program(), keys, When::Afterwards);
        judged.map_err(|failure| match failure {
            Failure::Setup(_) => Fault::NotAsRehearsed.into(),
            other => other,
        })
    }
}

/// The name of a finding, as `mfactl doctor --json` has it.
fn name(id: Id) -> String {
    serde_json::to_value(id).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn sentence(finding: &Finding) -> String {
    let place = finding.file.iter().map(|file| match finding.line {
        Some(line) => format!("{file}:{line}: "),
        None => format!("{file}: "),
    });
    format!("{}{}. {}", place.collect::<String>(), finding.fact, finding.remedy)
}
