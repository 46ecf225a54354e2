//! Rules of the site on real programs: who is asked, who is not, and why. Each story asks `mfactl explain` first, and what
//! happens then is what it said.

use mfad_tests::app::App;
use mfad_tests::audit::Event;
use mfad_tests::daemon::{Mfad, Settings};
use mfad_tests::host::{FirstFactor, Host, Person, path};
use mfad_tests::mail::MailServer;
use mfad_tests::on_a_host;
use mfad_tests::process::run;
use mfad_tests::security_key;
use mfad_tests::site::{CODE_PROMPT, Site, expect_inside, expect_outside, give_password};
use mfad_tests::sshd::{Methods, Sshd};
use mfad_tests::terminal::Terminal;
use serde_json::Value;

/// A site with these sections, where Anna types a password and proves what the rules say.
fn site(host: &Host, sections: &str) -> Site {
    Site::with(host, Methods::KeyboardInteractive, |settings| settings.sections(sections))
}

/// What mfactl explains.
fn explained(mfad: &Mfad, arguments: &[&str]) -> Value {
    let all = [&["explain", "--json"], arguments].concat();
    let told = mfad.control(&all).expect_success("mfactl explain");
    serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
}

/// The last event of one kind about somebody, which took the way that was explained.
fn as_explained(mfad: &Mfad, person: &Person, kind: &str, told: &Value) -> Event {
    let event = mfad.events_about(person, &[kind]).pop().unwrap_or_else(|| panic!("no {kind}"));
    let reference = event.reference.clone().unwrap_or_default();
    let trace = told["trace"].as_str().unwrap();
    assert!(reference.ends_with(&format!("-{trace}")), "{reference} is not of the way {trace}");
    event
}

/// Anna gets in with her password alone.
fn anna_enters(site: &Site) {
    let mut terminal = site.sshd.connect(&site.anna);
    give_password(&mut terminal);
    expect_inside(&mut terminal, &site.anna);
}

/// Break it: let `failing` overlook the sources.
#[test]
fn an_exempt_network_is_asked_nothing_and_any_other_is() {
    on_a_host(|host| {
        let rules = "[[rule]]\nname = \"elsewhere\"\nsources = [\"192.0.2.0/24\"]\nrequire = \"always\"\n\
                     [[rule]]\nname = \"office\"\nsources = [\"127.0.0.0/8\"]\nservices = [\"sshd\"]\nrequire = \"never\"\n";
        let site = site(host, rules);
        let told = explained(&site.mfad, &["anna", "--from", "127.0.0.1"]);
        assert_eq!(
            (told["rule"].as_str(), told["rules"][0]["failing"].as_str()),
            (Some("office"), Some("sources"))
        );
        anna_enters(&site);
        let event = as_explained(&site.mfad, &site.anna, "login-exempted", &told);
        assert!(event.text.contains("rule \"office\": require = never"), "{}", event.text);
        assert_eq!(Some(event.text.as_str()), told["outcome"].as_str());
        assert_eq!(site.mail.count(), 0);

        let told = explained(&site.mfad, &["anna", "--from", "192.0.2.7"]);
        assert_eq!((told["rule"].as_str(), told["ways"][0].as_str()), (Some("elsewhere"), Some("email")));
        let told = explained(&site.mfad, &["anna"]);
        assert_eq!((told["rule"].as_str(), told["ways"][0].as_str()), (None, Some("email")));
    });
}

#[test]
fn a_rule_for_a_group_and_a_service_counts_in_sudo_and_not_in_su() {
    on_a_host(|host| {
        let rules =
            "[[rule]]\nname = \"annas\"\ngroups = [\"anna\"]\nservices = [\"sudo\"]\nrequire = \"never\"\n";
        let site = site(host, rules);
        let told = explained(&site.mfad, &["anna", "--service", "sudo"]);
        assert_eq!(told["rule"].as_str(), Some("annas"));
        let mut terminal = Terminal::start_as(&site.anna, &["sudo", "-k", "id", "-u"]);
        give_password(&mut terminal);
        terminal.expect("\n0\r\n");
        as_explained(&site.mfad, &site.anna, "login-exempted", &told);

        let told = explained(&site.mfad, &["anna", "--service", "su"]);
        assert_eq!(told["ways"][0].as_str(), Some("email"));
        let mut terminal = Terminal::start_as(&site.anna, &["su", "anna", "-c", "echo now I am $(id -un)"]);
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&site.mail.await_mail(1).code());
        terminal.expect("now I am anna");
        as_explained(&site.mfad, &site.anna, "login-allowed", &told);
    });
}

