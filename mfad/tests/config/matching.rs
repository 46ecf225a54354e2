//! A site's rules against many attempts: an oracle that is written another way says which rule counts.

use mfad::config::{Config, Require};
use mfad::moment::Moment;
use mfad::rules::attempt::{Attempt, Service, Source, SshKey, ToldBy, UserName};
use mfad::rules::matching::{groups_that_matter, terms, trace, trace_id};
use proptest::prelude::*;

/// Rules for a lawyer's office, as somebody would write them. 2026-11-23 is a Monday.
const OFFICE: &str = r#"
[[rule]]
name = "git"
users = ["git"]
services = ["sshd"]
require = "never"

[[rule]]
name = "cron"
services = ["cron", "atd", "ftp*"]
require = "never"

[[rule]]
name = "security keys"
ssh-keys = ["sk-*"]
require = "never"

[[rule]]
name = "lost laptop"
ssh-keys = ["SHA256:qUBgcxB8qWzF6FpCIIgbFsvUyQo9yuTWiz5TbkcDUqk"]
require = "always"

[[rule]]
name = "admins"
users = ["root", "ops-*"]
groups = ["wheel"]
require = "always"

[[rule]]
name = "day shift"
groups = ["clerks"]
sources = ["10.0.0.0/8", "2001:db8:a::/48", "local"]
between = "08:00-18:00 Mon-Fri UTC"
require = "never"

[[rule]]
name = "night shift"
groups = ["clerks"]
between = ["22:00-06:00 Mon-Thu UTC", "00:00-24:00 Sat,Sun UTC"]
require = "enrolled"

[[rule]]
name = "keys"
first-factor = "publickey"
sources = ["192.0.2.0/24", "::ffff:198.51.100.0/120"]
require = "enrolled"
"#;

const LOST: &str = "SHA256:qUBgcxB8qWzF6FpCIIgbFsvUyQo9yuTWiz5TbkcDUqk";

fn read(text: &str) -> Config {
    crate::scratch::read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Minutes since Monday, 2026-11-23T00:00Z.
fn at(minutes: u64) -> Moment {
    let wall = 1_795_392_000_000 + minutes * 60_000;
    Moment { wall, boot: wall, boot_id: 1 }
}

fn key(kind: &str, fingerprint: &str) -> Option<SshKey> {
    Some(SshKey { kind: kind.into(), fingerprint: fingerprint.into() })
}

/// Every combination of these.
fn attempts() -> Vec<Attempt> {
    let users = ["root", "ops-eve", "ada", "git"];
    let services = ["sshd", "sudo", "ftpd"];
    let sources = [
        "10.1.2.3",
        "::ffff:10.1.2.3",
        "2001:db8:a::7",
        "192.0.2.9",
        "198.51.100.7",
        "tty1",
        "pts/3",
        "unknown",
    ];
    let keys = [
        None,
        key("ssh-ed25519", "SHA256:x"),
        key("sk-ssh-ed25519@openssh.com", "SHA256:y"),
        key("ssh-rsa", LOST),
    ];
    let groups: [&[&str]; 3] = [&[], &["wheel"], &["clerks", "wheel"]];
    let mut attempts = Vec::new();
    for user in users {
        for service in services {
            for source in sources {
                for key in &keys {
                    for groups in groups {
                        attempts.push(Attempt {
                            user: UserName::parse(user).unwrap(),
                            service: Service::read(service),
                            source: Source::try_from(source.to_owned()).unwrap_or(Source::Local),
                            connection: None,
                            tty: Some(source.to_owned()),
                            ssh_key: key.clone(),
                            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
                            told_by: ToldBy::Root,
                        });
                    }
                }
            }
        }
    }
    attempts
}

/// What the office's rules say, in plain words.
fn expected(attempt: &Attempt, minutes: u64) -> Option<&'static str> {
    let (user, service) = (attempt.user.as_str(), attempt.service.as_str());
    let kind = attempt.ssh_key.as_ref().map_or("", |key| key.kind.as_str());
    let fingerprint = attempt.ssh_key.as_ref().map_or("", |key| key.fingerprint.as_str());
    let source = attempt.source.to_string();
    let is_in = |group: &str| attempt.groups.iter().any(|own| own == group);
    let (day, minute) = (minutes / 1440 % 7, minutes % 1440);
    let at_home = source.starts_with("10.")
        || source.starts_with("2001:db8:a:")
        || attempt.tty.as_deref() == Some("tty1");
    let night = (minute >= 1320 && day < 4) || (minute < 360 && (1..5).contains(&day)) || day >= 5;
    let partner = source.starts_with("192.0.2.") || source.starts_with("198.51.100.");
    [
        ("git", user == "git" && service == "sshd"),
        ("cron", service == "ftpd"),
        ("security keys", kind.starts_with("sk-")),
        ("lost laptop", fingerprint == LOST),
        ("admins", (user == "root" || user == "ops-eve") && is_in("wheel")),
        ("day shift", is_in("clerks") && at_home && day < 5 && (480..1080).contains(&minute)),
        ("night shift", is_in("clerks") && night),
        ("keys", !kind.is_empty() && partner),
    ]
    .into_iter()
    .find_map(|(rule, holds)| holds.then_some(rule))
}

