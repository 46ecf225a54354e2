//! Password and code typed as one text, on real programs that can ask only once: sshd's password method, paramiko's
//! `password=`. The documented lines of docs/guide/append.md around Debian's own.

use mfad_tests::app::App;
use mfad_tests::binaries;
use mfad_tests::host::{Distribution, Host, PASSWORD, Person};
use mfad_tests::mail::PYTHON;
use mfad_tests::on_a_host;
use mfad_tests::process::{Finished, run};
use mfad_tests::site::{CODE_PROMPT, Site, expect_inside, expect_outside};
use mfad_tests::sshd::{INSIDE, Methods};
use mfad_tests::terminal::Terminal;

/// A site whose sshd takes passwords, and Anna with an app; and her recovery codes.
fn site(host: &Host, methods: Methods) -> (Site, App, Vec<String>) {
    let site = Site::with(host, methods, |settings| settings);
    host.stack_for_one_prompt("sshd", Distribution::Debian);
    let (app, recovery) = App::enrol(&site.mfad, &site.anna);
    App::await_fresh_step();
    (site, app, recovery)
}

/// Somebody at OpenSSH's prompt for the password, with one try; they type this.
fn typing(site: &Site, person: &Person, typed: &str) -> Terminal {
    let mut terminal = site.sshd.connect_with(person, &["-o", "NumberOfPasswordPrompts=1"]);
    terminal.expect("assword");
    terminal.expect(": ");
    terminal.type_line(typed);
    terminal
}

fn gets_in(site: &Site, person: &Person, typed: &str) {
    expect_inside(&mut typing(site, person, typed), person);
}

fn stays_out(site: &Site, person: &Person, typed: &str) {
    expect_outside(&mut typing(site, person, typed));
}

fn paramiko(site: &Site, person: &Person, password: &str) -> Finished {
    let script = binaries::source("clients/paramiko_password.py").display().to_string();
    run(PYTHON, &[&script, &site.sshd.port().to_string(), &person.name, password])
}

/// Break it: let `append=split` leave PAM_AUTHTOK as it is.
#[test]
fn a_password_with_the_code_behind_it_lets_in_once_by_sshds_password_method() {
    on_a_host(|host| {
        let (site, app, _) = site(host, Methods::Password);
        let typed = format!("{PASSWORD}{}", app.code_in(1));
        gets_in(&site, &site.anna, &typed);
        stays_out(&site, &site.anna, &typed);
        let kinds = ["login-allowed", "code-reused", "code-wrong"];
        let events = site.mfad.events_about(&site.anna, &kinds);
        let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["login-allowed", "code-reused"], "{events:?}");
        assert!(site.mfad.events_about(&site.anna, &["code-sent"]).is_empty());
    });
}

#[test]
fn a_recovery_code_behind_the_password_lets_in_once() {
    on_a_host(|host| {
        let (site, _, recovery) = site(host, Methods::Password);
        let typed = format!("{PASSWORD}{}", recovery[2]);
        gets_in(&site, &site.anna, &typed);
        stays_out(&site, &site.anna, &typed);
        assert_eq!(site.mfad.events_about(&site.anna, &["recovery-used"]).len(), 1);
        assert_eq!(site.mfad.events_about(&site.anna, &["code-wrong"]).len(), 1);
    });
}

/// To break it: take pam_permit out of the guide's block.
#[test]
fn on_fedoras_stack_a_code_lets_in_and_so_does_having_nothing_to_prove() {
    on_a_host(|host| {
        let (site, app, _) = site(host, Methods::Password);
        host.stack_for_one_prompt("sshd", Distribution::Fedora);
        let bert = host.person("bert");
        gets_in(&site, &bert, PASSWORD);
        stays_out(&site, &bert, "not the password");
        stays_out(&site, &site.anna, PASSWORD);
        gets_in(&site, &site.anna, &format!("{PASSWORD}{}", app.code_in(1)));
    });
}

