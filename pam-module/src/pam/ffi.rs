//! What pam-bindings does not bind. All unsafe code of mfad is in this file.

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;

use nix::libc::passwd;
use pam::items::{AuthTok, Item, ItemType};
use pam::module::{PamHandle, PamResult};
use zeroize::Zeroizing;

use super::kept::Kept;
use crate::outcome::Priority;

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_getenv(handle: *const PamHandle, name: *const c_char) -> *const c_char;
    fn pam_syslog(handle: *const PamHandle, priority: c_int, format: *const c_char, ...);
    fn pam_modutil_getpwnam(handle: *const PamHandle, user: *const c_char) -> *const passwd;
    fn pam_get_authtok(
        handle: *mut PamHandle,
        item: c_int,
        token: *mut *const c_char,
        prompt: *const c_char,
    ) -> c_int;
}

/// A variable of the **PAM** environment. The process's own is the user's under sudo and su, and never read.
pub(super) fn environment(handle: &PamHandle, name: &CStr) -> Option<CString> {
    // SAFETY: both pointers are valid for the call. The answer is NULL or a C string that libpam owns; it is copied
    // before anything can change the environment.
    unsafe {
        let value = pam_getenv(handle, name.as_ptr());
        (!value.is_null()).then(|| CStr::from_ptr(value).to_owned())
    }
}

/// Writes a line to the system log; libpam adds module and service, and the facility LOG_AUTHPRIV.
pub(super) fn log(handle: &PamHandle, priority: Priority, line: &str) {
    let line = CString::new(line).unwrap_or_default();
    // SAFETY: all pointers are valid for the call, and the format takes exactly the one string that follows it.
    unsafe { pam_syslog(handle, priority as c_int, c"%s".as_ptr(), line.as_ptr()) }
}

/// The uid of a user, by the name service.
pub(super) fn user_id(handle: &PamHandle, name: &CStr) -> Option<u32> {
    // SAFETY: both pointers are valid for the call. The answer is NULL or a record that lives as long as the handle;
    // libpam keeps it under a key of its own, so no item or data that is borrowed from the handle moves.
    unsafe { pam_modutil_getpwnam(handle, name.as_ptr()).as_ref() }.map(|found| found.pw_uid)
}

/// PAM_AUTHTOK; the program's conversation is asked if it is not known yet, by libpam's own prompt. None without an answer.
pub(super) fn password(handle: &mut PamHandle) -> Option<Zeroizing<Vec<u8>>> {
    let mut token: *const c_char = ptr::null();
    // SAFETY: handle and out-pointer are valid for the call, and NULL asks for libpam's prompt. With PAM_SUCCESS, which
    // is 0, the answer is NULL or a C string that libpam owns; it is copied before anything can change the item.
    unsafe {
        let code = pam_get_authtok(handle, ItemType::AuthTok as c_int, &raw mut token, ptr::null());
        let answered = code == 0 && !token.is_null();
        answered.then(|| Zeroizing::new(CStr::from_ptr(token).to_bytes().to_vec()))
    }
}

/// Replaces PAM_AUTHTOK. libpam copies the new one, and wipes the old one.
pub(super) fn set_password(handle: &mut PamHandle, password: &CStr) -> PamResult<()> {
    // SAFETY: the pointer is a C string that outlives the item, which ends with the call.
    let item = unsafe { AuthTok::from_raw(password.as_ptr()) };
    handle.set_item_str(item)
}

/// What an earlier line has kept.
pub(super) fn kept(handle: &PamHandle) -> Option<&Kept> {
    // SAFETY: nobody else keeps anything under this name, and `Kept::keep` keeps nothing but a `Kept`.
    unsafe { handle.get_data::<Kept>(Kept::NAME).ok() }
}
