//! What `append=split` leaves for `append=verify`: between the two lines the password is checked, by others. libpam keeps it
//! with the handle, and hands it back to be wiped when it is replaced and when the program is done.

use std::ffi::CStr;

use pam::constants::PamResultCode;
use pam::module::PamHandle;
use protocol::Secret;
use zeroize::Zeroizing;

use super::ffi;
use crate::appended::Parts;
use crate::outcome::Failure;

/// Kept for one run through the stack.
pub(super) struct Kept {
    /// Whose password was split.
    user: String,
    /// What was split off; taken once.
    code: Option<Secret>,
}

impl Kept {
    /// The name that libpam keeps it under; modules share one space of names.
    pub(super) const NAME: &'static str = "pam_mfad.appended";

    /// Replaces what was kept before, which is wiped.
    fn keep(self, handle: &mut PamHandle) -> Result<(), Failure> {
        handle.set_data(Kept::NAME, Box::new(self)).map_err(Failure::Pam)
    }
}

/// What the first of the two lines left.
pub(crate) enum Left {
    /// That line has not run: it is missing, or comes later.
    NoLine,
    /// No code was at the end.
    NoCode,
    /// This one was.
    Code(Secret),
}

/// What was typed as the password; the person is asked if nobody was yet.
///
/// # Errors
/// [`Failure::HangUp`] if there was no answer.
pub(crate) fn typed(handle: &mut PamHandle) -> Result<Zeroizing<Vec<u8>>, Failure> {
    ffi::password(handle).ok_or(Failure::HangUp)
}

/// Notes that this user's password has no code at its end. A program may run the stack again for another text: what was
/// kept before is forgotten.
///
/// # Errors
/// [`Failure::Pam`].
pub(crate) fn keep_nothing(handle: &mut PamHandle, user: &str) -> Result<(), Failure> {
    Kept { user: user.to_owned(), code: None }.keep(handle)
}

/// Keeps the code, and leaves the password alone to the modules that follow.
///
/// # Errors
/// [`Failure::Pam`].
pub(crate) fn keep(handle: &mut PamHandle, user: &str, parts: Parts<'_>) -> Result<(), Failure> {
    Kept { user: user.to_owned(), code: Some(parts.code) }.keep(handle)?;
    // At its full size from the start: what grows leaves copies behind that nobody wipes.
    let mut password = Zeroizing::new(Vec::with_capacity(parts.password.len().saturating_add(1)));
    password.extend_from_slice(parts.password);
    password.push(0);
    let password =
        CStr::from_bytes_with_nul(&password).map_err(|_| Failure::Pam(PamResultCode::PAM_BUF_ERR))?;
    ffi::set_password(handle, password).map_err(Failure::Pam)
}

/// Takes the code, once.
///
/// # Errors
/// [`Failure::UserChanged`] if it is somebody else's; [`Failure::Pam`].
pub(crate) fn take(handle: &mut PamHandle, user: &str) -> Result<Left, Failure> {
    let left = match ffi::kept(handle) {
        None => Left::NoLine,
        Some(kept) if kept.user != user => return Err(Failure::UserChanged),
        Some(kept) => kept.code.clone().map_or(Left::NoCode, Left::Code),
    };
    if let Left::Code(_) = left {
        keep_nothing(handle, user)?;
    }
    Ok(left)
}
