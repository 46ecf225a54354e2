//! The login program's side, in safe clothes: who wants in, the conversation, the log, and the guard of the socket.
//! [`kept`]: what one line of a stack leaves for another.

#[allow(unsafe_code)]
mod ffi;
pub(crate) mod kept;

use std::ffi::CStr;
use std::fmt;
use std::path::Path;

use pam::constants::{
    PAM_ERROR_MSG, PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON, PAM_TEXT_INFO, PamMessageStyle, PamResultCode,
};
use pam::conv::Conv;
use pam::items::{AuthTok, RHost, RUser, Service, Tty, User};
use pam::module::{PamHandle, PamResult};
use pam::secret::SecretBytes;
use protocol::Secret;
use protocol::login::{Attempt, Conversation, Echo, Question, Severity};
use protocol::text::printable;

use crate::dialogue::{HangUp, Terminal, Typed, TypedBefore};
use crate::link::Guard;
use crate::options::Detail;
use crate::outcome::{Failure, Priority};
use crate::trust;

/// The daemon's user. Root may serve too: a test, or systemd, which listens for it.
const DAEMON: &CStr = c"mfad";

/// The longest attribute that is sent, in bytes.
const LONGEST: usize = 1024;

/// Room for the keys and certificates in `SSH_AUTH_INFO_0`.
const LONGEST_AUTH_INFO: usize = 4096;

/// What the person sees when there is no verdict. The log has the cause.
const SORRY: &str = "The second factor cannot be checked now. Ask your administrator.";

/// PAM_USER; the program's conversation is asked if it is not known yet.
///
/// # Errors
/// [`Failure::NoUser`] for a name that is missing, not UTF-8 or too long; [`Failure::HangUp`] if asking failed.
pub(crate) fn user(handle: &mut PamHandle) -> Result<String, Failure> {
    match handle.get_user(None) {
        Ok(user) if !user.is_empty() && user.len() <= LONGEST => Ok(user),
        Ok(_) | Err(PamResultCode::PAM_SYSTEM_ERR) => Err(Failure::NoUser),
        Err(_) => Err(Failure::HangUp),
    }
}

/// The login program, seen through its handle.
#[derive(Clone, Copy)]
pub(crate) struct Host<'a> {
    handle: &'a PamHandle,
    detail: Detail,
    /// What was typed behind the password.
    appended: Option<&'a Secret>,
}

impl<'a> Host<'a> {
    /// A host that logs failures only.
    pub(crate) fn new(handle: &'a PamHandle) -> Self {
        Host { handle, detail: Detail::Failures, appended: None }
    }

    /// The same, logging in that detail.
    pub(crate) fn with(self, detail: Detail) -> Self {
        Host { detail, ..self }
    }

    /// The same, knowing what was typed behind the password.
    pub(crate) fn after(self, appended: Option<&'a Secret>) -> Self {
        Host { appended, ..self }
    }

    /// PAM_SERVICE.
    pub(crate) fn service(&self) -> String {
        item(self.handle.get_item::<Service>(), |service| service.0).unwrap_or_default()
    }

    /// Everything PAM knows of this login, not interpreted.
    pub(crate) fn attempt(&self, user: String) -> Attempt {
        Attempt {
            user,
            service: self.service(),
            tty: item(self.handle.get_item::<Tty>(), |tty| tty.0),
            remote_host: item(self.handle.get_item::<RHost>(), |host| host.0),
            remote_user: item(self.handle.get_item::<RUser>(), |user| user.0),
            ssh_connection: ffi::environment(self.handle, c"SSH_CONNECTION").map(|text| cut(&text)),
            // A part of the list would be another list: all of it, or none.
            ssh_auth_info: ffi::environment(self.handle, c"SSH_AUTH_INFO_0")
                .map(|text| text.to_string_lossy().into_owned())
                .filter(|text| text.len() <= LONGEST_AUTH_INFO),
        }
    }

    /// True if PAM_USER is (still) this one.
    pub(crate) fn still_asks_for(&self, user: &str) -> bool {
        matches!(self.handle.get_item::<User>(), Ok(Some(now)) if now.0.to_bytes() == user.as_bytes())
    }

    /// Tells the log why there is no verdict, and the person, if there may be one, that there is none.
    pub(crate) fn report(&self, failure: &Failure) {
        ffi::log(self.handle, failure.priority(), &printable(&failure.to_string()));
        if !matches!(failure, Failure::HangUp | Failure::Blind) {
            let _ = self.send(PAM_ERROR_MSG, SORRY);
        }
    }

    /// Tells the log that the other line is missing.
    pub(crate) fn report_no_split(&self) {
        let line = "append=verify, but no line with append=split has run: nothing was split off the password. \
                    Put one before the password's line";
        ffi::log(self.handle, Priority::Error, line);
    }

    fn send(&self, style: PamMessageStyle, text: &str) -> PamResult<Option<SecretBytes>> {
        let conversation = self.handle.get_item::<Conv>()?.ok_or(PamResultCode::PAM_CONV_ERR)?;
        conversation.send(style, text)
    }
}

impl Terminal for Host<'_> {
    fn show(&mut self, severity: Severity, text: &str) -> Conversation {
        let style = match severity {
            Severity::Info => PAM_TEXT_INFO,
            Severity::Error => PAM_ERROR_MSG,
        };
        // People do not answer notices. sshd's conversation for the "password" method does, with an empty text.
        match self.send(style, text) {
            Ok(Some(_)) => Conversation::Blind,
            Ok(None) | Err(_) => Conversation::Seen,
        }
    }

    fn ask(&mut self, question: &Question) -> Result<Typed, HangUp> {
        let style = match question.echo {
            Echo::On => PAM_PROMPT_ECHO_ON,
            Echo::Off => PAM_PROMPT_ECHO_OFF,
        };
        let answer = self.send(style, &question.text).ok().flatten().ok_or(HangUp)?;
        let password = self.handle.get_item::<AuthTok>().ok().flatten();
        let typed_before = TypedBefore {
            password: password.as_ref().map_or(&[], AuthTok::as_bytes),
            code: self.appended.map_or("", Secret::expose),
        };
        Ok(Typed::judge(answer.as_bytes(), &typed_before))
    }

    fn trace(&mut self, line: fmt::Arguments<'_>) {
        if self.detail == Detail::Steps {
            ffi::log(self.handle, Priority::Debug, &printable(&line.to_string()));
        }
    }
}

impl Guard for Host<'_> {
    fn inspect(&self, socket: &Path) -> Result<(), Failure> {
        trust::check(socket, trust::lstat)
    }

    fn admits(&self, uid: u32) -> bool {
        // The name service is asked only when the answer matters: it can be slow.
        uid == 0 || ffi::user_id(self.handle, DAEMON) == Some(uid)
    }
}

fn item<T>(found: PamResult<Option<T>>, text: impl FnOnce(&T) -> &CStr) -> Option<String> {
    found.ok().flatten().map(|item| cut(text(&item)))
}

/// The text, cut to [`LONGEST`]. Cut, not dropped: a remote host must not turn into none.
fn cut(text: &CStr) -> String {
    let mut text = text.to_string_lossy().into_owned();
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_cut_between_characters() {
        assert_eq!(cut(c"pts/1"), "pts/1");
        let long = std::ffi::CString::new("é".repeat(600) + "x").unwrap();
        assert_eq!(cut(&long), "é".repeat(512));
        assert_eq!(cut(c"a\xffb"), "a\u{fffd}b");
    }
}
