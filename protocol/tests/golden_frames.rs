//! The bytes on the wire, pinned: another implementation may rely on them.

use protocol::Secret;
use protocol::call::{self, Call, CallError, Fault, Position, Replies};
use protocol::frame;
use protocol::login::*;

fn framed(message: &impl serde::Serialize) -> String {
    let bytes = frame::encode(message).unwrap();
    let (nul, text) = bytes.split_last().unwrap();
    assert_eq!(*nul, 0);
    String::from_utf8(text.to_vec()).unwrap()
}

fn attempt() -> Attempt {
    Attempt {
        user: "ada".into(),
        service: "sshd".into(),
        tty: Some("ssh".into()),
        remote_host: Some("192.0.2.7".into()),
        remote_user: None,
        ssh_connection: Some("192.0.2.7 50000 198.51.100.1 22".into()),
        ssh_auth_info: None,
    }
}

#[test]
fn a_begin_is_these_bytes() {
    let begin = Begin { protocol: 1, attempt: attempt(), appended: None };
    assert_eq!(
        framed(&call::outgoing(&begin, Replies::One)),
        r#"{"method":"io.mfad.Login.Begin","parameters":{"protocol":1,"attempt":{"user":"ada","service":"sshd","tty":"ssh","remote_host":"192.0.2.7","remote_user":null,"ssh_connection":"192.0.2.7 50000 198.51.100.1 22","ssh_auth_info":null}}}"#
    );
}

