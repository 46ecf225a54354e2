//! Mail through real relays: aiosmtpd in clear text, with STARTTLS, with TLS from the start, with AUTH.

mod deliver_support;

use std::fs::Permissions;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use deliver_support::{CODE, Certificates, PATIENT, Server, courier, deliver, mail_to, relay};
use mfad::config::{Relay, RelayLogin, Security};
use mfad::deliver::Cause;

fn encrypted_server(certificates: &Certificates, name: &str, mode: &str, more: &[&str]) -> Server {
    let files = certificates.arguments(name);
    let mut arguments = vec!["--tls", mode];
    arguments.extend(files.iter().map(String::as_str));
    arguments.extend(more);
    Server::start(&arguments)
}

fn trusting(certificates: &Certificates, port: u16, encryption: Security) -> Relay {
    Relay { ca_file: Some(certificates.ca()), ..relay(port, encryption) }
}

fn password_file(directory: &Path, text: &str, mode: u32) -> PathBuf {
    let path = directory.join(format!("password-{mode:o}"));
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

fn login(password_file: PathBuf) -> Option<RelayLogin> {
    Some(RelayLogin { user: "mailer".into(), password_file })
}

#[tokio::test]
async fn a_relay_on_this_host_takes_mail_and_the_second_uses_the_open_connection() {
    let server = Server::start(&[]);
    let courier = courier(vec![relay(server.port, Security::Plain)], PATIENT);
    let (receipt, said) = deliver(&courier, &mail_to("ada@example.org")).await;
    let receipt = receipt.unwrap();
    assert_eq!(receipt.by, format!("localhost:{}", server.port));
    assert_eq!(receipt.answer, "250 2.0.0 taken by the test server");
    assert_eq!(
        said,
        [
            format!("connected to localhost:{}", server.port),
            "not encrypted, as configured".into(),
            "accepted: 250 2.0.0 taken by the test server".into(),
        ]
    );
    let mail = server.mail();
    assert_eq!(mail["from"], "mfad@web1.example.org");
    assert_eq!(mail["to"], serde_json::json!(["ada@example.org"]));
    assert!(mail["data"].as_str().unwrap().contains(CODE));
    let (receipt, said) = deliver(&courier, &mail_to("bob@example.org")).await;
    receipt.unwrap();
    assert_eq!(said[0], format!("using the open connection to localhost:{}", server.port));
    assert_eq!(server.mail()["to"], serde_json::json!(["bob@example.org"]));
}

#[tokio::test]
async fn starttls_and_implicit_tls_deliver_behind_a_verified_certificate() {
    let certificates = Certificates::new();
    certificates.sign("server", "localhost", 2);
    for (mode, encryption) in [("starttls", Security::StartTls), ("implicit", Security::ImplicitTls)] {
        let server = encrypted_server(&certificates, "server", mode, &[]);
        let courier = courier(vec![trusting(&certificates, server.port, encryption)], PATIENT);
        for _ in 0..2 {
            let (receipt, said) = deliver(&courier, &mail_to("ada@example.org")).await;
            receipt.unwrap();
            assert!(
                said.iter().any(|step| step.starts_with("TLS, ") || step.starts_with("using the open")),
                "{said:?}"
            );
            assert_eq!(server.mail()["encrypted"], true);
        }
    }
}

#[tokio::test]
async fn a_login_works_by_plain_and_by_login_and_the_password_is_read_anew() {
    let certificates = Certificates::new();
    certificates.sign("server", "localhost", 2);
    let file = password_file(&certificates.place.0, "wrong\n", 0o640);
    for mechanism in ["PLAIN", "LOGIN"] {
        std::fs::write(&file, "wrong\n").unwrap();
        let more = ["--auth", "mailer:s3cret pass", "--mechanism", mechanism];
        let server = encrypted_server(&certificates, "server", "starttls", &more);
        let settings =
            Relay { login: login(file.clone()), ..trusting(&certificates, server.port, Security::StartTls) };
        let courier = courier(vec![settings], PATIENT);
        let (refused, _) = deliver(&courier, &mail_to("ada@example.org")).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.cause, Cause::Misconfigured);
        assert!(refused.text.contains("refused AUTH (535 "), "{}", refused.text);
        assert!(refused.text.ends_with("check the user and the password-file"), "{}", refused.text);
        assert!(!refused.text.contains("wrong"), "{}", refused.text);

        std::fs::write(&file, "s3cret pass\n").unwrap();
        let (receipt, said) = deliver(&courier, &mail_to("ada@example.org")).await;
        receipt.unwrap();
        assert!(said.contains(&"AUTH accepted".to_owned()), "{said:?}");
        assert_eq!(server.mail()["login"], "mailer");
    }
}

