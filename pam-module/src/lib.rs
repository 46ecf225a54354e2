//! `pam_mfad.so`: a dumb terminal inside the login program. It tells mfad who wants in, shows and asks what mfad says,
//! and returns the PAM code of mfad's verdict. Every decision is the daemon's, so a new factor changes nothing here.
//!
//! - [`options`]: the arguments of the PAM line.
//! - [`appended`]: password and code that were typed as one text.
//! - [`dialogue`]: one login, between a terminal and a link; pure.
//! - [`link`]: the link to mfad: a blocking socket under one deadline.  [`trust`]: whether that socket is mfad's.
//! - [`outcome`]: the one table from verdicts and failures to PAM codes.
//! - [`pam`]: the login program's side; the only unsafe.
//!
//! The code runs in somebody else's process, often as root: no thread, no environment, no file but the socket, no
//! output but the conversation and the log.

#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod appended;
mod dialogue;
mod link;
mod options;
mod outcome;
mod pam;
mod silence;
mod trust;

use std::ffi::CStr;

use ::pam::constants::{PamFlag, PamResultCode};
use ::pam::module::{PamHandle, PamHooks};
use protocol::Secret;
use protocol::login::{Begin, Expect, Verdict};

use crate::link::Client;
use crate::options::{Options, Part};
use crate::outcome::{Done, Failure, code};
use crate::pam::Host;
use crate::pam::kept::{self, Left};

struct Module;

#[allow(missing_docs, reason = "the macro writes the six entry points")]
mod entry {
    use super::Module;

    ::pam::pam_hooks!(Module);
}

/// The hooks that are not here (account, session, password) answer PAM_IGNORE.
impl PamHooks for Module {
    fn sm_authenticate(handle: &mut PamHandle, args: Vec<&CStr>, _flags: PamFlag) -> PamResultCode {
        silence::install();
        let outcome = Options::parse(&args).and_then(|options| match options.part {
            Part::Split => split(handle, &options).map(|()| Done::Split),
            Part::Ask | Part::Verify => authenticate(handle, &options).map(Done::Decided),
        });
        let host = Host::new(handle);
        if let Err(failure) = &outcome {
            host.report(failure);
        }
        code(&outcome, &host.service())
    }

    /// SUCCESS, not IGNORE: where no other module of the stack counts, pam_setcred would refuse a good login.
    fn sm_setcred(_handle: &mut PamHandle, _args: Vec<&CStr>, _flags: PamFlag) -> PamResultCode {
        PamResultCode::PAM_SUCCESS
    }
}

/// Splits what was typed into password and code. Says nothing of whom it knows: everybody is asked for the password by
/// the same prompt, and what the daemon answers shows only in which text the next module compares.
fn split(handle: &mut PamHandle, options: &Options) -> Result<(), Failure> {
    let user = pam::user(handle)?;
    kept::keep_nothing(handle, &user)?;
    let typed = kept::typed(handle)?;
    if !appended::may_be(&typed) {
        return Ok(());
    }
    let host = Host::new(handle).with(options.detail);
    let call = Expect { protocol: protocol::VERSION, attempt: host.attempt(user.clone()) };
    let shapes = Client::new(&options.socket, &host, options.timeout).expect(&call)?;
    match appended::split(&typed, &shapes) {
        Some(parts) => kept::keep(handle, &user, parts),
        None => Ok(()),
    }
}

/// PAM_SILENT is not looked at: sudo sets it, and shows messages nevertheless.
fn authenticate(handle: &mut PamHandle, options: &Options) -> Result<Verdict, Failure> {
    let user = pam::user(handle)?;
    let appended = appended_code(handle, options, &user)?;
    let host = Host::new(handle).with(options.detail).after(appended.as_ref());

    let attempt = host.attempt(user.clone());
    let begin = Begin { protocol: protocol::VERSION, attempt, appended: appended.clone() };
    let mut client = Client::new(&options.socket, &host, options.timeout);
    let verdict = dialogue::hold(&mut { host }, &mut client, begin)?;

    // A module before or a program around us may have changed whom the verdict would be used for.
    if outcome::opens(verdict) && !host.still_asks_for(&user) {
        return Err(Failure::UserChanged);
    }
    Ok(verdict)
}

/// The code that the other line split off.
fn appended_code(handle: &mut PamHandle, options: &Options, user: &str) -> Result<Option<Secret>, Failure> {
    if options.part != Part::Verify {
        return Ok(None);
    }
    Ok(match kept::take(handle, user)? {
        Left::Code(code) => Some(code),
        Left::NoCode => None,
        Left::NoLine => {
            Host::new(handle).report_no_split();
            None
        }
    })
}