#[test]
fn a_begin_with_an_appended_code_is_these_bytes_and_reads_back() {
    let begin = Begin { protocol: 1, attempt: attempt(), appended: Some(Secret::new("123456".into())) };
    let wire = framed(&call::outgoing(&begin, Replies::One));
    assert_eq!(
        wire,
        r#"{"method":"io.mfad.Login.Begin","parameters":{"protocol":1,"attempt":{"user":"ada","service":"sshd","tty":"ssh","remote_host":"192.0.2.7","remote_user":null,"ssh_connection":"192.0.2.7 50000 198.51.100.1 22","ssh_auth_info":null},"appended":"123456"}}"#
    );
    assert_eq!(Call::parse(wire.as_bytes()).unwrap().parameters::<Begin>().unwrap(), begin);
    let without = wire.replace(r#","appended":"123456""#, "");
    assert_eq!(Call::parse(without.as_bytes()).unwrap().parameters::<Begin>().unwrap().appended, None);
}

#[test]
fn the_shapes_of_codes_are_asked_for_and_answered_by_these_bytes() {
    let call = framed(&call::outgoing(&Expect { protocol: 1, attempt: attempt() }, Replies::One));
    assert!(
        call.starts_with(
            r#"{"method":"io.mfad.Login.Expect","parameters":{"protocol":1,"attempt":{"user":"ada","#
        ),
        "{call}"
    );
    let reply = ExpectReply { shapes: Shape::ALL.to_vec() };
    let bytes = r#"{"parameters":{"shapes":["digits6","digits7","digits8","letters"]}}"#;
    assert_eq!(framed(&call::success(&reply, Position::Last)), bytes);
    assert_eq!(call::parse_reply::<Expect>(bytes.as_bytes()).unwrap(), (reply, Position::Last));
    let unknown = br#"{"parameters":{"shapes":["digits5"]}}"#;
    assert!(matches!(call::parse_reply::<Expect>(unknown), Err(CallError::Malformed)));
}

#[test]
fn an_answer_is_these_bytes_and_reads_back() {
    let answer =
        Answer { login: "k3f9a".into(), question: "c1.3".into(), text: Secret::new("123456".into()) };
    let wire = framed(&call::outgoing(&answer, Replies::One));
    assert_eq!(
        wire,
        r#"{"method":"io.mfad.Login.Answer","parameters":{"login":"k3f9a","question":"c1.3","text":"123456"}}"#
    );
    let call = Call::parse(wire.as_bytes()).unwrap();
    assert_eq!(call.parameters::<Answer>().unwrap(), answer);
}

#[test]
fn the_three_kinds_of_step_are_these_bytes() {
    let question = Question { id: "c1.3".into(), text: "Verification code: ".into(), echo: Echo::On };
    let cases = [
        (
            Then::Ask(question),
            r#"{"parameters":{"step":{"login":"k3f9a","notices":[{"severity":"info","text":"Hello"}],"question":{"id":"c1.3","text":"Verification code: ","echo":"on"},"verdict":null}}}"#,
        ),
        (
            Then::Continue,
            r#"{"parameters":{"step":{"login":"k3f9a","notices":[{"severity":"info","text":"Hello"}],"question":null,"verdict":null}}}"#,
        ),
        (
            Then::End(Verdict::Allow),
            r#"{"parameters":{"step":{"login":"k3f9a","notices":[{"severity":"info","text":"Hello"}],"question":null,"verdict":"allow"}}}"#,
        ),
    ];
    for (then, bytes) in cases {
        let notices = vec![Notice { severity: Severity::Info, text: "Hello".into() }];
        let reply = BeginReply { step: Step { login: "k3f9a".into(), notices, then } };
        assert_eq!(framed(&call::success(&reply, Position::Last)), bytes);
        assert_eq!(call::parse_reply::<Begin>(bytes.as_bytes()).unwrap(), (reply, Position::Last));
    }
}

#[test]
fn a_step_with_a_question_and_a_verdict_is_refused() {
    let both = r#"{"parameters":{"step":{"login":"k","notices":[],"question":{"id":"q","text":"t","echo":"on"},"verdict":"allow"}}}"#;
    assert!(matches!(call::parse_reply::<Begin>(both.as_bytes()), Err(CallError::Malformed)));
}

#[test]
fn nothing_but_the_word_allow_allows() {
    for verdict in ["", "ALLOW", "allow ", "allowed", "0", "true", "success"] {
        let frame =
            format!(r#"{{"parameters":{{"step":{{"login":"k","notices":[],"verdict":"{verdict}"}}}}}}"#);
        assert!(
            matches!(call::parse_reply::<Begin>(frame.as_bytes()), Err(CallError::Malformed)),
            "{verdict:?}"
        );
    }
    assert_eq!(Verdict::ALL.iter().filter(|verdict| verdict.name() == "allow").count(), 1);
}

#[test]
fn unknown_fields_are_errors_everywhere() {
    let step = r#"{"login":"k","notices":[],"verdict":"deny""#;
    for frame in [
        format!(r#"{{"parameters":{{"step":{step}}}}},"extra":1}}"#),
        format!(r#"{{"parameters":{{"step":{step}}},"extra":1}}}}"#),
        format!(r#"{{"parameters":{{"step":{step},"extra":1}}}}}}"#),
    ] {
        assert!(matches!(call::parse_reply::<Begin>(frame.as_bytes()), Err(CallError::Malformed)), "{frame}");
    }
    assert_eq!(Call::parse(br#"{"method":"a.b","extra":1}"#).unwrap_err(), Fault::InvalidFrame);
    let cancel =
        Call::parse(br#"{"method":"io.mfad.Login.Cancel","parameters":{"login":"k","extra":1}}"#).unwrap();
    assert_eq!(cancel.parameters::<Cancel>().unwrap_err(), Fault::InvalidParameter);
}

#[test]
fn an_error_reply_carries_its_name_and_its_reason() {
    for fault in Fault::ALL {
        let frame = framed(&call::failure(fault.name(), &fault.to_string()));
        match call::parse_reply::<Begin>(frame.as_bytes()) {
            Err(CallError::Refused { name, reason }) => {
                assert_eq!((name.as_str(), reason), (fault.name(), fault.to_string()));
            }
            other => panic!("{other:?}"),
        }
    }
}
