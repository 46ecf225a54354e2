//! `test mail` and `events`: several replies to one call.

use protocol::call::{self, Position};
use protocol::frame;
use protocol::manage::*;

use crate::daemon::{Run, Scene, reply, run, run_in_shell, stream};
use crate::user::AFTERNOON;

fn step(name: &str, outcome: Outcome, detail: &str) -> TestMailReply {
    TestMailReply { finding: Finding { name: name.into(), outcome, detail: detail.into() } }
}

#[test]
fn a_test_mail_shows_each_step_and_ends_with_one_if_a_step_failed() {
    let sent = [step("connect", Outcome::Ok, "localhost:25"), step("send", Outcome::Warning, "queued")];
    let good = run(&["test", "mail", "ada@example.org"], [stream(&sent)]);
    good.ended(0, "ok      connect: localhost:25\nwarning send: queued\n", "");
    assert_eq!(
        good.asked,
        [r#"{"method":"io.mfad.Manage.TestMail","parameters":{"address":"ada@example.org"},"more":true}"#]
    );

    let refused =
        [step("connect", Outcome::Failed, "localhost:25 refused (111)"), step("next", Outcome::Ok, "x")];
    let bad = run(&["test", "mail", "ada@example.org"], [stream(&refused)]);
    bad.ended(1, "failed  connect: localhost:25 refused (111)\nok      next: x\n", "");
    let json = run(&["test", "mail", "ada@example.org", "--json"], [stream(&refused[..1])]);
    json.ended(
        1,
        "{\"finding\":{\"name\":\"connect\",\"outcome\":\"failed\",\"detail\":\"localhost:25 refused (111)\"}}\n",
        "",
    );
}

#[test]
fn steps_that_came_are_shown_even_if_mfad_dies_before_the_last() {
    let step = step("connect", Outcome::Ok, "x");
    let mut bytes = frame::encode(&call::success(&step, Position::Continues)).unwrap().to_vec();
    bytes.extend(b"{\"parame\0");
    let cut = run(&["test", "mail", "a@example.org"], [Scene::Says(bytes)]);
    assert_eq!((cut.code, cut.stdout.as_str()), (3, "ok      connect: x\n"));
}

fn event(id: i64, kind: &str, text: &str) -> EventLine {
    EventLine {
        id,
        at: AFTERNOON,
        kind: kind.into(),
        priority: "notice".into(),
        user: Some("ada".into()),
        uid: Some(1000),
        service: Some("sshd".into()),
        source: Some("192.0.2.7".into()),
        reference: Some("k3f9a".into()),
        text: text.into(),
    }
}

fn two_batches() -> Scene {
    let started = EventLine {
        user: None,
        uid: None,
        service: None,
        source: None,
        reference: None,
        priority: "info".into(),
        ..event(1, "started", "mfad started.")
    };
    stream(&[
        EventsReply { events: vec![started, event(2, "login-allowed", "A mailed code was right.")] },
        EventsReply { events: vec![] },
        EventsReply { events: vec![event(3, "challenge-opened", "A code was sent.")] },
    ])
}

#[test]
fn events_are_a_line_each() {
    let shown = run(&["events"], [two_batches()]);
    shown.ended(
        0,
        "\
2026-11-05 14:03:22  info     started           mfad started.
2026-11-05 14:03:22  notice   login-allowed     A mailed code was right. (user ada, uid 1000, service sshd, from 192.0.2.7, reference k3f9a)
2026-11-05 14:03:22  notice   challenge-opened  A code was sent. (user ada, uid 1000, service sshd, from 192.0.2.7, reference k3f9a)
",
        "",
    );
    assert_eq!(
        shown.asked,
        [
            r#"{"method":"io.mfad.Manage.Events","parameters":{"user":null,"kind":null,"service":null,"source":null,"reference":null,"since":null,"last":null,"follow":"no"},"more":true}"#
        ]
    );
}

#[test]
fn times_are_local() {
    let started = || stream(&[EventsReply { events: vec![event(1, "locked", "Too many failures.")] }]);
    let east = run_in_shell("TZ=XYZ-2 $MFACTL events", [started()]);
    assert!(east.stdout.starts_with("2026-11-05 16:03:22  notice"), "{}", east.stdout);
}

#[test]
fn events_as_json_are_a_batch_a_line() {
    let shown = run(
        &["events", "--json"],
        [stream(&[
            EventsReply { events: vec![event(7, "locked", "Too many failures.")] },
            EventsReply { events: vec![] },
        ])],
    );
    shown.ended(
        0,
        concat!(
            r#"{"events":[{"id":7,"at":1793887402000,"kind":"locked","priority":"notice","user":"ada","uid":1000,"#,
            r#""service":"sshd","source":"192.0.2.7","reference":"k3f9a","text":"Too many failures."}]}"#,
            "\n{\"events\":[]}\n"
        ),
        "",
    );
}

#[test]
fn no_events_are_said_where_they_are_not_counted() {
    run(&["events"], [reply(&EventsReply { events: vec![] })]).ended(0, "", "No events.\n");
}

fn asked(words: &[&str]) -> String {
    let Run { mut asked, .. } = run(words, [reply(&EventsReply { events: vec![] })]);
    asked.remove(0)
}

#[test]
fn wishes_about_events_reach_mfad() {
    assert_eq!(
        asked(&["events", "--user", "ada", "--since", "2026-11-05T14:03:22Z", "--last", "5"]),
        r#"{"method":"io.mfad.Manage.Events","parameters":{"user":"ada","kind":null,"service":null,"source":null,"reference":null,"since":1793887402000,"last":5,"follow":"no"},"more":true}"#
    );
}

#[test]
fn following_starts_with_the_last_ten_unless_told_otherwise() {
    assert!(asked(&["events", "--follow"]).contains(r#""since":null,"last":10,"follow":"yes""#));
    assert!(asked(&["events", "--follow", "--last", "3"]).contains(r#""last":3,"follow":"yes""#));
    let since = asked(&["events", "--follow", "--since", "2026-11-05T14:03:22Z"]);
    assert!(since.contains(r#""since":1793887402000,"last":null,"follow":"yes""#), "{since}");
}

#[test]
fn a_reader_who_has_enough_ends_it_quietly() {
    // Far more than a pipe holds, so that the writing must fail.
    let batch = EventsReply { events: vec![event(1, "login-allowed", &"x".repeat(1000))] };
    for format in ["", "--json"] {
        let line = format!("{{ $MFACTL events {format}; echo $? >&2; }} | head -1 | wc -l");
        let run = run_in_shell(&line, [stream(&vec![batch.clone(); 1000])]);
        assert_eq!((run.stdout.trim(), run.stderr.as_str()), ("1", "0\n"), "{format}");
    }
}

#[test]
fn output_that_goes_nowhere_is_an_error_and_no_panic() {
    let run = run_in_shell("$MFACTL events >/dev/full", [two_batches()]);
    run.ended(
        1,
        "",
        "the answer could not be printed: No space left on device (os error 28). Check where the output goes\n",
    );
    let closed = run_in_shell("$MFACTL events >&- 2>&-", [two_batches()]);
    closed.ended(0, "", "");
}
