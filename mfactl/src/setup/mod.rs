//! `mfactl setup`: an administrator's first run. Nothing is switched on before a login through the stack as it would be has been
//! tried, and there is a way back.
//!
//! - [`questions`]: where answers come from.  [`told`]: what is told.  [`fault`]: why it stops.
//! - [`relay`]: mail.  [`administrator`]: who goes first.
//! - [`rehearsal`]: the host as it would be.  [`trial`]: a login there.  [`door`]: by which program.
//! - [`judgement`]: whether it is good enough.  [`outsiders`]: who would stay outside.
//! - [`switch`]: PAM, switched on.  [`ssh_lines`]: what sshd needs.  [`way_back`]: all that, taken back.
//! - [`program`]: programs of the host.  [`whole`]: files that are there whole, or not at all.

pub mod administrator;
pub mod door;
pub mod fault;
mod judgement;
pub mod outsiders;
pub mod program;
pub mod questions;
pub mod rehearsal;
mod relay;
pub mod ssh_lines;
pub mod switch;
pub mod told;
pub mod trial;
pub mod way_back;
mod whole;

use std::path::Path;

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::Uid;

use crate::Ending;
use crate::arguments::setup::{Attendance, Consent, Direction, Door, SetupArguments, SshKeys, SshdLines};
use crate::connection::Connection;
use crate::doctor::finding::{Id, Severity};
use crate::doctor::host::Host;
use crate::doctor::{self, system};
use crate::failure::Failure;
use crate::output::Output;
use administrator::Administrator;
use door::Entrance;
use fault::Fault;
use judgement::{When, sentence};
use outsiders::Concern;
use questions::{Question, Questions};
use rehearsal::Rehearsal;
use ssh_lines::Sshd;
use switch::{Stage, Switch};
use told::Told;
use trial::Trial;
use way_back::WayBack;

const SSH_KEYS: Question = Question {
    flag: "ssh-keys",
    about: "what an SSH key is worth",
    text: "An SSH key alone lets in now, and sshd asks for no code then. Shall it go on so (alone), or take password and code as well?",
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
    let mut told = Told::to(output);
    match wanted.direction() {
        Direction::Back => way_back::take_back(&mut told)?,
        Direction::Forth => {
            let questions = Questions::to(wanted.attendance());
            let daemon = Connection::open(socket)?;
            Setup { wanted, socket, questions, daemon, told: &mut told }.run()?;
        }
    }
    told.finish().map(|()| Ending::Done)
}

/// A setup that is under way.
struct Setup<'a, 'b> {
    wanted: &'a SetupArguments,
    socket: &'a Path,
    questions: Questions,
    daemon: Connection,
    told: &'a mut Told<'b>,
}

impl Setup<'_, '_> {
    fn run(mut self) -> Result<(), Failure> {
        let switch = self.examine()?;
        let first = Administrator::find(self.wanted, &mut self.questions, &mut self.daemon)?;
        self.set_up_mail(first.address.as_deref())?;
        first.enrol(self.wanted, &mut self.questions, &mut self.daemon, self.told)?;
        let rehearsal = Rehearsal::start()?;
        switch.on(Stage::Rehearsal(&rehearsal))?;
        let sshd = Sshd::ask(&first.name, &rehearsal)?;
        let (keys, lines) = self.sshd(sshd.as_ref(), &rehearsal)?;
        let meant = sshd.as_ref().map_or(Vec::new(), |sshd| sshd.meant(keys));
        self.judge(&rehearsal.examine(self.socket)?, switch.program(), &meant, When::Beforehand)?;
        let narrowed = sshd.as_ref().filter(|sshd| sshd.takes_keys() && keys == SshKeys::WithCode);
        self.look_for_outsiders(narrowed)?;
        self.try_login(&rehearsal, &first)?;
        drop(rehearsal);
        match self.questions.choice(SWITCH_ON, self.wanted.switch_on, None)? {
            Consent::No => self.told.well("ready", "nothing was switched on"),
            Consent::Yes => self.switch_on(WayBack { switch, sshd: lines }, &meant)?,
        }
        Ok(())
    }

    /// The host as it is: nothing may be switched on yet.
    fn examine(&mut self) -> Result<Switch, Failure> {
        if WayBack::exists() {
            return Err(Fault::AlreadySetUp.into());
        }
        let report = doctor::examine(&Host::running(), self.socket);
        let asking = report.asking();
        if !asking.is_empty() {
            return Err(Fault::AlreadyOn(asking.join(", ")).into());
        }
        let switch = Switch::of_host()?;
        for finding in report.findings.iter().filter(|finding| finding.severity <= Severity::Medium) {
            self.told.warning(&finding.id.name(), sentence(finding));
        }
        let lost = switch.lost().join(", ");
        let detail = format!("the profile of mfad has no {lost}: they would end");
        self.concern((!lost.is_empty()).then_some(Concern { name: "authselect-features", detail }))?;
        self.told
            .well("host", format!("{} switches PAM here; nobody is asked for a code yet", switch.program()));
        Ok(switch)
    }

