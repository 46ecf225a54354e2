//! The command line, as clap reads it. What a value means to the daemon is the daemon's business; only times are
//! understood here, because "1h" ago depends on when it was typed.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand};
use protocol::manage::Follow;

use crate::output::Format;
use crate::time;

const EXIT_STATUS: &str = "Exit status: 0 done, 1 refused or not well, 2 wrong usage, 3 no answer from mfad.";

/// Ask mfad, the second factor of this host's logins
#[derive(Debug, Parser)]
#[command(name = "mfactl", version, after_help = EXIT_STATUS, max_term_width = 100)]
pub struct Arguments {
    /// The socket that mfad listens on
    #[arg(
        long,
        global = true,
        display_order = 90,
        value_name = "PATH",
        default_value = "/run/mfad/io.mfad.Manage"
    )]
    pub socket: PathBuf,

    /// Print mfad's answers as JSON, one a line
    #[arg(long, global = true, display_order = 91)]
    json: bool,

    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

impl Arguments {
    /// How answers are to be printed.
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Text }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show or change one person's account
    User {
        /// What to do with it.
        #[command(subcommand)]
        verb: UserVerb,
    },
    /// List the accounts that mfad knows
    Users {
        /// Only names and addresses that contain this
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
    },
    /// Look at the configuration
    Config {
        /// How.
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Try a part of mfad
    Test {
        /// Which.
        #[command(subcommand)]
        verb: TestVerb,
    },
    /// Show what happened: logins, refusals, changes
    Events(EventsArguments),
    /// Show how mfad is
    Health,
}

/// What to do with an account.
#[derive(Debug, Subcommand)]
pub enum UserVerb {
    /// Switch the second factor on
    Enable(Person),
    /// Switch the second factor off
    Disable(Person),
    /// Show the account: address, factors, locks, codes that are out
    Show(Person),
    /// Forget failures and locks
    Unlock(Person),
    /// Set or clear the address that codes are mailed to
    // clap would name the group before the positional argument.
    #[command(override_usage = "mfactl user email [OPTIONS] <USER> <ADDRESS|--clear>")]
    Email(EmailArguments),
}

/// A person, by account name.
#[derive(Debug, Args)]
pub struct Person {
    /// The account name
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub user: String,
}

/// Whose address, and which.
#[derive(Debug, Args)]
pub struct EmailArguments {
    /// The account name
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub user: String,

    /// Which address.
    #[command(flatten)]
    pub new: NewAddress,
}

/// An address, or that there shall be none.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct NewAddress {
    /// The new address
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub address: Option<String>,

    /// Keep no address in the account
    #[arg(long)]
    clear: bool,
}

/// How to look at the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Read the files with mfad's own parser, and change nothing
    Check,
}

/// What to try.
#[derive(Debug, Subcommand)]
pub enum TestVerb {
    /// Send a test mail the way codes are sent
    Mail {
        /// Where to
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        address: String,
    },
}

/// Which events.
#[derive(Debug, Args)]
pub struct EventsArguments {
    /// Wait for more; starts with the last 10 unless told otherwise
    #[arg(long)]
    follow: bool,

    /// Only this person's
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub user: Option<String>,

    /// Not before this: 1h, 2d, 2026-11-05, 2026-11-05T14:00:00Z
    // In milliseconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = time::since)]
    pub since: Option<u64>,

    /// Only so many of the newest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    last: Option<u32>,
}

impl EventsArguments {
    /// Whether to wait for more.
    pub fn follow(&self) -> Follow {
        if self.follow { Follow::Yes } else { Follow::No }
    }

    /// How many of the newest; all if none.
    pub fn last(&self) -> Option<u32> {
        // Who follows wants to see what comes, not the whole audit first.
        let whole_audit_ahead = self.follow && self.since.is_none();
        self.last.or(whole_audit_ahead.then_some(10))
    }
}
