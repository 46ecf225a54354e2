//! Every decision has its record.

use mfad_tests::on_a_host;
use mfad_tests::site::{Site, expect_inside, give_password};

/// Break it: leave the record of any of these decisions out, or write it in a second transaction.
#[test]
fn each_decision_has_one_record_and_the_same_line_in_the_log() {
    on_a_host(|host| {
        let site = Site::on(host);
        let bert = host.person("bert");
        let mut exempt = site.sshd.connect(&bert);
        give_password(&mut exempt);
        expect_inside(&mut exempt, &bert);
        site.anna_gets_in_and_is_kept_out();
        let events = site.mfad.events();
        let decisions: Vec<&str> = events
            .iter()
            .map(|event| event.kind.as_str())
            .filter(|kind| *kind != "account-changed")
            .collect();
        let expected = [
            "login-exempted",
            "code-sent",
            "login-allowed",
            "code-sent",
            "code-wrong",
            "code-wrong",
            "code-wrong",
            "login-refused",
        ];
        assert_eq!(decisions, expected);
        assert!(events.is_sorted_by_key(|event| event.id));
        for event in &events {
            let user = event.user.as_deref().expect("about somebody");
            host.syslog().await_line(&[&event.kind, user, &event.text]);
        }
    });
}

#[test]
fn whoever_follows_the_audit_sees_a_login_as_it_happens() {
    on_a_host(|host| {
        let site = Site::on(host);
        let mfactl = mfad_tests::binaries::mfactl().display().to_string();
        let mut follower = mfad_tests::terminal::Terminal::start(&[&mfactl, "events", "--follow"]);
        follower.expect("switched on");
        let mut terminal = site.anna_is_asked();
        follower.expect("code-sent");
        terminal.type_line(&site.mail.await_mail(1).code());
        expect_inside(&mut terminal, &site.anna);
        follower.expect("login-allowed");
    });
}
