//! mfactl(1) has every verb and every option of the command line, and no other.
//!
//! Break it: take an option out of the page, or give a verb another one.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use clap::{Command, CommandFactory};
use mfactl::arguments::Arguments;

const PAGE: &str = include_str!("../../docs/man/mfactl.1");

/// Said once in the page, for all verbs that have it.
const FOR_ANYBODY: &str = "Administrators do each of these for somebody else with\n.Fl -user Ar user .";

/// How clap describes that option.
const OF_ANYBODY: &str = "Somebody else's account; for administrators";

/// A verb of the command line, in full: "user email".
struct Verb {
    name: String,
    options: BTreeSet<String>,
    said_once: BTreeSet<String>,
}

fn verbs() -> Vec<Verb> {
    let mut command = Arguments::command();
    command.build();
    let mut verbs = Vec::new();
    collect(&command, "", &mut verbs);
    verbs
}

fn collect(command: &Command, prefix: &str, verbs: &mut Vec<Verb>) {
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        let name = format!("{prefix}{}", verb.get_name());
        if verb.has_subcommands() {
            collect(verb, &format!("{name} "), verbs);
            continue;
        }
        let own = verb.get_arguments().filter(|it| !it.is_global_set() && it.get_id() != "help");
        let (said_once, options): (Vec<_>, Vec<_>) = own
            .filter(|it| it.get_long().is_some())
            .partition(|it| it.get_help().is_some_and(|help| help.to_string() == OF_ANYBODY));
        let long = |it: &clap::Arg| it.get_long().map(str::to_owned);
        verbs.push(Verb {
            name,
            options: options.into_iter().filter_map(long).collect(),
            said_once: said_once.into_iter().filter_map(long).collect(),
        });
    }
}

/// The items of the verbs, each with the lines below it, up to the next one. Two headings that share a text are two.
fn items() -> Vec<(String, String)> {
    let mut items: Vec<(String, String)> = Vec::new();
    let verbs = PAGE.split("\nThe options are:").next().unwrap_or_default();
    for part in verbs.split("\n.It ").skip(1) {
        let part = part.split("\n.El").next().unwrap_or_default();
        let heading = match part.strip_prefix("Xo\n") {
            Some(rest) => rest.split("\n.Xc").next().unwrap_or_default(),
            None => part.lines().next().unwrap_or_default(),
        };
        let words = heading.split_whitespace().filter(|word| ![".Cm", "Cm"].contains(word));
        items.push((words.collect::<Vec<_>>().join(" "), part.to_owned()));
    }
    items
}

/// The items of a verb; the next one's text counts if a heading stands alone.
fn about(verb: &str) -> Option<String> {
    let items = items();
    let is_it = |heading: &str| heading == verb || heading.starts_with(&format!("{verb} "));
    let at = items.iter().position(|(heading, _)| is_it(heading))?;
    let stands_alone = |part: &str| part.lines().count() == 1 || part.trim_end().ends_with("\n.Xc");
    let mut text = String::new();
    for (_, part) in &items[at..] {
        text.push_str(part);
        if !stands_alone(part) {
            break;
        }
    }
    if let Some((_, other)) = text.split_once("with the options of\n.Cm ") {
        let other = other.split(' ').next().unwrap_or_default().to_owned();
        text.push_str(&about(&other)?);
    }
    Some(text)
}

/// `Fl -user` is `--user`.
fn options(text: &str) -> BTreeSet<String> {
    let words: Vec<&str> = text.split_whitespace().map(|word| word.trim_start_matches('.')).collect();
    let named = words.windows(2).filter(|pair| pair[0] == "Fl");
    named.filter_map(|pair| pair[1].strip_prefix('-').map(str::to_owned)).collect()
}

#[test]
fn every_verb_is_in_the_manual_with_its_options() {
    let verbs = verbs();
    assert!(verbs.len() >= 30, "only {} verbs", verbs.len());
    assert!(PAGE.contains(FOR_ANYBODY));
    for verb in verbs {
        let text = about(&verb.name).unwrap_or_else(|| panic!("mfactl(1) does not tell of {}", verb.name));
        let told = options(&text);
        let missing: Vec<_> = verb.options.difference(&told).collect();
        assert!(missing.is_empty(), "mfactl(1) does not tell of {} --{missing:?}", verb.name);
    }
}

#[test]
fn every_option_of_the_manual_is_one() {
    let mut command = Arguments::command();
    command.build();
    let global = command.get_arguments().filter_map(|it| it.get_long().map(str::to_owned));
    let mut known: BTreeSet<String> = global.collect();
    known.extend(verbs().into_iter().flat_map(|verb| verb.options.into_iter().chain(verb.said_once)));
    let told = options(PAGE);
    assert_eq!(told.difference(&known).collect::<Vec<_>>(), [""; 0], "mfactl(1) tells of what is not there");
    assert_eq!(known.difference(&told).collect::<Vec<_>>(), [""; 0], "mfactl(1) does not tell of all");
}

#[test]
fn every_verb_of_the_manual_is_one() {
    let verbs: Vec<String> = verbs().into_iter().map(|verb| verb.name).collect();
    for (heading, _) in items() {
        let is_it = |verb: &String| heading == *verb || heading.starts_with(&format!("{verb} "));
        assert!(verbs.iter().any(is_it), "mfactl(1) tells of {heading:?}");
    }
}
