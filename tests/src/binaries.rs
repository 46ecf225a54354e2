//! Where the programs under test are: `MFAD_BIN_DIR`, else beside the tests' own directory (`target/debug`).

use std::path::{Path, PathBuf};

/// The daemon.
pub fn mfad() -> PathBuf {
    built("mfad")
}

/// The command line.
pub fn mfactl() -> PathBuf {
    built("mfactl")
}

/// The PAM module.
pub fn module() -> PathBuf {
    built("libpam_mfad.so")
}

/// A file of this crate's directory: scripts of clients and servers, sources of drivers.
pub fn source(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

fn built(name: &str) -> PathBuf {
    let path = directory().join(name);
    assert!(path.is_file(), "{} is not there: run `make build` first, or set MFAD_BIN_DIR", path.display());
    path
}

/// A test lies in `target/debug/deps`, a binary of this crate in `target/debug`: the programs are looked for upwards.
fn directory() -> PathBuf {
    if let Some(named) = std::env::var_os("MFAD_BIN_DIR") {
        return std::path::absolute(named).expect("MFAD_BIN_DIR as a path");
    }
    let own = std::env::current_exe().expect("the path of this program");
    let beside = own.parent().expect("its directory");
    if beside.ends_with("deps") {
        beside.parent().expect("the target directory").into()
    } else {
        beside.into()
    }
}
