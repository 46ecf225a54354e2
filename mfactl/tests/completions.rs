//! What shells complete is what the command line understands. After a change of it: `BLESS=1 cargo test -p mfactl`
//! rewrites the files that packages install.

#![forbid(unsafe_code)]

use clap::CommandFactory;
use clap_complete::Shell;
use mfactl::arguments::Arguments;

fn check(shell: Shell, name: &str) {
    let file = format!("{}/../packaging/completions/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut expected = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "mfactl", &mut expected);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &expected).unwrap();
    }
    assert!(std::fs::read(&file).unwrap() == expected, "{file} and the command line differ");
}

#[test]
fn shells_complete_what_the_command_line_understands() {
    check(Shell::Bash, "mfactl.bash");
    check(Shell::Zsh, "_mfactl");
    check(Shell::Fish, "mfactl.fish");
}
