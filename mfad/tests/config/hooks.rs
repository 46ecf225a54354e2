//! `[[hook]]` sections: what they say, how files add up, and what is refused.

use std::fs;
use std::os::unix::fs::chown;
use std::time::Duration;

use mfad::config::{FactorKind, Hook, HookProof, Problems};

use crate::scratch::{Scratch, restrict, summary};

/// A directory with a program, and a configuration in which `PROGRAM` is that one.
struct Site {
    scratch: Scratch,
    program: String,
}

impl Site {
    fn new() -> Self {
        let scratch = Scratch::new();
        let program = scratch.program("program").display().to_string();
        Site { scratch, program }
    }

    fn drop_in(&self, name: &str, text: &str) -> &Self {
        self.scratch.drop_in(name, &text.replace("PROGRAM", &format!("\"{}\"", self.program)));
        self
    }

    fn hooks(&self) -> Result<Vec<Hook>, Problems> {
        self.scratch.load().map(|config| config.hooks)
    }
}

fn read(text: &str) -> Result<mfad::config::Config, Problems> {
    Site::new().drop_in("a.toml", text).scratch.load()
}

fn faults(text: &str) -> Vec<String> {
    let problems = read(text).unwrap_err();
    assert!(problems.0.iter().all(|problem| !problem.remedy.is_empty()), "{problems}");
    summary(&problems)
}

/// One hook whose other lines are these has one fault.
fn check(table: &[(&str, &str)]) {
    for (lines, expected) in table {
        assert_eq!(faults(&format!("[[hook]]\n{lines}\n")), [*expected], "{lines}");
    }
}

#[test]
fn a_hook_needs_a_name_and_a_program_and_the_rest_has_defaults() {
    let site = Site::new();
    site.drop_in("a.toml", "[[hook]]\nname = \"sms\"\nsend = [PROGRAM, \"-x\", \"a b\"]\ncheck = []\n");
    let hooks = site.hooks().unwrap();
    let send = vec![site.program.clone(), "-x".to_owned(), "a b".to_owned()];
    let expected = Hook {
        name: "sms".to_owned(),
        proof: HookProof::Sent { send: send.clone(), digits: 6 },
        fallback: None,
        timeout: Duration::from_secs(10),
        lifetime: Duration::from_secs(300),
    };
    assert_eq!(hooks, [expected]);
    assert_eq!((hooks[0].send(), hooks[0].check()), (Some(send.as_slice()), None));
}

#[test]
fn all_keys_of_a_hook_are_understood() {
    let config = read(
        "[[hook]]\nname = \"sms-2\"\nsend = [PROGRAM]\ndigits = 4\nfallback = \"email\"\ntimeout = \"30s\"\n\
         lifetime = \"10m\"\n[[hook]]\nname = \"radius\"\nsend = []\ncheck = [PROGRAM]\nfallback = \"sms-2\"\n\
         [[hook]]\nname = \"call\"\nsend = [PROGRAM]\ncheck = [PROGRAM]\n",
    )
    .unwrap();
    let [sms, radius, call] = config.hooks.as_slice() else { panic!("{:?}", config.hooks) };
    assert!(matches!(sms.proof, HookProof::Sent { digits: 4, .. }));
    assert_eq!(sms.fallback, Some(FactorKind::Email));
    assert_eq!((sms.timeout, sms.lifetime), (Duration::from_secs(30), Duration::from_secs(600)));
    assert!(matches!(radius.proof, HookProof::Checked { send: None, .. }));
    assert_eq!(radius.fallback, Some(FactorKind::Hook("sms-2".to_owned())));
    assert!(matches!(call.proof, HookProof::Checked { send: Some(_), .. }));
    let hook = |name: &str| FactorKind::Hook(name.to_owned());
    let mut order = vec![FactorKind::Totp, FactorKind::Hotp, FactorKind::Email];
    order.extend([hook("sms-2"), hook("radius"), hook("call"), FactorKind::Recovery, FactorKind::Bypass]);
    assert_eq!(config.terms.login.factors, order);
}

#[test]
fn factors_name_hooks_of_any_file() {
    let site = Site::new();
    site.drop_in("a.toml", "login.factors = [\"sms\", \"email\"]\n");
    site.drop_in("b.toml", "[[hook]]\nname = \"sms\"\nsend = [PROGRAM]\n");
    let factors = site.scratch.load().unwrap().terms.login.factors;
    assert_eq!(factors, [FactorKind::Hook("sms".to_owned()), FactorKind::Email]);
}

#[test]
fn a_later_file_replaces_a_hook_and_keeps_its_rank() {
    let site = Site::new();
    site.drop_in(
        "a.toml",
        "[[hook]]\nname = \"one\"\nsend = []\n[[hook]]\nname = \"two\"\ncheck = [PROGRAM]\n",
    );
    site.drop_in(
        "b.toml",
        "[[hook]]\nname = \"three\"\ncheck = [PROGRAM]\n[[hook]]\nname = \"one\"\nsend = [PROGRAM]\n",
    );
    let hooks = site.hooks().unwrap();
    let names: Vec<&str> = hooks.iter().map(|hook| hook.name.as_str()).collect();
    assert_eq!(names, ["one", "two", "three"]);
    assert!(hooks[0].send().is_some(), "a fault of what was replaced does not count");
}