#[test]
fn a_token_counts_on_behind_the_password() {
    on_a_host(|host| {
        let site = Site::with(host, Methods::Password, |settings| settings);
        host.stack_for_one_prompt("sshd", Distribution::Debian);
        let (mut token, _) = App::enrol_token(&site.mfad, &site.anna);
        for _ in 0..2 {
            gets_in(&site, &site.anna, &format!("{PASSWORD}{}", token.code()));
        }
    });
}

#[test]
fn paramiko_with_a_password_and_the_code_behind_it_gets_in_and_without_it_does_not() {
    on_a_host(|host| {
        let (site, app, _) = site(host, Methods::Password);
        let code = app.code_in(1);
        for wrong in [PASSWORD.to_owned(), format!("not the password{code}"), format!("{PASSWORD}-{code}")] {
            let finished = paramiko(&site, &site.anna, &wrong);
            assert_eq!(finished.out.trim(), "AuthenticationException", "{}", finished.err);
        }
        assert!(site.mfad.events_about(&site.anna, &["code-wrong"]).is_empty(), "no code was judged");
        let finished = paramiko(&site, &site.anna, &format!("{PASSWORD}{code}"));
        assert_eq!(finished.expect_success("paramiko").trim(), format!("{INSIDE}anna"));
    });
}

/// Break it: let `judging::answer` compare before it claims.
#[test]
fn wrong_codes_behind_the_password_are_tries_and_the_fourth_connection_is_not_even_compared() {
    on_a_host(|host| {
        let (site, app, _) = site(host, Methods::Password);
        for _ in 0..3 {
            stays_out(&site, &site.anna, &format!("{PASSWORD}000000"));
        }
        stays_out(&site, &site.anna, &format!("{PASSWORD}{}", app.code_in(1)));
        assert_eq!(site.mfad.events_about(&site.anna, &["code-wrong"]).len(), 3);
        let refused = site.mfad.events_about(&site.anna, &["login-refused"]);
        assert!(refused.iter().any(|event| event.text.contains("blind")), "{refused:?}");
        assert!(refused.iter().any(|event| event.text.contains("tries-used-up")), "{refused:?}");
    });
}

#[test]
fn a_wrong_password_with_a_right_code_costs_neither_the_code_nor_a_try() {
    on_a_host(|host| {
        let (site, app, _) = site(host, Methods::Password);
        let code = app.code_in(1);
        for _ in 0..4 {
            stays_out(&site, &site.anna, &format!("not the password{code}"));
        }
        assert!(site.mfad.events_about(&site.anna, &["code-wrong", "login-refused"]).is_empty());
        gets_in(&site, &site.anna, &format!("{PASSWORD}{code}"));
    });
}

/// Break it: let `login::shapes` answer six digits for everybody.
#[test]
fn a_password_that_itself_ends_in_six_digits_stays_whole_for_its_owner_with_and_without_a_code() {
    on_a_host(|host| {
        let (site, app, _) = site(host, Methods::Password);
        let ben = host.person("ben");
        for person in [&site.anna, &ben] {
            host.set_password(person, "battery-staple-493817");
        }
        gets_in(&site, &site.anna, &format!("battery-staple-493817{}", app.code_in(1)));
        stays_out(&site, &site.anna, "battery-staple-493817");
        gets_in(&site, &ben, "battery-staple-493817");
        stays_out(&site, &ben, "battery-staple-");
        stays_out(&site, &ben, "battery-staple-493817000000");
        assert_eq!(site.mfad.events_about(&ben, &["login-exempted"]).len(), 1);
    });
}

/// Break it: return an error from `Expect` for names that nobody has.
#[test]
fn somebody_unknown_is_refused_as_for_a_wrong_password() {
    on_a_host(|host| {
        let (site, _, _) = site(host, Methods::Password);
        let nobody = Person { name: "nobody-here".into(), uid: 0, home: "/".into() };
        let known = expect_outside(&mut typing(&site, &site.anna, "not the password123456"));
        let unknown = expect_outside(&mut typing(&site, &nobody, "not the password123456"));
        assert_eq!(known.replace("anna", "?"), unknown.replace("nobody-here", "?"));
        assert!(site.mfad.events().iter().all(|event| event.kind != "login-refused"));
    });
}

