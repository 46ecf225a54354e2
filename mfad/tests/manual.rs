//! The manual pages: mandoc finds nothing to say about any of them, and mfad(8) has the options that the program has.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::process::Command;

use clap::CommandFactory;
use mfad::arguments::Arguments;

const PAGES: [&str; 4] = ["mfactl.1", "mfad.8", "mfad.toml.5", "pam_mfad.8"];

fn page(name: &str) -> String {
    format!("{}/../docs/man/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// That a page to which one refers is not installed on this machine is no fault of the page.
fn is_about_this_machine(line: &str) -> bool {
    line.contains("outdated mandoc.db") || line.contains("referenced manual not found")
}

/// Break it: write a line of more than 80 bytes, or a section in another place.
#[test]
fn mandoc_finds_no_fault_in_any_page() {
    for name in PAGES {
        let linted = Command::new("mandoc").args(["-T", "lint", "-W", "style", &page(name)]).output();
        let linted = linted.unwrap_or_else(|error| panic!("mandoc: {error}; apt install mandoc"));
        let said = String::from_utf8_lossy(&[linted.stdout, linted.stderr].concat()).into_owned();
        let faults: Vec<&str> = said.lines().filter(|line| !is_about_this_machine(line)).collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

#[test]
fn every_page_is_in_the_list_above() {
    let directory = std::fs::read_dir(page("")).expect("docs/man");
    let names = directory.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.collect::<BTreeSet<String>>(), PAGES.map(str::to_owned).into());
}

/// Break it: take an option out of mfad(8), or give the program another one.
#[test]
fn every_option_of_the_daemon_is_in_its_page_and_every_option_of_the_page_is_one() {
    let mut command = Arguments::command();
    command.build();
    let options: BTreeSet<String> =
        command.get_arguments().filter_map(|it| it.get_long().map(str::to_owned)).collect();
    let text = std::fs::read_to_string(page("mfad.8")).unwrap();
    let items = text.lines().filter_map(|line| line.strip_prefix(".It Fl -"));
    let names = items.flat_map(|item| item.split(" , Fl -").map(str::to_owned).collect::<Vec<_>>());
    let names: BTreeSet<String> =
        names.map(|name| name.split(' ').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(names, options);
}
