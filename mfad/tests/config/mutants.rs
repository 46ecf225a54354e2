//! What a slip in an editor, a full disk or a broken copy can do to a configuration: it is refused, or it is at least as
//! strict as the file was meant to be or as the documented defaults are. No mutant opens a door, and none panics.
//!
//! To break it on purpose: let `Fields::add` skip unknown keys, or let a reader fall back to its default.

use mfad::config::{
    Config, EnrolTicket, LogCodes, NoAddress, OnFailure, Presence, Require, Security, Transport, Unenrolled,
    load,
};

use crate::scratch::{Scratch, read};

/// All keys, each stricter than its default where that is possible.
const FULL: &str = r#"[paths]
state = "/srv/mfad/state"
runtime = "/srv/mfad/run"
key = "/srv/mfad/key"

[login]
require = "always"
unenrolled = "deny"
enrol-ticket = "required"
security-contact = ["security@example.org", "root@localhost"]
factors = ["email"]
prompt = "Code: "
language = "en"
tries = 2
throttle = { failures = 3, within = "10m" }
lock-after = 10
resume-window = "1m"
no-address = "deny"

[email]
digits = 8
lifetime = "2m"
subject = "Code for $USER on $HOST"
from = "Example login <login@$HOST>"
transport = "smtp"
smtp = [{ url = "smtps://u@mx.example.org:465", password-file = "relay" }, { url = "smtp://mx2.example.org" }]
sendmail = ["/usr/sbin/sendmail", "-t", "-i"]
maildir = "/var/mail-pickup/$USER"
address = ["account", "pattern:$USER@example.org"]
self-enrol-domains = ["example.org"]
per-user = { "10m" = 3, "1d" = 10 }
on-failure = "deny"
log-codes = false

[time]
provider = "ntp"
ntp = { server = "ntp.example.org", timeout = "2s" }
skew = 0

[audit]
keep-days = 3650
keep-events = 2000000

[metrics]
listen = "127.0.0.1:9464"
"#;

/// What a mutant may be at most as lax as.
fn is_no_weaker(mutant: &Config, full: &Config, defaults: &Config) -> Result<(), &'static str> {
    let floor = |fine: bool, what: &'static str| if fine { Ok(()) } else { Err(what) };
    let (m, f, d) = (&mutant.terms.login, &full.terms.login, &defaults.terms.login);
    floor(m.require == f.require || m.require == d.require, "require")?;
    floor(m.require != Require::Never, "require")?;
    floor(m.unenrolled == Unenrolled::Deny, "unenrolled")?;
    floor(m.enrol_ticket == EnrolTicket::Required, "enrol-ticket")?;
    floor(m.tries <= f.tries.max(d.tries), "tries")?;
    floor(m.throttle.failures <= f.throttle.failures.max(d.throttle.failures), "throttle.failures")?;
    floor(m.throttle.within >= f.throttle.within.min(d.throttle.within), "throttle.within")?;
    floor(m.lock_after <= f.lock_after.max(d.lock_after), "lock-after")?;
    floor(m.resume_window <= f.resume_window.max(d.resume_window), "resume-window")?;
    floor(m.no_address == NoAddress::Deny, "no-address")?;
    let (m, f, d) = (&mutant.email, &full.email, &defaults.email);
    floor(m.digits >= f.digits.min(d.digits), "digits")?;
    floor(m.lifetime <= f.lifetime.max(d.lifetime), "lifetime")?;
    floor(mutant.terms.on_email_failure != OnFailure::Bypass, "on-failure")?;
    floor(m.log_codes == LogCodes::No, "log-codes")?;
    let allowed = &f.self_enrol_domains;
    floor(m.self_enrol_domains.iter().all(|domain| allowed.contains(domain)), "self-enrol-domains")?;
    floor(mutant.time.skew <= defaults.time.skew, "skew")?;
    floor(m.transport == d.transport || m.transport == f.transport || is_encrypted(&m.transport), "smtp")
}

fn is_encrypted(transport: &Transport) -> bool {
    match transport {
        Transport::Smtp(relays) => relays.iter().all(|relay| relay.security != Security::Plain),
        Transport::Sendmail(_) | Transport::Maildir(_) => false,
    }
}

struct Range {
    scratch: Scratch,
    full: Config,
    defaults: Config,
    accepted: u32,
    refused: u32,
}

impl Range {
    fn new() -> Self {
        let (full, defaults) = (read(FULL).unwrap(), Scratch::new().load().unwrap());
        Range { scratch: Scratch::new(), full, defaults, accepted: 0, refused: 0 }
    }

