//! The administrator who goes first: found, given a factor, switched on.

use std::fs;

use nix::unistd::User;
use protocol::manage::{EnableUser, Enrolment, SetEmail, ShowUser, Switch, UserDetail};

use super::fault::Fault;
use super::outsiders;
use super::questions::{Question, Questions};
use super::told::Told;
use crate::arguments::factors::Wish;
use crate::arguments::setup::{Attendance, OwnFactor, SetupArguments};
use crate::connection::Connection;
use crate::enrol;
use crate::failure::Failure;

const USER: Question =
    Question { flag: "user", about: "who goes first", text: "Who is enrolled first, and tries the login?" };

const FACTOR: Question =
    Question { flag: "factor", about: "the factor", text: "What do they prove the login with?" };

const ADDRESS: Question = Question {
    flag: "address",
    about: "the address",
    text: "Their mail address, where the test mail goes, too (Enter: none)",
};

/// The administrator, found.
pub struct Administrator {
    /// The account name.
    pub name: String,
    /// Where mail reaches them, if that is known.
    pub address: Option<String>,
    account: UserDetail,
}

impl Administrator {
    /// Finds out who goes first.
    ///
    /// # Errors
    /// [`Failure::NoSuchUser`], or what mfad refused.
    pub fn find(
        wanted: &SetupArguments,
        questions: &mut Questions,
        daemon: &mut Connection,
    ) -> Result<Self, Failure> {
        let caller = std::env::var("SUDO_USER").ok().filter(|name| !name.is_empty());
        let default = caller.as_deref().unwrap_or("root");
        let name = questions.text(USER, wanted.user.as_deref(), Some(default))?;
        if !matches!(User::from_name(&name), Ok(Some(_))) {
            return Err(Failure::NoSuchUser(name));
        }
        let account = daemon.call(&ShowUser { user: name.clone() })?.account;
        let known = account.sends_to.clone().unwrap_or_default();
        let address = questions.text(ADDRESS, wanted.address.as_deref(), Some(&known))?;
        Ok(Administrator { name, address: Some(address).filter(|it| !it.is_empty()), account })
    }

    /// Whether an administrator's code was out before.
    pub fn has_a_bypass(&self) -> bool {
        !self.account.bypasses.is_empty()
    }

    /// Whether they have no password that could be typed.
    pub fn has_no_password(&self) -> bool {
        outsiders::has_no_password(&fs::read_to_string("/etc/shadow").unwrap_or_default(), &self.name)
    }

    /// Gives them a factor, and switches them on.
    ///
    /// # Errors
    /// [`Fault::NoFactor`], or what mfad refused.
    pub fn enrol(
        &self,
        wanted: &SetupArguments,
        questions: &mut Questions,
        daemon: &mut Connection,
        told: &mut Told<'_>,
    ) -> Result<(), Failure> {
        let can_keep = !self.account.factors.is_empty() && self.account.switch == Switch::Enabled;
        match questions.choice(FACTOR, wanted.factor, can_keep.then_some(OwnFactor::Keep))? {
            OwnFactor::Keep => {}
            OwnFactor::Email => {
                let address = self.address.clone().ok_or_else(|| self.lacks_a_factor())?;
                daemon.call(&SetEmail { user: self.name.clone(), address: Some(address) })?;
            }
            OwnFactor::Totp => self.enrol_an_app(questions, daemon, told)?,
        }
        daemon.call(&EnableUser { user: self.name.clone() })?;
        let account = daemon.call(&ShowUser { user: self.name.clone() })?.account;
        if account.factors.is_empty() {
            return Err(self.lacks_a_factor().into());
        }
        told.well("enrolled", format!("{} is asked for: {}", self.name, account.factors.join(", ")));
        Ok(())
    }

    fn enrol_an_app(
        &self,
        questions: &Questions,
        daemon: &mut Connection,
        told: &mut Told<'_>,
    ) -> Result<(), Failure> {
        if questions.attendance() == Attendance::Unattended {
            return Err(self.lacks_a_factor().into());
        }
        let _ = enrol::start(&Wish::app_of(&self.name), daemon, told.output())?;
        let account = daemon.call(&ShowUser { user: self.name.clone() })?.account;
        let is_app = |line: &protocol::manage::FactorLine| {
            line.factor == "totp" && line.enrolment == Enrolment::Active
        };
        if account.enrolled.iter().any(is_app) { Ok(()) } else { Err(self.lacks_a_factor().into()) }
    }

    fn lacks_a_factor(&self) -> Fault {
        Fault::NoFactor(self.name.clone())
    }
}
