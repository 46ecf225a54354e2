//! A directory of its own for each test, gone when the test ends, however it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use mfad::config::{Config, Presence, Problem, Problems, load};

pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("mfad-config-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        let scratch = Scratch(path);
        restrict(&scratch.0, 0o755);
        scratch
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn main(&self) -> PathBuf {
        self.path("mfad.toml")
    }

    /// Writes a file that mfad trusts, whatever the umask is.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        restrict(&path, 0o644);
        path
    }

    /// Writes a program that mfad trusts.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        let path = self.write(name, "#!/bin/sh\nexit 75\n");
        restrict(&path, 0o755);
        path
    }

    pub(crate) fn drop_in(&self, name: &str, text: &str) -> PathBuf {
        let directory = self.path("conf.d");
        if !directory.exists() {
            fs::create_dir(&directory).unwrap();
            restrict(&directory, 0o755);
        }
        self.write(&format!("conf.d/{name}"), text)
    }

    pub(crate) fn load(&self) -> Result<Config, Problems> {
        load(&self.main(), Presence::Optional)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn restrict(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn read(text: &str) -> Result<Config, Problems> {
    let scratch = Scratch::new();
    scratch.write("mfad.toml", text);
    scratch.load()
}

/// `LINE:COLUMN KEY: MESSAGE` of each problem.
pub(crate) fn summary(problems: &Problems) -> Vec<String> {
    let number = |number: Option<u32>| number.map_or("-".to_owned(), |number| number.to_string());
    let one = |problem: &Problem| {
        let key = problem.key.as_deref().unwrap_or("-");
        format!("{}:{} {key}: {}", number(problem.line), number(problem.column), problem.message)
    };
    problems.0.iter().map(one).collect()
}
