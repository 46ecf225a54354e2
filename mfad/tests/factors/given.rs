//! What administrators give out, take away and bring along: bypass codes, tickets, a reset, imports.

use super::*;

const HOUR: u64 = 3_600_000;

fn bypass(uses: u32, lifetime: u64, reason: &str) -> manage::IssueBypass {
    manage::IssueBypass { user: ADA.into(), uses, lifetime, reason: reason.into() }
}

#[test]
fn a_bypass_code_enters_as_often_as_it_says_and_is_made_void() {
    let running = Running::start("");
    let mut root = running.manage();
    enrolled(&mut root, Some(ADA));
    let code = root.call(&bypass(2, HOUR, "lost telephone")).unwrap().code;
    for expected in [Some(Verdict::Allow), Some(Verdict::Allow), None] {
        let then = log_in(&mut running.login(), ADA, "sshd", || code.expose().to_owned());
        assert_eq!(then == Then::End(Verdict::Allow), expected.is_some(), "{then:?}");
    }
    let code = root.call(&bypass(1, HOUR, "lost telephone")).unwrap().code;
    let lines = running.account(ADA).bypasses;
    assert_eq!((lines.len(), lines[0].id, lines[0].issued_by), (1, 2, 0), "numbers rise");
    let revoke = manage::RevokeBypass { user: ADA.into() };
    assert_eq!(root.call(&revoke).unwrap().change, manage::Change::Changed);
    assert_eq!(root.call(&revoke).unwrap().change, manage::Change::Unchanged);
    let then = log_in(&mut running.login(), ADA, "sshd", || code.expose().to_owned());
    assert!(matches!(then, Then::Ask(_)), "{then:?}");
}

#[test]
fn a_bypass_code_has_a_reason_an_end_and_few_beside_it() {
    let running = Running::start("");
    let mut root = running.manage();
    for (bad, says) in [
        (bypass(1, 73 * HOUR, "x"), "72 hours"),
        (bypass(1, 0, "x"), "72 hours"),
        (bypass(0, HOUR, "x"), "at least one use"),
        (bypass(1, HOUR, " "), "needs a reason"),
    ] {
        let refused = root.call(&bad).unwrap_err();
        assert!(refused.contains(says), "{refused}");
    }
    let short = root.call(&bypass(1, 1, "x")).unwrap().code;
    std::thread::sleep(Duration::from_millis(5));
    let then = log_in(&mut running.login(), ADA, "sshd", || short.expose().to_owned());
    assert_ne!(then, Then::End(Verdict::Allow));
    for _ in 0..5 {
        root.call(&bypass(1, HOUR, "x")).unwrap();
    }
    let refused = root.call(&bypass(1, HOUR, "x")).unwrap_err();
    assert!(refused.contains("5 codes out already"), "{refused}");
    assert_eq!(running.account(ADA).bypasses.len(), 5, "those that ended do not count");
}

#[test]
fn a_ticket_opens_an_enrolment_at_a_login_and_replaces_an_older_one() {
    let running = Running::start("[login]\nrequire = \"always\"\nunenrolled = \"enrol\"\n");
    assert_eq!(log_in(&mut running.login(), ADA, "sshd", String::new), Then::End(Verdict::Deny));
    let mut root = running.manage();
    let ticket = manage::IssueTicket { user: ADA.into(), lifetime: HOUR };
    let old = root.call(&ticket).unwrap().code;
    let new = root.call(&ticket).unwrap().code;
    assert!(running.account(ADA).ticket_until.is_some());
    let Then::Ask(question) = log_in(&mut running.login(), ADA, "sshd", || old.expose().into()) else {
        panic!()
    };
    assert!(question.text.contains("Wrong code"), "{question:?}");
    let Then::Ask(question) = log_in(&mut running.login(), ADA, "sshd", || new.expose().into()) else {
        panic!()
    };
    assert!(question.id.contains(".confirm."), "{question:?}");
}

