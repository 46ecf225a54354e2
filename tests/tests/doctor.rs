//! `mfactl doctor` beside a running mfad: what it hears of people, mail and clock, and when nobody answers.

use mfad_tests::daemon::Settings;
use mfad_tests::host::path;
use mfad_tests::on_a_host;
use mfad_tests::site::{Site, give_password};
use mfad_tests::sshd::Methods;
use mfad_tests::{Host, namespace};
use serde::Deserialize;

#[derive(Deserialize)]
struct Report {
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    severity: String,
    id: String,
    fact: String,
}

impl Report {
    fn of(site: &Site) -> Self {
        let told = site.mfad.control(&["--json", "doctor"]);
        serde_json::from_str(&told.out).unwrap_or_else(|_| panic!("a report: {}{}", told.out, told.err))
    }

    /// Severity and fact.
    fn find(&self, id: &str) -> Option<(&str, &str)> {
        let found = self.findings.iter().find(|finding| finding.id == id)?;
        Some((&found.severity, &found.fact))
    }
}

/// A program of systemd's that says this, in the place of one that would have to be broken.
fn stand_in(host: &Host, program: &str, text: &str) {
    let name = path(&format!("stand-in-{text}"));
    host.write(&name, &format!("#!/bin/sh\necho {text}\n"), 0o755);
    namespace::bind(&name, program);
}

#[test]
fn the_doctor_hears_who_would_be_refused_and_that_root_has_mail_alone() {
    on_a_host(|host| {
        let site = Site::on(host);
        assert!(Report::of(&site).find("would-be-refused").is_none(), "anna has an address");
        let bert = host.person("bert");
        for words in [
            ["user", "email", "root", "root@example.org"].as_slice(),
            &["user", "enable", "root"],
            &["user", "enable", &bert.name],
        ] {
            site.mfad.control(words).expect_success("mfactl");
        }
        let report = Report::of(&site);
        let (severity, fact) = report.find("root-by-mail-alone").expect("root");
        assert_eq!((severity, fact), ("medium", "root's only factor is mail"));
        let (severity, fact) = report.find("would-be-refused").expect("bert, who has no address");
        assert!(severity == "medium" && fact.starts_with("bert is switched on"), "{fact}");
    });
}

#[test]
fn the_doctor_tells_of_mails_that_do_not_go_out_and_of_a_daemon_that_is_gone() {
    on_a_host(|host| {
        let nowhere = |_: Settings| Settings::smtp_url("smtp://127.0.0.1:1");
        let mut site = Site::with(host, Methods::KeyboardInteractive, nowhere);
        let mut terminal = site.sshd.connect(&site.anna);
        give_password(&mut terminal);
        terminal.expect("assword");
        let report = Report::of(&site);
        let (severity, fact) = report.find("mail-failing").expect("mail");
        assert_eq!(severity, "high");
        assert!(fact.contains("sent 0 mails, and failed to send"), "{fact}");
        assert!(report.find("daemon-silent").is_none());
        site.mfad.kill();
        let report = Report::of(&site);
        assert_eq!(report.find("daemon-silent").expect("silence").0, "high", "everybody is refused");
    });
}

#[test]
fn the_doctor_tells_of_a_clock_that_nothing_keeps() {
    on_a_host(|host| {
        let site = Site::on(host);
        stand_in(host, "/usr/bin/timedatectl", "yes");
        assert!(Report::of(&site).find("clock-unsynchronised").is_none());
        stand_in(host, "/usr/bin/timedatectl", "no");
        let report = Report::of(&site);
        let (severity, fact) = report.find("clock-unsynchronised").expect("the clock");
        assert_eq!((severity, fact), ("medium", "nothing keeps this host's clock"));
    });
}
