//! Programs on this machine: sudo, su, login.

use mfad_tests::daemon::{Mfad, Settings};
use mfad_tests::host::{Host, Person};
use mfad_tests::mail::MailServer;
use mfad_tests::on_a_host;
use mfad_tests::site::{CODE_PROMPT, expect_outside, give_password};
use mfad_tests::terminal::Terminal;

struct Console {
    mail: MailServer,
    mfad: Mfad,
    anna: Person,
    bert: Person,
}

/// Anna and Bert both have a second factor.
fn console(host: &Host) -> Console {
    let mail = MailServer::start();
    let mfad = Mfad::start(host, &Settings::smtp(&mail));
    let (anna, bert) = (host.person("anna"), host.person("bert"));
    mfad.enrol(&anna);
    mfad.enrol(&bert);
    Console { mail, mfad, anna, bert }
}

#[test]
fn sudo_asks_the_one_who_types_for_their_code() {
    on_a_host(|host| {
        let Console { mail, mfad, anna, .. } = &console(host);
        let mut terminal = Terminal::start_as(anna, &["sudo", "-k", "sh", "-c", "echo now I am $(id -un)"]);
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        let message = mail.await_mail(1);
        assert!(message.to.contains("anna@"), "{}", message.to);
        terminal.type_line(&message.code());
        terminal.expect("now I am root");
        assert!(terminal.await_end().0.success());
        let allowed = mfad.events_about(anna, &["login-allowed"]);
        assert_eq!(allowed[0].service.as_deref(), Some("sudo"));
    });
}

/// sudo asks again after every refusal but an abort, with the password first. Break it: answer MAXTRIES under sudo.
#[test]
fn sudo_ends_after_the_last_wrong_code() {
    on_a_host(|host| {
        let Console { mail, anna, .. } = &console(host);
        let mut terminal = Terminal::start_as(anna, &["sudo", "-k", "id"]);
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        let wrong = mfad_tests::mail::wrong(&mail.await_mail(1).code());
        for _ in 0..2 {
            terminal.type_line(&wrong);
            terminal.expect(CODE_PROMPT);
        }
        terminal.type_line(&wrong);
        let shown = expect_outside(&mut terminal);
        assert_eq!(shown.matches("[sudo] password").count(), 1, "{shown}");
        assert!(!shown.contains("uid=0"));
    });
}

#[test]
fn sudo_takes_password_and_code_from_a_pipe() {
    on_a_host(|host| {
        let Console { mail, anna, .. } = &console(host);
        let script = "(echo 'correct horse'; read code; echo $code) | sudo -k -S id -u";
        let mut terminal = Terminal::start_as(anna, &["sh", "-c", script]);
        let code = mail.await_mail(1).code();
        terminal.type_line(&code);
        terminal.expect("\n0\r\n");
    });
}

#[test]
fn su_asks_for_the_code_of_the_one_to_become() {
    on_a_host(|host| {
        let Console { mail, anna, bert, .. } = &console(host);
        let mut terminal = Terminal::start_as(anna, &["su", &bert.name, "-c", "echo now I am $(id -un)"]);
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        let message = mail.await_mail(1);
        assert!(message.to.contains("bert@"), "{}", message.to);
        terminal.type_line(&message.code());
        terminal.expect("now I am bert");
        assert!(terminal.await_end().0.success());
    });
}

#[test]
fn su_refuses_after_the_last_wrong_code() {
    on_a_host(|host| {
        let Console { mail, anna, bert, .. } = &console(host);
        let mut terminal = Terminal::start_as(anna, &["su", &bert.name, "-c", "id"]);
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        let wrong = mfad_tests::mail::wrong(&mail.await_mail(1).code());
        for _ in 0..2 {
            terminal.type_line(&wrong);
            terminal.expect(CODE_PROMPT);
        }
        terminal.type_line(&wrong);
        let shown = expect_outside(&mut terminal);
        assert!(!shown.contains("uid="));
    });
}

#[test]
fn login_on_a_terminal_asks_for_a_code() {
    on_a_host(|host| {
        let Console { mail, anna, mfad, .. } = &console(host);
        let mut terminal = Terminal::start(&["login"]);
        terminal.expect("login: ");
        terminal.type_line(&anna.name);
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&mail.await_mail(1).code());
        terminal.expect("$ ");
        terminal.type_line("echo now I am $(id -un)");
        terminal.expect("now I am anna");
        terminal.type_line("exit");
        assert!(terminal.await_end().0.success());
        let allowed = mfad.events_about(anna, &["login-allowed"]);
        assert_eq!(allowed[0].source.as_deref(), Some("local"));
    });
}

#[test]
fn ctrl_c_at_the_prompt_of_sudo_counts_no_try() {
    on_a_host(|host| {
        let Console { mail, mfad, anna, .. } = &console(host);
        let mut first = Terminal::start_as(anna, &["sudo", "-k", "id"]);
        give_password(&mut first);
        first.expect(CODE_PROMPT);
        first.press("\x03");
        expect_outside(&mut first);
        let mut second = Terminal::start_as(anna, &["sudo", "-k", "id", "-u"]);
        give_password(&mut second);
        second.expect(CODE_PROMPT);
        second.type_line(&mail.await_mail(1).code());
        second.expect("\n0\r\n");
        assert_eq!(mail.count(), 1);
        assert!(mfad.events_about(anna, &["code-wrong"]).is_empty());
    });
}
