//! The real libpam of this host, with stacks of our own and, in the place of every module, a probe that answers what it is
//! told to and leaves word that it was called.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use mfactl::doctor::pam::library::{Dialect, Library};
use mfactl::doctor::pam::text::Reading;
use mfactl::doctor::pam::{Handler, Stack};

#[repr(C)]
struct Conv {
    function: Option<extern "C" fn(c_int, *const c_void, *mut c_void, *mut c_void) -> c_int>,
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
    fn pam_putenv(handle: *mut c_void, pair: *const c_char) -> c_int;
    fn pam_getenv(handle: *mut c_void, name: *const c_char) -> *const c_char;
}

extern "C" fn nobody_answers(_: c_int, _: *const c_void, _: *mut c_void, _: *mut c_void) -> c_int {
    19
}

/// What the probes answer, by number, and which of them was called with what.
pub(crate) type Answers = BTreeMap<u32, c_int>;

/// What came of a call of libpam.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) status: c_int,
    /// Each probe that was called, with its arguments.
    pub(crate) called: Vec<(u32, Vec<String>)>,
}

/// A directory with the probe; gone at the end.
pub(crate) struct Bench {
    directory: PathBuf,
    dialect: Dialect,
    reading: Reading,
}

/// A service in a directory of its own; gone at the end.
pub(crate) struct Written {
    directory: PathBuf,
}

impl Drop for Written {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("doctor-{}-{number}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&directory).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor/probe.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(directory.join("probe.so"))
            .arg(source)
            .status();
        assert!(compiled.is_ok_and(|status| status.success()), "cc and libpam0g-dev are needed: make deps");
        let mut bench = Bench { directory, dialect: Dialect::Upstream, reading: Reading::Unbounded };
        bench.find_out();
        bench
    }

    /// Which libpam this is.
    fn find_out(&mut self) {
        let included = [("x", "@include {y}\n"), ("y", "auth required pam_unix.so\n")];
        if self.authenticate(&self.write(&included), "x", &Answers::new()).status == 0 {
            self.dialect = Dialect::Debian;
        }
        let gap = [("x", "auth \\\n\nrequired pam_unix.so\n")];
        if self.authenticate(&self.write(&gap), "x", &Answers::new()).status == 0 {
            self.reading = Reading::Buffered;
        }
    }