#[tokio::test]
async fn a_password_file_that_others_can_read_is_refused_before_it_is_used() {
    let certificates = Certificates::new();
    let directory = &certificates.place.0;
    let server = Server::start(&["--auth", "mailer:secret"]);
    for (file, fact) in [
        (password_file(directory, "secret\n", 0o644), "chmod u=rw,g=r,o= "),
        (password_file(directory, "two\nlines\n", 0o600), "something else than one line"),
        (directory.join("absent"), "No such file"),
        (directory.clone(), "not a regular file"),
        (PathBuf::from("smtp-password"), "LoadCredential=smtp-password"),
    ] {
        let settings = Relay { login: login(file), ..relay(server.port, Security::Plain) };
        let (result, _) = deliver(&courier(vec![settings], PATIENT), &mail_to("ada@example.org")).await;
        let error = result.unwrap_err();
        assert_eq!(error.cause, Cause::Misconfigured);
        assert!(error.text.contains(fact), "{}", error.text);
        assert!(!error.text.contains("secret\n"));
    }
}

#[tokio::test]
async fn no_untrusted_certificate_gets_a_byte_of_the_message() {
    let certificates = Certificates::new();
    certificates.sign("wrong-host", "relay.example", 2);
    certificates.sign("expired", "localhost", -1);
    certificates.self_signed("self-signed", "localhost", "CA:FALSE");
    certificates.self_signed("own-ca", "localhost", "CA:TRUE");
    for (name, remedy) in [
        ("wrong-host", "write the relay's name as its certificate has it"),
        ("expired", "renew it, or check this host's clock"),
        ("own-ca", "not a CA's own"),
        ("self-signed", "set ca-file to the CA that signed it"),
    ] {
        for (mode, encryption) in [("starttls", Security::StartTls), ("implicit", Security::ImplicitTls)] {
            let server = encrypted_server(&certificates, name, mode, &[]);
            let courier = courier(vec![trusting(&certificates, server.port, encryption)], PATIENT);
            let (result, _) = deliver(&courier, &mail_to("ada@example.org")).await;
            let error = result.unwrap_err();
            assert_eq!(error.cause, Cause::Insecure, "{name} {mode}: {}", error.text);
            assert!(error.text.contains("nothing was sent"), "{name} {mode}: {}", error.text);
            assert!(error.text.contains(remedy), "{name} {mode}: {}", error.text);
            assert!(server.stop().is_empty());
        }
    }
}

#[tokio::test]
async fn without_a_ca_file_the_roots_of_this_host_are_trusted_and_no_others() {
    let certificates = Certificates::new();
    certificates.sign("server", "localhost", 2);
    let server = encrypted_server(&certificates, "server", "implicit", &[]);
    let courier = courier(vec![relay(server.port, Security::ImplicitTls)], PATIENT);
    let (result, _) = deliver(&courier, &mail_to("ada@example.org")).await;
    assert_eq!(result.unwrap_err().cause, Cause::Insecure);
}

/// RFC 3207 6: whoever is in between puts an answer behind `220`, to be taken for one to the encrypted EHLO, and all
/// later answers for those to the command after theirs. Break it: let `Wire::poll_read` return all that it has.
#[tokio::test]
async fn an_answer_slipped_in_behind_starttls_breaks_the_handshake() {
    let certificates = Certificates::new();
    certificates.sign("server", "localhost", 2);
    let server = encrypted_server(&certificates, "server", "starttls", &[]);
    let port = proxy(server.port, b"220 Ready to start TLS\r\n", b"250-relay\r\n250 8BITMIME\r\n");
    let courier = courier(vec![trusting(&certificates, port, Security::StartTls)], PATIENT);
    let error = deliver(&courier, &mail_to("ada@example.org")).await.0.unwrap_err();
    assert_eq!(error.cause, Cause::Insecure);
    assert!(error.text.contains("TLS failed (received corrupt message"), "{}", error.text);
    assert!(server.stop().is_empty());
}

/// Passes one connection on to `to`, and adds `more` to the answer that is `after`.
fn proxy(to: u16, after: &'static [u8], more: &'static [u8]) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", to)).unwrap();
        let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Both);
        });
        let mut chunk = [0; 16 << 10];
        while let Ok(length @ 1..) = server.read(&mut chunk) {
            let mut answer = chunk[..length].to_vec();
            if answer == after {
                answer.extend_from_slice(more);
            }
            if client.write_all(&answer).is_err() {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
    });
    port
}

#[tokio::test]
async fn a_self_signed_certificate_can_be_pinned_as_its_own_ca_file() {
    let certificates = Certificates::new();
    certificates.self_signed("pinned", "localhost", "CA:FALSE");
    let server = encrypted_server(&certificates, "pinned", "implicit", &[]);
    let pin = certificates.place.0.join("pinned.pem");
    let settings = Relay { ca_file: Some(pin), ..relay(server.port, Security::ImplicitTls) };
    deliver(&courier(vec![settings], PATIENT), &mail_to("ada@example.org")).await.0.unwrap();
}

