//! Text that would move a cursor, forge a line or turn letters around, in every string that mfad sends.

use protocol::manage::*;
use serde_json::{Value, json};

use crate::daemon::{Scene, failure, reply, run};

const HOSTILE: &str = "a\x1b[2J\r\nb\u{9b}c\u{202e}d\u{7f}";
const HARMLESS: &str = "a?[2J??b?c?d?";
const AS_JSON: &str = r#"a\u001b[2J\r\nb\u009bc\u202ed\u007f"#;

/// Every verb, with a reply in which each string that may be anything is hostile.
fn verbs() -> Vec<(&'static [&'static str], Value)> {
    let finding = json!({ "name": HOSTILE, "outcome": "ok", "detail": HOSTILE });
    let challenge =
        json!({ "service": HOSTILE, "source": HOSTILE, "opened": 0, "expires": 0, "tries_left": 2 });
    let factor =
        json!({ "id": HOSTILE, "factor": HOSTILE, "enrolment": "active", "since": 0, "contact": HOSTILE });
    let device = json!({ "id": 1, "service": HOSTILE, "source": HOSTILE, "ssh_key": HOSTILE, "since": 0, "until": 0,
        "last_used": null });
    let bypass = json!({ "id": 1, "reason": HOSTILE, "issued_by": 0, "uses_left": 1, "expires": 0 });
    vec![
        (
            &["enrol", "totp"],
            json!({ "id": HOSTILE, "secret": HOSTILE, "uri": HOSTILE, "drawing": null,
                "drawing_inverted": null, "sent_to": HOSTILE }),
        ),
        (&["confirm", "totp-1", "482915"], json!({ "id": HOSTILE, "recovery": [HOSTILE] })),
        (&["remove", "totp-1"], json!({ "change": "changed", "left": [HOSTILE] })),
        (&["recovery", "new"], json!({ "codes": [HOSTILE] })),
        (&["bypass", "issue", "ada", "--reason", "x"], json!({ "code": HOSTILE, "expires": 0 })),
        (&["enrol-ticket", "issue", "ada"], json!({ "code": HOSTILE, "expires": 0 })),
        (&["user", "enable", "ada"], json!({ "change": "changed", "warning": HOSTILE })),
        (&["user", "email", "ada", "a@example.org"], json!({ "change": "changed", "address": HOSTILE })),
        (
            &["user", "show", "ada"],
            json!({ "account": {
                "user": HOSTILE, "uid": 1, "switch": "enabled", "email": HOSTILE, "sends_to": HOSTILE,
                "sends_to_source": HOSTILE, "factors": [HOSTILE], "enrolled": [factor], "preferred": HOSTILE,
                "recovery_left": 0, "bypasses": [bypass], "ticket_until": null, "lock": "open", "throttled_until": null,
                "consecutive_failures": 0, "mails_today": 0, "challenges": [challenge], "devices": [device],
                "last_login": null,
            } }),
        ),
        (
            &["users"],
            json!({ "users": [{ "user": HOSTILE, "uid": 1, "switch": "enabled", "email": HOSTILE,
                "lock": "open", "last_login": null }], "next": null }),
        ),
        (
            &["config", "check"],
            json!({ "files": [], "problems": [{ "file": HOSTILE, "line": 1, "column": 1, "key": HOSTILE,
                "message": HOSTILE, "remedy": HOSTILE }], "warnings": [] }),
        ),
        (&["config", "check"], json!({ "files": [HOSTILE], "problems": [], "warnings": [] })),
        (
            &["explain", "ada"],
            json!({ "rules": [{ "name": HOSTILE, "file": HOSTILE, "line": 1, "failing": HOSTILE }], "rule": HOSTILE,
                "outcome": HOSTILE, "ways": [HOSTILE], "trace": HOSTILE }),
        ),
        (&["test", "mail", "a@example.org"], json!({ "finding": finding })),
        (
            &["events"],
            json!({ "events": [{ "id": 1, "at": 0, "kind": HOSTILE, "priority": HOSTILE, "user": HOSTILE, "uid": 1,
                "service": HOSTILE, "source": HOSTILE, "reference": HOSTILE, "text": HOSTILE }] }),
        ),
        (
            &["health"],
            json!({ "outcome": "ok", "release": HOSTILE, "uptime": 1, "checks": [finding],
                "counters": [{ "name": HOSTILE, "value": 1 }] }),
        ),
    ]
}

fn strings(value: &Value) -> usize {
    match value {
        Value::String(text) => usize::from(text == HOSTILE),
        Value::Array(items) => items.iter().map(strings).sum(),
        Value::Object(fields) => fields.values().map(strings).sum(),
        _ => 0,
    }
}

#[test]
fn no_verb_lets_a_control_character_through_to_a_terminal() {
    for (words, answer) in verbs() {
        let run = run(words, [reply(&answer)]);
        let shown = run.stdout + &run.stderr;
        assert_eq!(protocol::text::printable_lines(&shown), shown, "{words:?}");
        assert!(shown.matches(HARMLESS).count() >= strings(&answer), "{words:?} lost a string:\n{shown}");
    }
}

#[test]
fn json_keeps_the_text_and_harms_no_terminal() {
    for (words, answer) in verbs() {
        let run = run(&[words, &["--json"]].concat(), [reply(&answer)]);
        assert_eq!(protocol::text::printable_lines(&run.stdout), run.stdout, "{words:?}");
        assert_eq!(run.stdout.matches(AS_JSON).count(), strings(&answer), "{words:?}");
        assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), answer, "{words:?}");
    }
}

#[test]
fn a_refusal_is_sanitised_too() {
    run(&["health"], [failure(REFUSED, HOSTILE)]).ended(1, "", &format!("{HARMLESS}\n"));
    run(&["health"], [failure(HOSTILE, HOSTILE)]).ended(1, "", &format!("{HARMLESS}\n"));
}

#[test]
fn what_was_typed_is_sanitised_too() {
    let changed = DisableUserReply { change: Change::Changed };
    run(&["user", "disable", HOSTILE], [reply(&changed)]).ended(
        0,
        &format!("{HARMLESS}: second factor switched off.\n"),
        "",
    );
}

#[test]
fn a_moment_beyond_the_calendar_is_no_panic() {
    let locked = json!({ "users": [{ "user": "ada", "uid": 1, "switch": "enabled", "email": null,
        "lock": "open", "last_login": u64::MAX }], "next": null });
    let run = run(&["users"], [reply(&locked)]);
    assert!(run.stdout.ends_with("18446744073709551615 ms after 1970\n"), "{}", run.stdout);
}

#[test]
fn a_reply_that_is_nested_too_deep_is_unreadable() {
    let deep = [b"{\"parameters\":".as_slice(), &[b'['; 20_000], b"\0"].concat();
    assert_eq!(run(&["health"], [Scene::Says(deep)]).code, 3);
}