    /// Writes files in which `{name}` stands for the path of another, and each pam_*.so becomes a probe of its own.
    pub(crate) fn write(&self, files: &[(&str, &str)]) -> Written {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let directory = self.directory.join(format!("s{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir(&directory).unwrap();
        let mut number = 0;
        for (name, text) in files {
            let mut text = self.with_probes(text, &mut number);
            for (other, _) in files {
                let path = directory.join(other);
                text = text.replace(&format!("{{{other}}}"), path.to_str().unwrap());
            }
            fs::write(directory.join(name), text).unwrap();
        }
        Written { directory }
    }

    /// The same for files as Debian writes them: a libpam that has no `@include` gets `auth include`.
    pub(crate) fn write_translated(&self, files: &[(&str, &str)]) -> Written {
        if self.dialect == Dialect::Debian {
            return self.write(files);
        }
        let texts: Vec<String> =
            files.iter().map(|(_, text)| text.replace("@include", "auth include")).collect();
        let names = files.iter().map(|(name, _)| *name);
        self.write(&names.zip(texts.iter().map(String::as_str)).collect::<Vec<_>>())
    }

    fn with_probes(&self, text: &str, number: &mut u32) -> String {
        let mut parts = text.split("pam_");
        let mut written = parts.next().unwrap().to_owned();
        for part in parts {
            let Some((name, rest)) = part.split_once(".so") else {
                written.push_str("pam_");
                written.push_str(part);
                continue;
            };
            *number += 1;
            let path = self.probe(*number, &format!("pam_{name}.so"));
            written.push_str(path.to_str().unwrap());
            written.push_str(rest);
        }
        written
    }

    /// A copy of its own for each number: the dynamic linker takes links to one file for one object.
    fn probe(&self, number: u32, name: &str) -> PathBuf {
        let directory = self.directory.join(number.to_string());
        let path = directory.join(name);
        if !directory.exists() {
            fs::create_dir(&directory).unwrap();
            fs::copy(self.directory.join("probe.so"), directory.join("probe.so")).unwrap();
        }
        if !name.starts_with("pam_missing") && !path.exists() {
            fs::hard_link(directory.join("probe.so"), &path).unwrap();
        }
        path
    }

    /// libpam's way with what was written, as the doctor sees it.
    pub(crate) fn library(&self, written: &Written) -> Library {
        Library::of_directory(&written.directory, self.dialect, self.reading)
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) fn authenticate(&self, written: &Written, service: &str, answers: &Answers) -> Outcome {
        self.both(written, service, answers, &Answers::new()).0
    }

    /// `pam_authenticate`, then `pam_setcred`.
    pub(crate) fn both(
        &self,
        written: &Written,
        service: &str,
        answers: &Answers,
        later: &Answers,
    ) -> (Outcome, Outcome) {
        let [service, directory] =
            [service, written.directory.to_str().unwrap()].map(|text| CString::new(text).unwrap());
        let conv = Conv { function: Some(nobody_answers), data: std::ptr::null_mut() };
        let mut handle = std::ptr::null_mut();
        let pairs = answers.iter().map(|pair| ('A', pair)).chain(later.iter().map(|pair| ('C', pair)));
        // SAFETY: the strings and the conversation outlive the handle; the handle is live until pam_end, and what
        // pam_getenv returns is copied before the next call.
        unsafe {
            let started = pam_start_confdir(
                service.as_ptr(),
                c"somebody".as_ptr(),
                &raw const conv,
                directory.as_ptr(),
                &raw mut handle,
            );
            if started != 0 {
                // The files are read at once; nothing can be called.
                let refused = Outcome { status: started, called: Vec::new() };
                return (refused.clone(), refused);
            }
            for (call, (number, code)) in pairs {
                let pair = CString::new(format!("{call}{number}={code}")).unwrap();
                assert_eq!(pam_putenv(handle, pair.as_ptr()), 0);
            }
            let status = pam_authenticate(handle, 0);
            let first = Outcome { status, called: called(handle) };
            pam_putenv(handle, c"TRACE=".as_ptr());
            let status = pam_setcred(handle, 2);
            let second = Outcome { status, called: called(handle) };
            pam_end(handle, 0);
            (first, second)
        }
    }
}

/// # Safety
/// The handle must be live.
unsafe fn called(handle: *mut c_void) -> Vec<(u32, Vec<String>)> {
    // SAFETY: by the caller's word; the text is copied at once.
    let trace = unsafe {
        let trace = pam_getenv(handle, c"TRACE".as_ptr());
        if trace.is_null() { String::new() } else { CStr::from_ptr(trace).to_string_lossy().into_owned() }
    };
    let call = |text: &str| {
        let mut words = text.split('\x1f');
        let number = words.next().unwrap()[1..].parse().unwrap();
        (number, words.map(str::to_owned).collect())
    };
    trace.split_terminator('\x1e').map(call).collect()
}

/// The number of the probe that a step calls; none if it calls nothing that can be loaded.
pub(crate) fn number(stack: &Stack, at: usize) -> Option<u32> {
    match &stack.entries[at].handler {
        Handler::Module { path, .. } if Path::new(path).exists() => {
            Path::new(path).parent()?.file_name()?.to_str()?.parse().ok()
        }
        _ => None,
    }
}

/// The arguments that a step calls it with.
pub(crate) fn arguments(stack: &Stack, at: usize) -> Vec<String> {
    match &stack.entries[at].handler {
        Handler::Module { arguments, .. } => arguments.clone(),
        Handler::MustFail | Handler::Substack => Vec::new(),
    }
}
