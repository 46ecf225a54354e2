//! The real libpam, in this process, with stacks of our own and a scripted conversation. [`daemon`]: the other side.

#![allow(dead_code, unreachable_pub, reason = "each test program uses its part")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs;
use std::path::PathBuf;

pub use self::daemon::*;

pub mod daemon;

pub const SUCCESS: c_int = 0;
pub const SERVICE_ERR: c_int = 3;
pub const SYSTEM_ERR: c_int = 4;
pub const AUTH_ERR: c_int = 7;
pub const AUTHINFO_UNAVAIL: c_int = 9;
pub const USER_UNKNOWN: c_int = 10;
pub const MAXTRIES: c_int = 11;
pub const CONV_ERR: c_int = 19;
pub const ABORT: c_int = 26;

pub const USER: c_int = 2;
pub const TTY: c_int = 3;
pub const RHOST: c_int = 4;
pub const AUTHTOK: c_int = 6;

#[repr(C)]
struct Message {
    style: c_int,
    text: *const c_char,
}

#[repr(C)]
struct Response {
    text: *mut c_char,
    unused: c_int,
}

type Function = extern "C" fn(c_int, *const *const Message, *mut *mut Response, *mut c_void) -> c_int;

#[repr(C)]
struct Conv {
    function: Option<Function>,
    data: *mut c_void,
}

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_start_confdir(
        service: *const c_char,
        user: *const c_char,
        conv: *const Conv,
        directory: *const c_char,
        handle: *mut *mut c_void,
    ) -> c_int;
    fn pam_end(handle: *mut c_void, status: c_int) -> c_int;
    fn pam_authenticate(handle: *mut c_void, flags: c_int) -> c_int;
    fn pam_setcred(handle: *mut c_void, flags: c_int) -> c_int;
    fn pam_acct_mgmt(handle: *mut c_void, flags: c_int) -> c_int;
    fn pam_set_item(handle: *mut c_void, item: c_int, value: *const c_void) -> c_int;
    fn pam_putenv(handle: *mut c_void, pair: *const c_char) -> c_int;
}

unsafe extern "C" {
    fn calloc(count: usize, size: usize) -> *mut c_void;
    fn strdup(text: *const c_char) -> *mut c_char;
}

/// What the program does with a message.
#[derive(Clone)]
pub enum Reply {
    /// Answers with these bytes; from the first NUL on they are lost.
    Text(Vec<u8>),
    /// Succeeds, with NULL for the answer.
    Null,
    /// Succeeds without any response.
    Nothing,
    /// Fails with PAM_CONV_ERR.
    Fails,
    /// Answers, after changing PAM_USER.
    ChangesUser(Vec<u8>),
}

impl Reply {
    pub fn text(text: &str) -> Self {
        Reply::Text(text.as_bytes().to_vec())
    }
}

/// How the program reacts to a message: its style and text.
type React = dyn Fn(c_int, &str) -> Reply;

struct Script {
    react: Box<React>,
    seen: Vec<(c_int, String)>,
    handle: *mut c_void,
}

extern "C" fn converse(
    count: c_int,
    messages: *const *const Message,
    answers: *mut *mut Response,
    data: *mut c_void,
) -> c_int {
    // SAFETY: libpam hands back the pointer to the Script that lives in the Program, and the module one message. The
    // response and its text come from malloc, as pam_conv(3) demands, and are the module's to free.
    unsafe {
        assert_eq!(count, 1);
        let script = &mut *data.cast::<Script>();
        let message = &**messages;
        let text = CStr::from_ptr(message.text).to_string_lossy().into_owned();
        let reply = (script.react)(message.style, &text);
        script.seen.push((message.style, text));
        let bytes = match reply {
            Reply::Fails => return CONV_ERR,
            Reply::Nothing => return SUCCESS,
            Reply::Null => None,
            Reply::Text(bytes) => Some(bytes),
            Reply::ChangesUser(bytes) => {
                pam_set_item(script.handle, USER, c"somebody-else".as_ptr().cast());
                Some(bytes)
            }
        };
        let response = calloc(1, size_of::<Response>()).cast::<Response>();
        if let Some(mut bytes) = bytes {
            bytes.push(0);
            (*response).text = strdup(CStr::from_bytes_until_nul(&bytes).unwrap().as_ptr());
        }
        *answers = response;
        SUCCESS
    }
}

