//! Who is asked at all.

use mfad_tests::host::FirstFactor;
use mfad_tests::on_a_host;
use mfad_tests::site::{CODE_PROMPT, Site, expect_inside, expect_outside, give_password};
use mfad_tests::sshd::Methods;

#[test]
fn somebody_without_a_second_factor_logs_in_as_before() {
    on_a_host(|host| {
        let site = Site::on(host);
        let bert = host.person("bert");
        let mut terminal = site.sshd.connect(&bert);
        give_password(&mut terminal);
        expect_inside(&mut terminal, &bert);
        assert!(!terminal.transcript().contains(CODE_PROMPT));
        assert_eq!(site.mail.count(), 0);
        assert_eq!(site.mfad.events_about(&bert, &["login-exempted"]).len(), 1, "and the audit says why");
    });
}

/// Break it: answer `exempt` where nobody is enrolled, whatever the rule.
#[test]
fn somebody_without_a_second_factor_is_refused_where_everybody_needs_one() {
    on_a_host(|host| {
        let site =
            Site::with(host, Methods::KeyboardInteractive, |settings| settings.login("require = \"always\""));
        let bert = host.person("bert");
        let mut terminal = site.sshd.connect_with(&bert, &["-o", "NumberOfPasswordPrompts=1"]);
        give_password(&mut terminal);
        expect_outside(&mut terminal);
        assert_eq!(site.mfad.events_about(&bert, &["login-refused"]).len(), 1);
    });
}

#[test]
fn somebody_who_was_switched_off_again_is_not_asked() {
    on_a_host(|host| {
        let site = Site::on(host);
        site.mfad.control(&["user", "disable", "anna"]).expect_success("mfactl user disable");
        let mut terminal = site.sshd.connect(&site.anna);
        give_password(&mut terminal);
        expect_inside(&mut terminal, &site.anna);
        assert_eq!(site.mail.codes(), 0);
    });
}

#[test]
fn somebody_without_an_address_is_refused() {
    on_a_host(|host| {
        let site = Site::on(host);
        site.mfad.control(&["user", "email", "anna", "--clear"]).expect_success("mfactl user email --clear");
        let mut terminal = site.sshd.connect_with(&site.anna, &["-o", "NumberOfPasswordPrompts=1"]);
        give_password(&mut terminal);
        expect_outside(&mut terminal);
        assert_eq!(site.mail.codes(), 0);
    });
}

/// The stack for keys has nothing before us: whoever is not enrolled passes by `pam_permit` behind us.
#[test]
fn somebody_without_a_second_factor_logs_in_with_a_key_alone() {
    on_a_host(|host| {
        let site = Site::with(host, Methods::KeyThenKeyboardInteractive, |settings| settings);
        host.stack("sshd", FirstFactor::Elsewhere);
        let bert = host.person("bert");
        let mut terminal = site.sshd.connect(&bert);
        expect_inside(&mut terminal, &bert);
    });
}

/// A name that was given to somebody else is somebody else. Break it: do not keep the uid.
#[test]
fn a_name_whose_uid_changed_is_refused() {
    on_a_host(|host| {
        let site = Site::on(host);
        let passwd = std::fs::read_to_string("/etc/passwd").expect("the accounts");
        let id = site.anna.uid.to_string();
        let changed = passwd.replace(&format!("anna:x:{id}:"), "anna:x:62999:");
        std::fs::write("/etc/passwd", changed).expect("the accounts");
        let mut terminal = site.sshd.connect_with(&site.anna, &["-o", "NumberOfPasswordPrompts=1"]);
        give_password(&mut terminal);
        expect_outside(&mut terminal);
        assert_eq!(site.mail.count(), 0);
    });
}
