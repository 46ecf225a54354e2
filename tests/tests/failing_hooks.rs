//! What the site wants to happen when its own hook fails, and codes that the site wants in its log.

use std::fs;

use mfad_tests::host::{Host, path};
use mfad_tests::on_a_host;
use mfad_tests::site::{CODE_PROMPT, Site, expect_inside, expect_outside, give_password};
use mfad_tests::sshd::Methods;
use mfad_tests::terminal::Terminal;
use serde_json::Value;

/// A hook that keeps what it got, and ends as a file says.
fn sms(host: &Host, fallback: &str) -> String {
    let (program, got, status) = (path("sms"), path("sms.json"), path("sms.exit"));
    let text = format!("#!/bin/sh\ncat > {}\nexit $(cat {})\n", got.display(), status.display());
    host.write(&program, &text, 0o755);
    ends_with(host, 0);
    format!("[[hook]]\nname = \"sms\"\nsend = [\"{}\"]\ndigits = 4\n{fallback}\n", program.display())
}

fn ends_with(host: &Host, status: u8) {
    host.write(path("sms.exit"), &format!("{status}\n"), 0o644);
}

fn code() -> String {
    let got = fs::read_to_string(path("sms.json")).expect("the hook's input");
    let got: Value = serde_json::from_str(&got).expect("JSON");
    got["code"].as_str().expect("a code").to_owned()
}

/// Anna has the hook and nothing else, unless there is a fallback.
fn site(host: &Host, login: &str, fallback: &str) -> Site {
    let hook = sms(host, fallback);
    let site = Site::with(host, Methods::KeyboardInteractive, |settings| {
        settings
            .login("factors = [\"sms\", \"email\"]")
            .login(login)
            .email("log-codes = true")
            .sections(&hook)
    });
    let started = site.mfad.control(&["--json", "enrol", "sms", "+491701234567", "--user", "anna"]);
    let started: Value = serde_json::from_str(&started.expect_success("mfactl enrol")).expect("JSON");
    let id = started["id"].as_str().expect("an id");
    site.mfad.control(&["confirm", "--user", "anna", id, &code()]).expect_success("mfactl confirm");
    site
}

fn anna_logs_in(site: &Site) -> Terminal {
    let mut terminal = site.sshd.connect_with(&site.anna, &["-o", "NumberOfPasswordPrompts=1"]);
    give_password(&mut terminal);
    terminal
}

fn forget_the_mail(site: &Site) {
    site.mfad.control(&["user", "email", "anna", "--clear"]).expect_success("mfactl user email");
}

/// Break it: let `DeliveryError::failure` call every failure of a hook "down".
#[test]
fn a_hook_that_is_down_opens_where_the_site_says_so_and_one_that_fails_does_not() {
    on_a_host(|host| {
        let site = site(host, "on-hook-failure = \"bypass\"", "");
        forget_the_mail(&site);
        ends_with(host, 1);
        expect_outside(&mut anna_logs_in(&site));
        ends_with(host, 75);
        expect_inside(&mut anna_logs_in(&site), &site.anna);
        let event = site.mfad.events_about(&site.anna, &["login-opened"]).pop().expect("an alert");
        assert!(event.text.contains("login.on-hook-failure = bypass"), "{}", event.text);
        ends_with(host, 0);
        let mut terminal = anna_logs_in(&site);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&code());
        expect_inside(&mut terminal, &site.anna);
    });
}

#[test]
fn deny_leaves_the_fallback_of_the_hook_and_nothing_else() {
    on_a_host(|host| {
        let without = site(host, "on-hook-failure = \"deny\"", "");
        ends_with(host, 1);
        let shown = expect_outside(&mut anna_logs_in(&without));
        assert!(!shown.contains(CODE_PROMPT), "the mail is no fallback of the hook: {shown}");
    });
    on_a_host(|host| {
        let with = site(host, "on-hook-failure = \"deny\"", "fallback = \"email\"");
        ends_with(host, 1);
        let mut terminal = anna_logs_in(&with);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&with.mail.await_mail_about("Your login code is").code());
        expect_inside(&mut terminal, &with.anna);
    });
}

#[test]
fn codes_go_to_the_log_where_the_site_says_so_and_that_is_loud() {
    on_a_host(|host| {
        let site = site(host, "", "fallback = \"email\"");
        let loud = "email.log-codes = true: every code is written to the log";
        host.syslog().await_line(&["<81>", loud]);
        assert!(site.mfad.control(&["health"]).out.contains(loud));

        let mut terminal = anna_logs_in(&site);
        terminal.expect(CODE_PROMPT);
        host.syslog().await_line(&[&format!("code {} sent to +491701234567 by sms for anna", code())]);
        terminal.type_line(&code());
        expect_inside(&mut terminal, &site.anna);
        ends_with(host, 1);
        let mut terminal = anna_logs_in(&site);
        terminal.expect(CODE_PROMPT);
        let mailed = site.mail.await_mail_about("Your login code is").code();
        host.syslog().await_line(&[&format!("code {mailed} sent to anna@example.org for anna")]);
        terminal.type_line(&mailed);
        expect_inside(&mut terminal, &site.anna);
    });
}