    fn shoot(&mut self, text: &[u8]) -> Option<Config> {
        self.scratch.write("mfad.toml", text);
        match load(&self.scratch.main(), Presence::Required) {
            Ok(config) => {
                let text = String::from_utf8_lossy(text);
                if let Err(what) = is_no_weaker(&config, &self.full, &self.defaults) {
                    panic!("{what} became weaker:\n{text}\n{config:?}");
                }
                self.accepted += 1;
                Some(config)
            }
            Err(problems) => {
                assert!(!problems.0.is_empty() && !problems.to_string().is_empty());
                self.refused += 1;
                None
            }
        }
    }
}

fn lines() -> Vec<&'static str> {
    FULL.lines().collect()
}

#[test]
fn the_full_file_has_every_key_but_the_template() {
    assert_eq!(lines().iter().filter(|line| line.contains(" = ")).count(), 34);
}

#[test]
fn a_line_that_is_lost_brings_back_its_default_or_is_missed() {
    let mut range = Range::new();
    for lost in 0..lines().len() {
        let mut lines = lines();
        let line = lines.remove(lost);
        let config = range.shoot(lines.join("\n").as_bytes());
        // A lost header moves keys into another section, or out of all: never silently.
        assert!(config.is_some() != line.starts_with('['), "{line}");
    }
}

#[test]
fn a_file_that_was_cut_off_is_refused_or_as_strict_as_the_defaults() {
    let mut range = Range::new();
    for end in 0..FULL.len() {
        let config = range.shoot(&FULL.as_bytes()[..end]);
        let require = FULL.find("require = ").unwrap();
        if let Some(config) = config {
            let whole = end >= require + "require = \"always\"".len();
            assert_eq!(config.terms.login.require == Require::Always, whole, "cut at byte {end}");
        }
    }
    assert!(range.refused > range.accepted, "{} refused, {} accepted", range.refused, range.accepted);
}

#[test]
fn a_value_that_was_mangled_is_refused_or_no_weaker() {
    let manglers: [fn(&str) -> String; 20] = [
        |_| String::new(),
        |_| "\"\"".to_owned(),
        |_| "0".to_owned(),
        |_| "-1".to_owned(),
        |_| "99999999999999999999".to_owned(),
        |_| "3.5".to_owned(),
        |_| "true".to_owned(),
        |_| "1979-05-27".to_owned(),
        |_| "[]".to_owned(),
        |_| "{}".to_owned(),
        |_| "\"\\u0000\"".to_owned(),
        |_| "nan".to_owned(),
        |value| format!("[{value}]"),
        |value| format!("{{ x = {value} }}"),
        |value| value.replace('"', ""),
        str::to_uppercase,
        |value| value.replacen('"', "\" ", 1),
        |value| value.replacen('"', "'", 1),
        |value| format!("{value} {value}"),
        |value| value.chars().rev().collect(),
    ];
    let mut range = Range::new();
    let lines = lines();
    for (at, line) in lines.iter().enumerate() {
        let Some((key, value)) = line.split_once(" = ") else { continue };
        for mangle in manglers {
            if (key, mangle(value).as_str()) == ("log-codes", "true") {
                continue; // Not a slip: it says so.
            }
            let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            lines[at] = format!("{key} = {}", mangle(value));
            range.shoot(lines.join("\n").as_bytes());
        }
    }
    assert!(range.refused + range.accepted > 500);
    assert!(range.refused > 9 * range.accepted, "{} refused, {} accepted", range.refused, range.accepted);
}

#[test]
fn a_key_that_was_mistyped_is_refused() {
    let mut range = Range::new();
    let manglers: [fn(&str) -> String; 5] = [
        |key| format!("{key}s"),
        |key| key[1..].to_owned(),
        str::to_uppercase,
        |key| format!("x.{key}"),
        |key| format!("\"{key} \""),
    ];
    for (at, line) in lines().iter().enumerate() {
        let Some((key, value)) = line.split_once(" = ") else { continue };
        for mangle in manglers {
            let mistyped = format!("{} = {value}", mangle(key));
            let mut lines = lines();
            lines[at] = &mistyped;
            assert!(range.shoot(lines.join("\n").as_bytes()).is_none(), "{mistyped}");
        }
    }
}

#[test]
fn a_line_that_is_there_twice_is_refused() {
    let mut range = Range::new();
    for (at, line) in lines().iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let mut lines = lines();
        lines.insert(at, line);
        assert!(range.shoot(lines.join("\n").as_bytes()).is_none(), "{line}");
    }
}

#[test]
fn a_byte_that_was_changed_causes_no_panic() {
    let scratch = Scratch::new();
    for at in 0..FULL.len() {
        for byte in [0, b'\n', b'"', b'$', 0xff] {
            let mut text = FULL.as_bytes().to_vec();
            text[at] = byte;
            scratch.write("mfad.toml", &text);
            if let Err(problems) = load(&scratch.main(), Presence::Required) {
                assert!(!problems.to_string().is_empty());
            }
        }
    }
}
