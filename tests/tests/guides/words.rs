//! What can be said of all guides without carrying them out.

use std::collections::BTreeSet;
use std::fs;

use mfad_tests::binaries;
use mfad_tests::guide::{Content, Guide, all, text};
use mfad_tests::installed::{OF_THE_HOST, Proof};
use mfad_tests::process::run;

const STORIES: [&str; 4] = [
    include_str!("daily.rs"),
    include_str!("locked_out.rs"),
    include_str!("moving.rs"),
    include_str!("switching.rs"),
];

/// Break it: add a section with a command to a guide.
#[test]
fn every_section_with_something_to_do_is_carried_out_by_a_story() {
    for name in all() {
        let guide = Guide::open(&name);
        let sections = guide.blocks().iter().filter(|block| block.content != Content::Prose);
        let sections: BTreeSet<&str> = sections.map(|block| block.section.as_str()).collect();
        let stories = STORIES.iter().filter(|story| story.contains(&format!("\"{name}\""))).copied();
        let stories: String = stories.collect();
        for section in sections {
            assert!(stories.contains(&format!("\"{section}\"")), "no story plays {section:?} of {name}");
        }
    }
}

/// Break it: take the command out of packaging/test/guest, or out of the guides.
#[test]
fn a_command_that_is_not_run_here_is_in_a_guide_and_run_where_the_table_says() {
    let commands: Vec<String> = all().iter().flat_map(|name| commands(name)).collect();
    for row in OF_THE_HOST {
        assert!(commands.iter().any(|command| command == row.command), "no guide has {:?}", row.command);
        if let Proof::Script(script, text) = row.proof {
            let script = binaries::source("..").join(script);
            let found = fs::read_to_string(&script).expect("a script of packaging/test");
            assert!(found.contains(text), "{} does not run {text:?}", script.display());
        }
    }
}

fn commands(guide: &str) -> Vec<String> {
    let guide = Guide::open(guide);
    let of = |content: &Content| match content {
        Content::Commands(commands) => commands.clone(),
        Content::Transcript(shown) => shown.iter().map(|shown| shown.command.clone()).collect(),
        Content::File(..) | Content::Prose => Vec::new(),
    };
    guide.blocks().iter().flat_map(|block| of(&block.content)).collect()
}

/// Break it: write `mfactl user unluck` anywhere in a guide.
#[test]
fn every_command_line_of_mfactl_in_the_guides_is_one_that_it_understands() {
    let readme = fs::read_to_string(binaries::source("../README.md")).expect("the README");
    let mut seen = 0;
    for (name, text) in all().iter().map(|name| (name.as_str(), text(name))).chain([("README.md", readme)]) {
        for line in mentions(&text) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let verbs: Vec<&str> = words.iter().take_while(is_verb).copied().collect();
            let help = help(&verbs);
            if verbs.is_empty() {
                continue;
            }
            let help = help.unwrap_or_else(|| panic!("{name}: mfactl {line}: there is no such verb"));
            for option in words.iter().filter(|word| word.starts_with("--")) {
                let option = option.trim_end_matches(|letter: char| !letter.is_ascii_lowercase());
                assert!(help.contains(option), "{name}: mfactl {line}: there is no {option}");
            }
            seen += 1;
        }
    }
    assert!(seen > 80, "only {seen} command lines were found");
}

/// What stands behind `mfactl ` where that is a command: in code, or at the beginning of a line with or without a prompt.
fn mentions(text: &str) -> Vec<&str> {
    let end = |rest: &str| rest.find(['`', '|', '"', '#', ')', ',']).unwrap_or(rest.len());
    let is_command = |before: &str| {
        let before = before.trim_start();
        ["`", "# ", "$ "].iter().any(|sign| before.ends_with(sign)) || before.is_empty()
    };
    let of_line = |line: &'_ str| -> Vec<(usize, usize)> {
        let places = line.match_indices("mfactl ").filter(|(at, _)| is_command(&line[..*at]));
        places.map(|(at, word)| (at + word.len(), line.len())).collect()
    };
    let lines =
        text.lines().flat_map(|line| of_line(line).into_iter().map(move |(from, to)| &line[from..to]));
    lines.map(|rest| rest[..end(rest)].trim()).collect()
}

fn is_verb(word: &&&str) -> bool {
    !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        && !word.starts_with('-')
}

/// The help of the longest part of these words that is a verb.
fn help(verbs: &[&str]) -> Option<String> {
    (1..=verbs.len().min(2)).rev().find_map(|length| {
        let words: Vec<&str> = verbs[..length].iter().copied().chain(["--help"]).collect();
        let told = run(binaries::mfactl(), &words);
        let is_whole = !told.out.contains("Commands:");
        (told.code == 0 && is_whole).then_some(told.out)
    })
}
