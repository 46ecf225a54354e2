//! A code is in the mail and on the person's screen, and nowhere else.

use std::fs;
use std::path::Path;

use mfad_tests::app::App;
use mfad_tests::daemon::{config_file, state_directory};
use mfad_tests::mail::wrong;
use mfad_tests::on_a_host;
use mfad_tests::site::{CODE_PROMPT, Site, expect_inside, give_password};
use mfad_tests::sshd::Methods;

/// Ten digits, so that no time stamp holds them by accident. Break it: log the mail, or store the code.
#[test]
fn no_code_is_in_a_log_a_file_or_a_command_line() {
    on_a_host(|host| {
        let site = Site::with(host, Methods::KeyboardInteractive, |settings| settings.email("digits = 10"));
        let mut terminal = site.anna_is_asked();
        let code = site.mail.await_mail(1).code();
        assert_eq!(code.len(), 10);
        let guess = wrong(&code);
        nowhere(&processes(), &code, "a process's command line or environment");
        terminal.type_line(&guess);
        terminal.expect(CODE_PROMPT);
        nowhere(&state(), &code, "the state directory, while the code is out");
        terminal.type_line(&code);
        expect_inside(&mut terminal, &site.anna);
        for secret in [&code, &guess] {
            nowhere(&state(), secret, "the state directory");
            nowhere(host.syslog().lines().join("\n").as_bytes(), secret, "syslog");
            nowhere(site.sshd.log().as_bytes(), secret, "sshd's log");
            nowhere(site.mfad.log().as_bytes(), secret, "what mfad prints");
            let events = site.mfad.control(&["events", "--json"]).expect_success("mfactl events");
            nowhere(events.as_bytes(), secret, "the audit");
        }
    });
}

/// Break it: keep a secret unsealed, or a recovery code as it is.
#[test]
fn no_secret_of_any_factor_is_in_a_log_or_in_the_database() {
    on_a_host(|host| {
        let site = Site::on(host);
        let issue = |arguments: &[&str]| {
            let issued = site.mfad.control(arguments).expect_success("mfactl");
            let issued: serde_json::Value = serde_json::from_str(&issued).expect("JSON");
            issued
        };
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        let started = issue(&["--json", "enrol", "totp", "--user", "anna"]);
        let secret = text(&started["secret"]);
        let app = App::with(&secret);
        let first = app.code_in(0);
        let confirmed = issue(&["--json", "confirm", "--user", "anna", &text(&started["id"]), &first]);
        let recovery = text(&confirmed["recovery"][0]);
        let bypass = text(&issue(&["--json", "bypass", "issue", "anna", "--reason", "canary"])["code"]);
        let ticket = text(&issue(&["--json", "enrol-ticket", "issue", "anna"])["code"]);
        for code in [&recovery, &bypass] {
            let mut terminal = site.sshd.connect(&site.anna);
            give_password(&mut terminal);
            terminal.expect(CODE_PROMPT);
            nowhere(&processes(), code, "a process's command line or environment");
            terminal.type_line(code);
            expect_inside(&mut terminal, &site.anna);
        }
        let raw = String::from_utf8_lossy(&base32_bytes(&secret)).into_owned();
        for canary in [&secret, &secret.to_lowercase(), &raw, &recovery, &bypass, &ticket] {
            for canary in [canary.clone(), canary.replace('-', "")] {
                nowhere(&state(), &canary, "the state directory");
                nowhere(host.syslog().lines().join("\n").as_bytes(), &canary, "syslog");
                nowhere(site.sshd.log().as_bytes(), &canary, "sshd's log");
                nowhere(site.mfad.log().as_bytes(), &canary, "what mfad prints");
                nowhere(site.mail.log().as_bytes(), &canary, "a mail");
                let events = site.mfad.control(&["events", "--json"]).expect_success("mfactl events");
                nowhere(events.as_bytes(), &canary, "the audit");
            }
        }
    });
}

/// The bytes of a key in base 32 (RFC 4648).
fn base32_bytes(text: &str) -> Vec<u8> {
    let value = |c: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|letter| *letter == c);
    let bits: Vec<bool> = text
        .bytes()
        .filter_map(value)
        .flat_map(|five| (0..5).rev().map(move |bit| five >> bit & 1 == 1))
        .collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |all, bit| all << 1 | u8::from(*bit))).collect()
}

/// The key of the codes is not in the database either, nor the database open to others.
#[test]
fn the_state_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    on_a_host(|host| {
        let site = Site::on(host);
        drop(site.anna_is_asked());
        for entry in fs::read_dir(state_directory()).expect("the state").flatten() {
            let mode = entry.metadata().expect("its mode").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} is open to others: {mode:o}", entry.path().display());
        }
        let key = fs::read(mfad_tests::host::path("key")).expect("the key");
        let key = String::from_utf8_lossy(&key).trim().to_owned();
        nowhere(&state(), &key, "the state directory");
    });
}

/// Break it: read the relay's password into the configuration's Debug, and log that.
#[test]
fn the_daemon_has_no_secret_on_its_command_line_and_dumps_no_core() {
    on_a_host(|host| {
        let site = Site::on(host);
        let process = format!("/proc/{}", site.mfad.pid());
        let line = fs::read(format!("{process}/cmdline")).expect("the command line");
        assert!(String::from_utf8_lossy(&line).contains(&config_file().display().to_string()));
        let limits = fs::read_to_string(format!("{process}/limits")).expect("its limits");
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    });
}

fn nowhere(haystack: &[u8], secret: &str, place: &str) {
    let found = haystack.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!found, "the secret {secret} is in {place}");
}

fn state() -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(state_directory()).expect("the state").flatten() {
        all.extend(fs::read(entry.path()).unwrap_or_default());
    }
    assert!(!all.is_empty());
    all
}

fn processes() -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        if entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
            for file in ["cmdline", "environ"] {
                all.extend(fs::read(Path::new(&entry.path()).join(file)).unwrap_or_default());
            }
        }
    }
    all
}
