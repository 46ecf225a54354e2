//! Logging in with everything but mail: apps, tokens, recovery and bypass codes, hooks, and the choice between them.

use mfad_tests::app::App;
use mfad_tests::daemon::Settings;
use mfad_tests::host::{Host, path};
use mfad_tests::on_a_host;
use mfad_tests::radius::{FreeRadius, SHARED_SECRET};
use mfad_tests::site::{CODE_PROMPT, Site, expect_inside, expect_outside, give_password};
use mfad_tests::sshd::Methods;
use mfad_tests::terminal::Terminal;
use serde_json::Value;

/// A site where Anna has an app besides her mail; and the recovery codes.
fn with_an_app(host: &Host) -> (Site, App, Vec<String>) {
    let site = Site::on(host);
    let (app, recovery) = App::enrol(&site.mfad, &site.anna);
    (site, app, recovery)
}

/// Anna at the first prompt after her password, and what it says.
fn asked(site: &Site) -> (Terminal, String) {
    let mut terminal = site.sshd.connect(&site.anna);
    give_password(&mut terminal);
    let shown = terminal.expect(CODE_PROMPT);
    (terminal, shown)
}

/// Break it: let `StepMatch::spend` keep the last step.
#[test]
fn the_code_of_an_app_lets_in_once() {
    on_a_host(|host| {
        let (site, app, recovery) = with_an_app(host);
        assert_eq!(recovery.len(), 10);
        let (mut terminal, shown) = asked(&site);
        assert!(shown.contains("authenticator app"), "{shown}");
        let code = app.code_in(1);
        terminal.type_line(&code);
        expect_inside(&mut terminal, &site.anna);

        let (mut terminal, _) = asked(&site);
        terminal.type_line(&code);
        let shown = terminal.expect(CODE_PROMPT);
        assert!(shown.contains("used already"), "{shown}");
        assert_eq!(site.mfad.events_about(&site.anna, &["login-allowed"]).len(), 1);
        assert_eq!(site.mfad.events_about(&site.anna, &["code-reused"]).len(), 1);
        assert_eq!(site.mfad.events_about(&site.anna, &["code-sent"]).len(), 0, "no mail for nothing");
    });
}

#[test]
fn a_token_lets_in_and_finds_back_by_two_codes() {
    on_a_host(|host| {
        let site = Site::on(host);
        let (mut token, _) = App::enrol_token(&site.mfad, &site.anna);
        let (mut terminal, _) = asked(&site);
        terminal.type_line(&token.code());
        expect_inside(&mut terminal, &site.anna);
        for _ in 0..8 {
            token.code();
        }
        let (mut terminal, _) = asked(&site);
        terminal.type_line(&token.code());
        terminal.expect("Wrong code");
        terminal.type_line(&token.code());
        expect_inside(&mut terminal, &site.anna);
    });
}

#[test]
fn a_recovery_code_lets_in_once_and_the_person_hears_of_it() {
    on_a_host(|host| {
        let (site, _, recovery) = with_an_app(host);
        let (mut terminal, _) = asked(&site);
        terminal.type_line(&recovery[3]);
        expect_inside(&mut terminal, &site.anna);
        let (mut terminal, _) = asked(&site);
        terminal.type_line(&recovery[3].to_uppercase().replace('-', " "));
        terminal.expect("Wrong code");
        drop(terminal);
        assert_eq!(site.mfad.events_about(&site.anna, &["recovery-used"]).len(), 1);
        let news = site.mail.await_mail_about("9 are left");
        assert!(news.to.contains("anna@example.org"));
    });
}