/// A program that authenticates through libpam.
pub struct Program {
    handle: *mut c_void,
    script: Box<Script>,
    _conv: Box<Conv>,
}

impl Program {
    /// Starts a service whose stack is made of these `auth` lines, in a directory of its own.
    pub fn start(
        service: &str,
        user: &str,
        stack: &str,
        react: impl Fn(c_int, &str) -> Reply + 'static,
    ) -> Self {
        let directory = scratch("pam.d");
        fs::write(directory.join(service), stack).unwrap();
        let mut script =
            Box::new(Script { react: Box::new(react), seen: Vec::new(), handle: std::ptr::null_mut() });
        let conv = Box::new(Conv { function: Some(converse), data: (&raw mut *script).cast() });
        let [service, user, confdir] =
            [service, user, directory.to_str().unwrap()].map(|text| CString::new(text).unwrap());
        let mut handle = std::ptr::null_mut();
        // SAFETY: all strings live through the call, the conversation as long as the Program.
        let code = unsafe {
            pam_start_confdir(
                service.as_ptr(),
                user.as_ptr(),
                &raw const *conv,
                confdir.as_ptr(),
                &raw mut handle,
            )
        };
        assert_eq!(code, SUCCESS);
        script.handle = handle;
        fs::remove_dir_all(directory).unwrap();
        Program { handle, script, _conv: conv }
    }

    pub fn item(self, item: c_int, value: &str) -> Self {
        let value = CString::new(value).unwrap();
        // SAFETY: libpam copies the value.
        assert_eq!(unsafe { pam_set_item(self.handle, item, value.as_ptr().cast()) }, SUCCESS);
        self
    }

    pub fn environment(self, pair: &str) -> Self {
        let pair = CString::new(pair).unwrap();
        // SAFETY: libpam copies the pair.
        assert_eq!(unsafe { pam_putenv(self.handle, pair.as_ptr()) }, SUCCESS);
        self
    }

    pub fn authenticate(&mut self) -> c_int {
        // SAFETY: the handle is live; PAM_SILENT, as sudo does.
        unsafe { pam_authenticate(self.handle, 0x8000) }
    }

    pub fn setcred(&mut self) -> c_int {
        // SAFETY: the handle is live; PAM_ESTABLISH_CRED.
        unsafe { pam_setcred(self.handle, 2) }
    }

    pub fn acct_mgmt(&mut self) -> c_int {
        // SAFETY: the handle is live.
        unsafe { pam_acct_mgmt(self.handle, 0) }
    }

    /// The texts that were shown, prompts included.
    pub fn seen(&self) -> Vec<&str> {
        self.script.seen.iter().map(|(_, text)| text.as_str()).collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: the handle is live, and not used after this.
        unsafe { pam_end(self.handle, SUCCESS) };
    }
}

/// The module that cargo built for this profile, or one of the examples.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join(name);
    assert!(
        path.exists(),
        "{} is missing: `cargo build -p pam_mfad --lib --examples` first, in this profile",
        path.display()
    );
    path
}

/// `auth required pam_mfad.so` with these arguments, after a module that says yes.
pub fn stack(args: &str) -> String {
    let module = built("libpam_mfad.so");
    format!(
        "auth required pam_permit.so\nauth required {0} {args}\naccount required pam_permit.so\naccount required {0}\n",
        module.display()
    )
}

/// A line with `append=split`, this one, and a line with `append=verify`.
pub fn stack_around(check: &str, args: &str) -> String {
    let module = built("libpam_mfad.so");
    let module = module.display();
    format!(
        "auth requisite {module} append=split {args}\nauth requisite {check}\nauth required {module} append=verify {args}\n"
    )
}
