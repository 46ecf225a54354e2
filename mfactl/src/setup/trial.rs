//! A login through the real stack as it would be. The administrator types; or, where nobody is there, a wrong code must stay
//! outside and a bypass code for one login must get in. mfad's own record says whether a code was looked at.

use std::fs;
use std::path::Path;

use protocol::Secret;
use protocol::manage::{EventLine, Events, Follow, IssueBypass, RevokeBypass};

use super::administrator::Administrator;
use super::door::{End, Entrance, Typist};
use super::fault::Fault;
use crate::connection::Connection;
use crate::failure::Failure;

/// For how long the bypass code is good, in milliseconds.
const BYPASS: u64 = 5 * 60 * 1000;

/// The shape of a bypass code, which is made at random: nobody has this one.
const WRONG: &str = "0000-0000-0000-0000";

/// Records of one login, and then some.
const RECORDS: u32 = 20;

/// A login to try.
pub struct Trial<'a> {
    /// Who logs in.
    pub user: &'a Administrator,
    /// Where.
    pub entrance: Entrance<'a>,
}

impl Trial<'_> {
    /// The person at the terminal logs in.
    ///
    /// # Errors
    /// [`Fault::Trial`] if they did not get in by a code.
    pub fn by_hand(&self, daemon: &mut Connection) -> Result<(), Failure> {
        let before = self.last_record(daemon)?;
        let end = self.entrance.log_in(&self.user.name, Typist::Person)?;
        require(
            end == End::Inside,
            "the login did not get in. Are password and code right? mfactl events and the log of the host have why",
        )?;
        self.require_record("login-allowed", NOT_ASKED, before, daemon)
    }

    /// A wrong code stays outside, a bypass code gets in.
    ///
    /// # Errors
    /// [`Fault::Trial`] if it is otherwise.
    pub fn unattended(&self, password_file: &Path, daemon: &mut Connection) -> Result<(), Failure> {
        let text = Secret::new(fs::read_to_string(password_file).map_err(Fault::file(password_file))?);
        let password = Secret::new(text.expose().trim_end_matches(['\n', '\r']).to_owned());
        // There is a bypass code from here on, so that a wrong one is looked at.
        let request = IssueBypass {
            user: self.user.name.clone(),
            uses: 1,
            lifetime: BYPASS,
            reason: "the trial of mfactl setup".to_owned(),
        };
        let code = daemon.call(&request)?.code;
        let tried = self.wrong_and_right(&password, &code, daemon);
        if tried.is_err() && !self.user.has_a_bypass() {
            daemon.call(&RevokeBypass { user: self.user.name.clone() })?;
        }
        tried
    }

    fn wrong_and_right(
        &self,
        password: &Secret,
        code: &Secret,
        daemon: &mut Connection,
    ) -> Result<(), Failure> {
        let wrong = Secret::new(WRONG.to_owned());
        let before = self.last_record(daemon)?;
        let end = self.entrance.log_in(&self.user.name, Typist::Answers(password, &wrong))?;
        require(end == End::Outside, "a login with a wrong code got in")?;
        self.require_record("code-wrong", NOT_REACHED, before, daemon)?;
        let before = self.last_record(daemon)?;
        let end = self.entrance.log_in(&self.user.name, Typist::Answers(password, code))?;
        require(
            end == End::Inside,
            "a login with password and bypass code did not get in. mfactl events and the log of the host have why",
        )?;
        self.require_record("login-allowed", NOT_ASKED, before, daemon)
    }

    /// Whoever got in without it was let in by something else.
    fn require_record(
        &self,
        kind: &str,
        otherwise: &'static str,
        before: i64,
        daemon: &mut Connection,
    ) -> Result<(), Failure> {
        let records = self.records(RECORDS, daemon)?;
        let is_it = |record: &EventLine| {
            record.id > before
                && record.kind == kind
                && record.service.as_deref() == Some(self.entrance.service())
        };
        require(records.iter().any(is_it), otherwise)
    }

    fn last_record(&self, daemon: &mut Connection) -> Result<i64, Failure> {
        Ok(self.records(1, daemon)?.last().map_or(0, |record| record.id))
    }

    fn records(&self, last: u32, daemon: &mut Connection) -> Result<Vec<EventLine>, Failure> {
        let asked = Events {
            user: Some(self.user.name.clone()),
            kind: None,
            service: None,
            source: None,
            reference: None,
            since: None,
            last: Some(last),
            follow: Follow::No,
        };
        let mut records = Vec::new();
        daemon.stream(&asked, |batch| {
            records.extend(batch.events);
            Ok(())
        })?;
        Ok(records)
    }
}

const NOT_ASKED: &str = "the login got in, and mfad was not asked for a code. mfactl explain tells why";

const NOT_REACHED: &str =
    "the login stayed out before a code was looked at. Is the password right? The log of the host has why";

fn require(holds: bool, otherwise: &'static str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Fault::Trial(otherwise).into()) }
}
