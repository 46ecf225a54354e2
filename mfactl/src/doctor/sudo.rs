//! Where sudo asks for nothing: sudoers with what it includes (sudoers(5)).

use std::path::{Path, PathBuf};

use super::finding::{Finding, Id, Severity};
use super::host::Host;
use super::pam::Place;

const SUDOERS: &str = "/etc/sudoers";

/// Files within files, at the most (sudoers(5)).
const DEEPEST: usize = 128;

/// Lines that let people through without a password, and so without a code.
pub fn findings(host: &Host) -> Vec<Finding> {
    let mut findings = Vec::new();
    read(host, Path::new(SUDOERS), 0, &mut findings);
    findings
}

fn read(host: &Host, file: &Path, depth: usize, findings: &mut Vec<Finding>) {
    if depth > DEEPEST {
        return;
    }
    for (place, text) in lines(file, &host.text(file).unwrap_or_default()) {
        if let Some(included) = included(host, &text, file) {
            included.iter().for_each(|name| read(host, name, depth + 1, findings));
        } else if !text.starts_with('#') {
            findings
                .extend(line(text.split(" #").next().unwrap_or_default()).map(|finding| finding.at(&place)));
        }
    }
}

/// Lines that say something, with those that go on put together.
fn lines(file: &Path, text: &str) -> Vec<(Place, String)> {
    let mut lines: Vec<(Place, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in (1..).zip(text.lines()) {
        let said = line.trim_end().trim_end_matches('\\').trim();
        match lines.last_mut() {
            Some((_, before)) if goes_on => *before = format!("{before} {said}"),
            _ => lines.push((Place { file: file.to_owned(), line: number }, said.to_owned())),
        }
        goes_on = line.ends_with('\\');
    }
    lines
}

/// What `@include` and `@includedir` name; both can also be written with `#`.
fn included(host: &Host, text: &str, file: &Path) -> Option<Vec<PathBuf>> {
    let (word, name) = text.strip_prefix(['@', '#'])?.split_once([' ', '\t'])?;
    let name = file.parent().unwrap_or(Path::new("/")).join(name.trim().trim_matches('"'));
    match word {
        "include" => Some(vec![name]),
        "includedir" => {
            let is_read = |entry: &String| !entry.contains('.') && !entry.ends_with('~');
            Some(host.names_in(&name).into_iter().filter(is_read).map(|entry| name.join(entry)).collect())
        }
        _ => None,
    }
}

fn line(text: &str) -> Option<Finding> {
    let words: Vec<&str> = text.split([' ', '\t', ',', ':', '=']).collect();
    if words.contains(&"NOPASSWD") || (text.starts_with("Defaults") && words.contains(&"!authenticate")) {
        let fact = format!("sudo asks for nothing: {text}");
        return Some(
            Finding::new(Severity::Medium, Id::SudoNopasswd, fact)
                .service("sudo")
                .meets("Whoever has a shell of such an account gets what the line grants without password and code")
                .remedy("Take NOPASSWD (or !authenticate) away, or grant less"),
        );
    }
    let never = text.starts_with("Defaults") && text.replace(' ', "").contains("timestamp_timeout=-");
    never.then(|| {
        Finding::new(Severity::Low, Id::SudoNeverAsksAgain, "sudo asks once, and never again")
            .service("sudo")
            .meets("Whoever gets at a session that has passed once can go on for ever")
            .remedy("Take the negative timestamp_timeout away")
    })
}
