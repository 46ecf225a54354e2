//! A throw-away host for stories on real programs: sshd, sudo, su, login, mail servers, mfad itself.
//!
//! [`on_a_host`] runs a story on a thread that has left the machine's mount namespace: it sees a private `/etc`, `/run`,
//! `/dev`, `/var/log` and mail spool, and so does every program it starts. Nothing is written outside, so nothing has to be put back,
//! even if the test is killed.
//!
//! - [`host`]: the story's thread, its people and its PAM stacks.  [`namespace`]: what is made private, and how.
//! - [`daemon`]: mfad and mfactl.  [`audit`]: what mfad says happened.
//! - [`sshd`], [`postfix`], [`mail`], [`radius`]: real servers.  [`broken_mail`]: unreal ones.  [`terminal`]: a person at a pseudo-terminal.  [`visitors`]: people before an installed host.
//! - [`app`]: an authenticator app in a hand.  [`tmux`]: a person in a pane.  [`scanner`]: a camera in front of a terminal.
//! - [`security_key`]: a security key without hardware.
//! - [`race`]: many PAM conversations at the same moment.
//! - [`process`], [`syslog`], [`wait`], [`binaries`], [`certificates`]: what those are made of.
//! - [`guide`]: a guide of docs/guide, block by block.  [`installed`]: a host as the packages leave it, for guides to be played on.
//! - [`site`]: the usual cast of a story, put together.

#![forbid(unsafe_code)]

pub mod app;
pub mod audit;
pub mod binaries;
pub mod broken_mail;
pub mod certificates;
pub mod daemon;
pub mod guide;
pub mod host;
pub mod installed;
pub mod mail;
pub mod namespace;
pub mod postfix;
pub mod process;
pub mod race;
pub mod radius;
pub mod scanner;
pub mod security_key;
pub mod site;
pub mod sshd;
pub mod syslog;
pub mod terminal;
pub mod tmux;
pub mod visitors;
pub mod wait;

pub use host::{Host, Person, on_a_host};
pub use site::Site;