fn counting<'a>(config: &'a Config, attempt: &Attempt, now: Moment) -> Option<&'a str> {
    terms(config, attempt, now).unwrap().rule.as_ref().map(|rule| rule.name.as_str())
}

#[test]
fn the_first_rule_of_which_every_condition_holds_counts() {
    let config = read(OFFICE);
    let attempts = attempts();
    assert_eq!(attempts.len(), 1152);
    // Monday 07:59, 08:00, 17:59, 18:00, 23:00; Tuesday 05:59, 06:00; Friday 23:00; Saturday 05:00; Sunday 23:59.
    for minutes in [479, 480, 1079, 1080, 1380, 1799, 1800, 7140, 7500, 10_079] {
        for attempt in &attempts {
            let counts = counting(&config, attempt, at(minutes));
            assert_eq!(counts, expected(attempt, minutes), "{minutes}: {attempt:?}");
        }
    }
}

#[test]
fn the_trace_tells_what_counts() {
    let config = read(OFFICE);
    for attempt in attempts() {
        let looked = trace(&config, &attempt, at(480)).unwrap();
        let last = looked.last().filter(|last| last.failing.is_none());
        let name = last.and_then(|last| last.rule.terms.rule.as_ref()).map(|rule| rule.name.as_str());
        assert_eq!(name, counting(&config, &attempt, at(480)));
        assert!(looked.iter().rev().skip(1).all(|looked| looked.failing.is_some()));
        assert_eq!(trace_id(&looked).len(), 4);
    }
}

#[test]
fn a_time_that_no_calendar_has_is_an_error_and_no_rule_that_does_not_match() {
    let config = read("[[rule]]\nname = \"day\"\nbetween = \"08:00-18:00\"\nrequire = \"always\"\n");
    let attempt = &attempts()[0];
    assert!(terms(&config, attempt, Moment { wall: u64::MAX, ..at(0) }).is_err());
    assert!(terms(&read(""), attempt, Moment { wall: u64::MAX, ..at(0) }).is_ok());
}

#[test]
fn only_groups_that_can_decide_are_asked_for() {
    let config = read(OFFICE);
    let of = |user: &str, service: &str, source: &str| {
        let sample = Attempt {
            user: UserName::parse(user).unwrap(),
            service: Service::read(service),
            source: Source::try_from(source.to_owned()).unwrap(),
            ..attempts()[0].clone()
        };
        groups_that_matter(&config, &sample)
    };
    assert_eq!(of("root", "sshd", "10.0.0.1"), ["clerks", "wheel"]);
    assert_eq!(of("ada", "sshd", "10.0.0.1"), ["clerks"]);
    assert!(of("git", "sshd", "10.0.0.1").is_empty(), "a rule before them is theirs, whoever they are");
    assert!(of("root", "cron", "10.0.0.1").is_empty());
    assert!(groups_that_matter(&read(""), &attempts()[0]).is_empty());
}

proptest! {
    /// To break it on purpose: let `failing` stop at the first condition that holds.
    #[test]
    fn a_rule_that_does_not_match_changes_nothing(
        which in 0_usize..1152, place in 0_usize..9, minutes in 0_u64..10_080, never in any::<bool>(),
    ) {
        let before = read(OFFICE);
        let attempt = attempts().swap_remove(which);
        let mut after = before.clone();
        let mut stranger = read("[[rule]]\nname = \"new\"\nusers = [\"*\"]\ngroups = [\"nobody-is-in-it\"]\nrequire = \"never\"\n");
        let mut rule = stranger.rules.remove(0);
        if !never {
            rule.terms.login.require = Require::Always;
        }
        after.rules.insert(place.min(after.rules.len()), rule);
        prop_assert_eq!(terms(&before, &attempt, at(minutes)), terms(&after, &attempt, at(minutes)));
    }
}

#[test]
#[ignore = "prints a figure; run it by name, in a release build"]
#[allow(clippy::print_stdout, reason = "that is what it is for")]
fn how_long_a_decision_among_a_thousand_rules_takes() {
    let team = |n: usize| {
        format!(
            "[[rule]]\nname = \"team {n}\"\nusers = [\"team-{n}-*\"]\ngroups = [\"team-{n}\"]\nservices = [\"sshd\"]\n\
             sources = [\"10.{}.{}.0/24\", \"local\"]\nbetween = \"08:00-18:00 Mon-Fri\"\nrequire = \"always\"\n",
            n / 256,
            n % 256
        )
    };
    let config = read(&(0..1000).map(team).collect::<String>());
    let attempts = attempts();
    let mut times: Vec<u128> = (0..20_000)
        .map(|n| {
            let (attempt, started) = (&attempts[n % attempts.len()], std::time::Instant::now());
            let looked = trace(&config, attempt, at(480)).unwrap();
            std::hint::black_box((trace_id(&looked), groups_that_matter(&config, attempt)));
            std::hint::black_box((
                terms(&config, attempt, at(480)).ok(),
                terms(&config, attempt, at(480)).ok(),
            ));
            started.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    println!("p50 {} ns, p99 {} ns a login", times[times.len() / 2], times[times.len() * 99 / 100]);
}
