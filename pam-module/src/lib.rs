//! `pam_mfad.so`: a dumb terminal inside the login program. It tells mfad who wants in, shows and asks what mfad says,
//! and returns the PAM code of mfad's verdict. Every decision is the daemon's, so a new factor changes nothing here.
//!
//! - [`options`]: the arguments of the PAM line.
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
use protocol::login::{Begin, Verdict};

use crate::link::Client;
use crate::options::Options;
use crate::outcome::{Failure, code};
use crate::pam::Host;

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
        let outcome = authenticate(handle, &args);
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

/// PAM_SILENT is not looked at: sudo sets it, and shows messages nevertheless.
fn authenticate(handle: &mut PamHandle, args: &[&CStr]) -> Result<Verdict, Failure> {
    let options = Options::parse(args)?;
    let user = pam::user(handle)?;
    let host = Host::new(handle).with(options.detail);

    let begin = Begin { protocol: protocol::VERSION, attempt: host.attempt(user.clone()), appended: None };
    let mut client = Client::new(&options.socket, &host, options.timeout);
    let verdict = dialogue::hold(&mut { host }, &mut client, begin)?;

    // A module before or a program around us may have changed whom the verdict would be used for.
    if outcome::opens(verdict) && !host.still_asks_for(&user) {
        return Err(Failure::UserChanged);
    }
    Ok(verdict)
}