#[test]
fn a_slip_of_the_pen_in_a_rule_is_told_with_what_was_meant() {
    on_a_host(|host| {
        let rules = "[[rule]]\nname = \"admins\"\nusers = [\"ann\", \"ops-*\"]\ngroups = [\"sudoo\"]\n\
                     services = [\"ssdh\"]\nrequire = \"always\"\n";
        let site = site(host, rules);
        let told = site.mfad.control(&["config", "check"]).expect_success("mfactl config check");
        for (fact, remedy) in [
            ("no user is called ann", "did you mean anna?"),
            ("no group is called sudoo", "did you mean sudo?"),
            ("no PAM service is called ssdh", "did you mean sshd?"),
        ] {
            assert!(told.contains(fact) && told.contains(remedy), "{told}");
        }
        host.syslog().await_line(&["mfad.toml:", "no group is called sudoo; did you mean sudo?"]);
    });
}

/// Break it: take an error of the name service for "not in the group".
#[test]
fn a_name_service_that_fails_lets_nobody_pass_by_another_rule() {
    on_a_host(|host| {
        let rules = "[[rule]]\nname = \"root first\"\nusers = [\"root\"]\nrequire = \"never\"\n\
                     [[rule]]\nname = \"wheel\"\ngroups = [\"wheel-of-the-directory\"]\nrequire = \"always\"\n\
                     [[rule]]\nname = \"all\"\nusers = [\"*\"]\nrequire = \"never\"\n";
        let site = site(host, rules);
        anna_enters(&site);
        break_groups(host);
        let mut mfad = site.mfad;
        mfad.kill_and_start();
        let mut terminal = site.sshd.connect_with(&site.anna, &["-o", "NumberOfPasswordPrompts=1"]);
        give_password(&mut terminal);
        let shown = expect_outside(&mut terminal);
        assert!(shown.contains("cannot be checked now"), "{shown}");

        let root = host.root();
        let mut terminal = site.sshd.connect(&root);
        give_password(&mut terminal);
        expect_inside(&mut terminal, &root);
        mfad.control(&["user", "unlock", "anna"]).expect_success("an administrator hangs on no group");
    });
}

/// A service for groups that answers as a directory does that is down: whatever the files do not have is an error.
fn break_groups(host: &Host) {
    let source = "#include <errno.h>\n#include <grp.h>\n#include <nss.h>\n\
        enum nss_status _nss_down_getgrnam_r(const char *name, struct group *group, char *buffer, size_t size, int *error)\n\
        { (void)name; (void)group; (void)buffer; (void)size; *error = ECONNREFUSED; return NSS_STATUS_UNAVAIL; }\n";
    host.write(path("down.c"), source, 0o644);
    let (code, library) =
        (path("down.c").display().to_string(), path("libnss_down.so.2").display().to_string());
    run("cc", &["-shared", "-fPIC", "-o", &library, &code]).expect_success("cc");
    host.write("/etc/ld.so.conf.d/mfad-test.conf", &format!("{}\n", path("").display()), 0o644);
    run("/sbin/ldconfig", &["-X"]).expect_success("ldconfig");
    let services = std::fs::read_to_string("/etc/nsswitch.conf").unwrap();
    let others: Vec<&str> = services.lines().filter(|line| !line.starts_with("group:")).collect();
    host.write("/etc/nsswitch.conf", &format!("{}\ngroup: files down\n", others.join("\n")), 0o644);
}

