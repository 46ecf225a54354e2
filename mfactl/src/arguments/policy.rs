//! Who is asked, who is not asked again, and who would be locked out.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use super::factors::Whose;
use crate::time;

/// What to do with remembered devices.
#[derive(Debug, Subcommand)]
pub enum DevicesVerb {
    /// List them
    List(Whose),
    /// Forget one, or all
    // clap would name the group before the positional argument.
    #[command(override_usage = "mfactl devices revoke [OPTIONS] <ID|--all>")]
    Revoke(Revocation),
}

/// Which devices to forget.
#[derive(Debug, Args)]
pub struct Revocation {
    /// Which.
    #[command(flatten)]
    pub which: Devices,

    /// Whose.
    #[command(flatten)]
    pub whose: Whose,
}

/// One device, or all.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Devices {
    /// The device's number
    pub id: Option<u32>,

    /// All of them
    #[arg(long)]
    all: bool,
}

/// A login to explain.
#[derive(Debug, Args)]
pub struct Explanation {
    /// The account name
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub user: String,

    /// The PAM service
    #[arg(long, default_value = "sshd", value_parser = NonEmptyStringValueParser::new())]
    pub service: String,

    /// Where from: an address, or "local" for a terminal of this host [default: not known]
    #[arg(long, value_name = "SOURCE", value_parser = NonEmptyStringValueParser::new())]
    pub from: Option<String>,

    /// The SSH key that was proved: its public file, its type (ssh-ed25519), or its fingerprint (SHA256:...)
    #[arg(long, value_name = "KEY")]
    pub key: Option<PathBuf>,

    /// When: 2026-11-05, 2026-11-05T14:00:00Z [default: now]
    // In milliseconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = time::any)]
    pub at: Option<u64>,
}

/// What to report.
#[derive(Debug, Subcommand)]
pub enum ReportVerb {
    /// By what would happen if a factor were asked of everybody, and by what dry runs saw
    Rollout(Rollout),
}

/// How to report it.
#[derive(Debug, Args)]
pub struct Rollout {
    /// The PAM service
    #[arg(long, default_value = "sshd", value_parser = NonEmptyStringValueParser::new())]
    pub service: String,
}
