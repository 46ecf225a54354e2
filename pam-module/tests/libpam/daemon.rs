//! A daemon that does what a test tells it, and directories that the module trusts.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::spawn;

use super::{stack, stack_around};

/// A new directory, anywhere.
pub fn scratch(name: &str) -> PathBuf {
    new_directory(&std::env::temp_dir(), name)
}

fn new_directory(parent: &Path, name: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = parent.join(format!("mfad-test-{}-{next}-{name}", std::process::id()));
    fs::create_dir(&path).unwrap();
    path
}

/// A new directory on a way that is root's alone; `None` if this user cannot make one.
pub fn roots_directory() -> Option<PathBuf> {
    let roots_alone = |path: &Path| {
        path.ancestors().all(|it| {
            fs::symlink_metadata(it).is_ok_and(|it| it.is_dir() && it.uid() == 0 && it.mode() & 0o022 == 0)
        })
    };
    let root = fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0);
    let parents = [Path::new(env!("CARGO_TARGET_TMPDIR")), Path::new("/run")];
    let parent = parents.into_iter().find(|path| root && roots_alone(path))?;
    Some(new_directory(parent, "socket"))
}

/// What a call gets.
pub enum Serve {
    Frame(String),
    Bytes(Vec<u8>),
    Hang,
    Close,
}

/// A daemon in a thread. Its directory goes with it.
pub struct Daemon {
    directory: PathBuf,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Daemon {
    /// Serves each call, numbered from 0 over all connections, as the closure says. `None` if this user cannot make a
    /// directory that the module trusts.
    pub fn start(serve: impl Fn(usize) -> Serve + Send + 'static) -> Option<Self> {
        let directory = roots_directory()?;
        let listener = UnixListener::bind(directory.join("s")).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let calls = Arc::clone(&heard);
        spawn(move || {
            for stream in listener.incoming() {
                connection(stream.unwrap(), &serve, &calls);
            }
        });
        Some(Daemon { directory, heard })
    }

    pub fn stack(&self, args: &str) -> String {
        stack(&format!("socket={}/s {args}", self.directory.display()))
    }

    /// A line on each side of the password's; that one takes this password alone.
    pub fn stack_around(&self, password: &str) -> String {
        let program = self.directory.join("check");
        fs::write(&program, format!("#!/bin/sh\n[ \"$(tr -d '\\0')\" = '{password}' ]\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let check = format!("pam_exec.so expose_authtok quiet {}", program.display());
        stack_around(&check, &format!("socket={}/s timeout=5", self.directory.display()))
    }

    /// The calls so far, as they came.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn connection(mut stream: UnixStream, serve: &impl Fn(usize) -> Serve, calls: &Mutex<Vec<String>>) {
    let mut call = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).is_ok_and(|count| count == 1) {
        call.push(byte[0]);
        if byte[0] != 0 {
            continue;
        }
        call.pop();
        let number = {
            let mut calls = calls.lock().unwrap();
            calls.push(String::from_utf8(std::mem::take(&mut call)).unwrap());
            calls.len() - 1
        };
        match serve(number) {
            Serve::Frame(text) => drop(stream.write_all(format!("{text}\0").as_bytes())),
            Serve::Bytes(bytes) => drop(stream.write_all(&bytes)),
            Serve::Hang => {}
            Serve::Close => return,
        }
    }
}

/// A reply with the shapes of a person's codes.
pub fn shapes(shapes: &str) -> Serve {
    Serve::Frame(format!(r#"{{"parameters":{{"shapes":[{shapes}]}}}}"#))
}

/// A reply with a step.
pub fn step(notice: &str, question: &str, verdict: &str) -> Serve {
    let text = |text: &str| serde_json::to_string(text).unwrap();
    let notices = if notice.is_empty() {
        String::new()
    } else {
        format!(r#"{{"severity":"info","text":{}}}"#, text(notice))
    };
    let question = if question.is_empty() {
        "null".to_owned()
    } else {
        format!(r#"{{"id":"q1","text":{},"echo":"on"}}"#, text(question))
    };
    let verdict = if verdict.is_empty() { "null".to_owned() } else { text(verdict) };
    Serve::Frame(format!(
        r#"{{"parameters":{{"step":{{"login":"l1","notices":[{notices}],"question":{question},"verdict":{verdict}}}}}}}"#
    ))
}
