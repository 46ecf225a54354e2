//! `bypass`, `enrol-ticket` and `key`.

use protocol::Secret;
use protocol::manage::*;

use crate::daemon::{reply, run, stream};
use crate::user::{AFTERNOON, asked};

#[test]
fn a_bypass_code_is_shown_once_with_its_end() {
    let issued = IssueBypassReply { code: Secret::new("abcd-efgh".into()), expires: AFTERNOON + 3_600_000 };
    let call = r#"{"method":"io.mfad.Manage.IssueBypass","parameters":{"user":"ada","uses":1,"lifetime":3600000,"reason":"phone lost"}}"#;
    let text = "ada: bypass code, good for one login until 2026-11-05 15:03:22. It is not shown again.\n\n    abcd-efgh\n";
    asked(&["bypass", "issue", "ada", "--reason", "phone lost"], reply(&issued), call, text, "");

    let call = r#"{"method":"io.mfad.Manage.IssueBypass","parameters":{"user":"ada","uses":3,"lifetime":259200000,"reason":"x"}}"#;
    let words = &["bypass", "issue", "ada", "--uses", "3", "--for", "3d", "--reason", "x", "--json"];
    let json = "{\"code\":\"abcd-efgh\",\"expires\":1793891002000}\n";
    asked(words, reply(&issued), call, json, "");
    let three = run(&words[..words.len() - 1], [reply(&issued)]);
    assert!(three.stdout.contains("good for 3 logins until"), "{}", three.stdout);
}

#[test]
fn revoking_tells_whether_a_code_was_out() {
    let call = r#"{"method":"io.mfad.Manage.RevokeBypass","parameters":{"user":"ada"}}"#;
    let words = &["bypass", "revoke", "ada"];
    let changed = RevokeBypassReply { change: Change::Changed };
    asked(words, reply(&changed), call, "ada: bypass codes are void.\n", "");
    let again = RevokeBypassReply { change: Change::Unchanged };
    asked(words, reply(&again), call, "ada: no bypass code was out.\n", "");
}

#[test]
fn a_ticket_is_good_for_a_day_unless_told_otherwise() {
    let issued = IssueTicketReply { code: Secret::new("wxyz-abcd".into()), expires: AFTERNOON };
    let call = r#"{"method":"io.mfad.Manage.IssueTicket","parameters":{"user":"ada","lifetime":86400000}}"#;
    let text = "ada: ticket to enrol at a login until 2026-11-05 14:03:22. It is not shown again.\n\n    wxyz-abcd\n";
    asked(&["enrol-ticket", "issue", "ada"], reply(&issued), call, text, "");
    let short = run(&["enrol-ticket", "issue", "ada", "--for", "90s"], [reply(&issued)]);
    assert!(short.asked[0].contains(r#""lifetime":90000"#), "{}", short.asked[0]);
}

#[test]
fn a_rotation_is_told_by_its_last_page() {
    let page = |accounts, resealed, lost| RotateKeyReply { accounts, resealed, lost };
    let good = run(&["key", "rotate"], [stream(&[page(40, 12, 0), page(53, 17, 0)])]);
    good.ended(0, "Accounts looked at: 53. Secrets sealed anew: 17.\n", "");
    assert_eq!(good.asked, [r#"{"method":"io.mfad.Manage.RotateKey","parameters":{},"more":true}"#]);

    let bad = run(&["key", "rotate"], [stream(&[page(53, 17, 2)])]);
    assert_eq!(
        bad.stdout,
        "Accounts looked at: 53. Secrets sealed anew: 17. Secrets that no key opens: 2.\n"
    );
    assert!(bad.stderr.starts_with("Warning: what no key opens cannot prove anything any more."));
    assert_eq!(bad.code, 1);

    let json = run(&["key", "rotate", "--json"], [stream(&[page(40, 12, 0), page(53, 17, 0)])]);
    json.ended(
        0,
        "{\"accounts\":40,\"resealed\":12,\"lost\":0}\n{\"accounts\":53,\"resealed\":17,\"lost\":0}\n",
        "",
    );
}
