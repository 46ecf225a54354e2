//! mfactl asks mfad over its socket and shows what it answers. It decides nothing, and reads no file but those that
//! are to be imported or restored; only the doctor looks at the host itself, and only setup changes it.
//!
//! - [`arguments`]: the command line, as clap reads it.
//! - [`connection`]: the daemon's socket.  [`failure`]: why a verb brought no answer, and what to do about it.
//! - [`enrol`], [`factors`]: a person's own factors.  [`user`], [`users`], [`bypass`], [`key`]: an administrator's work.
//! - [`policy`]: who is asked and why, remembered devices, who would be locked out.
//! - [`doctor`]: every way around the second factor, by the host's own files.
//! - [`config`], [`test_mail`], [`events`], [`audit`], [`stats`], [`health`]: how the host is. A topic each: the call, and its text.
//! - [`backup`]: the database, encrypted, and the way back.
//! - [`setup`]: an administrator's first run, tried before anything is switched on, and the way back.
//! - [`proof`]: a person's proof before a change.  [`terminal`]: the person.  [`myself`]: the person's name.
//! - [`import`]: what other second factors left behind, read.  [`takeover`]: handed to mfad, entry by entry.
//! - [`account`], [`codes`]: texts that several topics share.
//! - [`output`]: text or JSON, on the terminal or down a pipe.  [`time`]: moments as people write and read them.

#![forbid(unsafe_code)]

pub mod account;
pub mod arguments;
pub mod audit;
pub mod backup;
pub mod bypass;
pub mod codes;
pub mod config;
pub mod connection;
pub mod doctor;
pub mod enrol;
pub mod events;
pub mod factors;
pub mod failure;
pub mod health;
pub mod import;
pub mod key;
pub mod myself;
pub mod output;
pub mod policy;
pub mod proof;
pub mod setup;
pub mod stats;
pub mod takeover;
pub mod terminal;
pub mod test_mail;
pub mod time;
pub mod user;
pub mod users;

use std::process::ExitCode;

use arguments::{Arguments, ConfigVerb, TestVerb, Verb};
use connection::Connection;
use failure::Failure;
use nix::sys::resource::{Resource, setrlimit};
use output::Output;
use protocol::text::printable;

/// How a verb ended: the table of exit statuses. clap ends with 2 by itself when the command line is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Ending {
    /// It was done, or what was asked about is well.
    Done,
    /// mfad refused it, or what was asked about is not well.
    Refused,
    /// No answer came that could be read.
    Unreachable,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        ExitCode::from(match ending {
            Ending::Done => 0,
            Ending::Refused => 1,
            Ending::Unreachable => 3,
        })
    }
}

/// Carries out one command line; a failure is told on stderr.
pub fn run(arguments: &Arguments) -> Ending {
    close_memory();
    let mut output = Output::new(arguments.format());
    carry_out(arguments, &mut output).unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.ending()
    })
}

/// Keys and codes are in it: no core dump, no other process that reads it. A failure leaves the limits of the shell.
fn close_memory() {
    let _ = nix::sys::prctl::set_dumpable(false);
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
}

fn carry_out(arguments: &Arguments, output: &mut Output) -> Result<Ending, Failure> {
    // These work without a daemon, too.
    match &arguments.verb {
        Verb::Doctor(wanted) => return doctor::carry_out(wanted, &arguments.socket, output),
        Verb::Setup(wanted) => return setup::carry_out(wanted, &arguments.socket, output),
        _ => {}
    }
    let daemon = &mut Connection::open(&arguments.socket)?;
    match &arguments.verb {
        Verb::Status(whose) => factors::status(whose, daemon, output),
        Verb::Enrol(wish) => enrol::start(wish, daemon, output),
        Verb::Confirm(wanted) => enrol::confirm(wanted, daemon, output),
        Verb::Remove(wanted) => factors::remove(wanted, daemon, output),
        Verb::Prefer(wanted) => factors::prefer(wanted, daemon, output),
        Verb::Recovery { verb } => factors::recovery(verb, daemon, output),
        Verb::Devices { verb } => policy::devices(verb, daemon, output),
        Verb::Explain(asked) => policy::explain(asked, daemon, output),
        Verb::Report { verb } => policy::report(verb, daemon, output),
        Verb::Bypass { verb } => bypass::carry_out(verb, daemon, output),
        Verb::EnrolTicket { verb } => bypass::ticket(verb, daemon, output),
        Verb::Import { verb } => takeover::carry_out(verb, daemon, output),
        Verb::Key { verb } => key::carry_out(verb, daemon, output),
        Verb::User { verb } => user::carry_out(verb, daemon, output),
        Verb::Users { filter } => users::list(filter.as_deref(), daemon, output),
        Verb::Config { verb: ConfigVerb::Check } => config::check(daemon, output),
        Verb::Config { verb: ConfigVerb::Reload } => config::reload(daemon, output),
        Verb::Test { verb: TestVerb::Mail { address } } => test_mail::send(address, daemon, output),
        Verb::Events(wanted) => events::show(wanted, wanted.user.clone(), daemon, output),
        Verb::History(wanted) => {
            let user = wanted.user.clone().map_or_else(myself::name, Ok)?;
            events::show(wanted, Some(user), daemon, output)
        }
        Verb::Audit { verb } => audit::carry_out(verb, daemon, output),
        Verb::Backup(wanted) => backup::write(wanted, daemon, output),
        Verb::Restore(wanted) => backup::read(wanted, daemon, output),
        Verb::Stats { since } => stats::show(*since, daemon, output),
        Verb::Metrics => stats::metrics(daemon, output),
        Verb::Health => health::show(daemon, output),
        Verb::Doctor(_) | Verb::Setup(_) => Ok(Ending::Done),
    }
}

/// A fact about somebody; about the caller if nobody is named.
fn about(user: Option<&str>, fact: &str) -> String {
    let fact = printable(fact);
    match user {
        Some(user) => format!("{}: {fact}", printable(user)),
        None => fact,
    }
}