#[tokio::test]
async fn a_ca_file_that_is_none_is_named() {
    let certificates = Certificates::new();
    for path in [certificates.place.0.join("absent.pem"), certificates.place.0.join("empty.pem")] {
        std::fs::write(certificates.place.0.join("empty.pem"), "").unwrap();
        let settings = Relay { ca_file: Some(path), ..relay(1, Security::ImplicitTls) };
        let (result, _) = deliver(&courier(vec![settings], PATIENT), &mail_to("ada@example.org")).await;
        let error = result.unwrap_err();
        assert_eq!(error.cause, Cause::Misconfigured, "{}", error.text);
        assert!(error.text.contains("check ca-file /"), "{}", error.text);
    }
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_smtputf8_and_says_so() {
    let server = Server::start(&[]);
    let plain = courier(vec![relay(server.port, Security::Plain)], PATIENT);
    deliver(&plain, &mail_to("jörg@example.org")).await.0.unwrap();
    assert_eq!(server.mail()["to"], serde_json::json!(["jörg@example.org"]));

    let old = Server::start(&["--no-smtputf8"]);
    let courier = courier(vec![relay(old.port, Security::Plain)], PATIENT);
    let error = deliver(&courier, &mail_to("jörg@example.org")).await.0.unwrap_err();
    assert_eq!(error.cause, Cause::Misconfigured);
    assert!(error.text.contains("SMTPUTF8"), "{}", error.text);
}

#[tokio::test]
async fn a_relay_that_restarted_gets_the_mail_on_a_fresh_connection() {
    let certificates = Certificates::new();
    certificates.sign("server", "localhost", 2);
    let files = certificates.arguments("server");
    for (mode, encryption) in
        [("none", Security::Plain), ("starttls", Security::StartTls), ("implicit", Security::ImplicitTls)]
    {
        let mut arguments = vec!["--tls", mode];
        arguments.extend(files.iter().map(String::as_str));
        let server = Server::start(&arguments);
        let port = server.port;
        let courier = courier(vec![trusting(&certificates, port, encryption)], PATIENT);
        deliver(&courier, &mail_to("ada@example.org")).await.0.unwrap();
        server.stop();
        let server = Server::start_on(port, &arguments);
        let (receipt, said) = deliver(&courier, &mail_to("ada@example.org")).await;
        receipt.unwrap();
        assert!(said.iter().any(|step| step.contains("closed meanwhile")), "{said:?}");
        server.mail();
        assert!(server.stop().is_empty(), "delivered once");
    }
}

#[tokio::test]
async fn an_encrypted_relay_that_dies_with_the_message_in_hand_leaves_the_outcome_unknown() {
    let certificates = Certificates::new();
    certificates.sign("server", "localhost", 2);
    for (mode, encryption) in [("starttls", Security::StartTls), ("implicit", Security::ImplicitTls)] {
        let server = encrypted_server(&certificates, "server", mode, &["--die-at", "."]);
        let courier = courier(vec![trusting(&certificates, server.port, encryption)], PATIENT);
        let error = deliver(&courier, &mail_to("ada@example.org")).await.0.unwrap_err();
        assert_eq!(error.cause, Cause::Unknown, "{}", error.text);
        let server = encrypted_server(&certificates, "server", mode, &["--die-at", "RCPT"]);
        let courier =
            deliver_support::courier(vec![trusting(&certificates, server.port, encryption)], PATIENT);
        let error = deliver(&courier, &mail_to("ada@example.org")).await.0.unwrap_err();
        assert_eq!(error.cause, Cause::Unreachable, "{}", error.text);
        assert!(error.text.contains("RCPT TO"), "{}", error.text);
    }
}

#[tokio::test]
async fn sixteen_at_once_are_delivered_once_each() {
    let server = Server::start(&["--delay", "0.05"]);
    let courier = courier(vec![relay(server.port, Security::Plain)], PATIENT);
    for _ in 0..2 {
        let courier = &courier;
        let mut waiting = Vec::new();
        for number in 0..16 {
            waiting.push(
                async move { deliver(courier, &mail_to(&format!("user{number}@example.org"))).await.0 },
            );
        }
        let mut waiting: Vec<_> = waiting.into_iter().map(Box::pin).collect();
        std::future::poll_fn(|context| {
            waiting.retain_mut(|delivery| match delivery.as_mut().poll(context) {
                std::task::Poll::Ready(result) => result.is_err(),
                std::task::Poll::Pending => true,
            });
            if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        let mut recipients: Vec<String> = (0..16).map(|_| server.mail()["to"][0].to_string()).collect();
        recipients.sort_unstable();
        recipients.dedup();
        assert_eq!(recipients.len(), 16);
    }
    assert!(server.stop().is_empty());
}