/// A site where keys come first, and a second key of Anna's.
fn with_keys(host: &Host, sections: &str) -> Site {
    let site = Site::with(host, Methods::KeyThenKeyboardInteractive, |settings| settings.sections(sections));
    site.sshd.add_key("other-key");
    site
}

/// Logs in with a key and a code of the app; answers the question after that, if one is expected.
fn enter_with(site: &Site, app: &App, step: i32, answer: Option<&str>) {
    let mut terminal = site.sshd.connect(&site.anna);
    terminal.expect(CODE_PROMPT);
    terminal.type_line(&app.code_in(step));
    if let Some(answer) = answer {
        terminal.expect("Trust this device for 7 days?");
        terminal.type_line(answer);
    }
    expect_inside(&mut terminal, &site.anna);
}

/// Break it: let `Marks::meet` overlook the key; or `revoke` forget nothing.
#[test]
fn a_trusted_device_is_known_by_its_key_until_it_is_revoked() {
    on_a_host(|host| {
        let site = with_keys(host, "[trust]\ndays = 7\n");
        let (app, _) = App::enrol(&site.mfad, &site.anna);
        enter_with(&site, &app, 1, Some("y"));
        assert!(site.mail.await_mail_about("is trusted for 7 days").to.contains("anna@example.org"));

        let key = site.sshd.public_key("user-key");
        let arguments = ["anna", "--from", "127.0.0.1", "--key", key.as_str()];
        let told = explained(&site.mfad, &arguments);
        assert!(told["outcome"].as_str().unwrap().contains("device 1"), "{told}");
        let mut terminal = site.sshd.connect(&site.anna);
        expect_inside(&mut terminal, &site.anna);
        as_explained(&site.mfad, &site.anna, "login-recognised", &told);
        let status =
            site.mfad.control_as(&site.anna, &["devices", "list"]).expect_success("mfactl devices list");
        assert!(status.contains("sshd from 127.0.0.1/32 with SHA256:"), "{status}");

        let mut terminal = site.sshd.connect_by("other-key", &site.anna);
        terminal.expect(CODE_PROMPT);
        drop(terminal);

        site.mfad.control_as(&site.anna, &["devices", "revoke", "1"]).expect_success("mfactl devices revoke");
        assert_eq!(explained(&site.mfad, &arguments)["ways"][0].as_str(), Some("totp"));
        let mut terminal = site.sshd.connect(&site.anna);
        terminal.expect(CODE_PROMPT);
    });
}

#[test]
fn a_security_key_is_asked_nothing_and_another_key_is() {
    on_a_host(|host| {
        let rules = "[[rule]]\nname = \"security keys\"\nssh-keys = [\"sk-*\"]\nrequire = \"never\"\n";
        let site = Site::with(host, Methods::KeyThenKeyboardInteractive, |settings| settings.sections(rules));
        security_key::make(host, "sk-key");
        site.sshd.add_key("sk-key");
        let key = site.sshd.public_key("sk-key");
        let told = explained(&site.mfad, &["anna", "--from", "127.0.0.1", "--key", &key]);
        assert_eq!(told["rule"].as_str(), Some("security keys"));
        let option = security_key::option();
        let mut terminal = site.sshd.connect_by_with("sk-key", &site.anna, &["-o", &option]);
        expect_inside(&mut terminal, &site.anna);
        as_explained(&site.mfad, &site.anna, "login-exempted", &told);
        let mut terminal = site.sshd.connect(&site.anna);
        terminal.expect(CODE_PROMPT);
    });
}

#[test]
fn a_device_at_a_trusted_address_survives_a_restart_and_ends_with_the_factor() {
    on_a_host(|host| {
        let trust = "[trust]\ndays = 7\nbind = [\"source\"]\nask = false\n";
        let mut site = site(host, trust);
        let (app, _) = App::enrol(&site.mfad, &site.anna);
        let mut terminal = site.sshd.connect(&site.anna);
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&app.code_in(1));
        expect_inside(&mut terminal, &site.anna);
        site.mfad.kill_and_start();
        anna_enters(&site);
        site.mfad.control(&["remove", "totp-1", "--user", "anna"]).expect_success("mfactl remove");
        let mut terminal = site.sshd.connect(&site.anna);
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
    });
}

