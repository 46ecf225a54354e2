//! Enrolment at the login itself, from nothing to an app that is read off the terminal.

use mfad_tests::app::App;
use mfad_tests::daemon::{Mfad, Settings};
use mfad_tests::host::{FirstFactor, Host, PASSWORD, Person};
use mfad_tests::mail::MailServer;
use mfad_tests::on_a_host;
use mfad_tests::scanner::{Colours, scan};
use mfad_tests::site::{CODE_PROMPT, expect_inside, expect_outside, give_password};
use mfad_tests::sshd::{Methods, Sshd};
use mfad_tests::terminal::Terminal;
use serde_json::Value;

/// A host where everybody needs a second factor, and Ben has none.
struct Fresh {
    mail: MailServer,
    mfad: Mfad,
    sshd: Sshd,
    ben: Person,
}

fn fresh(host: &Host, change: impl FnOnce(Settings) -> Settings) -> Fresh {
    let mail = MailServer::start();
    let settings = Settings::smtp(&mail)
        .login("require = \"always\"")
        .login("unenrolled = \"enrol\"")
        .login("security-contact = [\"security@example.org\"]");
    let mfad = Mfad::start(host, &change(settings));
    let sshd = Sshd::start(host, Methods::KeyboardInteractive);
    Fresh { mail, mfad, sshd, ben: host.person("ben") }
}

fn without_ticket(settings: Settings) -> Settings {
    settings.login("enrol-ticket = \"none\"")
}

/// The key in what is shown, in base 32.
fn key(shown: &str) -> String {
    let (_, after) = shown.split_once("Key: ").unwrap_or_else(|| panic!("there is no key:\n{shown}"));
    after.lines().next().expect("a line").chars().filter(char::is_ascii_alphanumeric).collect()
}

fn secret_of(uri: &str) -> String {
    let (_, after) = uri.split_once("secret=").expect("a secret");
    after.split('&').next().expect("its end").to_owned()
}

fn connect(fresh: &Fresh) -> Terminal {
    let mut terminal = fresh.sshd.connect_with(&fresh.ben, &["-o", "NumberOfPasswordPrompts=1"]);
    give_password(&mut terminal);
    terminal
}

#[test]
fn somebody_without_a_factor_scans_a_key_over_ssh_and_is_in() {
    on_a_host(|host| {
        let fresh = fresh(host, without_ticket);
        let mut terminal = connect(&fresh);
        let shown = terminal.expect(CODE_PROMPT);
        let uri = scan(&shown, Colours::LightOnDark);
        assert!(uri.starts_with("otpauth://totp/"), "{uri}");
        assert_eq!(secret_of(&uri), key(&shown));
        terminal.type_line("i");
        let inverted = terminal.expect(CODE_PROMPT);
        assert_eq!(scan(&inverted, Colours::DarkOnLight), uri, "the same key, for a light terminal");
        let app = App::with(&key(&shown));
        terminal.type_line(&app.code_in(0));
        let codes = terminal.expect("codes are saved: ");
        let recovery: Vec<&str> =
            codes.lines().map(str::trim).filter(|line| line.matches('-').count() == 3).collect();
        assert_eq!(recovery.len(), 10, "{codes}");
        terminal.type_line("");
        expect_inside(&mut terminal, &fresh.ben);
        let told = fresh.mail.await_mail_about("was enrolled");
        assert!(told.to.contains("security@example.org"), "{}", told.to);

        let mut terminal = connect(&fresh);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(recovery[0]);
        expect_inside(&mut terminal, &fresh.ben);
    });
}

#[test]
fn who_is_cut_off_goes_on_with_the_same_key() {
    on_a_host(|host| {
        let mut fresh = fresh(host, without_ticket);
        let mut terminal = connect(&fresh);
        let first = key(&terminal.expect(CODE_PROMPT));
        drop(terminal);
        fresh.mfad.kill_and_start();
        let mut terminal = connect(&fresh);
        let shown = terminal.expect(CODE_PROMPT);
        assert_eq!(key(&shown), first);
        terminal.type_line(&App::with(&first).code_in(0));
        terminal.expect("codes are saved: ");
        terminal.type_line("");
        expect_inside(&mut terminal, &fresh.ben);
    });
}

/// Break it: let `may_enrol` not look at tickets.
#[test]
fn without_a_ticket_nobody_enrols_and_with_one_its_owner_does_once() {
    on_a_host(|host| {
        let fresh = fresh(host, |settings| settings);
        let mut terminal = connect(&fresh);
        let shown = expect_outside(&mut terminal);
        assert!(shown.contains("Ask your administrator"), "{shown}");
        assert!(!shown.contains("Key:"));

        let issued = fresh.mfad.control(&["--json", "enrol-ticket", "issue", "ben"]);
        let issued: Value = serde_json::from_str(&issued.expect_success("mfactl")).expect("JSON");
        let ticket = issued["code"].as_str().expect("a ticket");
        let mut terminal = connect(&fresh);
        terminal.expect("ticket code: ");
        terminal.type_line("0000-0000-0000-0000");
        terminal.expect("Wrong code");
        terminal.expect("ticket code: ");
        terminal.type_line(ticket);
        let shown = terminal.expect("Verification code: ");
        terminal.type_line(&App::with(&key(&shown)).code_in(0));
        terminal.expect("codes are saved: ");
        terminal.type_line("");
        expect_inside(&mut terminal, &fresh.ben);
        let again = fresh.mfad.control(&["--json", "user", "show", "ben"]).expect_success("mfactl user show");
        let again: Value = serde_json::from_str(&again).expect("JSON");
        assert!(again["account"]["ticket_until"].is_null(), "{again}");
    });
}

#[test]
fn an_address_of_the_sites_domain_is_enrolled_and_no_other() {
    on_a_host(|host| {
        let fresh = fresh(host, |settings| {
            without_ticket(settings)
                .login("factors = [\"email\"]")
                .email("self-enrol-domains = [\"example.org\"]")
        });
        let mut terminal = connect(&fresh);
        terminal.expect("mail address: ");
        terminal.type_line("ben@elsewhere.example");
        terminal.expect("cannot be used here");
        terminal.expect("mail address: ");
        terminal.type_line("ben@example.org");
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&fresh.mail.await_mail_about("Your login code is").code());
        expect_inside(&mut terminal, &fresh.ben);
    });
}

#[test]
fn a_key_is_read_off_the_terminal_of_su_and_of_login() {
    on_a_host(|host| {
        let fresh = fresh(host, without_ticket);
        for service in ["su", "login"] {
            let person = host.person(&format!("p{service}"));
            host.stack(service, FirstFactor::Password);
            let mut terminal = if service == "su" {
                let caller = host.person("caller");
                Terminal::start_as(&caller, &["su", "-c", "echo inside", &person.name])
            } else {
                Terminal::start(&["login", &person.name])
            };
            terminal.expect("assword: ");
            terminal.type_line(PASSWORD);
            let shown = terminal.expect("app shows. Verification code: ");
            let uri = scan(&shown, Colours::LightOnDark);
            assert_eq!(secret_of(&uri), key(&shown), "{service}");
            terminal.type_line(&App::with(&key(&shown)).code_in(0));
            terminal.expect("codes are saved: ");
        }
        drop(fresh);
    });
}
