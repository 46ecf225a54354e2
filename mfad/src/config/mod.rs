//! The configuration: text → tree (`tree`, `sections`) → checked values (`login`, `email`, `relay`, `hook`, `time`).
//!
//! What comes out of [`load`] is never checked again. What does not fit is a [`Problem`] with its file, line, column,
//! key, fact and remedy, and all of them are reported together. Nothing is ignored: an unknown key, a key of a later
//! version and a file that others may write to are errors, because a door must not open over a typing mistake.

use std::path::{Path, PathBuf};

mod address_source;
mod domain;
mod duration;
mod email;
mod factor;
mod fields;
mod files;
mod hook;
mod login;
mod problem;
mod relay;
mod sections;
mod suggest;
mod time;
mod tree;
mod values;
pub mod variables;

pub use address_source::AddressSource;
pub use domain::DomainPattern;
pub use email::{Email, LogCodes, MailCap, OnFailure, TemplateSource, Transport};
pub use factor::FactorKind;
pub use hook::{Hook, HookProof};
pub use login::{EnrolTicket, Login, NoAddress, Require, Throttle, Unenrolled};
pub use problem::{Excerpt, Problem, Problems};
pub use relay::{Relay, RelayLogin, Security};
pub use time::{NtpServer, Time, TimeProvider};

use fields::Fields;
use sections::Sections;

/// Where the configuration of a host is, unless `--config` says otherwise.
pub const MAIN_FILE: &str = "/etc/mfad/mfad.toml";

/// Everything that an administrator may decide. Every key is optional in the files; here every value is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `[paths]`: where state, sockets and the key are.
    pub paths: Paths,
    /// `[login]`: who must prove what.
    pub login: Login,
    /// `[email]`: mailed codes.
    pub email: Email,
    /// `[time]`: which clock counts.
    pub time: Time,
    /// `[[hook]]`: programs of the site, in order; no name twice.
    pub hooks: Vec<Hook>,
    /// The files that were read, in the order in which they count: a later one wins. Empty if there were none.
    pub files: Vec<PathBuf>,
}

/// `[paths]`: for tests and a second instance; all absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Directory of the database. Default `/var/lib/mfad`.
    pub state: PathBuf,
    /// Directory of the sockets. Default `/run/mfad`.
    pub runtime: PathBuf,
    /// File with the key that seals secrets. Default `/etc/mfad/key`.
    pub key: PathBuf,
}

/// Whether the main file must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Named by `--config`: a missing file is an error.
    Required,
    /// The usual place: without a file, the defaults hold.
    Optional,
}

/// Reads `main` and `conf.d/*.toml` beside it, in the order of their names; a later file wins key by key.
///
/// # Errors
/// [`Problems`]: every fault of every file, as far as one does not hide another. Values are checked once all files
/// could be read and are valid TOML.
pub fn load(main: &Path, presence: Presence) -> Result<Config, Problems> {
    let sources = files::read_all(main, presence)?;
    let (sections, mut problems) = Sections::read(&sources)?;
    let files = sources.iter().map(|source| source.path.clone()).collect();
    match check(sections, files) {
        Ok(config) if problems.0.is_empty() => Ok(config),
        Ok(_) => Err(problems),
        Err(more) => {
            problems.0.extend(more.0);
            Err(problems)
        }
    }
}

fn check(sections: Sections, files: Vec<PathBuf>) -> Result<Config, Problems> {
    let Sections { paths, login, email, time, hooks } = sections;
    let hooks = hook::Drafts::read(&hooks);
    let login = login::check(login, &hooks.names());
    match (check_paths(paths), login, email::check(email), time::check(time), hooks.check()) {
        (Ok(paths), Ok(login), Ok(email), Ok(time), Ok(hooks)) => {
            Ok(Config { paths, login, email, time, hooks, files })
        }
        (paths, login, email, time, hooks) => {
            let faults = [paths.err(), login.err(), email.err(), time.err(), hooks.err()];
            Err(Problems(faults.into_iter().flatten().flat_map(|problems| problems.0).collect()))
        }
    }
}

fn check_paths(mut fields: Fields) -> Result<Paths, Problems> {
    let paths = Paths {
        state: fields.read("state", PathBuf::from("/var/lib/mfad"), values::absolute_path),
        runtime: fields.read("runtime", PathBuf::from("/run/mfad"), values::absolute_path),
        key: fields.read("key", PathBuf::from("/etc/mfad/key"), values::absolute_path),
    };
    fields.done(paths)
}