#[test]
fn the_menu_leads_to_the_mail_which_can_become_the_usual_way() {
    on_a_host(|host| {
        let (site, _, _) = with_an_app(host);
        let (mut terminal, shown) = asked(&site);
        assert!(shown.contains("Enter for other ways"), "{shown}");
        terminal.type_line("");
        let menu = terminal.expect(CODE_PROMPT);
        assert!(menu.contains("1 for a code by mail to a***@example.org"), "{menu}");
        terminal.type_line("1");
        terminal.expect("A code was sent to a***@example.org");
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&site.mail.await_mail_about("Your login code is").code());
        terminal.expect("from now on?");
        terminal.type_line("y");
        expect_inside(&mut terminal, &site.anna);
        let (_, shown) = asked(&site);
        assert!(shown.contains("A code was sent to"), "{shown}");
    });
}

#[test]
fn a_bypass_code_lets_in_for_its_uses() {
    on_a_host(|host| {
        let (site, _, _) = with_an_app(host);
        let issued = site.mfad.control(&["--json", "bypass", "issue", "anna", "--reason", "lost telephone"]);
        let issued: Value =
            serde_json::from_str(&issued.expect_success("mfactl bypass issue")).expect("JSON");
        let code = issued["code"].as_str().expect("a code");
        let (mut terminal, _) = asked(&site);
        terminal.type_line(code);
        expect_inside(&mut terminal, &site.anna);
        let (mut terminal, _) = asked(&site);
        terminal.type_line(code);
        // With its last use it is no way any more, so this is not even a guess.
        terminal.expect(CODE_PROMPT);
        drop(terminal);
        assert_eq!(site.mfad.events_about(&site.anna, &["login-allowed"]).len(), 1);
    });
}

/// A 4-digit code by a program that works until a file is there.
fn sms(host: &Host) -> String {
    let program = path("sms");
    let script = format!(
        "#!/bin/sh\n[ -e {broken} ] && exit 1\ncat >{sent}\n",
        broken = path("sms-broken").display(),
        sent = path("sms-sent").display()
    );
    host.write(&program, &script, 0o755);
    format!(
        "[[hook]]\nname = \"sms\"\nsend = [\"{}\"]\ndigits = 4\nfallback = \"email\"\n",
        program.display()
    )
}

fn sms_code() -> String {
    let sent = std::fs::read_to_string(path("sms-sent")).expect("an SMS");
    let sent: Value = serde_json::from_str(&sent).expect("JSON");
    sent["code"].as_str().expect("a code").to_owned()
}

#[test]
fn a_code_by_sms_lets_in_and_the_mail_stands_in_when_it_fails() {
    on_a_host(|host| {
        let hook = sms(host);
        let site = Site::with(host, Methods::KeyboardInteractive, |settings: Settings| {
            settings.login("factors = [\"sms\", \"email\"]").sections(&hook)
        });
        let started = site.mfad.control(&["--json", "enrol", "sms", "+491701234567", "--user", "anna"]);
        let started: Value = serde_json::from_str(&started.expect_success("mfactl enrol")).expect("JSON");
        let id = started["id"].as_str().expect("an id");
        site.mfad.control(&["confirm", "--user", "anna", id, &sms_code()]).expect_success("mfactl confirm");

        let (mut terminal, shown) = asked(&site);
        assert!(!shown.contains("1701234567"), "the number is masked: {shown}");
        let code = sms_code();
        assert_eq!(code.len(), 4);
        terminal.type_line(&code);
        expect_inside(&mut terminal, &site.anna);

        host.write(path("sms-broken"), "", 0o644);
        let (mut terminal, shown) = asked(&site);
        assert!(shown.contains("A code was sent to a***@example.org"), "{shown}");
        terminal.type_line(&site.mail.await_mail_about("Your login code is").code());
        expect_inside(&mut terminal, &site.anna);
    });
}

