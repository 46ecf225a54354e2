//! What the mails say, read back with an independent parser: Python's.

use std::io::Write as _;
use std::process::{Command, Stdio};

use mfad::address::EmailAddress;
use mfad::deliver::message::{self, Letter, Message, Sender};
use mfad::deliver::{Body, Template};
use protocol::Secret;
use serde_json::Value;

const READER: &str = r#"
import sys, json, email, email.policy
mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = [p for p in mail.walk() if not p.is_multipart()]
json.dump({
  "headers": [[k, str(v)] for k, v in mail.items()],
  "type": mail.get_content_type(),
  "defects": [str(d) for p in mail.walk() for d in p.defects],
  "parts": [{"type": p.get_content_type(), "text": p.get_content().replace("\r\n", "\n")} for p in parts],
}, sys.stdout)
"#;

fn read(message: &Message) -> Value {
    let mut python = Command::new("/usr/bin/python3")
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(&message.bytes).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    let of_name = |pair: &&Value| pair[0].as_str().unwrap().eq_ignore_ascii_case(name);
    let mut found = mail["headers"].as_array().unwrap().iter().filter(of_name);
    let value = found.next().unwrap_or_else(|| panic!("no {name} in {mail}"))[1].as_str().unwrap();
    assert!(found.next().is_none(), "{name} twice");
    value
}

fn render(subject: &str, user: &str, host: &str) -> Message {
    let to = EmailAddress::parse("ada@example.org").unwrap();
    let code = Secret::new("123456".into());
    let time = "2026-11-05T10:00:00Z".parse().unwrap();
    let expires = "2026-11-05T10:05:00Z".parse().unwrap();
    let letter =
        Letter { to: &to, code: &code, user, host, service: "sshd", source: "192.0.2.7", time, expires };
    let from = Sender::parse("mfad <mfad@$HOST>", "web1.example.org").unwrap();
    message::render(&Body::default(), &Template::line(subject).unwrap(), &from, &letter).unwrap()
}

#[test]
fn a_login_mail_has_a_text_and_an_html_part_that_tell_the_same_facts() {
    let mail = read(&render("Your login code for $HOST", "ada", "web1.example.org"));
    assert_eq!(mail["defects"].as_array().unwrap().len(), 0, "{mail}");
    assert_eq!(mail["type"], "multipart/alternative");
    assert_eq!(mail["parts"][0]["type"], "text/plain");
    assert_eq!(mail["parts"][1]["type"], "text/html");
    let text = mail["parts"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("Your login code is 123456\n"), "{text}");
    assert!(text.lines().any(|line| line == "123456"));
    assert!(
        text.contains("\nNot you? Somebody knows your password: change it and tell your administrator.\n")
    );
    for part in [text, mail["parts"][1]["text"].as_str().unwrap()] {
        for fact in ["123456", "ada", "web1.example.org", "sshd", "192.0.2.7", "2026-11-05"] {
            assert!(part.contains(fact), "{fact} in {part}");
        }
        assert!(!part.contains("http"), "a login mail has no link: {part}");
    }
}

#[test]
fn the_headers_name_the_sender_and_keep_robots_from_answering() {
    let mail = read(&render("Your login code for $HOST", "ada", "web1.example.org"));
    assert_eq!(header(&mail, "From"), "mfad <mfad@web1.example.org>");
    assert_eq!(header(&mail, "To"), "ada@example.org");
    assert_eq!(header(&mail, "Subject"), "Your login code for web1.example.org");
    assert_eq!(header(&mail, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(&mail, "X-Auto-Response-Suppress"), "All");
    assert!(header(&mail, "Date").starts_with("Thu, 05 Nov 2026 10:00:00"));
    assert!(header(&mail, "Message-ID").ends_with("@web1.example.org>"));
    let again = read(&render("Your login code for $HOST", "ada", "web1.example.org"));
    assert_ne!(header(&mail, "Message-ID"), header(&again, "Message-ID"));
}

#[test]
fn a_subject_in_any_language_arrives_as_it_was_written_and_the_wire_sees_ascii() {
    let message = render("Ihr Anmeldecode für $HOST: 東京", "Jörg", "büro.example");
    assert!(message.bytes.is_ascii());
    let mail = read(&message);
    assert_eq!(header(&mail, "Subject"), "Ihr Anmeldecode für büro.example: 東京");
    assert!(mail["parts"][1]["text"].as_str().unwrap().contains("<b>Jörg</b>"));
}

#[test]
fn no_fact_can_add_a_header_a_part_or_markup() {
    let evil = "x\r\nBcc: eve@example.org\r\n\r\n<script>alert(1)</script>\0";
    let mail = read(&render("Code for $HOST as $USER", evil, evil));
    assert_eq!(mail["defects"].as_array().unwrap().len(), 0, "{mail}");
    let names: Vec<String> = mail["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| pair[0].as_str().unwrap().to_ascii_lowercase())
        .collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    let expected = [
        "auto-submitted",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
        "subject",
        "to",
        "x-auto-response-suppress",
    ];
    assert_eq!(names, expected);
    assert_eq!(mail["parts"].as_array().unwrap().len(), 2);
    assert!(!mail["parts"][1]["text"].as_str().unwrap().contains("<script>"));
    let sender = Sender::parse("a\r\nBcc: eve@example.org\r\nX: <mfad@web1>", "web1").unwrap();
    let to = EmailAddress::parse("ada@example.org").unwrap();
    let notice =
        read(&message::notice(&sender, &to, "ada", "hello\r\nBcc: x@y", &["one\r\n.\r\ntwo"]).unwrap());
    assert!(notice["headers"].as_array().unwrap().iter().all(|pair| pair[0] != "Bcc"));
}

#[test]
fn a_notice_is_plain_text() {
    let from = Sender::parse("mfad@web1.example.org", "web1").unwrap();
    let to = EmailAddress::parse("ops@example.org").unwrap();
    let mail =
        read(&message::notice(&from, &to, "ada", "Grüße", &["ada was locked.", "Unlock: ünlock"]).unwrap());
    assert_eq!(mail["type"], "text/plain");
    assert_eq!(mail["parts"][0]["text"], "ada was locked.\nUnlock: ünlock\n");
    assert_eq!(header(&mail, "Subject"), "Grüße");
}

#[test]
fn debug_output_of_a_message_never_holds_its_code() {
    assert!(!format!("{:?}", render("$MFA_TOKEN", "ada", "web1")).contains("123456"));
}

#[test]
fn a_sender_without_a_valid_address_is_refused() {
    assert!(Sender::parse("mfad <mfad@>", "web1").is_err());
    assert!(Sender::parse("mfad", "web1").is_err());
    assert_eq!(Sender::parse("<mfad@${HOST}>", "web1").unwrap().address().as_str(), "mfad@web1");
}
