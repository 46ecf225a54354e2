//! mfad.toml(5) names every key that the parser takes, and no other, each with the default that holds.
//!
//! The keys come from the parser's own errors, the page's from its `.It Cm` lines. Break it: take a key or a default out
//! of the page, or add one to the parser.

use std::collections::BTreeSet;

use mfad::config::Problems;

use crate::scratch::{Scratch, read};

const PAGE: &str = include_str!("../../../docs/man/mfad.toml.5");
const INSTALLED: &str = include_str!("../../../packaging/mfad.toml");

/// A name that resembles none: the parser answers it by those that there are.
const UNKNOWN: &str = "xyzzyxyzzy";

/// `[login] tries`, `[[hook]] name`: a section as it is written in a file, and a key of it.
type Key = (String, String);

/// A key of the page, and the default beside it.
struct Documented {
    section: String,
    key: String,
    default: Option<String>,
}

/// What an item line says: `.It Cm KEY [, KEY …] [No = Li DEFAULT]`.
fn documented() -> Vec<Documented> {
    let mut section = String::new();
    let mut found = Vec::new();
    for line in PAGE.lines() {
        if let Some(name) = line.strip_prefix(".Ss ") {
            name.trim_end_matches("\\&").clone_into(&mut section);
        } else if line.starts_with(".Sh ") {
            section.clear();
        }
        let Some(item) = line.strip_prefix(".It Cm ").filter(|_| !section.is_empty()) else { continue };
        let (keys, default) = match item.split_once(" No = Li ") {
            Some((key, default)) => (key, Some(default.replace("\\(dq", "\""))),
            None => (item, None),
        };
        for key in keys.split(" , ") {
            found.push(Documented {
                section: section.clone(),
                key: key.to_owned(),
                default: default.clone(),
            });
        }
    }
    found
}

fn problems(text: &str) -> Problems {
    read(text).expect_err("a key that nobody knows is an error")
}

/// The names that the parser offers in the place of [`UNKNOWN`] in this table; none if it is none.
fn offered(text: &str, table: &str) -> Option<Vec<String>> {
    let key = format!("{table}.{UNKNOWN}");
    let problems = problems(text);
    let problem = problems.0.iter().find(|problem| problem.key.as_deref() == Some(&key))?;
    let (_, keys) = problem.remedy.split_once("the keys are ")?;
    Some(keys.split(", ").map(str::to_owned).collect())
}

/// `[paths]`, …, `[[rule]]`.
fn sections() -> Vec<String> {
    let problems = problems(&format!("[{UNKNOWN}]\n"));
    let (_, known) = problems.0[0].remedy.split_once("this version knows ").expect("the sections");
    known.replace(" and ", ", ").split(", ").map(str::to_owned).collect()
}

/// What the parser takes. A key whose value may be a table is there with the keys of the table, too.
fn accepted() -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    for section in sections() {
        let table = section.trim_matches(['[', ']']);
        let names = offered(&format!("{section}\n{UNKNOWN} = 1\n"), table);
        for name in names.unwrap_or_else(|| panic!("{section} has no keys")) {
            let probe = format!("{section}\n{name} = {{ {UNKNOWN} = 1 }}\n");
            // A key that two sections share: the rule's is described by the section's.
            let inner = if table == "rule" { None } else { offered(&probe, &format!("{table}.{name}")) };
            let inner = inner.unwrap_or_default().into_iter();
            keys.extend(inner.map(|inner| (section.clone(), format!("{name}.{inner}"))));
            keys.insert((section.clone(), name));
        }
    }
    keys
}

#[test]
fn every_key_is_in_the_manual_and_every_key_of_the_manual_is_one() {
    let accepted = accepted();
    assert!(accepted.len() > 80, "{accepted:?}");
    let documented: BTreeSet<Key> = documented().into_iter().map(|it| (it.section, it.key)).collect();
    let is_only_a_table = |(section, key): &Key| {
        let inner = format!("{key}.");
        documented.iter().any(|(other, name)| other == section && name.starts_with(&inner))
    };
    let missing: Vec<&Key> = accepted.difference(&documented).filter(|key| !is_only_a_table(key)).collect();
    assert!(missing.is_empty(), "mfad.toml(5) does not tell of {missing:?}");
    let invented: Vec<&Key> = documented.difference(&accepted).collect();
    assert!(invented.is_empty(), "mfad.toml(5) tells of {invented:?}, which the parser refuses");
}

#[test]
fn the_defaults_of_the_manual_are_those_of_the_program() {
    let mut text = String::new();
    let mut section = String::new();
    let documented = documented();
    for Documented { section: own, key, default } in
        documented.iter().filter(|it| it.section != "[[rule]]" && it.section != "[[hook]]")
    {
        if *own != section {
            text.push_str(&format!("{own}\n"));
            section.clone_from(own);
        }
        text.extend(default.iter().map(|default| format!("{key} = {default}\n")));
    }
    let mut written = read(&text).unwrap_or_else(|problems| panic!("{problems}"));
    written.files.clear();
    assert_eq!(written, Scratch::new().load().unwrap(), "{text}");
}

#[test]
fn the_defaults_of_a_hook_are_those_of_the_program() {
    let scratch = Scratch::new();
    let program = scratch.program("send").display().to_string();
    let hook = format!("[[hook]]\nname = \"sms\"\nsend = [\"{program}\"]\n");
    let documented = documented();
    let defaults: Vec<String> = documented
        .iter()
        .filter(|it| it.section == "[[hook]]")
        .filter_map(|it| Some(format!("{} = {}\n", it.key, it.default.as_ref()?)))
        .collect();
    assert_eq!(defaults.len(), 3, "{defaults:?}");
    let spelt_out = format!("{hook}{}", defaults.concat());
    assert_eq!(read(&spelt_out).unwrap().hooks, read(&hook).unwrap().hooks);
}

#[test]
fn a_default_that_the_installed_file_shows_is_in_the_manual() {
    let documented = documented();
    let mut section = "";
    let mut shown = 0;
    for line in INSTALLED.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let Some((key, _)) = line.strip_prefix('#').and_then(|line| line.split_once(" = ")) else { continue };
        if key.starts_with(' ') {
            continue;
        }
        let tells = |it: &Documented| {
            let is_it = it.key == key || it.key.starts_with(&format!("{key}."));
            it.section == section && it.default.is_some() && is_it
        };
        assert!(documented.iter().any(tells), "mfad.toml(5) shows no default of {section} {key}");
        shown += 1;
    }
    assert_eq!(shown, 37);
}