    /// What a key is worth, and what sshd needs; rehearsed if it shall be written.
    fn sshd(
        &mut self,
        sshd: Option<&Sshd>,
        rehearsal: &Rehearsal,
    ) -> Result<(SshKeys, Option<String>), Failure> {
        let Some(sshd) = sshd else { return Ok((SshKeys::Alone, None)) };
        let keys = match sshd.takes_keys() {
            true => self.questions.choice(SSH_KEYS, self.wanted.ssh_keys, Some(SshKeys::Alone))?,
            false => SshKeys::WithCode,
        };
        let Some(lines) = sshd.lines(keys, system::lifetime(&Host::running())) else {
            let passwords = sshd.takes_passwords();
            let detail = if passwords {
                "lets PAM ask as it is"
            } else {
                "takes no password, and stays so: nobody is asked"
            };
            self.told.well("sshd", detail);
            return Ok((keys, None));
        };
        let settings: Vec<&str> = lines.lines().skip(1).collect();
        self.told.warning("sshd", format!("it has to be told: {}", settings.join("; ")));
        self.questions.tell(&format!("\n{}:\n\n{lines}", ssh_lines::FILE));
        match self.questions.choice(SSHD, self.wanted.sshd, Some(SshdLines::Show))? {
            SshdLines::Show => Ok((keys, None)),
            SshdLines::Write if Path::new(ssh_lines::FILE).exists() => Err(Fault::LinesInTheWay.into()),
            SshdLines::Write => {
                ssh_lines::rehearse(&lines, sshd, rehearsal)?;
                Ok((keys, Some(lines)))
            }
        }
    }

    fn try_login(&mut self, rehearsal: &Rehearsal, first: &Administrator) -> Result<(), Failure> {
        let sshd = Sshd::ask(&first.name, rehearsal)?;
        let Some(entrance) = self.entrance(first, sshd.as_ref(), rehearsal)? else {
            self.told.warning("trial", "no login was tried");
            return Ok(());
        };
        let (user, by) = (first.name.as_str(), entrance.service().to_owned());
        let trial = Trial { user: first, entrance };
        match (self.wanted.password_file.as_deref(), self.questions.attendance()) {
            (None, Attendance::Asked) => {
                let invitation =
                    format!("\nNow log in as {user}, by {by} as it would be. Nothing is switched on yet.\n");
                self.questions.tell(&invitation);
                trial.by_hand(&mut self.daemon)?;
                self.told.well("trial", format!("{user} got in by {by} with password and code"));
            }
            (given, _) => {
                let given = given.map(|path| path.display().to_string());
                let file = self.questions.text(PASSWORD, given.as_deref(), None)?;
                trial.unattended(Path::new(&file), &mut self.daemon)?;
                let detail =
                    format!("by {by} {user} got in with password and code, and stayed out with a wrong one");
                self.told.well("trial", detail);
            }
        }
        Ok(())
    }

    /// Where the login is tried; none if it is not.
    fn entrance<'c>(
        &self,
        first: &Administrator,
        sshd: Option<&'c Sshd>,
        rehearsal: &'c Rehearsal,
    ) -> Result<Option<Entrance<'c>>, Fault> {
        let no_way = |door, why| Fault::NoWay { user: first.name.clone(), door, why };
        let is_keys_business = |sshd: &Sshd| first.name == "root" && sshd.takes_root_by_key_alone();
        let is_open = |sshd: &&Sshd| sshd.asks_for_no_key() && !is_keys_business(sshd);
        match (self.wanted.trial, sshd) {
            (Some(Door::None), _) => Ok(None),
            _ if first.has_no_password() => Err(no_way("any program", "there is none that could be typed")),
            (Some(Door::Su), _) => Ok(Some(Entrance::Su(rehearsal))),
            (Some(Door::Sshd), None) => Err(no_way("sshd", "there is no sshd here")),
            (Some(Door::Sshd), Some(sshd)) if is_keys_business(sshd) => {
                Err(no_way("sshd", "it takes root by key alone (PermitRootLogin)"))
            }
            (Some(Door::Sshd), Some(sshd)) if !sshd.asks_for_no_key() => {
                Err(no_way("sshd", "it takes no password, or wants a key as well"))
            }
            (_, sshd) => Ok(Some(match sshd.filter(is_open) {
                Some(sshd) => Entrance::Sshd(rehearsal, sshd),
                None => Entrance::Su(rehearsal),
            })),
        }
    }

    /// Does it, looks at it, and takes it back if it is not as rehearsed. A Ctrl-C waits until that is done.
    fn switch_on(&mut self, way_back: WayBack, meant: &[Id]) -> Result<(), Failure> {
        let later = SigSet::from_iter([Signal::SIGINT, Signal::SIGHUP, Signal::SIGTERM, Signal::SIGQUIT]);
        let _ = later.thread_block();
        way_back.keep()?;
        if let Err(fault) = self.change(&way_back, meant) {
            let why = fault.to_string();
            way_back::take_back(self.told)?;
            return Err(Fault::TakenBack(why).into());
        }
        self.told.well("switched on", "keep this shell open, and log in from another terminal now");
        self.told.well("way back", "mfactl setup --undo");
        let _ = later.thread_unblock();
        Ok(())
    }

    fn change(&mut self, way_back: &WayBack, meant: &[Id]) -> Result<(), Fault> {
        if let Some(lines) = &way_back.sshd {
            ssh_lines::write(lines, self.told)?;
        }
        way_back.switch.on(Stage::Host)?;
        let report = doctor::examine(&Host::running(), self.socket);
        self.judge(&report, way_back.switch.program(), meant, When::Afterwards)?;
        // Also where somebody else wrote its files: what was tried is what is on disk.
        ssh_lines::read_again(self.told)
    }
}
