//! `doctor` and what the daemon tells it. What it finds in the files of a host is in tests/doctor.

use mfactl::doctor::finding::{Finding, Id, Report, Severity};
use protocol::manage::*;

use crate::daemon::{Run, Scene, mfactl, refusal, reply, run};
use crate::user::newcomer;

fn health(checks: Vec<protocol::manage::Finding>, failed: u64) -> Scene {
    let counter = |name: &str, value| Counter { name: name.into(), value };
    reply(&HealthReply {
        outcome: Outcome::Ok,
        release: "0.1.0".into(),
        uptime: 60,
        checks,
        counters: vec![counter("mails-sent", 5), counter("mails-failed", failed)],
    })
}

fn account(user: &str, switch: Switch) -> UserLine {
    UserLine { user: user.into(), uid: None, switch, email: None, lock: Lock::Open, last_login: None }
}

fn found(run: &Run, id: Id) -> Option<Finding> {
    let report: Report = serde_json::from_str(&run.stdout).unwrap();
    report.findings.into_iter().find(|finding| finding.id == id)
}

#[test]
fn what_the_daemon_knows_is_told() {
    let clock = protocol::manage::Finding {
        name: "clock".into(),
        outcome: Outcome::Warning,
        detail: "pool.example has not answered lately".into(),
    };
    let users = ListUsersReply {
        users: vec![account("ada", Switch::Enabled), account("bob", Switch::Disabled)],
        next: None,
    };
    let line = RolloutLine { user: "ada".into(), cause: "no-address".into(), evidence: "account".into() };
    let root = UserDetail {
        user: "root".into(),
        switch: Switch::Enabled,
        factors: vec!["email".into()],
        ..newcomer()
    };
    let scenes = [
        health(vec![clock], 2),
        reply(&users),
        reply(&RolloutReply { lines: vec![line] }),
        reply(&ShowUserReply { account: root }),
    ];
    let run = run(&["doctor", "--json"], scenes);
    assert!(run.asked[2].contains(r#""users":["ada"]"#), "{:?}", run.asked);
    let fact = |id| found(&run, id).unwrap().fact;
    assert_eq!(fact(Id::MailFailing), "since its start mfad sent 5 mails, and failed to send 2");
    assert_eq!(fact(Id::WouldBeRefused), "ada is switched on, and would be refused: no-address");
    assert_eq!(fact(Id::RootByMailAlone), "root's only factor is mail");
    assert_eq!(fact(Id::ClockUnsynchronised), "mfad says of its clock: pool.example has not answered lately");
}

#[test]
fn a_daemon_that_is_well_is_not_spoken_of() {
    let scenes = [
        health(vec![], 0),
        reply(&ListUsersReply { users: vec![], next: None }),
        reply(&ShowUserReply { account: newcomer() }),
    ];
    let run = run(&["doctor", "--json"], scenes);
    for id in [Id::MailFailing, Id::DaemonSilent, Id::DaemonUnwell, Id::RootByMailAlone] {
        assert_eq!(found(&run, id), None);
    }
}

#[test]
fn a_daemon_that_is_down_does_not_keep_it_from_the_host() {
    let output =
        mfactl(std::path::Path::new("/nonexistent/mfad")).args(["doctor", "--json"]).output().unwrap();
    let run = crate::daemon::ended(&output, vec![]);
    assert!(matches!(run.code, 0 | 1), "{}", run.stderr);
    let silent = found(&run, Id::DaemonSilent).unwrap();
    assert_eq!(silent.file.as_deref(), Some("/nonexistent/mfad"));
    assert!(silent.severity == Severity::Low || silent.severity == Severity::High);
}

#[test]
fn who_may_not_ask_the_daemon_is_told_to_be_root() {
    let run = run(&["doctor", "--json"], [refusal("mfad does not let you ask that")]);
    assert!(found(&run, Id::NotRoot).is_some());
}
