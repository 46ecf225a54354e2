//! Clients that are not OpenSSH, and OpenSSH without a person.

use mfad_tests::binaries;
use mfad_tests::host::PASSWORD;
use mfad_tests::mail::PYTHON;
use mfad_tests::on_a_host;
use mfad_tests::process::run;
use mfad_tests::site::{CODE_PROMPT, Site, expect_inside, expect_outside, give_password};
use mfad_tests::sshd::INSIDE;
use mfad_tests::terminal::Terminal;

#[test]
fn paramiko_logs_in() {
    on_a_host(|host| {
        let site = Site::on(host);
        let script = binaries::source("clients/paramiko_login.py").display().to_string();
        let port = site.sshd.port().to_string();
        let mut terminal = Terminal::start(&[PYTHON, &script, &port, &site.anna.name, PASSWORD]);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&site.mail.await_mail(1).code());
        expect_inside(&mut terminal, &site.anna);
    });
}

#[test]
fn dbclient_logs_in() {
    on_a_host(|host| {
        let site = Site::on(host);
        let (port, command) = (site.sshd.port().to_string(), format!("echo {INSIDE}$(id -un)"));
        let mut terminal =
            Terminal::start(&["dbclient", "-y", "-y", "-p", &port, "anna@127.0.0.1", &command]);
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&site.mail.await_mail(1).code());
        expect_inside(&mut terminal, &site.anna);
    });
}

/// Such a client answers "" to each prompt, three times: a cancel, not three wrong codes.
#[test]
fn a_client_without_a_terminal_is_refused_and_no_try_is_counted() {
    on_a_host(|host| {
        let site = Site::on(host);
        host.stack("sshd", mfad_tests::host::FirstFactor::Elsewhere);
        let command = site.sshd.command(&site.anna.name, &[]);
        let mut line = vec!["-w", "--"];
        line.extend(command.iter().map(String::as_str));
        let finished = run("setsid", &line);
        assert_ne!(finished.code, 0);
        assert!(!finished.out.contains(INSIDE));
        assert!(site.mail.count() <= 1, "{} mails", site.mail.count());
        assert!(site.mfad.events_about(&site.anna, &["code-wrong"]).is_empty());
    });
}

#[test]
fn a_client_in_batch_mode_is_refused_and_no_mail_is_sent() {
    on_a_host(|host| {
        let site = Site::on(host);
        let mut terminal = site.sshd.connect_with(&site.anna, &["-o", "BatchMode=yes"]);
        expect_outside(&mut terminal);
        assert_eq!(site.mail.count(), 0);
    });
}

#[test]
fn a_terminal_that_is_closed_at_the_prompt_costs_nothing() {
    on_a_host(|host| {
        let site = Site::on(host);
        let mut first = site.anna_is_asked();
        first.press("\x03");
        expect_outside(&mut first);
        let mut second = site.anna_is_asked();
        second.type_line(&site.mail.await_mail(1).code());
        expect_inside(&mut second, &site.anna);
        assert_eq!(site.mail.count(), 1);
    });
}
