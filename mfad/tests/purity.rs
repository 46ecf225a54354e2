//! `rules/` and `factor/` are pure: time, randomness, files and sockets are arguments. Clippy's lists of what may not be
//! named hold for a whole crate, so this walks the sources instead. To see it fail, name `std::env` in one of them.

use std::fs;
use std::path::{Path, PathBuf};

/// What nobody there may name: crates and types that reach out of a function.
const NOWHERE: [&str; 18] = [
    "tokio",
    "nix",
    "rustix",
    "libc",
    "rusqlite",
    "getrandom",
    "jiff",
    "SystemTime",
    "Instant",
    "UNIX_EPOCH",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
    "ToSocketAddrs",
    "File",
];

/// Modules of std that do; other things may have such a name.
const OF_STD: [&str; 6] = ["fs", "io", "env", "os", "process", "thread"];

/// The modules of mfad that carry out what the rules decide.
const OF_MFAD: [&str; 11] = [
    "address_files",
    "clock",
    "daemon",
    "deliver",
    "listen",
    "locals",
    "manage",
    "people",
    "session",
    "steps",
    "store",
];

#[test]
fn the_rules_and_the_factors_name_nothing_that_reaches_out() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files: Vec<_> = ["rules", "factor"].iter().flat_map(|part| files_in(&sources.join(part))).collect();
    assert!(files.len() >= 25, "the sources are elsewhere: {files:?}");
    let found: Vec<_> = files.iter().flat_map(|file| impurities(file)).collect();
    assert!(found.is_empty(), "not pure:\n{}", found.join("\n"));
}

#[test]
fn whatever_reaches_out_is_seen_and_nothing_else() {
    for line in [
        "use std::{collections::HashMap, fs};",
        "    let now = SystemTime::now();",
        "let t = std::time::Instant::now();",
        "use tokio::time::sleep;",
        "use std::net::{IpAddr, TcpStream};",
        "nix::unistd::getuid()",
        "std::env::var(\"HOME\") // a comment",
        "let text = fs::read_to_string(path)?;",
        "use crate::clock::Clock;",
    ] {
        assert!(impurity(line).is_some(), "{line}");
    }
    for line in [
        "use std::net::IpAddr;",
        "use std::time::Duration;",
        "/// Instant of the step, of std::fs",
        "let unix_seconds = env.phoenix(); // not tokio",
        "use std::{fmt, collections::HashMap};",
        "fn instant_refusal(process: Process) {}",
        "use crate::moment::Moment;",
    ] {
        assert_eq!(impurity(line), None, "{line}");
    }
}

/// The sources under a directory, but those of tests alone, which may run oathtool.
fn files_in(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else if !is_of_tests(&path) {
            files.push(path);
        }
    }
    files
}

fn is_of_tests(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_str().unwrap();
    ["tests", "properties", "app_properties", "against_oathtool"].contains(&name)
}

/// `file:line: what` for each line of a file, up to its tests.
fn impurities(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let code = text.lines().take_while(|line| *line != "mod tests {");
    let named = code
        .enumerate()
        .filter_map(|(at, line)| impurity(line).map(|what| format!("{}:{}: {what}", file.display(), at + 1)));
    named.collect()
}

/// What a line names that reaches out.
fn impurity(line: &str) -> Option<&str> {
    let code = line.split("//").next()?;
    let words = || code.split(|c: char| !c.is_alphanumeric() && c != '_');
    let is_path = |word: &str| words().any(|word| word == "std") || code.contains(&format!("{word}::"));
    words().find(|word| {
        NOWHERE.contains(word)
            || OF_STD.contains(word) && is_path(word)
            || OF_MFAD.contains(word) && code.contains(&format!("crate::{word}"))
    })
}