#[test]
fn twenty_logins_follow_one_with_a_code() {
    on_a_host(|host| {
        let site = Site::with(host, Methods::KeyThenKeyboardInteractive, |settings| {
            settings.login("grace = { within = \"5m\", logins = 20 }")
        });
        let (app, _) = App::enrol(&site.mfad, &site.anna);
        enter_with(&site, &app, 1, None);
        let mut all: Vec<Terminal> = (0..20).map(|_| site.sshd.connect(&site.anna)).collect();
        all.iter_mut().for_each(|terminal| expect_inside(terminal, &site.anna));
        assert_eq!(site.mfad.events_about(&site.anna, &["login-recognised"]).len(), 20);
        let told = explained(
            &site.mfad,
            &["anna", "--from", "127.0.0.1", "--key", &site.sshd.public_key("user-key")],
        );
        assert_eq!(told["ways"][0].as_str(), Some("totp"), "{told}");
        let mut terminal = site.sshd.connect(&site.anna);
        terminal.expect(CODE_PROMPT);
    });
}

#[test]
fn a_transfer_without_a_person_goes_through_from_a_trusted_device() {
    on_a_host(|host| {
        let site = with_keys(host, "[trust]\ndays = 7\n");
        let (app, _) = App::enrol(&site.mfad, &site.anna);
        let command = site.sshd.sftp_command("anna", "pwd\n");
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        Terminal::start(&command).expect(CODE_PROMPT);
        enter_with(&site, &app, 1, Some("y"));
        let mut terminal = Terminal::start(&command);
        terminal.expect("Remote working directory: /run/home/anna");
        assert!(terminal.await_end().0.success());
    });
}

#[test]
fn a_dry_run_lets_in_and_tells_who_would_be_locked_out() {
    on_a_host(|host| {
        let site = Site::with(host, Methods::KeyboardInteractive, |settings| {
            settings.login("require = \"dry-run\"")
        });
        let bert = host.person("bert");
        let told = explained(&site.mfad, &["bert", "--from", "127.0.0.1"]);
        let mut terminal = site.sshd.connect(&bert);
        give_password(&mut terminal);
        expect_inside(&mut terminal, &bert);
        let event = as_explained(&site.mfad, &bert, "login-dry-run", &told);
        assert!(event.text.contains("they would be refused: not-enrolled"), "{}", event.text);
        anna_enters(&site);
        let event = site.mfad.events_about(&site.anna, &["login-dry-run"]).pop().unwrap();
        assert!(event.text.contains("email would be asked for"), "{}", event.text);
        assert_eq!(site.mail.count(), 0);

        let report = site.mfad.control(&["report", "rollout"]).expect_success("mfactl report rollout");
        let line = |name: &str| report.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        assert!(line("bert ").is_some_and(|line| line.contains("not-enrolled")), "{report}");
        assert_eq!(line("anna "), None, "{report}");
        assert_eq!(line("nobody "), None, "nobody can log in without a shell: {report}");
    });
}

/// Somebody who knows the password guesses from elsewhere. Break it: let `recognised` stop at a lock.
#[test]
fn a_lock_keeps_guessers_out_and_not_the_owner_at_a_trusted_device() {
    on_a_host(|host| {
        let site = Site::with(host, Methods::KeyThenKeyboardInteractive, |settings| {
            settings
                .login("lock-after = 6\nthrottle = { failures = 100, within = \"90s\" }\ntries = 3")
                .sections("[trust]\ndays = 7\n")
        });
        site.sshd.add_key("other-key");
        site.mfad.control(&["user", "email", "anna", "--clear"]).expect_success("mfactl user email");
        let (app, _) = App::enrol(&site.mfad, &site.anna);
        enter_with(&site, &app, 1, Some("y"));
        for service in ["sudo", "su"] {
            let program: &[&str] = if service == "sudo" { &["sudo", "-k", "id"] } else { &["su", "anna"] };
            let mut terminal = Terminal::start_as(&site.anna, program);
            give_password(&mut terminal);
            for _ in 0..3 {
                terminal.expect(CODE_PROMPT);
                terminal.type_line("000000");
            }
            expect_outside(&mut terminal);
        }
        let shown = site.mfad.control(&["user", "show", "anna"]).expect_success("mfactl user show");
        assert!(shown.lines().any(|line| line.starts_with("state") && line.ends_with("locked")), "{shown}");
        let mut terminal = site.sshd.connect(&site.anna);
        expect_inside(&mut terminal, &site.anna);
        let mut terminal = site.sshd.connect_by("other-key", &site.anna);
        terminal.expect(CODE_PROMPT);
        drop(terminal);
        site.mfad.control(&["user", "unlock", "anna"]).expect_success("mfactl user unlock");
        let told = explained(&site.mfad, &["anna"]);
        assert_eq!(told["ways"][0].as_str(), Some("totp"));
    });
}