#[test]
fn a_reset_forgets_everything_but_switch_and_address() {
    let running = Running::start("");
    let mut root = running.manage();
    enrolled(&mut root, Some(ADA));
    root.call(&manage::EnableUser { user: ADA.into() }).unwrap();
    root.call(&manage::SetEmail { user: ADA.into(), address: Some("ada@example.org".into()) }).unwrap();
    root.call(&bypass(1, HOUR, "x")).unwrap();
    root.call(&manage::IssueTicket { user: ADA.into(), lifetime: HOUR }).unwrap();
    let reset = manage::ResetUser { user: ADA.into() };
    assert_eq!(root.call(&reset).unwrap().change, manage::Change::Changed);
    assert_eq!(root.call(&reset).unwrap().change, manage::Change::Unchanged);
    let account = running.account(ADA);
    assert_eq!(
        (account.switch, account.email.as_deref()),
        (manage::Switch::Enabled, Some("ada@example.org"))
    );
    assert_eq!((account.factors, account.enrolled.len()), (vec!["email".to_owned()], 0));
    assert_eq!((account.recovery_left, account.bypasses.len(), account.ticket_until), (0, 0, None));
    let told = running.await_mail(ADA);
    assert!(told.contains("was issued") || told.contains("forgotten"), "{told}");
    assert_eq!(root.call(&start(Some(ADA), "totp", None)).unwrap().id, "totp-2", "no id is used twice");
}

fn import(secret: &str, run: manage::Run, scratch: &[&str]) -> manage::ImportFactor {
    manage::ImportFactor {
        user: ADA.into(),
        factor: "totp".into(),
        secret: Secret::new(secret.into()),
        algorithm: None,
        digits: None,
        step: None,
        counter: None,
        drift: None,
        last_step: None,
        scratch: scratch.iter().map(|code| Secret::new((*code).into())).collect(),
        run,
    }
}

#[test]
fn an_import_is_tried_taken_over_once_and_enters() {
    use manage::{Change, Run};
    let running = Running::start("");
    let mut root = running.manage();
    let secret = "GEZD GNBV gy3t qojq";
    let change = |run| running.manage().call(&import(secret, run, &["12345678"])).unwrap().change;
    assert_eq!(change(Run::Dry), Change::Changed);
    assert_eq!(running.account(ADA).enrolled, []);
    assert_eq!(change(Run::Real), Change::Changed);
    assert_eq!(change(Run::Dry), Change::Unchanged);
    assert_eq!(change(Run::Real), Change::Unchanged);
    let account = running.account(ADA);
    assert_eq!((account.enrolled.len(), account.recovery_left, account.uid), (1, 1, Some(ADAS_UID)));
    let other = root.call(&import("NBSWY3DPEHPK3PXP", Run::Real, &["87654321"])).unwrap();
    assert_eq!(other.change, Change::Changed);
    assert_eq!(running.account(ADA).recovery_left, 1, "whoever has recovery codes keeps them");
    for bad in ["", "1", &"A".repeat(112)] {
        assert!(root.call(&import(bad, Run::Real, &[])).is_err(), "{bad:?}");
    }
    assert!(root.call(&import("MFRGGZDF", Run::Real, &["1234"])).unwrap_err().contains("scratch code 1"));
    assert_eq!(running.account(ADA).enrolled.len(), 2);
    let code = app_code("GEZDGNBVGY3TQOJQ", 0);
    assert_eq!(log_in(&mut running.login(), ADA, "sshd", || code), Then::End(Verdict::Allow));
    assert_eq!(log_in(&mut running.login(), ADA, "sshd", || "12345678".into()), Then::End(Verdict::Allow));
}

/// To see it fail, let `take` in `rules/import.rs` leave the history out.
#[test]
fn a_code_that_was_used_before_the_import_does_not_enter_after_it() {
    let running = Running::start("");
    let secret = "GEZDGNBVGY3TQOJQ";
    let (used, next) = (app_code(secret, 1), app_code(secret, 2));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30;
    let asked = |drift, last_step| manage::ImportFactor {
        drift: Some(drift),
        last_step: Some(last_step),
        ..import(secret, manage::Run::Real, &[])
    };
    let refused = |drift, last_step| running.manage().call(&asked(drift, last_step)).unwrap_err();
    assert!(refused(3, now).contains("two steps"));
    assert!(refused(-3, now).contains("two steps"));
    assert!(refused(0, now + 3000).contains("more than a day ahead"));
    // The clock of the telephone is ahead; one of its codes was used with the other program.
    assert_eq!(running.manage().call(&asked(2, now + 1)).unwrap().change, manage::Change::Changed);
    let mut login = running.login();
    let step = login.call(&begin(ADA, "sshd")).unwrap().step;
    let Then::Ask(question) = step.then else { panic!("{step:?}") };
    let answer = Answer { login: step.login, question: question.id, text: Secret::new(used) };
    let step = login.call(&answer).unwrap().step;
    assert!(format!("{step:?}").contains("was used already"), "{step:?}");
    // With a right clock, no code of a later step would be within the window.
    assert_eq!(log_in(&mut running.login(), ADA, "su", || next), Then::End(Verdict::Allow));
}
