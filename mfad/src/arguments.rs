//! The command line.

use std::path::PathBuf;

use clap::Parser;

use crate::config::{MAIN_FILE, Presence};
use crate::daemon::Origin;

/// Puts a second factor on every PAM login of this host.
#[derive(Debug, Parser)]
#[command(name = "mfad", version)]
pub struct Arguments {
    /// Read this file in place of /etc/mfad/mfad.toml; its conf.d stands beside it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read the configuration, say what is wrong with it, and exit: 0 if nothing is, else 1.
    #[arg(long)]
    pub check: bool,
    /// Run as root. For tests: the daemon needs no privilege.
    #[arg(long)]
    pub allow_root: bool,
}

impl Arguments {
    /// Where the configuration is read from.
    pub fn origin(&self) -> Origin {
        match &self.config {
            Some(file) => Origin { file: file.clone(), presence: Presence::Required },
            None => Origin { file: PathBuf::from(MAIN_FILE), presence: Presence::Optional },
        }
    }
}
