//! `mfactl user …` and `mfactl users`.

use protocol::manage::*;

use crate::daemon::{Scene, reply, run};

/// Milliseconds of 2026-11-05 14:03:22 UTC.
pub(crate) const AFTERNOON: u64 = 1_793_887_402_000;

#[track_caller]
pub(crate) fn asked(words: &[&str], scene: Scene, call: &str, stdout: &str, stderr: &str) {
    let run = run(words, [scene]);
    run.ended(0, stdout, stderr);
    assert_eq!(run.asked, [call]);
}

#[test]
fn enabling_tells_what_changed_and_warns_beside_the_answer() {
    let call = r#"{"method":"io.mfad.Manage.EnableUser","parameters":{"user":"ada"}}"#;
    let words = &["user", "enable", "ada"];
    let done = EnableUserReply { change: Change::Changed, warning: None };
    asked(words, reply(&done), call, "ada: second factor switched on.\n", "");
    let again = EnableUserReply { change: Change::Unchanged, warning: None };
    asked(words, reply(&again), call, "ada: second factor was on already.\n", "");

    let warned = EnableUserReply {
        change: Change::Changed,
        warning: Some("no address is known. Set one: mfactl user email ada ADDR".into()),
    };
    asked(
        words,
        reply(&warned),
        call,
        "ada: second factor switched on.\n",
        "Warning: no address is known. Set one: mfactl user email ada ADDR\n",
    );
    asked(
        &["user", "enable", "ada", "--json"],
        reply(&warned),
        call,
        "{\"change\":\"changed\",\"warning\":\"no address is known. Set one: mfactl user email ada ADDR\"}\n",
        "",
    );
}

#[test]
fn disabling_tells_what_changed() {
    let call = r#"{"method":"io.mfad.Manage.DisableUser","parameters":{"user":"ada"}}"#;
    let changed = DisableUserReply { change: Change::Changed };
    asked(&["user", "disable", "ada"], reply(&changed), call, "ada: second factor switched off.\n", "");
    let again = DisableUserReply { change: Change::Unchanged };
    asked(&["user", "disable", "ada"], reply(&again), call, "ada: second factor was off already.\n", "");
    asked(&["--json", "user", "disable", "ada"], reply(&changed), call, "{\"change\":\"changed\"}\n", "");
}

#[test]
fn unlocking_tells_what_changed() {
    let call = r#"{"method":"io.mfad.Manage.UnlockUser","parameters":{"user":"ada"}}"#;
    let changed = UnlockUserReply { change: Change::Changed };
    asked(&["user", "unlock", "ada"], reply(&changed), call, "ada: unlocked, failures forgotten.\n", "");
    let again = UnlockUserReply { change: Change::Unchanged };
    let calm = "ada: was not locked, and no failures were counted.\n";
    asked(&["user", "unlock", "ada"], reply(&again), call, calm, "");
    asked(&["user", "unlock", "ada", "--json"], reply(&again), call, "{\"change\":\"unchanged\"}\n", "");
}

#[test]
fn resetting_tells_what_stays() {
    let call = r#"{"method":"io.mfad.Manage.ResetUser","parameters":{"user":"ada"}}"#;
    let changed = ResetUserReply { change: Change::Changed };
    let text = "ada: factors and codes forgotten; switch and address stay.\n";
    asked(&["user", "reset", "ada"], reply(&changed), call, text, "");
    let again = ResetUserReply { change: Change::Unchanged };
    let text = "ada: nothing was enrolled, and no code was out.\n";
    asked(&["user", "reset", "ada"], reply(&again), call, text, "");
}

#[test]
fn an_address_is_told_as_mfad_will_use_it() {
    let call =
        r#"{"method":"io.mfad.Manage.SetEmail","parameters":{"user":"ada","address":"ada@büro.example"}}"#;
    let words = &["user", "email", "ada", "ada@büro.example"];
    let address = Some("ada@xn--bro-hoa.example".to_owned());
    let changed = SetEmailReply { change: Change::Changed, address: address.clone() };
    asked(words, reply(&changed), call, "ada: address set to ada@xn--bro-hoa.example.\n", "");
    let again = SetEmailReply { change: Change::Unchanged, address };
    asked(words, reply(&again), call, "ada: address was ada@xn--bro-hoa.example already.\n", "");
    asked(
        &["user", "email", "ada", "ada@büro.example", "--json"],
        reply(&changed),
        call,
        "{\"change\":\"changed\",\"address\":\"ada@xn--bro-hoa.example\"}\n",
        "",
    );
}

#[test]
fn an_address_is_cleared() {
    let call = r#"{"method":"io.mfad.Manage.SetEmail","parameters":{"user":"ada","address":null}}"#;
    let words = &["user", "email", "ada", "--clear"];
    let changed = SetEmailReply { change: Change::Changed, address: None };
    asked(words, reply(&changed), call, "ada: address cleared.\n", "");
    let again = SetEmailReply { change: Change::Unchanged, address: None };
    asked(words, reply(&again), call, "ada: no address was kept.\n", "");
}

