//! mfad: the daemon behind pam_mfad. Read in this order:
//!
//! - [`daemon`]: what every connection shares; start, signals, reload, drain.
//! - [`listen`]: sockets, peer credentials, caps.  [`session`]: one login over one connection.
//!   [`manage`]: what mfactl may ask, and who may ask it.
//! - [`rules`]: pure. Accounts, attempts, policy, asking and judging, grants.  [`factor`]: pure, one file a factor.
//! - [`steps`]: runs a step of the rules in one transaction of the [`store`].
//! - [`deliver`]: couriers, mails, hooks.  [`deliveries`]: who sends, who waits.
//! - [`audit`]: every security event.  [`alarm`]: who is told by mail.  [`vault`]: keys.  [`people`], [`locals`], [`address_files`]: names, uids, addresses.  [`clock`], [`moment`]: time.
//! - [`config`]: text to checked settings.  [`words`]: every sentence a person logging in can read.  [`qr`]: a text as a picture.
//!
//! Dependencies point one way: `daemon → listen → session → rules → factor`.

#![forbid(unsafe_code)]

pub mod address;
pub mod address_files;
pub mod alarm;
pub mod arguments;
pub mod audit;
pub mod bulletin;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod deliver;
pub mod deliveries;
pub mod factor;
pub mod listen;
pub mod locals;
pub mod manage;
pub mod metrics;
pub mod moment;
pub mod people;
pub mod qr;
pub mod rules;
pub mod session;
pub mod steps;
pub mod store;
pub mod unknown_names;
pub mod vault;
pub mod words;

use std::process::ExitCode;

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};

/// Runs the program; everything it says before it serves goes to standard error.
#[allow(clippy::print_stderr)]
pub fn start(arguments: &arguments::Arguments) -> ExitCode {
    let origin = arguments.origin();
    let config = match config::load(&origin.file, origin.presence) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::FAILURE;
        }
    };
    if arguments.check {
        return ExitCode::SUCCESS;
    }
    if nix::unistd::geteuid().is_root() && !arguments.allow_root {
        eprintln!(
            "mfad needs no privilege and refuses to run as root. Start it as its own user: systemctl start mfad"
        );
        return ExitCode::FAILURE;
    }
    harden();
    match daemon::run(config, origin) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mfad: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// No core dump, no ptrace by the own user, no file that others may read. A failure leaves the unit's limits.
fn harden() {
    let _ = nix::sys::prctl::set_dumpable(false);
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    umask(Mode::from_bits_truncate(0o077));
    let _ = rustls::crypto::ring::default_provider().install_default();
}