#[test]
fn a_radius_server_judges_the_code_and_costs_tries() {
    on_a_host(|host| {
        let radius = FreeRadius::start(host, "anna", "4829");
        let secret = path("radius-secret");
        host.write(&secret, &format!("{SHARED_SECRET}\n"), 0o400);
        let program = mfad_tests::binaries::source("../docs/guide/examples/radius-hook");
        let copy = path("radius-hook");
        host.write(&copy, &std::fs::read_to_string(program).expect("the example"), 0o755);
        let hook = format!(
            "[[hook]]\nname = \"radius\"\ncheck = [\"{}\", \"{}\", \"{}\"]\n",
            copy.display(),
            radius.address(),
            secret.display()
        );
        let site = Site::with(host, Methods::KeyboardInteractive, |settings: Settings| {
            settings.login("factors = [\"radius\"]").sections(&hook)
        });
        site.mfad.control(&["enrol", "radius", "--user", "anna"]).expect_success("mfactl enrol");
        let (mut terminal, shown) = asked(&site);
        assert!(shown.contains("Type your code for radius"), "{shown}");
        terminal.type_line("1111");
        terminal.expect("Wrong code, 2 tries left.");
        terminal.type_line("4829");
        expect_inside(&mut terminal, &site.anna);
        assert_eq!(site.mfad.events_about(&site.anna, &["code-wrong"]).len(), 1);
        drop(radius);
        let mut terminal = site.sshd.connect_with(&site.anna, &["-o", "NumberOfPasswordPrompts=1"]);
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        terminal.type_line("4829");
        expect_outside(&mut terminal);
    });
}

/// Break it: let `Place` be the same for all users.
#[test]
fn a_secret_that_was_moved_to_another_user_lets_nobody_in_and_is_told() {
    on_a_host(|host| {
        let (site, app, _) = with_an_app(host);
        let eve = host.person("eve");
        App::enrol(&site.mfad, &eve);
        let move_it = "UPDATE account SET body = json_set(body, '$.factors', \
                       (SELECT json_extract(body, '$.factors') FROM account WHERE user = 'anna')) \
                       WHERE user = 'eve'";
        let database = mfad_tests::daemon::state_directory().join("mfad.db");
        mfad_tests::process::run("sqlite3", &[&database.display().to_string(), move_it])
            .expect_success("sqlite3");
        let mut terminal = site.sshd.connect_with(&eve, &["-o", "NumberOfPasswordPrompts=1"]);
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&app.code_in(1));
        expect_outside(&mut terminal);
        assert_eq!(site.mfad.events_about(&eve, &["secret-damaged"]).len(), 1);
        assert!(site.mfad.events_about(&eve, &["login-allowed"]).is_empty());
    });
}

#[test]
fn a_file_of_google_authenticator_is_taken_over_and_the_telephone_goes_on() {
    on_a_host(|host| {
        let site = Site::on(host);
        let file = path("google");
        let shown = file.display().to_string();
        mfad_tests::process::run(
            "google-authenticator",
            &["-t", "-d", "-f", "-q", "-r", "3", "-R", "30", "-w", "3", "-C", "-s", &shown],
        )
        .expect_success("google-authenticator");
        let text = std::fs::read_to_string(&file).expect("the state file");
        let app = App::with(text.lines().next().expect("the secret"));
        let dry = site.mfad.control(&["import", "google-authenticator", &shown, "--user", "anna"]);
        assert!(dry.expect_success("a dry run").contains("anna"));
        let (mut terminal, shown_prompt) = asked(&site);
        assert!(shown_prompt.contains("A code was sent"), "a dry run changes nothing");
        terminal.press("\x03");
        drop(terminal);
        site.mfad
            .control(&["import", "google-authenticator", &shown, "--user", "anna", "--yes"])
            .expect_success("mfactl import");
        let (mut terminal, _) = asked(&site);
        terminal.type_line(&app.code_in(0));
        expect_inside(&mut terminal, &site.anna);
        let scratch = text.lines().last().expect("a scratch code");
        let (mut terminal, _) = asked(&site);
        terminal.type_line(scratch);
        expect_inside(&mut terminal, &site.anna);
        assert_eq!(
            std::fs::read_to_string(&file).expect("the state file"),
            text,
            "the original is untouched"
        );
    });
}