#[test]
fn five_wrong_codes_are_told_to_the_person() {
    on_a_host(|host| {
        let site = Site::with(host, Methods::KeyboardInteractive, |settings| settings.login("tries = 5"));
        App::enrol(&site.mfad, &site.anna);
        let mut terminal = site.sshd.connect(&site.anna);
        give_password(&mut terminal);
        for _ in 0..5 {
            terminal.expect(CODE_PROMPT);
            terminal.type_line("000000");
        }
        assert!(site.mail.await_mail_about("knows your password").to.contains("anna@example.org"));
    });
}

/// Nobody listens where mails go. Break it: let `open_the_door` overlook the terms.
#[test]
fn while_mail_is_down_a_rule_opens_for_its_people_alone_and_never_for_root() {
    on_a_host(|host| {
        let rules =
            "[[rule]]\nname = \"annas\"\nusers = [\"anna\", \"root\"]\non-email-failure = \"bypass\"\n";
        let mfad = Mfad::start(host, &Settings::smtp_url("smtp://127.0.0.1:1").sections(rules));
        let (anna, bert, root) = (host.person("anna"), host.person("bert"), host.root());
        [&anna, &bert, &root].into_iter().for_each(|person| mfad.enrol(person));
        let sshd = Sshd::start(host, Methods::KeyboardInteractive);
        let enter = |person: &Person| {
            let mut terminal = sshd.connect_with(person, &["-o", "NumberOfPasswordPrompts=1"]);
            give_password(&mut terminal);
            terminal
        };
        expect_inside(&mut enter(&anna), &anna);
        let event = mfad.events_about(&anna, &["login-opened"]).pop().unwrap();
        assert!(event.text.contains("rule \"annas\": on-email-failure = bypass"), "{}", event.text);
        for person in [&bert, &root] {
            let shown = expect_outside(&mut enter(person));
            assert!(shown.contains("could not be mailed"), "{shown}");
        }
        let health = mfad.control(&["health"]).expect_success("mfactl health");
        assert!(health.contains("rule \"annas\": on-email-failure = bypass"), "{health}");
        assert!(health.lines().any(|line| line.starts_with("opened") && line.ends_with('1')), "{health}");
    });
}

#[test]
fn a_locker_of_a_person_proves_that_person_and_nobody_else() {
    on_a_host(|host| {
        let mail = MailServer::start();
        let mfad = Mfad::start(host, &Settings::smtp(&mail));
        let (anna, bert) = (host.person("anna"), host.person("bert"));
        [&anna, &bert].into_iter().for_each(|person| mfad.enrol(person));
        host.stack("locker", FirstFactor::Elsewhere);
        let mut terminal = Terminal::start_as(&anna, &["pamtester", "locker", "anna", "authenticate"]);
        terminal.expect(CODE_PROMPT);
        terminal.type_line(&mail.await_mail(1).code());
        terminal.expect("successfully authenticated");
        let mut terminal = Terminal::start_as(&anna, &["pamtester", "locker", "bert", "authenticate"]);
        assert!(!expect_outside(&mut terminal).contains(CODE_PROMPT));
        assert_eq!(mail.count(), 1);
    });
}
