//! What a module can return: the codes of Linux-PAM, by their number in security/_pam_types.h and by the name that a
//! control gives them (libpam/pam_tokens.h).

/// Every code's name in a control, by number.
pub const NAMES: [&str; 32] = [
    "success",
    "open_err",
    "symbol_err",
    "service_err",
    "system_err",
    "buf_err",
    "perm_denied",
    "auth_err",
    "cred_insufficient",
    "authinfo_unavail",
    "user_unknown",
    "maxtries",
    "new_authtok_reqd",
    "acct_expired",
    "session_err",
    "cred_unavail",
    "cred_expired",
    "cred_err",
    "no_module_data",
    "conv_err",
    "authtok_err",
    "authtok_recover_err",
    "authtok_lock_busy",
    "authtok_disable_aging",
    "try_again",
    "ignore",
    "abort",
    "authtok_expired",
    "module_unknown",
    "bad_item",
    "conv_again",
    "incomplete",
];

/// A code of Linux-PAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u8);

impl Code {
    /// PAM_SUCCESS.
    pub const SUCCESS: Code = Code(0);
    /// PAM_PERM_DENIED, which also stands for every line that is malformed.
    pub const PERM_DENIED: Code = Code(6);
    /// PAM_AUTH_ERR.
    pub const AUTH_ERR: Code = Code(7);
    /// PAM_AUTHINFO_UNAVAIL.
    pub const AUTHINFO_UNAVAIL: Code = Code(9);
    /// PAM_USER_UNKNOWN.
    pub const USER_UNKNOWN: Code = Code(10);
    /// PAM_MAXTRIES.
    pub const MAXTRIES: Code = Code(11);
    /// PAM_NEW_AUTHTOK_REQD.
    pub const NEW_AUTHTOK_REQD: Code = Code(12);
    /// PAM_IGNORE.
    pub const IGNORE: Code = Code(25);
    /// PAM_ABORT.
    pub const ABORT: Code = Code(26);
    /// PAM_MODULE_UNKNOWN: the module cannot be loaded.
    pub const MODULE_UNKNOWN: Code = Code(28);
    /// PAM_INCOMPLETE, at which libpam stops at once.
    pub const INCOMPLETE: Code = Code(31);

    /// The code of this number, if it is one.
    pub fn numbered(number: i32) -> Option<Code> {
        u8::try_from(number).ok().filter(|number| usize::from(*number) < NAMES.len()).map(Code)
    }

    /// All of them, by number.
    pub fn all() -> impl Iterator<Item = Code> {
        (0..).zip(NAMES).map(|(number, _)| Code(number))
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Its name in a control.
    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.0)]
    }
}
