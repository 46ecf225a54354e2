//! Mail that cannot go out: nobody enters, the person reads a sentence, the log names the cause, and it heals by itself.

use mfad_tests::audit::Event;
use mfad_tests::broken_mail::{BrokenMailServer, Fault};
use mfad_tests::certificates::Certificates;
use mfad_tests::daemon::{Mfad, Settings};
use mfad_tests::host::{Host, Person, free_port, path};
use mfad_tests::mail::MailServer;
use mfad_tests::on_a_host;
use mfad_tests::site::{CODE_PROMPT, expect_inside, expect_outside, give_password};
use mfad_tests::sshd::{Methods, Sshd};

struct Cast {
    port: u16,
    mfad: Mfad,
    sshd: Sshd,
    anna: Person,
}

fn cast(host: &Host) -> Cast {
    let port = free_port();
    with_relay(host, port, &Settings::smtp_url(&format!("smtp://127.0.0.1:{port}")))
}

fn with_relay(host: &Host, port: u16, settings: &Settings) -> Cast {
    let mfad = Mfad::start(host, settings);
    let anna = host.person("anna");
    mfad.enrol(&anna);
    Cast { port, mfad, sshd: Sshd::start(host, Methods::KeyboardInteractive), anna }
}

impl Cast {
    /// A login that fails for want of mail; returns what the audit says of it.
    fn is_refused(&self, host: &Host) -> Event {
        let mut terminal = self.sshd.connect_with(&self.anna, &["-o", "NumberOfPasswordPrompts=1"]);
        give_password(&mut terminal);
        let shown = expect_outside(&mut terminal);
        assert!(!shown.contains(CODE_PROMPT), "nobody is asked for a code that did not go out: {shown}");
        assert!(shown.contains("could not be mailed"), "the person is told: {shown}");
        let event = self.mfad.events_about(&self.anna, &["code-not-sent"]).pop().expect("an event");
        host.syslog().await_line(&[&event.text]);
        event
    }

    /// The server is back: the next login works, and nobody had to do anything.
    fn heals(&self) {
        let server = MailServer::start_on(self.port, &[]);
        let mut terminal = self.sshd.connect(&self.anna);
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&server.await_mail(1).code());
        expect_inside(&mut terminal, &self.anna);
    }
}

#[test]
fn a_mail_server_that_is_down() {
    on_a_host(|host| {
        let cast = cast(host);
        let event = cast.is_refused(host);
        assert!(event.text.contains(&cast.port.to_string()), "the log names the server: {}", event.text);
        cast.heals();
    });
}

/// Break it: send without a deadline.
#[test]
fn a_mail_server_that_says_nothing() {
    on_a_host(|host| {
        let cast = cast(host);
        let silent = BrokenMailServer::start_on(cast.port, Fault::Silent);
        cast.is_refused(host);
        drop(silent);
        cast.heals();
    });
}

/// Break it: hold the account's or the store's lock while the mail goes out.
#[test]
fn a_mail_server_that_says_nothing_keeps_only_its_own_login_waiting() {
    on_a_host(|host| {
        let cast = cast(host);
        let silent = BrokenMailServer::start_on(cast.port, Fault::Silent);
        let bert = host.person("bert");
        let mut waiting = cast.sshd.connect_with(&cast.anna, &["-o", "NumberOfPasswordPrompts=1"]);
        give_password(&mut waiting);
        silent.await_connection();
        for _ in 0..3 {
            let mut terminal = cast.sshd.connect(&bert);
            give_password(&mut terminal);
            expect_inside(&mut terminal, &bert);
        }
        assert!(!waiting.has_ended(), "the others had to wait for the mail server");
        expect_outside(&mut waiting);
    });
}

#[test]
fn a_mail_server_that_hangs_up_in_the_middle_of_the_mail() {
    on_a_host(|host| {
        let cast = cast(host);
        let broken = BrokenMailServer::start_on(cast.port, Fault::DropsInData);
        // Nobody can tell whether it took the mail: the code may arrive, so it is asked for, and the person is told.
        let mut terminal = cast.sshd.connect(&cast.anna);
        give_password(&mut terminal);
        assert!(terminal.expect(CODE_PROMPT).contains("did not confirm"));
        let event = cast.mfad.events_about(&cast.anna, &["code-not-sent"]).pop().expect("an event");
        host.syslog().await_line(&[&event.text]);
        drop((terminal, broken));
        cast.heals();
    });
}

#[test]
fn a_mail_server_that_says_later() {
    on_a_host(|host| {
        let cast = cast(host);
        let busy = MailServer::start_on(cast.port, &["--after-data", "451 4.3.0 come back later"]);
        assert!(cast.is_refused(host).text.contains("451"));
        drop(busy);
        cast.heals();
    });
}

#[test]
fn a_mail_server_that_does_not_know_the_address() {
    on_a_host(|host| {
        let cast = cast(host);
        let strict =
            MailServer::start_on(cast.port, &["--reject", "anna@example.org=550 5.1.1 no such user"]);
        assert!(cast.is_refused(host).text.contains("550"));
        drop(strict);
        cast.heals();
    });
}

/// Break it: go on in clear text if STARTTLS is not offered.
#[test]
fn a_relay_whose_starttls_was_stripped_gets_no_code() {
    on_a_host(|host| {
        let (port, made) = (free_port(), Certificates::create("relay"));
        let authority = made.authority.display();
        let table =
            format!("url = \"smtp://localhost:{port}\", tls = \"starttls\", ca-file = \"{authority}\"");
        let settings =
            Settings::default().email("transport = \"smtp\"").email(&format!("smtp = {{ {table} }}"));
        let cast = with_relay(host, port, &settings);
        let _stripped = BrokenMailServer::start_on(port, Fault::StripsStartTls);
        assert!(cast.is_refused(host).text.to_uppercase().contains("TLS"));
    });
}

#[test]
fn a_sendmail_that_fails() {
    on_a_host(|host| {
        let command = path("sendmail");
        host.write(&command, "#!/bin/sh\ncat >/dev/null\necho the queue is full >&2\nexit 75\n", 0o755);
        let settings = Settings::default()
            .email("transport = \"sendmail\"")
            .email(&format!("sendmail = [\"{}\", \"-t\", \"-i\"]", command.display()));
        let cast = with_relay(host, 0, &settings);
        let event = cast.is_refused(host);
        assert!(event.text.contains("75") || event.text.contains("queue is full"), "{}", event.text);
    });
}
