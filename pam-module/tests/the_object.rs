//! The module as a file. `MFAD_RELEASE_MODULE=PATH` names the stripped release build, and must be given for a release;
//! without it, target/release is looked at if it is there, and else nothing is proved.

#![allow(clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Every login maps it; more than this and it has grown something it should not have.
const LARGEST: u64 = 416 * 1024;

fn release_module() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("MFAD_RELEASE_MODULE") {
        let path = PathBuf::from(named);
        assert!(path.exists(), "MFAD_RELEASE_MODULE names {}, which is not there", path.display());
        return Some(path);
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let found = Some(target.join("release/libpam_mfad.so")).filter(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: no release build; `cargo build --release -p pam_mfad`");
    }
    found
}

fn read(tool: &str, flags: &[&str], module: &Path) -> String {
    let output = Command::new(tool).args(flags).arg(module).output().expect("binutils are installed");
    assert!(output.status.success(), "{tool}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_release_build_is_small() {
    let Some(module) = release_module() else { return };
    let size = module.metadata().unwrap().len();
    assert!(size <= LARGEST, "{} has {size} bytes, {LARGEST} are allowed", module.display());
}

#[test]
fn it_exports_the_six_hooks_alone_stays_loaded_and_needs_no_library_that_libpam_has_not_loaded() {
    let Some(module) = release_module() else { return };
    let mut names: Vec<String> = read("nm", &["-D", "--defined-only"], &module)
        .lines()
        .map(|line| line.rsplit(' ').next().unwrap().to_owned())
        .collect();
    names.sort();
    let hooks = ["acct_mgmt", "authenticate", "chauthtok", "close_session", "open_session", "setcred"];
    assert_eq!(names, hooks.map(|hook| format!("pam_sm_{hook}")));

    let dynamic = read("readelf", &["-dW"], &module);
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
    assert!(dynamic.contains("BIND_NOW") && read("readelf", &["-lW"], &module).contains("GNU_RELRO"));
    for line in dynamic.lines().filter(|line| line.contains("(NEEDED)")) {
        let known = ["[libpam.so.0]", "[libc.so.6]", "[ld-linux"].iter().any(|name| line.contains(name));
        assert!(known, "{line}");
    }
}
