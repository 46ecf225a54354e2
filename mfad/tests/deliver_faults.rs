//! Relays that refuse, hang, lie, flood and hang up. Every failure has its cause and a text that helps; a code never
//! goes over a wire that should be encrypted and is not; and nothing is sent twice.

mod deliver_support;

use std::net::TcpListener;
use std::time::Duration;

use deliver_support::{
    CODE, DROP, ENDLESS_LINE, ENDLESS_LINES, Fake, HANG, PATIENT, Server, courier, deliver, mail_to, relay,
};
use mfad::config::Security::{ImplicitTls, Plain, StartTls};
use mfad::deliver::Cause::{Deferred, Insecure, Misconfigured, Rejected, Timeout, Unknown, Unreachable};
use mfad::deliver::{Cause, DeliveryError};

/// Long enough for a relay of this process to answer, short enough to wait for.
const SHORT: Duration = Duration::from_millis(400);

type Script = &'static [(&'static str, &'static str)];

async fn failure(fake: &Fake, deadline: Duration) -> DeliveryError {
    let courier = courier(vec![relay(fake.port, Plain)], deadline);
    deliver(&courier, &mail_to("ada@example.org")).await.0.unwrap_err()
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn every_fault_has_its_cause_and_a_text_that_says_where_it_happened() {
    let faults: &[(Script, Cause, &str)] = &[
        (&[("HELLO", "421 too busy")], Deferred, "refused its greeting and EHLO (421 too busy)"),
        (&[("HELLO", "554 go away")], Misconfigured, "lets this host connect"),
        (&[("HELLO", DROP)], Unreachable, "hung up"),
        (&[("HELLO", "HTTP/1.1 400 Bad Request")], Unreachable, "not SMTP"),
        (&[("EHLO", "502 what?")], Misconfigured, "refused its greeting and EHLO (502 what?)"),
        (&[("EHLO", DROP)], Unreachable, "hung up"),
        (&[("MAIL", "451 greylisted")], Deferred, "refused MAIL FROM (451 greylisted)"),
        (&[("MAIL", "530 5.7.0 authenticate")], Misconfigured, "set a user and a password-file"),
        (&[("MAIL", "550 who?")], Misconfigured, "check email.from"),
        (&[("MAIL", DROP)], Unreachable, "MAIL FROM"),
        (&[("MAIL", "354 lie")], Unreachable, "the answer to MAIL FROM does not fit (354 lie)"),
        (&[("RCPT", "450 4.2.0 greylisted")], Deferred, "refused RCPT TO (450 4.2.0 greylisted)"),
        (
            &[("RCPT", "550 5.1.1 no such user")],
            Rejected,
            "refused RCPT TO (550 5.1.1 no such user); check the address",
        ),
        (&[("RCPT", DROP)], Unreachable, "RCPT TO"),
        (&[("DATA", "451 later")], Deferred, "refused DATA"),
        (&[("DATA", "554 never")], Rejected, "refused DATA"),
        (&[("DATA", "250 lie")], Unreachable, "the answer to DATA does not fit (250 lie)"),
        (&[("DATA", DROP)], Unreachable, "DATA"),
        (&[(".", "451 4.3.0 disk")], Deferred, "refused the message (451 4.3.0 disk)"),
        (&[(".", "552 too big")], Rejected, "refused the message (552 too big)"),
        (&[(".", DROP)], Unknown, "the message was sent, but not acknowledged"),
        (&[(".", "what?")], Unknown, "may arrive"),
        (&[("RCPT", "550-one\r\n550-\x1b[31mtwo\r\n550 three")], Rejected, "550 one ?[31mtwo three"),
        (&[("RCPT", "550-mixed\r\n250 codes")], Unreachable, "not SMTP"),
        (&[("EHLO", "250-\u{e4}\0\r\n250 fake"), ("RCPT", "550 no")], Rejected, "550 no"),
    ];
    for (script, cause, text) in faults {
        let fake = Fake::start(script);
        let error = failure(&fake, PATIENT).await;
        assert_eq!(error.cause, *cause, "{script:?}: {}", error.text);
        assert!(error.text.starts_with(&format!("localhost:{}: ", fake.port)), "{}", error.text);
        assert!(error.text.contains(text), "{script:?}: {}", error.text);
        assert!(!error.text.contains(CODE), "{}", error.text);
        assert_eq!(fake.connections(), 1, "{script:?}");
    }
}

#[tokio::test]
async fn a_relay_that_hangs_costs_the_deadline_and_is_named_with_the_step_it_hung_at() {
    let hangs: &[(Script, Cause, &str)] = &[
        (&[("HELLO", HANG)], Timeout, "no answer to its greeting and EHLO within 0.4 s"),
        (&[("HELLO", "220-slow")], Timeout, "greeting"),
        (&[("EHLO", HANG)], Timeout, "no answer to its greeting and EHLO"),
        (&[("MAIL", HANG)], Timeout, "no answer to MAIL FROM"),
        (&[("RCPT", HANG)], Timeout, "no answer to RCPT TO"),
        (&[("DATA", HANG)], Timeout, "no answer to DATA"),
        (&[(".", HANG)], Unknown, "the message was sent, but not acknowledged"),
    ];
    for (script, cause, text) in hangs {
        let error = failure(&Fake::start(script), SHORT).await;
        assert_eq!(error.cause, *cause, "{script:?}: {}", error.text);
        assert!(error.text.contains(text), "{script:?}: {}", error.text);
    }
}

#[tokio::test]
async fn a_flood_is_cut_off_and_not_kept() {
    for script in
        [&[("HELLO", ENDLESS_LINE)], &[("EHLO", ENDLESS_LINES)], &[("RCPT", ENDLESS_LINE)]] as [Script; 3]
    {
        let error = failure(&Fake::start(script), PATIENT).await;
        assert_eq!(error.cause, Unreachable, "{script:?}: {}", error.text);
        assert!(error.text.len() < 600, "{}", error.text);
    }
}

#[tokio::test]
async fn nobody_listening_is_said_with_the_address_and_the_name_that_does_not_resolve_too() {
    let courier_for = |host: &str, encryption| {
        let settings = mfad::config::Relay { host: host.into(), ..relay(free_port(), encryption) };
        courier(vec![settings], PATIENT)
    };
    for encryption in [Plain, StartTls, ImplicitTls] {
        let error =
            deliver(&courier_for("127.0.0.1", encryption), &mail_to("ada@example.org")).await.0.unwrap_err();
        assert_eq!(error.cause, Unreachable);
        assert!(error.text.contains("Connection refused"), "{}", error.text);
        assert!(error.text.contains("check the host, the port and the firewall"), "{}", error.text);
    }
    let error =
        deliver(&courier_for("no.such.invalid", Plain), &mail_to("ada@example.org")).await.0.unwrap_err();
    assert_eq!(error.cause, Unreachable);
    assert!(error.text.contains("does not resolve"), "{}", error.text);
    let error = deliver(&courier(Vec::new(), PATIENT), &mail_to("ada@example.org")).await.0.unwrap_err();
    assert_eq!(error.cause, Misconfigured);
}

/// Break it: let `Line::start_tls` go on when STARTTLS is not offered.
#[tokio::test]
async fn stripped_starttls_gets_neither_login_nor_sender_nor_code() {
    let scripts: [(Script, &str); 4] = [
        (&[("EHLO", "250-fake\r\n250 AUTH PLAIN LOGIN")], "does not offer STARTTLS"),
        (&[("EHLO", "250-fake\r\n250 STARTTLS"), ("STARTTLS", "454 no TLS today")], "454 no TLS today"),
        (&[("EHLO", "250-fake\r\n250 STARTTLS"), ("STARTTLS", DROP)], "nothing was sent"),
        (&[("EHLO", "250-fake\r\n250 STARTTLS"), ("STARTTLS", "220 go\r\n250 in clear")], "nothing was sent"),
    ];
    for (script, text) in scripts {
        let fake = Fake::start(script);
        let courier = courier(vec![relay(fake.port, StartTls)], PATIENT);
        let error = deliver(&courier, &mail_to("ada@example.org")).await.0.unwrap_err();
        assert_eq!(error.cause, Insecure, "{script:?}: {}", error.text);
        assert!(error.text.contains(text), "{script:?}: {}", error.text);
        let heard = fake.heard();
        for word in ["AUTH", "MAIL", "RCPT", "DATA", CODE] {
            assert!(!heard.contains(word), "{word} in {heard}");
        }
    }
}

#[tokio::test]
async fn a_relay_that_speaks_no_tls_where_tls_comes_first_gets_nothing() {
    for script in [&[], &[("HELLO", DROP)]] as [Script; 2] {
        let fake = Fake::start(script);
        let courier = courier(vec![relay(fake.port, ImplicitTls)], PATIENT);
        let error = deliver(&courier, &mail_to("ada@example.org")).await.0.unwrap_err();
        assert!(matches!(error.cause, Insecure | Unreachable), "{}", error.text);
        assert!(!fake.heard().contains("MAIL"));
    }
    let fake = Fake::start(&[("HELLO", HANG)]);
    let courier = courier(vec![relay(fake.port, ImplicitTls)], SHORT);
    let error = deliver(&courier, &mail_to("ada@example.org")).await.0.unwrap_err();
    assert_eq!(error.cause, Timeout, "{}", error.text);
}

#[tokio::test]
async fn the_next_relay_takes_over_and_the_failed_one_is_asked_last_for_a_while() {
    for (script, encryption) in [
        (&[("HELLO", HANG)] as Script, Plain),
        (&[("HELLO", "421 busy")], Plain),
        (&[("EHLO", "250 fake")], StartTls),
        (&[("HELLO", DROP)], Plain),
    ] {
        let (bad, good) = (Fake::start(script), Fake::start(&[]));
        let courier = courier(vec![relay(bad.port, encryption), relay(good.port, Plain)], 2 * SHORT);
        for _ in 0..3 {
            let (receipt, _) = deliver(&courier, &mail_to("ada@example.org")).await;
            assert_eq!(receipt.unwrap().by, format!("localhost:{}", good.port));
        }
        assert_eq!(bad.connections(), 1, "{script:?}");
        let (_, said) = deliver(&courier, &mail_to("ada@example.org")).await;
        assert_eq!(said[0], format!("localhost:{} failed a moment ago and is tried last", bad.port));
    }
}

#[tokio::test]
async fn a_refused_recipient_and_an_unknown_outcome_end_the_search() {
    for (script, cause) in
        [(&[("RCPT", "550 no")] as Script, Rejected), (&[(".", DROP)], Unknown), (&[(".", HANG)], Unknown)]
    {
        let (first, second) = (Fake::start(script), Fake::start(&[]));
        let courier = courier(vec![relay(first.port, Plain), relay(second.port, Plain)], 2 * SHORT);
        let error = deliver(&courier, &mail_to("ada@example.org")).await.0.unwrap_err();
        assert_eq!(error.cause, cause);
        assert_eq!(second.connections(), 0);
        assert_eq!(first.connections(), 1);
    }
}

#[tokio::test]
async fn when_all_relays_fail_the_error_names_each() {
    let (first, second) = (Fake::start(&[("HELLO", HANG)]), Fake::start(&[("MAIL", "451 later")]));
    let courier = courier(vec![relay(first.port, Plain), relay(second.port, Plain)], 2 * SHORT);
    let error = deliver(&courier, &mail_to("ada@example.org")).await.0.unwrap_err();
    assert_eq!(error.cause, Deferred, "the one that is least a matter of mail being down");
    assert!(error.text.contains(&format!("localhost:{}: no answer", first.port)), "{}", error.text);
    assert!(
        error.text.contains(&format!(" | localhost:{}: refused MAIL FROM", second.port)),
        "{}",
        error.text
    );
}

#[tokio::test]
async fn a_refusal_on_an_open_connection_does_not_shift_the_answers_of_the_next_mail() {
    let server = Server::start(&["--reject", "eve@example.org=550 5.1.1 no such user"]);
    let courier = courier(vec![relay(server.port, Plain)], PATIENT);
    for _ in 0..3 {
        deliver(&courier, &mail_to("ada@example.org")).await.0.unwrap();
        let error = deliver(&courier, &mail_to("eve@example.org")).await.0.unwrap_err();
        assert_eq!(error.cause, Rejected);
        assert_eq!(server.mail()["to"], serde_json::json!(["ada@example.org"]));
    }
    assert!(server.stop().is_empty());
}

/// Break it: put the connection back also when its delivery was dropped.
#[tokio::test]
async fn a_delivery_that_is_given_up_half_way_leaves_no_half_used_connection() {
    let fake = Fake::start(&[("RCPT TO:<slow@", HANG)]);
    let courier = courier(vec![relay(fake.port, Plain)], PATIENT);
    deliver(&courier, &mail_to("ada@example.org")).await.0.unwrap();
    let slow = mail_to("slow@example.org");
    tokio::time::timeout(SHORT, deliver(&courier, &slow)).await.unwrap_err();
    deliver(&courier, &mail_to("bob@example.org")).await.0.unwrap();
    assert_eq!(fake.connections(), 2);
    assert_eq!(fake.heard().matches("RCPT TO:<bob@example.org>").count(), 1);
}