pub(crate) fn newcomer() -> UserDetail {
    UserDetail {
        user: "ada".into(),
        uid: None,
        switch: Switch::Disabled,
        email: None,
        sends_to: None,
        sends_to_source: None,
        factors: vec![],
        enrolled: vec![],
        preferred: None,
        recovery_left: 0,
        bypasses: vec![],
        ticket_until: None,
        lock: Lock::Open,
        throttled_until: None,
        consecutive_failures: 0,
        mails_today: 0,
        challenges: vec![],
        devices: vec![],
        last_login: None,
    }
}

pub(crate) fn busy() -> UserDetail {
    UserDetail {
        uid: Some(1000),
        switch: Switch::Enabled,
        email: Some("ada@example.org".into()),
        sends_to: Some("ada@example.org".into()),
        sends_to_source: Some("account".into()),
        factors: vec!["totp-1".into(), "email".into()],
        enrolled: vec![
            FactorLine {
                id: "totp-1".into(),
                factor: "totp".into(),
                enrolment: Enrolment::Active,
                since: AFTERNOON - 86_400_000,
                contact: None,
            },
            FactorLine {
                id: "sms-1".into(),
                factor: "sms".into(),
                enrolment: Enrolment::Pending,
                since: AFTERNOON,
                contact: Some("***67".into()),
            },
        ],
        preferred: Some("totp-1".into()),
        recovery_left: 7,
        bypasses: vec![BypassLine {
            id: 3,
            reason: "phone lost".into(),
            issued_by: 0,
            uses_left: 1,
            expires: AFTERNOON + 3_600_000,
        }],
        ticket_until: Some(AFTERNOON + 86_400_000),
        lock: Lock::Throttled,
        throttled_until: Some(AFTERNOON + 90_000),
        consecutive_failures: 5,
        mails_today: 2,
        challenges: vec![ChallengeLine {
            service: "sshd".into(),
            source: "192.0.2.7".into(),
            opened: AFTERNOON,
            expires: AFTERNOON + 300_000,
            tries_left: 1,
        }],
        last_login: Some(AFTERNOON - 86_400_000),
        ..newcomer()
    }
}

#[test]
fn an_account_is_shown_as_a_block() {
    let call = r#"{"method":"io.mfad.Manage.ShowUser","parameters":{"user":"ada"}}"#;
    let text = "\
user           ada
uid            1000
second factor  on
factors        totp-1, email
enrolled       totp-1: totp, active since 2026-11-04 14:03:22
enrolled       sms-1: sms to ***67, pending since 2026-11-05 14:03:22
asked first    totp-1
recovery       7 codes left
address kept   ada@example.org
mail goes to   ada@example.org (from account)
state          throttled until 2026-11-05 14:04:52
wrong codes    5 in a row
mails          2 within the last day
last login     2026-11-04 14:03:22
bypass code    #3: phone lost (by uid 0), 1 use left, ends 2026-11-05 15:03:22
ticket         to enrol, until 2026-11-06 14:03:22
code is out    sshd from 192.0.2.7: sent 2026-11-05 14:03:22, ends 2026-11-05 14:08:22, 1 try left
";
    asked(&["user", "show", "ada"], reply(&ShowUserReply { account: busy() }), call, text, "");

    let text = "\
user           ada
uid            not known yet
second factor  off
factors        none
asked first    by the order of this host
recovery       0 codes left
address kept   none
mail goes to   nowhere: no address is known
state          open
wrong codes    0 in a row
mails          0 within the last day
last login     never
";
    asked(&["user", "show", "ada"], reply(&ShowUserReply { account: newcomer() }), call, text, "");
}

#[test]
fn an_account_as_json_is_the_reply_as_it_came() {
    let json = concat!(
        r#"{"account":{"user":"ada","uid":1000,"switch":"enabled","email":"ada@example.org","#,
        r#""sends_to":"ada@example.org","sends_to_source":"account","factors":["totp-1","email"],"#,
        r#""enrolled":[{"id":"totp-1","factor":"totp","enrolment":"active","since":1793801002000,"contact":null},"#,
        r#"{"id":"sms-1","factor":"sms","enrolment":"pending","since":1793887402000,"contact":"***67"}],"#,
        r#""preferred":"totp-1","recovery_left":7,"bypasses":[{"id":3,"reason":"phone lost","issued_by":0,"#,
        r#""uses_left":1,"expires":1793891002000}],"ticket_until":1793973802000,"#,
        r#""lock":"throttled","throttled_until":1793887492000,"consecutive_failures":5,"mails_today":2,"#,
        r#""challenges":[{"service":"sshd","source":"192.0.2.7","opened":1793887402000,"#,
        r#""expires":1793887702000,"tries_left":1}],"devices":[],"last_login":1793801002000}}"#,
        "\n"
    );
    let call = r#"{"method":"io.mfad.Manage.ShowUser","parameters":{"user":"ada"}}"#;
    asked(&["user", "show", "ada", "--json"], reply(&ShowUserReply { account: busy() }), call, json, "");
}
