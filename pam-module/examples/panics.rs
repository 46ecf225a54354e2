//! A module that panics in every login, behind the same guard, hook and linker flags as pam_mfad.so. Never install it.

use std::ffi::CStr;

use pam::constants::{PamFlag, PamResultCode};
use pam::module::{PamHandle, PamHooks};

#[path = "../src/silence.rs"]
mod silence;

struct Panics;

#[allow(missing_docs, reason = "the macro writes the six entry points")]
mod entry {
    use super::Panics;

    pam::pam_hooks!(Panics);
}

impl PamHooks for Panics {
    fn sm_authenticate(_handle: &mut PamHandle, args: Vec<&CStr>, _flags: PamFlag) -> PamResultCode {
        silence::install();
        panic!("on purpose, with {} arguments", args.len());
    }
}
