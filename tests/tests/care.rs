//! An administrator takes care: backups, figures, records.

use std::fs;

use mfad_tests::host::path;
use mfad_tests::on_a_host;
use mfad_tests::site::{CODE_PROMPT, Site, expect_inside};

/// Break it: leave the log of the old database in the place of the new one's, or the trust in a code that is spent.
#[test]
fn a_backup_taken_while_people_log_in_brings_back_what_was_then() {
    on_a_host(|host| {
        let mut site = Site::on(host);
        let key = path("backup-key");
        host.write(&key, "sixteen letters and more of them", 0o400);
        let (file, key) = (path("backup").display().to_string(), key.display().to_string());
        let waiting = site.anna_is_asked();
        let back_up = ["backup", &file, "--key-file", &key];
        site.mfad.control(&back_up).expect_success("mfactl backup");
        drop(waiting);
        site.mfad.control(&["user", "disable", &site.anna.name]).expect_success("mfactl user disable");
        let refused = site.mfad.control_as(&site.anna, &["restore", &file, "--key-file", &key, "--yes"]);
        assert_ne!(refused.code, 0, "anna is no administrator");
        let restore = ["restore", &file, "--key-file", &key, "--yes"];
        let told = site.mfad.control(&restore).expect_success("mfactl restore");
        assert!(told.contains("A backup with"), "{told}");
        site.mfad.await_end();
        site.mfad.start_again();
        let events = site.mfad.events();
        assert!(events.iter().any(|event| event.text.contains("took the place of the database")));
        assert!(!events.iter().any(|event| event.text.contains("switched off")), "that was later");
        site.mfad.control(&["audit", "verify"]).expect_success("mfactl audit verify");
        // Anna is asked again, and a mail that was out then is still good for her: the login goes on.
        let mut terminal = site.sshd.connect(&site.anna);
        mfad_tests::site::give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&site.mail.await_mail(1).code());
        expect_inside(&mut terminal, &site.anna);
        assert!(fs::metadata(mfad_tests::daemon::state_directory().join("mfad.db.replaced")).is_ok());
    });
}

#[test]
fn logins_are_counted_by_the_audit_and_by_the_daemon() {
    on_a_host(|host| {
        let site = Site::on(host);
        site.anna_gets_in_and_is_kept_out();
        let counted = site.mfad.control(&["stats", "--json"]).expect_success("mfactl stats");
        for expected in [
            r#""outcomes":[{"name":"login-allowed","value":1},{"name":"login-refused","value":1}]"#,
            r#""factors":[{"name":"email","value":1}]"#,
            r#""allowed":1,"refused":1"#,
        ] {
            assert!(counted.contains(expected), "{expected}: {counted}");
        }
        let drawn = site.mfad.control(&["stats"]).expect_success("mfactl stats");
        assert!(drawn.contains("login-allowed        1  ####"), "{drawn}");
        let metrics = site.mfad.control(&["metrics"]).expect_success("mfactl metrics");
        for expected in [
            "mfad_logins_allowed_total 1\n",
            "mfad_logins_refused_total 1\n",
            "mfad_mails_sent_total 2\n",
            "mfad_login_call_seconds_count{call=\"answer\"} 4\n",
        ] {
            assert!(metrics.contains(expected), "{expected}: {metrics}");
        }
        let wrong = site.mfad.control(&["events", "--kind", "code-wrong", "--service", "sshd", "--json"]);
        assert_eq!(mfad_tests::audit::events(&wrong.expect_success("mfactl events")).len(), 3);
    });
}
