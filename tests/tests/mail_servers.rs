//! Mail that goes out: Postfix by both of its doors, and relays with TLS and a login.

use std::fs;

use mfad_tests::certificates::Certificates;
use mfad_tests::daemon::{Mfad, Settings};
use mfad_tests::host::{Host, free_port, path};
use mfad_tests::mail::{Mail, MailServer};
use mfad_tests::on_a_host;
use mfad_tests::postfix::Postfix;
use mfad_tests::site::{CODE_PROMPT, expect_inside, expect_outside, give_password};
use mfad_tests::sshd::{Methods, Sshd};
use mfad_tests::terminal::Terminal;

/// A story up to the prompt for the code, and on from there with the mail.
fn log_in(host: &Host, settings: &Settings, mail: impl FnOnce(&mfad_tests::Person) -> Mail) -> Mail {
    let mfad = Mfad::start(host, settings);
    let anna = host.person("anna");
    mfad.enrol(&anna);
    let sshd = Sshd::start(host, Methods::KeyboardInteractive);
    let mut terminal = sshd.connect(&anna);
    give_password(&mut terminal);
    terminal.expect(CODE_PROMPT);
    let mail = mail(&anna);
    terminal.type_line(&mail.code());
    expect_inside(&mut terminal, &anna);
    mail
}

#[test]
fn postfix_takes_the_mail_by_smtp() {
    on_a_host(|host| {
        let postfix = Postfix::start(host);
        log_in(host, &Settings::smtp_url(&postfix.url()), |anna| postfix.await_mail(anna, 1));
    });
}

#[test]
fn postfix_takes_the_mail_by_its_sendmail() {
    on_a_host(|host| {
        let postfix = Postfix::start(host);
        let settings = Settings::default().email("transport = \"sendmail\"");
        log_in(host, &settings, |anna| postfix.await_mail(anna, 1));
    });
}

#[test]
fn the_mail_says_who_and_where_and_what_to_do_if_it_was_not_you() {
    on_a_host(|host| {
        let server = MailServer::start();
        let mail = log_in(host, &Settings::smtp(&server), |_| server.await_mail(1));
        for text in [&mail.plain, &mail.html] {
            for part in ["anna", "sshd", "127.0.0.1", &mail.code()] {
                assert!(text.contains(part), "{part:?} is missing in: {text}");
            }
        }
        assert!(mail.plain.to_lowercase().contains("not you"), "{}", mail.plain);
        assert!(!mail.subject.contains(&mail.code()), "a lock screen shows subjects");
    });
}

#[test]
fn the_administrator_s_template_and_subject_are_used() {
    on_a_host(|host| {
        let server = MailServer::start();
        let template = path("email.html");
        host.write(&template, "<html><body><p>Grüße $USER &amp; Co: $MFA_TOKEN</p></body></html>", 0o644);
        let settings = Settings::smtp(&server)
            .email(&format!("template = \"{}\"", template.display()))
            .email("subject = \"Zugangscode für $SERVICE: schön\"");
        let mail = log_in(host, &settings, |_| server.await_mail(1));
        assert!(mail.subject.contains("für sshd: schön"), "{}", mail.subject);
        assert!(mail.html.contains("Grüße anna"), "{}", mail.html);
        assert!(mail.plain.contains("Grüße anna & Co"), "{}", mail.plain);
    });
}

struct Relay {
    server: MailServer,
    authority: String,
    password_file: String,
}

/// A relay with TLS and a login.
fn relay(host: &Host, tls: &str) -> Relay {
    let made = Certificates::create("relay");
    host.write(path("relay-password"), "open sesame\n", 0o600);
    let (certificate, key) = (made.certificate.display().to_string(), made.key.display().to_string());
    let login = ["--tls", tls, "--cert", &certificate, "--key", &key, "--auth", "mailer:open sesame"];
    let server = MailServer::start_on(free_port(), &login);
    let password_file = path("relay-password").display().to_string();
    Relay { server, authority: made.authority.display().to_string(), password_file }
}

impl Relay {
    fn settings(&self, scheme: &str, tls: &str) -> Settings {
        let Relay { server, authority, password_file } = self;
        let url = format!("{scheme}://mailer@localhost:{}", server.port());
        let table = format!(
            "url = \"{url}\", tls = \"{tls}\", password-file = \"{password_file}\", ca-file = \"{authority}\""
        );
        Settings::default().email("transport = \"smtp\"").email(&format!("smtp = {{ {table} }}"))
    }
}

#[test]
fn a_relay_with_starttls_and_a_login_takes_the_mail() {
    on_a_host(|host| {
        let relay = relay(host, "starttls");
        log_in(host, &relay.settings("smtp", "starttls"), |_| relay.server.await_mail(1));
        assert!(relay.server.log().contains("\"login\": \"mailer\""), "{}", relay.server.log());
    });
}

#[test]
fn a_relay_with_tls_from_the_first_byte_and_a_login_takes_the_mail() {
    on_a_host(|host| {
        let relay = relay(host, "implicit");
        log_in(host, &relay.settings("smtps", "implicit"), |_| relay.server.await_mail(1));
    });
}

/// Break it: accept any certificate.
#[test]
fn a_relay_that_a_stranger_certifies_gets_no_code() {
    on_a_host(|host| {
        let relay = relay(host, "implicit");
        let stranger = Certificates::create("stranger");
        fs::copy(stranger.authority, &relay.authority).expect("another authority");
        let mfad = Mfad::start(host, &relay.settings("smtps", "implicit"));
        let anna = host.person("anna");
        mfad.enrol(&anna);
        let sshd = Sshd::start(host, Methods::KeyboardInteractive);
        let mut terminal: Terminal = sshd.connect_with(&anna, &["-o", "NumberOfPasswordPrompts=1"]);
        give_password(&mut terminal);
        expect_outside(&mut terminal);
        assert_eq!(relay.server.count(), 0);
        let event = &mfad.events_about(&anna, &["code-not-sent"])[0];
        assert!(event.text.to_lowercase().contains("certificate"), "{}", event.text);
    });
}

#[test]
fn the_second_relay_takes_the_mail_when_the_first_is_gone() {
    on_a_host(|host| {
        let server = MailServer::start();
        let gone = format!("{{ url = \"smtp://127.0.0.1:{}\" }}", free_port());
        let list = format!("smtp = [{gone}, {{ url = \"{}\" }}]", server.url());
        let settings = Settings::default().email("transport = \"smtp\"").email(&list);
        log_in(host, &settings, |_| server.await_mail(1));
    });
}

#[test]
fn a_test_mail_goes_the_way_that_codes_go() {
    on_a_host(|host| {
        let server = MailServer::start();
        let mfad = Mfad::start(host, &Settings::smtp(&server));
        let said = mfad.control(&["test", "mail", "anna@example.org"]).expect_success("mfactl test mail");
        assert!(said.contains(&server.port().to_string()), "each step is told: {said}");
        server.await_mail(1);
        drop(server);
        assert_ne!(mfad.control(&["test", "mail", "anna@example.org"]).code, 0);
    });
}
