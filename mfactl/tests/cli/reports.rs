//! The list of users, `config check` and `health`.

use protocol::manage::*;

use crate::daemon::{Scene, reply, run};
use crate::user::AFTERNOON;

fn pages() -> [Scene; 2] {
    let ada = UserLine {
        user: "ada".into(),
        uid: Some(1000),
        switch: Switch::Enabled,
        email: Some("ada@example.org".into()),
        lock: Lock::Open,
        last_login: Some(AFTERNOON),
    };
    let bartholomew = UserLine {
        user: "bartholomew".into(),
        uid: None,
        switch: Switch::Disabled,
        email: None,
        lock: Lock::Locked,
        last_login: None,
    };
    [
        reply(&ListUsersReply { users: vec![ada], next: Some("ada".into()) }),
        reply(&ListUsersReply { users: vec![bartholomew], next: None }),
    ]
}

#[test]
fn users_of_all_pages_stand_in_one_table() {
    let run = run(&["users"], pages());
    run.ended(
        0,
        "\
USER         UID   SECOND FACTOR  STATE   ADDRESS          LAST LOGIN
ada          1000  on             open    ada@example.org  2026-11-05 14:03:22
bartholomew  -     off            locked  -                never
",
        "",
    );
    assert_eq!(
        run.asked,
        [
            r#"{"method":"io.mfad.Manage.ListUsers","parameters":{"after":null,"filter":null}}"#,
            r#"{"method":"io.mfad.Manage.ListUsers","parameters":{"after":"ada","filter":null}}"#,
        ]
    );
}

#[test]
fn users_as_json_are_a_page_a_line() {
    let run = run(&["users", "--json", "--filter", "a"], pages());
    let ada = r#"{"users":[{"user":"ada","uid":1000,"switch":"enabled","email":"ada@example.org","lock":"open","last_login":1793887402000}],"next":"ada"}"#;
    let bartholomew = r#"{"users":[{"user":"bartholomew","uid":null,"switch":"disabled","email":null,"lock":"locked","last_login":null}],"next":null}"#;
    run.ended(0, &format!("{ada}\n{bartholomew}\n"), "");
    assert_eq!(
        run.asked[1],
        r#"{"method":"io.mfad.Manage.ListUsers","parameters":{"after":"ada","filter":"a"}}"#
    );
}

#[test]
fn an_empty_list_is_said_in_words() {
    let nobody = || reply(&ListUsersReply { users: vec![], next: None });
    run(&["users"], [nobody()]).ended(0, "", "mfad knows nobody yet.\n");
    run(&["users", "--filter", "zoe"], [nobody()]).ended(0, "", "No name and no address contains \"zoe\".\n");
    run(&["users", "--json"], [nobody()]).ended(0, "{\"users\":[],\"next\":null}\n", "");
}

#[test]
fn a_list_that_never_advances_is_not_followed() {
    let same = || reply(&ListUsersReply { users: vec![], next: Some("ada".into()) });
    assert_eq!(run(&["users"], [same(), same()]).code, 3);
}

