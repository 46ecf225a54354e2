//! The file that is installed, and the guide, say what the program does.

use mfad::config::{Config, Presence, load};

use crate::scratch::{Scratch, read};

const INSTALLED: &str = include_str!("../../../packaging/mfad.toml");
const GUIDE: &str = include_str!("../../../docs/guide/configuration.md");
const OTHERS: [&str; 4] = [
    include_str!("../../../docs/guide/examples/README.md"),
    include_str!("../../../docs/guide/limits.md"),
    include_str!("../../../docs/guide/mail.md"),
    include_str!("../../../docs/guide/policy.md"),
];

const KEYS: [&str; 42] = [
    "state",
    "runtime",
    "key",
    "require",
    "unenrolled",
    "enrol-ticket",
    "security-contact",
    "factors",
    "prompt",
    "language",
    "tries",
    "throttle",
    "lock-after",
    "resume-window",
    "no-address",
    "on-hook-failure",
    "even-root",
    "grace",
    "digits",
    "lifetime",
    "subject",
    "from",
    "template",
    "transport",
    "smtp",
    "sendmail",
    "maildir",
    "address",
    "self-enrol-domains",
    "per-user",
    "on-failure",
    "log-codes",
    "days",
    "bind",
    "ask",
    "services",
    "provider",
    "ntp",
    "skew",
    "keep-days",
    "keep-events",
    "listen",
];

fn defaults() -> Config {
    Scratch::new().load().unwrap()
}

fn without_files(config: Config) -> Config {
    Config { files: Vec::new(), ..config }
}

#[test]
fn the_installed_file_changes_nothing() {
    assert_eq!(without_files(read(INSTALLED).unwrap()), defaults());
}

#[test]
fn the_lines_of_the_installed_file_are_the_defaults() {
    let uncommented = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    let text: String = INSTALLED.lines().map(uncommented).collect();
    assert_eq!(text.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')).count(), 37);
    assert_eq!(without_files(read(&text).unwrap()), defaults());
}

#[test]
fn the_examples_of_the_installed_file_are_valid() {
    let mut section = "";
    let mut examples = 0;
    for line in INSTALLED.lines() {
        if line.starts_with('[') {
            section = line;
        }
        if let Some(example) = line.strip_prefix("# Example: ") {
            read(&format!("{section}\n{example}\n")).unwrap_or_else(|problems| panic!("{problems}"));
            examples += 1;
        }
    }
    assert_eq!(examples, 12);
}

#[test]
fn the_examples_of_the_guide_are_valid() {
    let blocks_of = |text: &'static str| text.split("```toml\n").skip(1);
    let all = OTHERS.into_iter().chain([GUIDE]).flat_map(blocks_of);
    let blocks: Vec<&str> = all.filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 12);
    for block in blocks {
        // A block of a list is indented.
        let block = block.lines().map(str::trim_start).collect::<Vec<_>>().join("\n");
        let scratch = Scratch::new();
        let place = scratch.path("").display().to_string();
        let block = block.replace("/usr/local/lib/mfad/", &place);
        for program in ["sms-hook", "radius-hook"] {
            scratch.program(program);
        }
        read(&block).unwrap_or_else(|problems| panic!("{block}\n{problems}"));
    }
}

#[test]
fn every_key_is_in_the_installed_file_and_in_the_guide() {
    for key in KEYS {
        assert!(INSTALLED.contains(&format!("{key} = ")), "{key} is missing in packaging/mfad.toml");
        assert!(GUIDE.contains(&format!("| `{key}` |")), "{key} is missing in docs/guide/configuration.md");
    }
}

#[test]
fn every_key_of_a_hook_is_in_the_guide() {
    let problems = read("[[hook]]\nname = \"sms\"\nxyzzyxyzzy = 1\n").unwrap_err();
    let keys = problems.0[0].remedy.split_once("the keys are ").unwrap().1;
    assert_eq!(keys.split(", ").count(), 7);
    for key in keys.split(", ") {
        assert!(GUIDE.contains(&format!("| `{key}` |")), "{key} is missing in docs/guide/configuration.md");
    }
}

#[test]
fn every_key_of_a_rule_is_in_the_guide() {
    let problems = read("[[rule]]\nname = \"x\"\nxyzzyxyzzy = 1\n").unwrap_err();
    let keys = problems.0[0].remedy.split_once("the keys are ").unwrap().1;
    assert_eq!(keys.split(", ").count(), 28);
    for key in keys.split(", ") {
        let own = key.strip_prefix("trust-").unwrap_or(key);
        assert!(GUIDE.contains(&format!("| `{own}` |")), "{key} is missing in docs/guide/configuration.md");
    }
}

#[test]
fn the_list_of_keys_above_is_the_one_of_the_program() {
    // An unknown key that resembles nothing is answered by the list of all keys.
    let mut told: Vec<String> = Vec::new();
    for section in ["paths", "login", "email", "trust", "time", "audit", "metrics"] {
        let scratch = Scratch::new();
        scratch.write("mfad.toml", format!("[{section}]\nxyzzyxyzzy = 1\n"));
        let problems = load(&scratch.main(), Presence::Required).unwrap_err();
        let keys = problems.0[0].remedy.split_once("the keys are ").unwrap().1.to_owned();
        told.extend(keys.split(", ").map(str::to_owned));
    }
    assert_eq!(told, KEYS);
}
