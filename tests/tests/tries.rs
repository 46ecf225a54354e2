//! Guessing, and running out of tries and of time.

use std::thread::sleep;
use std::time::Duration;

use mfad_tests::host::PASSWORD;
use mfad_tests::mail::wrong;
use mfad_tests::on_a_host;
use mfad_tests::site::{CODE_PROMPT, Site, expect_inside, expect_outside, give_password};
use mfad_tests::sshd::Methods;
use mfad_tests::terminal::Terminal;

/// Break it: do not count in the transaction that compares.
#[test]
fn three_wrong_codes_end_the_connection_and_the_next_one_is_refused_at_once() {
    on_a_host(|host| {
        let site = Site::on(host);
        let mut terminal = site.anna_is_asked();
        let code = site.mail.await_mail(1).code();
        terminal.type_line(&wrong(&code));
        assert!(terminal.expect(CODE_PROMPT).contains("2 tries left"));
        terminal.type_line(&wrong(&code));
        assert!(terminal.expect(CODE_PROMPT).contains("1 try left"));
        terminal.type_line(&wrong(&code));
        let shown = expect_outside(&mut terminal);
        assert_eq!(shown.matches("assword: ").count(), 1, "sshd must not ask again: {shown}");
        assert_eq!(site.mfad.events_about(&site.anna, &["code-wrong"]).len(), 3);
        refused_at_once(&site);
        assert_eq!(site.mail.count(), 1);
    });
}

fn refused_at_once(site: &Site) {
    let mut terminal = site.sshd.connect(&site.anna);
    give_password(&mut terminal);
    let shown = expect_outside(&mut terminal);
    assert!(!shown.contains(CODE_PROMPT), "{shown}");
    assert!(shown.to_lowercase().contains("try again in"), "the person is told when: {shown}");
}

#[test]
fn the_right_code_after_a_wrong_one_lets_in() {
    on_a_host(|host| {
        let site = Site::on(host);
        let mut terminal = site.anna_is_asked();
        let code = site.mail.await_mail(1).code();
        terminal.type_line(&wrong(&code));
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&code);
        expect_inside(&mut terminal, &site.anna);
    });
}

#[test]
fn what_cannot_be_a_code_costs_no_try() {
    on_a_host(|host| {
        let site = Site::on(host);
        let mut terminal = site.anna_is_asked();
        let code = site.mail.await_mail(1).code();
        terminal.type_line("12345");
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&format!(" {} {} ", &code[..3], &code[3..]));
        expect_inside(&mut terminal, &site.anna);
        assert!(site.mfad.events_about(&site.anna, &["code-wrong"]).is_empty());
    });
}

/// Break it: keep the tries in the connection.
#[test]
fn the_password_typed_at_the_code_prompt_costs_no_try_and_does_not_end_the_login() {
    on_a_host(|host| {
        let site = Site::on(host);
        let mut terminal = site.anna_is_asked();
        let code = site.mail.await_mail(1).code();
        terminal.type_line(PASSWORD);
        assert!(terminal.expect(CODE_PROMPT).contains("Wrong code"), "the person is told, and asked again");
        assert_eq!(site.mfad.events_about(&site.anna, &["code-wrong"]).len(), 0);
        terminal.type_line(&code);
        expect_inside(&mut terminal, &site.anna);
    });
}

#[test]
fn connections_share_the_tries_of_a_code() {
    on_a_host(|host| {
        let site = Site::on(host);
        let mut terminals: Vec<Terminal> = (0..3).map(|_| site.anna_is_asked()).collect();
        let guess = wrong(&site.mail.await_mail(1).code());
        for terminal in &mut terminals[..2] {
            terminal.type_line(&guess);
            terminal.expect(CODE_PROMPT);
        }
        terminals[2].type_line(&guess);
        expect_outside(&mut terminals[2]);
        terminals[0].type_line(&site.mail.await_mail(1).code());
        expect_outside(&mut terminals[0]);
        assert_eq!(site.mail.count(), 1);
    });
}

#[test]
fn an_administrator_unlocks_somebody_who_ran_out_of_tries() {
    on_a_host(|host| {
        let site = Site::on(host);
        let mut terminal = site.anna_is_asked();
        let guess = wrong(&site.mail.await_mail(1).code());
        for _ in 0..2 {
            terminal.type_line(&guess);
            terminal.expect(CODE_PROMPT);
        }
        terminal.type_line(&guess);
        expect_outside(&mut terminal);
        site.mfad.control(&["user", "unlock", "anna"]).expect_success("mfactl user unlock");
        let mut again = site.anna_is_asked();
        again.type_line(&site.mail.await_mail(2).code());
        expect_inside(&mut again, &site.anna);
    });
}

/// The one story that waits for time to pass: a code's shortest life is 30 s.
#[test]
fn an_expired_code_is_refused_and_a_new_login_gets_a_new_one() {
    on_a_host(|host| {
        let site =
            Site::with(host, Methods::KeyboardInteractive, |settings| settings.email("lifetime = \"30s\""));
        let mut late = site.sshd.connect_with(&site.anna, &["-o", "NumberOfPasswordPrompts=1"]);
        give_password(&mut late);
        late.expect(CODE_PROMPT);
        let code = site.mail.await_mail(1).code();
        sleep(Duration::from_secs(31));
        late.type_line(&code);
        let shown = expect_outside(&mut late);
        assert!(shown.contains("expired") || shown.contains("too old"), "the person is told: {shown}");
        let mut again = site.anna_is_asked();
        again.type_line(&site.mail.await_mail(2).code());
        expect_inside(&mut again, &site.anna);
    });
}