#[test]
fn a_good_configuration_ends_with_zero() {
    let files = vec!["/etc/mfad/mfad.toml".into(), "/etc/mfad/conf.d/mail.toml".into()];
    let good = CheckConfigReply { files, problems: vec![], warnings: vec![] };
    let run = run(&["config", "check"], [reply(&good)]);
    run.ended(0, "No problems in /etc/mfad/mfad.toml, /etc/mfad/conf.d/mail.toml.\n", "");
    assert_eq!(run.asked, [r#"{"method":"io.mfad.Manage.CheckConfig","parameters":{}}"#]);

    let defaults = CheckConfigReply { files: vec![], problems: vec![], warnings: vec![] };
    crate::daemon::run(&["config", "check"], [reply(&defaults)]).ended(
        0,
        "No files, so the defaults hold.\n",
        "",
    );
}

#[test]
fn problems_of_a_configuration_are_placed_and_end_with_one() {
    let problem = |line, column, key: Option<&str>, message: &str, remedy: &str| Problem {
        file: "/etc/mfad/mfad.toml".into(),
        line,
        column,
        key: key.map(str::to_owned),
        message: message.into(),
        remedy: remedy.into(),
    };
    let bad = CheckConfigReply {
        files: vec!["/etc/mfad/mfad.toml".into()],
        problems: vec![
            problem(Some(12), Some(10), Some("email.digits"), "12 is more than 10", "Write 6 to 10."),
            problem(Some(3), None, None, "this is no TOML", "Close the quote."),
            problem(None, None, None, "others may write to it", "chmod 0644 /etc/mfad/mfad.toml"),
        ],
        warnings: vec![],
    };
    run(&["config", "check"], [reply(&bad)]).ended(
        1,
        "\
/etc/mfad/mfad.toml:12:10: email.digits: 12 is more than 10
    Write 6 to 10.
/etc/mfad/mfad.toml:3: this is no TOML
    Close the quote.
/etc/mfad/mfad.toml: others may write to it
    chmod 0644 /etc/mfad/mfad.toml
3 problems.
",
        "",
    );
    let one = CheckConfigReply { problems: bad.problems[2..].to_vec(), ..bad };
    run(&["config", "check", "--json"], [reply(&one)]).ended(
        1,
        concat!(
            r#"{"files":["/etc/mfad/mfad.toml"],"problems":[{"file":"/etc/mfad/mfad.toml","line":null,"#,
            r#""column":null,"key":null,"message":"others may write to it","#,
            r#""remedy":"chmod 0644 /etc/mfad/mfad.toml"}],"warnings":[]}"#,
            "\n"
        ),
        "",
    );
}

fn health(outcome: Outcome) -> HealthReply {
    let check =
        |name: &str, outcome, detail: &str| Finding { name: name.into(), outcome, detail: detail.into() };
    HealthReply {
        outcome,
        release: "0.1.0".into(),
        uptime: 273_600,
        checks: vec![check("store", Outcome::Ok, "open, 42 accounts"), check("clock", outcome, "as it is")],
        counters: vec![
            Counter { name: "logins".into(), value: 1024 },
            Counter { name: "codes-mailed".into(), value: 7 },
        ],
    }
}

#[test]
fn health_is_shown_whole() {
    let run = run(&["health"], [reply(&health(Outcome::Warning))]);
    run.ended(
        0,
        "\
mfad 0.1.0, up 3d 4h: warning
ok      store: open, 42 accounts
warning clock: as it is

Counted since the start:
logins        1024
codes-mailed  7
",
        "",
    );
    assert_eq!(run.asked, [r#"{"method":"io.mfad.Manage.Health","parameters":{}}"#]);
}

#[test]
fn health_ends_with_one_only_when_it_failed() {
    for (outcome, code) in [(Outcome::Ok, 0), (Outcome::Warning, 0), (Outcome::Failed, 1)] {
        assert_eq!(run(&["health"], [reply(&health(outcome))]).code, code, "{outcome:?}");
        assert_eq!(run(&["health", "--json"], [reply(&health(outcome))]).code, code, "{outcome:?}");
    }
}

#[test]
fn health_as_json_is_the_reply_as_it_came() {
    let bare = HealthReply { checks: vec![], counters: vec![], ..health(Outcome::Ok) };
    run(&["health", "--json"], [reply(&bare)]).ended(
        0,
        "{\"outcome\":\"ok\",\"release\":\"0.1.0\",\"uptime\":273600,\"checks\":[],\"counters\":[]}\n",
        "",
    );
    run(&["health"], [reply(&bare)]).ended(0, "mfad 0.1.0, up 3d 4h: ok\n", "");
}

fn verified() -> VerifyAuditReply {
    VerifyAuditReply {
        outcome: Outcome::Ok,
        events: 1234,
        forgotten: 500,
        head: Some("1734-9f86d081884c7d65".into()),
        breaks: vec![],
        count: 0,
        known: None,
    }
}

#[test]
fn a_whole_audit_is_told_with_its_head() {
    let run = run(&["audit", "verify", "--known", "12-ab"], [reply(&verified())]);
    run.ended(
        0,
        "\
The audit is whole. Events: 1234. Forgotten on purpose: 500.
Its head, to note down elsewhere: 1734-9f86d081884c7d65
",
        "",
    );
    let asked = r#"{"method":"io.mfad.Manage.VerifyAudit","parameters":{"known":"12-ab"},"more":true}"#;
    assert_eq!(run.asked, [asked]);
}

#[test]
fn breaks_of_the_audit_are_told_with_their_places_and_end_with_one() {
    let broken = |first, last, text: &str| AuditBreak { first, last, text: text.into() };
    let known = Finding { name: "known head".into(), outcome: Outcome::Failed, detail: "not there".into() };
    let found = VerifyAuditReply {
        outcome: Outcome::Failed,
        breaks: vec![broken(5, 5, "changed"), broken(8, 10, "missing")],
        count: 3,
        known: Some(known),
        ..verified()
    };
    let expected = "\
The audit is NOT what mfad wrote. Breaks: 3. Events: 1234.
event 5: changed
events 8 to 10: missing
These are the first.
failed  known head: not there
Its head, to note down elsewhere: 1734-9f86d081884c7d65
";
    run(&["audit", "verify"], [reply(&found)]).ended(1, expected, "");
    assert_eq!(run(&["audit", "verify", "--json"], [reply(&found)]).code, 1);
}

#[test]
fn logins_are_drawn_by_hour_outcome_and_factor() {
    let counter = |name: &str, value| Counter { name: name.into(), value };
    let hour = |at, allowed, refused| HourLine { at, allowed, refused };
    let counted = StatsReply {
        hours: vec![hour(3_600_000, 3, 1), hour(86_400_000 + 3_600_000, 1, 0), hour(7_200_000, 0, 1)],
        outcomes: vec![counter("login-allowed", 4), counter("login-refused", 2)],
        factors: vec![counter("email", 4)],
    };
    let run = run(&["stats", "--since", "1970-01-01T00:00:00Z"], [reply(&counted)]);
    let expected = "\
Logins since 1970-01-01 00:00:00, by hour of the day (# let in, x refused)
00:00        0
01:00        5  ########################################xxxxxxxxxx
02:00        1  xxxxxxxxxx
03:00        0
";
    assert!(run.stdout.starts_with(expected), "{}", run.stdout);
    let expected = "\
23:00        0

By outcome
login-allowed        4  ##################################################
login-refused        2  #########################

By factor
email        4  ##################################################
";
    assert!(run.stdout.ends_with(expected), "{}", run.stdout);
    assert_eq!(run.asked, [r#"{"method":"io.mfad.Manage.Stats","parameters":{"since":0}}"#]);
}

#[test]
fn metrics_are_printed_as_they_are() {
    let counted = MetricsReply { lines: vec!["# TYPE a counter".into(), "a 1".into()] };
    run(&["metrics"], [reply(&counted)]).ended(0, "# TYPE a counter\na 1\n", "");
}
