//! The demonstration that a newcomer sees first.

use std::process::{Command, Stdio};

/// Break it: give the demo a relative path to the module.
#[test]
fn the_demonstration_shows_a_login_from_any_directory_and_ends() {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_mfad-demo"));
    let directory = program.parent().expect("the target directory");
    let shown = Command::new(program)
        .current_dir(directory.parent().expect("its parent"))
        .env("MFAD_BIN_DIR", directory.file_name().expect("its name"))
        .stdin(Stdio::null())
        .output()
        .expect("the demonstration");
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.status.success(), "{text}{}", String::from_utf8_lossy(&shown.stderr));
    for part in ["Verification code", "anna@example.org", "inside as anna", "login-allowed"] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}
