//! Answers to what setup asks, so that nobody needs to be there.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

/// An administrator's first run.
#[derive(Debug, Args)]
pub struct SetupArguments {
    /// The administrator who is enrolled, and who tries the login [default: who called sudo, else root]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub user: Option<String>,

    /// How mail leaves this host: keep (as configured), sendmail, smtp://HOST or smtps://USER@HOST
    #[arg(long, value_name = "keep|sendmail|URL", value_parser = NonEmptyStringValueParser::new())]
    pub relay: Option<String>,

    /// The file with the password of the user in the URL
    #[arg(long, value_name = "FILE")]
    pub relay_password_file: Option<PathBuf>,

    /// What the administrator proves the login with; keep: what they have
    #[arg(long)]
    pub factor: Option<OwnFactor>,

    /// The administrator's address: the test mail goes there, and codes
    #[arg(long, value_name = "ADDR", value_parser = NonEmptyStringValueParser::new())]
    pub address: Option<String>,

    /// What the login is tried by [default: sshd, or su where sshd wants more than password and code]
    #[arg(long)]
    pub trial: Option<Door>,

    /// The file with the administrator's password: nobody types at the trial, a bypass code is used
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    /// Whether an SSH key lets in alone, or takes password and code as well
    #[arg(long)]
    pub ssh_keys: Option<SshKeys>,

    /// What becomes of the lines that sshd needs
    #[arg(long)]
    pub sshd: Option<SshdLines>,

    /// Go on in spite of this finding of the doctor
    #[arg(long, value_name = "FINDING", value_parser = NonEmptyStringValueParser::new())]
    pub accept: Vec<String>,

    /// Whether to switch on when all is well
    #[arg(long)]
    pub switch_on: Option<Consent>,

    /// Never ask; what has neither a flag nor a default ends it
    #[arg(long)]
    unattended: bool,

    /// Take back what the last setup switched on
    #[arg(long, conflicts_with_all = ["user", "relay", "relay_password_file", "factor", "address", "trial", "password_file",
        "ssh_keys", "sshd", "accept", "switch_on", "unattended"])]
    undo: bool,
}

/// What setup is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Set up.
    Forth,
    /// Take it back.
    Back,
}

/// Whether somebody may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attendance {
    /// If a terminal is there.
    Asked,
    /// Never.
    Unattended,
}

impl SetupArguments {
    /// What is to be done.
    pub fn direction(&self) -> Direction {
        if self.undo { Direction::Back } else { Direction::Forth }
    }

    /// Whether somebody may be asked.
    pub fn attendance(&self) -> Attendance {
        if self.unattended { Attendance::Unattended } else { Attendance::Asked }
    }
}

/// What the administrator proves the login with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OwnFactor {
    /// Codes by mail.
    Email,
    /// An authenticator app.
    Totp,
    /// What they are enrolled with already.
    Keep,
}

/// What a login is tried by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Door {
    /// This host's sshd with its configuration, over loopback.
    Sshd,
    /// su, called by nobody.
    Su,
    /// Nothing: it is not tried.
    None,
}

/// What an SSH key is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SshKeys {
    /// It lets in alone: sshd does not ask PAM then.
    Alone,
    /// Password and code are asked for as well.
    WithCode,
}

/// What becomes of the lines that sshd needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SshdLines {
    /// They are written to a file of their own.
    Write,
    /// They are shown, and somebody else writes them.
    Show,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Consent {
    /// Do it.
    Yes,
    /// Leave it.
    No,
}