#[test]
fn names_that_are_twice_in_a_file_or_belong_to_mfad_are_refused() {
    let two = "[[hook]]\nname = \"sms\"\nsend = [PROGRAM]\n[[hook]]\nname = \"sms\"\nsend = [PROGRAM]\n";
    assert_eq!(faults(two), ["5:8 hook.name: two hooks of this file have the same name"]);
    for name in ["totp", "hotp", "email", "recovery", "bypass", "hook", "http", "upstream"] {
        let lines = format!("[[hook]]\nname = \"{name}\"\nsend = [PROGRAM]\n");
        assert_eq!(faults(&lines), ["2:8 hook.name: a factor of mfad has this name"]);
    }
    let long = "x".repeat(33);
    for name in ["SMS", "s_m", "s m", "ü", long.as_str()] {
        let lines = format!("[[hook]]\nname = \"{name}\"\nsend = [PROGRAM]\n");
        assert_eq!(faults(&lines), ["2:8 hook.name: this is no name for a hook"], "{name}");
    }
}

#[test]
fn values_of_a_hook_that_do_not_fit_are_refused() {
    let named = |line: &str| format!("name = \"sms\"\nsend = [PROGRAM]\n{line}");
    check(&[
        ("send = [PROGRAM]", "1:1 hook: the key name is missing"),
        ("name = \"sms\"", "2:8 hook.name: the hook has neither send nor check"),
        ("name = \"sms\"\nsend = []\ncheck = []", "2:8 hook.name: the hook has neither send nor check"),
        ("name = \"sms\"\nsend = \"/bin/sms -x\"", "3:8 hook.send: a command is a list of arguments"),
        ("name = \"sms\"\nsend = [\"sms\"]", "3:9 hook.send: the path does not start at /"),
        ("name = \"sms\"\nsend = [\"/etc\"]", "3:9 hook.send: what the path names is no program"),
        ("name = \"sms\"\ncheck = [\"/etc/passwd\"]", "3:10 hook.check: what the path names is no program"),
        (
            "name = \"sms\"\ndigits = 6\ncheck = [PROGRAM]",
            "3:10 hook.digits: with check the program knows what a code looks like, and mfad makes none",
        ),
        (&named("digits = 3"), "4:10 hook.digits: the number is not between 4 and 10"),
        (&named("digits = 11"), "4:10 hook.digits: the number is not between 4 and 10"),
        (&named("timeout = \"31s\""), "4:11 hook.timeout: the duration is not between 1s and 30s"),
        (&named("timeout = 10"), "4:11 hook.timeout: a duration needs a unit"),
        (&named("lifetime = \"29s\""), "4:12 hook.lifetime: the duration is not between 30s and 10m"),
        (&named("fallback = \"emial\""), "4:12 hook.fallback: no factor and no hook has this name"),
        (&named("fallback = \"sms\""), "4:12 hook.fallback: the fallbacks lead back to this hook"),
        (&named("fallbak = \"email\""), "4:1 hook.fallbak: unknown key"),
    ]);
    assert_eq!(
        faults("[hook]\nname = \"sms\"\n"),
        ["1:1 hook: there may be many hooks, so each is an item of a list"]
    );
    assert_eq!(faults("hook = [3]\n"), ["1:9 hook: a table belongs here"]);
    let remedy =
        read(&format!("[[hook]]\n{}", named("fallback = \"emial\""))).unwrap_err().0[0].remedy.clone();
    assert_eq!(remedy, "did you mean \"email\"?");
}

#[test]
fn fallbacks_that_lead_in_a_circle_are_refused() {
    let hook = |name: &str, next: &str| {
        format!("[[hook]]\nname = \"{name}\"\ncheck = [PROGRAM]\nfallback = \"{next}\"\n")
    };
    let chain = hook("a", "b") + &hook("b", "c");
    assert!(read(&(chain.clone() + &hook("c", "email"))).is_ok());
    let message = "the fallbacks lead back to this hook";
    let expected = [4, 8, 12].map(|line| format!("{line}:12 hook.fallback: {message}"));
    assert_eq!(faults(&(chain.clone() + &hook("c", "a"))), expected);
    let tail = faults(&(chain + &hook("c", "b")));
    assert_eq!(tail, [8, 12].map(|line| format!("{line}:12 hook.fallback: {message}")));
}

/// To break it on purpose: drop a check in `values::program`.
#[test]
fn a_program_that_others_may_change_is_refused() {
    let site = Site::new();
    site.drop_in("a.toml", "[[hook]]\nname = \"sms\"\nsend = [PROGRAM]\n");
    let program = site.scratch.path("program");
    for (mode, message) in [
        (0o775, Some("others than its owner may write to the program (mode 0775)")),
        (0o757, Some("others than its owner may write to the program (mode 0757)")),
        (0o644, Some("what the path names is no program")),
        (0o500, None),
        (0o755, None),
    ] {
        restrict(&program, mode);
        let found = site.hooks().err().map(|problems| problems.0[0].message.clone());
        assert_eq!(found.as_deref(), message, "{mode:o}");
    }
    if nix::unistd::geteuid().is_root() {
        chown(&program, Some(12_345), None).unwrap();
        let problems = site.hooks().unwrap_err();
        assert_eq!(problems.0[0].message, "the program belongs to uid 12345, who could change it");
    }
    fs::remove_file(&program).unwrap();
    let problems = site.hooks().unwrap_err();
    assert!(problems.0[0].message.starts_with("the program cannot be used: "), "{problems}");
}

/// To break it on purpose: show the lines of `hook.send`.
#[test]
fn a_secret_among_the_arguments_is_not_repeated() {
    for line in [
        "send = [\"sms\", \"--key=hunter2\"]",
        "check = \"sms --key=hunter2\"",
        "send = [PROGRAM, 3, \"hunter2\"]",
    ] {
        let problems = read(&format!("[[hook]]\nname = \"sms\"\n{line}\n")).unwrap_err();
        assert!(!problems.to_string().contains("hunter2"), "{problems}");
    }
}
