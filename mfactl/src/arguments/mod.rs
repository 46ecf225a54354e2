//! The command line, as clap reads it. What a value means to the daemon is the daemon's business; only times are
//! understood here, because "1h" ago depends on when it was typed.
//!
//! - [`factors`]: what a person does with their own factors.  [`policy`]: who is asked.  [`user`], [`administration`]: what an administrator does.
//! - [`doctor`]: what to examine.  [`setup`]: answers to what setup asks.

pub mod administration;
pub mod doctor;
pub mod factors;
pub mod policy;
pub mod setup;
pub mod user;

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand};
use protocol::manage::Follow;

use crate::output::Format;
use crate::time;
use administration::{
    AuditVerb, BackupArguments, BypassVerb, ImportVerb, KeyVerb, RestoreArguments, TicketVerb,
};
use doctor::Examination;
use factors::{Confirmation, Preference, RecoveryVerb, Removal, Whose, Wish};
use policy::{DevicesVerb, Explanation, ReportVerb};
use setup::SetupArguments;
use user::UserVerb;

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
    /// Show your own account: factors, codes left, locks
    Status(Whose),
    /// Show what happened to your own account
    History(EventsArguments),
    /// Add a factor: an app, a token, an address
    Enrol(Wish),
    /// Confirm a new factor by its first code
    Confirm(Confirmation),
    /// Take a factor away
    Remove(Removal),
    /// Choose the factor that is asked for first
    // clap would name the group before the positional argument.
    #[command(override_usage = "mfactl prefer [OPTIONS] <ID|--none>")]
    Prefer(Preference),
    /// Recovery codes, for the day that the other factors are lost
    Recovery {
        /// What to do.
        #[command(subcommand)]
        verb: RecoveryVerb,
    },
    /// Remembered devices: shown by status, forgotten here
    Devices {
        /// What to do.
        #[command(subcommand)]
        verb: DevicesVerb,
    },
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
    /// Codes that let somebody in without a factor of theirs
    Bypass {
        /// What to do.
        #[command(subcommand)]
        verb: BypassVerb,
    },
    /// Leave to enrol at a login
    EnrolTicket {
        /// What to do.
        #[command(subcommand)]
        verb: TicketVerb,
    },
    /// Take over factors of other programs
    Import {
        /// Whose.
        #[command(subcommand)]
        verb: ImportVerb,
    },
    /// The key that seals the secrets
    Key {
        /// What to do.
        #[command(subcommand)]
        verb: KeyVerb,
    },
    /// Tell what a login would meet, and which rule says so
    Explain(Explanation),
    /// Tell who would be locked out
    Report {
        /// By what.
        #[command(subcommand)]
        verb: ReportVerb,
    },
    /// Set mfad up: mail, a first person, a trial, and only then switch it on
    Setup(SetupArguments),
    /// Look for every way around the second factor, and every way to be locked out
    Doctor(Examination),
    /// The configuration: checked, or put into effect
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
    /// The record of what happened, as a whole
    Audit {
        /// What to do with it.
        #[command(subcommand)]
        verb: AuditVerb,
    },
    /// Write an encrypted copy of the database, while mfad runs
    Backup(BackupArguments),
    /// Put a backup in the place of the database
    Restore(RestoreArguments),
    /// Count logins by hour, outcome and factor
    Stats {
        /// Since when: 1h, 2d, 2026-11-05; 31 days back at the most [default: 24h]
        // In milliseconds since 1970.
        #[arg(long, value_name = "TIME", value_parser = time::since)]
        since: Option<u64>,
    },
    /// Show mfad's counters as Prometheus reads them
    Metrics,
    /// Show how mfad is
    Health,
}

/// A person, by account name.
#[derive(Debug, Args)]
pub struct Person {
    /// The account name
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub user: String,
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Read the files with mfad's own parser, and change nothing
    Check,
    /// Put the files into effect, or say why not and keep what is
    Reload,
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

    /// Only of this kind: login-refused, code-wrong
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub kind: Option<String>,

    /// Only by this PAM service
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub service: Option<String>,

    /// Only from this address, or local, or unknown
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub source: Option<String>,

    /// Only of the login whose reference begins so
    #[arg(long, value_name = "LETTERS", value_parser = NonEmptyStringValueParser::new())]
    pub reference: Option<String>,

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