/// Keyboard-interactive asks twice: whoever leaves the code out, or types a wrong one, is asked for it.
#[test]
fn where_a_program_can_ask_the_code_may_come_along_or_be_asked_for() {
    on_a_host(|host| {
        let (site, app, recovery) = site(host, Methods::PasswordOrKeyboardInteractive);
        gets_in(&site, &site.anna, &format!("{PASSWORD}{}", app.code_in(1)));
        let finished = paramiko(&site, &site.anna, &format!("{PASSWORD}{}", recovery[2]));
        assert_eq!(finished.expect_success("paramiko").trim(), format!("{INSIDE}anna"));
        let mut terminal = typing(&site, &site.anna, PASSWORD);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&recovery[0]);
        expect_inside(&mut terminal, &site.anna);
        let mut terminal = typing(&site, &site.anna, &format!("{PASSWORD}000000"));
        terminal.expect("Wrong code, 2 tries left.");
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&recovery[1]);
        expect_inside(&mut terminal, &site.anna);
    });
}

#[test]
fn sudo_and_a_plain_users_locker_take_both_in_one_prompt() {
    on_a_host(|host| {
        let (site, app, recovery) = site(host, Methods::Password);
        host.stack_for_one_prompt("locker", Distribution::Debian);
        host.stack_for_one_prompt("sudo", Distribution::Debian);
        let unlock: &[&str] = &["pamtester", "locker", "anna", "authenticate"];
        let elevate: &[&str] = &["sudo", "-k", "sh", "-c", "echo successfully $(id -un)"];
        for (command, code, proof) in [
            (unlock, &app.code_in(1), "successfully authenticated"),
            (elevate, &recovery[0], "successfully root"),
        ] {
            let mut terminal = Terminal::start_as(&site.anna, command);
            terminal.expect("assword");
            terminal.expect(": ");
            terminal.type_line(&format!("{PASSWORD}{code}"));
            terminal.expect(proof);
            assert!(terminal.await_end().0.success());
        }
        assert_eq!(site.mfad.events_about(&site.anna, &["login-allowed"]).len(), 2);
    });
}

#[test]
fn a_blind_program_without_the_two_lines_is_told_of_them_in_the_log() {
    on_a_host(|host| {
        let site = Site::with(host, Methods::Password, |settings| settings);
        let (app, _) = App::enrol(&site.mfad, &site.anna);
        stays_out(&site, &site.anna, &format!("{PASSWORD}{}", app.code_in(1)));
        stays_out(&site, &site.anna, PASSWORD);
        host.syslog().await_line(&["pam_mfad", "PasswordAuthentication", "append=split", "append=verify"]);
        assert!(site.mfad.events_about(&site.anna, &["code-sent"]).is_empty());
    });
}

#[test]
fn a_second_line_without_the_first_is_told_in_the_log() {
    on_a_host(|host| {
        let site = Site::on(host);
        host.stack_with("sshd", mfad_tests::host::FirstFactor::Password, "append=verify");
        drop(site.anna_is_asked());
        host.syslog().await_line(&["pam_mfad", "no line with append=split"]);
    });
}

#[test]
fn without_the_daemon_nobody_with_a_code_gets_in_and_sshd_does_not_hang() {
    on_a_host(|host| {
        let (mut site, app, _) = site(host, Methods::Password);
        let typed = format!("{PASSWORD}{}", app.code_in(1));
        site.mfad.kill();
        let start = std::time::Instant::now();
        stays_out(&site, &site.anna, &typed);
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
        site.mfad.start_again();
        gets_in(&site, &site.anna, &typed);
    });
}
