//! `[[rule]]` and `[trust]`: what they mean, and what is wrong with them.

use mfad::config::{AskFirst, Bind, Network, OnFailure, Problems, Require};

use crate::scratch::read;

fn faults(text: &str) -> Vec<String> {
    told(&read(text).expect_err(text))
}

fn told(problems: &Problems) -> Vec<String> {
    let told = |problem: &mfad::config::Problem| {
        format!("{}: {}; {}", problem.line.unwrap_or(0), problem.message, problem.remedy)
    };
    problems.0.iter().map(told).collect()
}

#[test]
fn a_rule_sets_what_it_says_and_leaves_the_rest() {
    let config = read(
        "[login]\ntries = 2\nfactors = [\"totp\", \"email\"]\n[trust]\ndays = 3\nask = false\n\
         [[rule]]\nname = \"a\"\nusers = [\"ada\"]\nrequire = \"always\"\ntrust-bind = [\"source/24\"]\n\
         on-email-failure = \"deny\"\n[[rule]]\nname = \"b\"\nusers = [\"bob\"]\ntrust-days = 0\n",
    )
    .unwrap();
    let [first, second] = &config.rules[..] else { panic!("{:?}", config.rules) };
    assert_eq!((first.terms.login.require, first.terms.login.tries), (Require::Always, 2));
    assert_eq!(first.terms.login.factors, config.terms.login.factors);
    assert_eq!((first.terms.trust.days, first.terms.trust.ask), (3, AskFirst::No));
    assert_eq!(first.terms.trust.bind, [Bind::Source(Network { v4: 24, v6: 64 })]);
    assert_eq!(first.terms.on_email_failure, OnFailure::Deny);
    assert_eq!(second.terms.trust.days, 0);
    assert_eq!(second.terms.login.require, Require::Enrolled);
    let name = first.terms.rule.as_ref().unwrap();
    assert_eq!((name.name.as_str(), name.line), ("a", 7));
}

#[test]
fn what_is_no_rule_is_refused_with_a_place_and_a_remedy() {
    let rule = |lines: &str| format!("[[rule]]\nname = \"x\"\n{lines}\n");
    for (lines, fault) in [
        ("require = \"never\"", "1: the rule has no condition; add users, groups"),
        ("users = [\"a\"]", "1: the rule sets nothing; add what holds"),
        (
            "require = \"never\"\nusers = [\"a\"]",
            "4: a condition stands below what the rule sets; move it up",
        ),
        ("user = [\"a\"]\ntries = 1", "3: unknown key; did you mean users?"),
        ("users = [\"a\"]\ndigits = 6", "4: unknown key; it is a key of [email]: move it there"),
        ("users = []\ntries = 1", "3: the list is empty"),
        (
            "sources = [\"10.0.0.1/8\"]\ntries = 1",
            "3: the address has bits behind the network's length; write \"10.0.0.0/8\"",
        ),
        (
            "sources = [\"locl\"]\ntries = 1",
            "3: this is neither a network nor \"local\"; did you mean \"local\"?",
        ),
        ("sources = [\"10.0.0.0/33\"]\ntries = 1", "3: this is neither a network"),
        (
            "ssh-keys = [\"ssh-ed25518\"]\ntries = 1",
            "3: no SSH key is of such a type; did you mean \"ssh-ed25519\"?",
        ),
        ("ssh-keys = [\"gpg-*\"]\ntries = 1", "3: no SSH key is of such a type; write a type"),
        ("ssh-keys = [\"SHA256:short\"]\ntries = 1", "3: this is no fingerprint; copy it from"),
        ("first-factor = \"pubkey\"\ntries = 1", "3: this word is not known here"),
        ("between = \"8-18\"\ntries = 1", "3: this is no time of the day; write it as"),
        ("between = \"08:00-25:00\"\ntries = 1", "3: this is no time of the day"),
        ("between = \"08:00-08:00\"\ntries = 1", "3: this is no time of the day"),
        ("between = \"08:00-18:00 Monday\"\ntries = 1", "3: no day is called Monday; did you mean Mon?"),
        (
            "between = \"08:00-18:00 Mon Europe/Berlim\"\ntries = 1",
            "3: this host knows no time zone Europe/Berlim; did you mean Europe/Berlin?",
        ),
        ("between = \"08:00-18:00 Mon UTC now\"\ntries = 1", "3: there is something behind the time zone"),
        (
            "users = [\"a\"]\nfactors = [\"topt\"]",
            "4: no factor and no hook has this name; did you mean \"totp\"?",
        ),
        ("users = [\"a\"]\ntrust-bind = [\"source/4\"]", "4: the network is not /8 to /32"),
        ("users = [\"a\"]\ngrace = \"1h\"", "4: "),
    ] {
        let found = faults(&rule(lines));
        assert!(found.iter().any(|found| found.starts_with(fault)), "{lines}\n{found:#?}");
    }
    let twice = format!("{0}{0}", rule("users = [\"a\"]\ntries = 1"));
    assert!(faults(&twice)[0].contains("another rule has this name"));
    assert!(faults("[[rule]]\nusers = [\"a\"]\ntries = 1\n")[0].contains("the key name is missing"));
}

