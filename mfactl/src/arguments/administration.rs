//! What an administrator gives out, takes over and turns.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use protocol::manage::Run;

use super::Person;
use crate::time;

/// What to do with bypass codes.
#[derive(Debug, Subcommand)]
pub enum BypassVerb {
    /// Give one out
    Issue(Bypass),
    /// Make all that are out void
    Revoke(Person),
}

/// A bypass code to be.
#[derive(Debug, Args)]
pub struct Bypass {
    /// The account name
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub user: String,

    /// How many logins it is good for
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    pub uses: u32,

    /// For how long: 90s, 1h, 3d; at most 3d
    // In milliseconds.
    #[arg(long = "for", value_name = "SPAN", default_value = "1h", value_parser = time::length)]
    pub lifetime: u64,

    /// Why, for the audit
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub reason: String,
}

/// What to do with tickets.
#[derive(Debug, Subcommand)]
pub enum TicketVerb {
    /// Give one out; an earlier one ends
    Issue(Ticket),
}

/// A ticket to be.
#[derive(Debug, Args)]
pub struct Ticket {
    /// The account name
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub user: String,

    /// For how long: 90s, 1h, 3d; at most 3d
    // In milliseconds.
    #[arg(long = "for", value_name = "SPAN", default_value = "24h", value_parser = time::length)]
    pub lifetime: u64,
}

/// What to do with the key.
#[derive(Debug, Subcommand)]
pub enum KeyVerb {
    /// Seal every secret anew by the first key of the key file
    Rotate,
}

/// What to do with the audit.
#[derive(Debug, Subcommand)]
pub enum AuditVerb {
    /// Look for events that were changed, moved, taken away, put there or cut off
    Verify {
        /// A head that was noted down before: is the audit still the same one?
        #[arg(long, value_name = "HEAD", value_parser = NonEmptyStringValueParser::new())]
        known: Option<String>,
    },
}

/// Where a backup goes.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// The file to write; it must not be there
    pub file: PathBuf,

    /// Encrypt to the contents of this file instead of a passphrase
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

/// What to restore.
#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// The backup
    pub file: PathBuf,

    /// It was encrypted to the contents of this file
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,

    /// Carry it out; without this it is only looked at
    #[arg(long)]
    yes: bool,
}

impl RestoreArguments {
    /// Whether it is carried out, as mfad knows it.
    pub fn run(&self) -> Run {
        if self.yes { Run::Real } else { Run::Dry }
    }
}

/// Whose factors to take over.
#[derive(Debug, Subcommand)]
pub enum ImportVerb {
    /// The state files of pam_google_authenticator
    // clap would not say that FILE wants --user, and --all stands alone.
    #[command(override_usage = "mfactl import google-authenticator [OPTIONS] <--all|[FILE] --user <USER>>")]
    GoogleAuthenticator(GoogleAuthenticator),
    /// The users file of pam_oath: /etc/users.oath
    Oath(ImportFile),
    /// URIs, one a line: otpauth://… or an export of Google's app
    Otpauth(ImportFile),
}

/// Whose state files.
#[derive(Debug, Args)]
pub struct GoogleAuthenticator {
    /// The state file [default: .google_authenticator in the person's home]
    #[arg(conflicts_with = "all")]
    pub file: Option<PathBuf>,

    /// Whose it is
    #[arg(long, value_parser = NonEmptyStringValueParser::new(), required_unless_present = "all", conflicts_with = "all")]
    pub user: Option<String>,

    /// Everybody's whom getent passwd lists
    #[arg(long)]
    all: bool,

    /// Whether it counts.
    #[command(flatten)]
    pub decision: ImportDecision,
}

/// A file to read.
#[derive(Debug, Args)]
pub struct ImportFile {
    /// The file; it is only read
    pub file: PathBuf,

    /// Whether it counts.
    #[command(flatten)]
    pub decision: ImportDecision,
}

/// Whether an import is carried out.
#[derive(Debug, Args)]
pub struct ImportDecision {
    /// Carry it out; without this nothing is changed
    #[arg(long)]
    yes: bool,
}

impl ImportDecision {
    /// The same, as mfad knows it.
    pub fn run(&self) -> Run {
        if self.yes { Run::Real } else { Run::Dry }
    }
}
