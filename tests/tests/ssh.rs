//! Logging in over SSH: every way that sshd offers, and every way that it must not open.

use mfad_tests::host::{FirstFactor, PASSWORD};
use mfad_tests::on_a_host;
use mfad_tests::site::{CODE_PROMPT, Site, expect_inside, expect_outside, give_password};
use mfad_tests::sshd::Methods;
use mfad_tests::terminal::Terminal;

/// Break it: answer `allow` to `Begin`.
#[test]
fn a_password_and_a_mailed_code_let_in() {
    on_a_host(|host| {
        let site = Site::on(host);
        let mut terminal = site.sshd.connect(&site.anna);
        give_password(&mut terminal);
        let announced = terminal.expect(CODE_PROMPT);
        assert!(
            announced.contains("a***@example.org"),
            "the person is told where the code went: {announced}"
        );
        let mail = site.mail.await_mail(1);
        assert!(mail.to.contains("anna@example.org"));
        terminal.type_line(&mail.code());
        expect_inside(&mut terminal, &site.anna);
        assert_eq!(site.mfad.events_about(&site.anna, &["login-allowed"]).len(), 1);
        host.syslog().await_line(&["anna", "let in with email"]);
    });
}

#[test]
fn a_key_and_a_mailed_code_let_in() {
    on_a_host(|host| {
        let site = Site::with(host, Methods::KeyThenKeyboardInteractive, |settings| settings);
        let mut terminal = site.sshd.connect(&site.anna);
        let before = terminal.expect(CODE_PROMPT);
        assert!(!before.contains("assword"), "a key stands for the password: {before}");
        terminal.type_line(&site.mail.await_mail(1).code());
        expect_inside(&mut terminal, &site.anna);
    });
}

/// Break it: let the module call a conversation `seen` whatever its notice was answered with.
#[test]
fn a_client_that_sends_the_password_blindly_is_refused_and_no_mail_is_sent() {
    on_a_host(|host| {
        let site = Site::with(host, Methods::Password, |settings| settings);
        let mut terminal = site.sshd.connect_with(&site.anna, &["-o", "NumberOfPasswordPrompts=1"]);
        give_password(&mut terminal);
        expect_outside(&mut terminal);
        assert_eq!(site.mail.count(), 0);
        assert_eq!(site.mfad.events_about(&site.anna, &["code-wrong"]).len(), 0, "nobody typed a code");
    });
}

#[test]
fn a_wrong_password_sends_no_mail() {
    on_a_host(|host| {
        let site = Site::on(host);
        let mut terminal = site.sshd.connect_with(&site.anna, &["-o", "NumberOfPasswordPrompts=1"]);
        terminal.expect("assword: ");
        terminal.type_line("not the password");
        expect_outside(&mut terminal);
        assert_eq!(site.mail.count(), 0);
        assert!(site.mfad.events_about(&site.anna, &["login-refused", "code-sent"]).is_empty());
    });
}

#[test]
fn somebody_unknown_is_asked_for_a_password_like_everybody_and_gets_no_further() {
    on_a_host(|host| {
        let site = Site::on(host);
        let command = site.sshd.command("nobody-here", &["-o", "NumberOfPasswordPrompts=1"]);
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let mut terminal = Terminal::start(&command);
        terminal.expect("assword: ");
        terminal.type_line(PASSWORD);
        let shown = expect_outside(&mut terminal);
        assert!(!shown.contains(CODE_PROMPT));
        assert_eq!(site.mail.count(), 0);
    });
}

/// sshd gives junk in place of the answers of a person who may not log in; after a key there is no password before us.
/// Somebody unknown sees what everybody sees, and no mail is sent.
#[test]
fn somebody_unknown_with_no_password_before_us_sees_the_same_prompt_and_never_enters() {
    on_a_host(|host| {
        let site = Site::on(host);
        host.stack("sshd", FirstFactor::Elsewhere);
        let command = site.sshd.command("nobody-here", &["-o", "NumberOfPasswordPrompts=1"]);
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let mut terminal = Terminal::start(&command);
        for _ in 0..3 {
            terminal.expect(CODE_PROMPT);
            terminal.type_line("123456");
        }
        expect_outside(&mut terminal);
        assert_eq!(site.mail.count(), 0);
    });
}

/// Break it: make a new code for each `Begin`.
#[test]
fn three_connections_in_a_row_share_one_mail() {
    on_a_host(|host| {
        let site = Site::on(host);
        for _ in 0..2 {
            drop(site.anna_is_asked());
        }
        let mut third = site.anna_is_asked();
        third.type_line(&site.mail.await_mail(1).code());
        expect_inside(&mut third, &site.anna);
        assert_eq!(site.mail.count(), 1);
        assert_eq!(site.mfad.events_about(&site.anna, &["code-sent"]).len(), 1);
    });
}

#[test]
fn a_code_is_spent_by_the_login_it_opened() {
    on_a_host(|host| {
        let site = Site::on(host);
        let mut first = site.anna_is_asked();
        let code = site.mail.await_mail(1).code();
        first.type_line(&code);
        expect_inside(&mut first, &site.anna);
        let mut second = site.anna_is_asked();
        let fresh = site.mail.await_mail(2).code();
        assert_ne!(code, fresh, "a new login gets a new code");
        second.type_line(&code);
        second.expect("rong code");
        assert_eq!(site.mfad.events_about(&site.anna, &["login-allowed"]).len(), 1);
    });
}

#[test]
fn root_is_asked_like_anybody_else_who_is_enrolled() {
    on_a_host(|host| {
        let site = Site::on(host);
        let root = host.root();
        site.mfad.enrol(&root);
        let mut terminal = site.sshd.connect(&root);
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&site.mail.await_mail(1).code());
        expect_inside(&mut terminal, &root);
    });
}

#[test]
fn an_empty_answer_opens_a_menu_that_sends_the_same_code_again() {
    on_a_host(|host| {
        let site = Site::on(host);
        let mut terminal = site.anna_is_asked();
        let code = site.mail.await_mail(1).code();
        terminal.type_line("");
        let menu = terminal.expect(CODE_PROMPT);
        assert!(menu.contains("1 to get the mail again"), "{menu}");
        terminal.type_line("1");
        // Right after the first mail this is too soon; the person is told, and asked again.
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&code);
        expect_inside(&mut terminal, &site.anna);
    });
}