#[test]
fn a_fault_of_login_is_told_once_however_many_rules_there_are() {
    let rules: String = (0..5)
        .map(|n| format!("[[rule]]\nname = \"r{n}\"\nusers = [\"a{n}\"]\nrequire = \"never\"\n"))
        .collect();
    assert_eq!(faults(&format!("[login]\ntries = 0\n{rules}")).len(), 1);
}

#[test]
fn a_rule_that_can_never_match_is_told() {
    let warnings = |rules: &str| told(&Problems(read(rules).unwrap().warnings));
    for (first, second, odd) in [
        ("users = [\"*\"]", "users = [\"ada\"]", true),
        ("users = [\"ops-*\"]", "users = [\"ops-eve\"]\nservices = [\"sshd\"]", true),
        ("users = [\"ops-*\"]", "users = [\"ops-eve\", \"ada\"]", false),
        ("sources = [\"10.0.0.0/8\"]", "sources = [\"10.1.0.0/16\"]", true),
        ("sources = [\"10.1.0.0/16\"]", "sources = [\"10.0.0.0/8\"]", false),
        ("groups = [\"wheel\"]", "groups = [\"wheel\"]\nbetween = \"08:00-18:00\"", true),
        ("groups = [\"wheel\"]\nbetween = \"08:00-18:00\"", "groups = [\"wheel\"]", false),
        ("users = [\"x\"]", "ssh-keys = [\"sk-*\"]\nsources = [\"local\"]", true),
        ("users = [\"x\"]", "ssh-keys = [\"sk-*\"]\nfirst-factor = \"password\"", true),
        ("users = [\"x\"]", "first-factor = \"publickey\"\nsources = [\"local\", \"10.0.0.0/8\"]", false),
    ] {
        let rules = format!(
            "[[rule]]\nname = \"one\"\n{first}\ntries = 1\n[[rule]]\nname = \"two\"\n{second}\ntries = 1\n"
        );
        let found = warnings(&rules);
        assert_eq!(found.len(), usize::from(odd), "{rules}\n{found:?}");
        assert!(found.iter().all(|found| found.contains("this rule can never match")), "{found:?}");
    }
}

/// A file that was cut off makes no rule wider: whatever is left of it is refused, or has all conditions.
#[test]
fn a_rule_that_was_cut_off_has_all_its_conditions_or_is_refused() {
    let whole = "[[rule]]\nname = \"office\"\nusers = [\"ada\"]\nsources = [\"10.0.0.0/8\"]\nrequire = \"never\"\ntries = 1\n";
    let full = read(whole).unwrap().rules.remove(0);
    let mut accepted = 0;
    for end in "[[rule]]".len()..whole.len() {
        if let Ok(config) = read(&whole[..end]) {
            assert_eq!(config.rules[0].when, full.when, "cut at byte {end}");
            accepted += 1;
        }
    }
    assert!(accepted > 0);
}
