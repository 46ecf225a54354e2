//! mfactl asks mfad over its socket and shows what it answers. It reads no file, and decides nothing.
//!
//! - [`arguments`]: the command line, as clap reads it.
//! - [`connection`]: the daemon's socket.  [`failure`]: why a verb brought no answer, and what to do about it.
//! - [`user`], [`users`], [`config`], [`test_mail`], [`events`], [`health`]: a topic each: the call, and its text.
//! - [`output`]: text or JSON, on the terminal or down a pipe.  [`time`]: moments as people write and read them.

#![forbid(unsafe_code)]

pub mod arguments;
pub mod config;
pub mod connection;
pub mod events;
pub mod failure;
pub mod health;
pub mod output;
pub mod test_mail;
pub mod time;
pub mod user;
pub mod users;

use std::process::ExitCode;

use arguments::{Arguments, ConfigVerb, TestVerb, Verb};
use connection::Connection;
use failure::Failure;
use output::Output;

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
    let mut output = Output::new(arguments.format());
    carry_out(arguments, &mut output).unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.ending()
    })
}

fn carry_out(arguments: &Arguments, output: &mut Output) -> Result<Ending, Failure> {
    let daemon = &mut Connection::open(&arguments.socket)?;
    match &arguments.verb {
        Verb::User { verb } => user::carry_out(verb, daemon, output),
        Verb::Users { filter } => users::list(filter.as_deref(), daemon, output),
        Verb::Config { verb: ConfigVerb::Check } => config::check(daemon, output),
        Verb::Test { verb: TestVerb::Mail { address } } => test_mail::send(address, daemon, output),
        Verb::Events(wanted) => events::show(wanted, daemon, output),
        Verb::Health => health::show(daemon, output),
    }
}
