//! What the files say is what the daemon gets.

use std::path::PathBuf;
use std::time::Duration;

use mfad::config::{
    AddressSource, AskFirst, Bind, Config, DomainPattern, EnrolTicket, EvenRoot, FactorKind, LogCodes,
    MailCap, Network, NoAddress, NtpServer, OnFailure, Relay, RelayLogin, Require, Security, Sendmail,
    TemplateSource, Terms, Throttle, TimeProvider, Transport, Unenrolled,
};

use crate::scratch::{Scratch, read};

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn relay(host: &str, port: u16, security: Security) -> Relay {
    Relay { host: host.to_owned(), port, security, login: None, ca_file: None }
}

fn email(line: &str) -> mfad::config::Email {
    read(&format!("[email]\n{line}\n")).unwrap_or_else(|problems| panic!("{line}: {problems}")).email
}

fn login(line: &str) -> mfad::config::Login {
    read(&format!("[login]\n{line}\n")).unwrap_or_else(|problems| panic!("{line}: {problems}")).terms.login
}

#[test]
fn without_a_file_the_documented_defaults_hold() {
    let Config { paths, terms, rules, email, time, audit, metrics_listen, hooks, warnings, files } =
        Scratch::new().load().unwrap();
    assert!(files.is_empty() && hooks.is_empty() && rules.is_empty() && warnings.is_empty());
    let Terms { rule, login, trust, on_email_failure } = terms;
    assert_eq!((rule, on_email_failure), (None, OnFailure::OtherFactor));
    assert_eq!(
        (login.even_root, login.on_hook_failure, login.grace),
        (EvenRoot::No, OnFailure::OtherFactor, None)
    );
    assert_eq!((trust.days, trust.ask, trust.services.len()), (0, AskFirst::Yes, 0));
    assert_eq!(trust.bind, [Bind::Source(Network { v4: 32, v6: 128 }), Bind::SshKey]);
    assert_eq!(metrics_listen, None);
    assert_eq!((audit.keep_age, audit.keep_events), (None, 1_000_000));
    assert_eq!((time.provider, time.skew), (TimeProvider::System, 1));
    assert_eq!(login.enrol_ticket, EnrolTicket::Required);
    assert_eq!(email.self_enrol_domains, []);
    assert_eq!(paths.state, PathBuf::from("/var/lib/mfad"));
    assert_eq!(paths.runtime, PathBuf::from("/run/mfad"));
    assert_eq!(paths.key, PathBuf::from("/etc/mfad/key"));
    assert_eq!(login.require, Require::Enrolled);
    assert_eq!(login.unenrolled, Unenrolled::Deny);
    assert_eq!(login.security_contact, []);
    let order =
        [FactorKind::Totp, FactorKind::Hotp, FactorKind::Email, FactorKind::Recovery, FactorKind::Bypass];
    assert_eq!(login.factors, order);
    assert_eq!(login.prompt, "Verification code: ");
    assert_eq!(login.tries, 3);
    assert_eq!(login.throttle, Throttle { failures: 5, within: seconds(90) });
    assert_eq!(login.lock_after, 50);
    assert_eq!(login.resume_window, seconds(300));
    assert_eq!(login.no_address, NoAddress::Deny);
    assert_eq!(email.digits, 6);
    assert_eq!(email.lifetime, seconds(300));
    assert_eq!(email.subject, "Your login code for $HOST");
    assert_eq!(email.from, "mfad <mfad@$HOST>");
    assert_eq!(email.transport, Transport::Smtp(vec![relay("localhost", 25, Security::Plain)]));
    let map = AddressSource::Map(PathBuf::from("/etc/mfad/addresses"));
    assert_eq!(email.address, [AddressSource::Account, map, AddressSource::Userdb]);
    let caps = [MailCap { within: seconds(600), count: 5 }, MailCap { within: seconds(86_400), count: 20 }];
    assert_eq!(email.per_user, caps);
    assert_eq!(email.log_codes, LogCodes::No);
}

#[test]
fn an_empty_file_is_as_good_as_none_but_is_named() {
    for text in ["", "# nothing\n", "[login]\n[email]\n[paths]\n", "\u{feff}[login]\r\n"] {
        let mut config = read(text).unwrap();
        assert_eq!(config.files.len(), 1);
        config.files.clear();
        assert_eq!(config, Scratch::new().load().unwrap(), "{text:?}");
    }
}

#[test]
fn the_audit_is_kept_for_days_and_up_to_a_number() {
    let audit = |text: &str| read(&format!("[audit]\n{text}\n")).map(|config| config.audit);
    let kept = audit("keep-days = 90\nkeep-events = 1000").unwrap();
    assert_eq!((kept.keep_age, kept.keep_events), (Some(seconds(90 * 86_400)), 1000));
    for wrong in ["keep-days = -1", "keep-days = \"90d\"", "keep-events = 999", "keep-events = 0"] {
        assert!(audit(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_counters_are_read_on_this_host_alone() {
    let listen =
        |text: &str| read(&format!("[metrics]\nlisten = {text}\n")).map(|config| config.metrics_listen);
    for good in ["127.0.0.1:9464", "127.9.9.9:1", "[::1]:65535"] {
        assert_eq!(listen(&format!("\"{good}\"")).unwrap(), Some(good.parse().unwrap()));
    }
    let bad =
        ["0.0.0.0:9464", "[::]:9464", "192.0.2.1:9464", "127.0.0.1", "127.0.0.1:0", "localhost:9464", ""];
    for bad in bad {
        assert!(listen(&format!("\"{bad}\"")).is_err(), "{bad}");
    }
    assert!(listen("9464").is_err());
}

#[test]
fn the_words_of_login_are_understood() {
    assert_eq!(login("require = \"never\"").require, Require::Never);
    assert_eq!(login("require = \"always\"").require, Require::Always);
    assert_eq!(login("no-address = \"skip\"").no_address, NoAddress::Skip);
    assert_eq!(login("no-address = \"other-factor\"").no_address, NoAddress::OtherFactor);
    assert_eq!(login("factors = ['email']").factors, [FactorKind::Email]);
    let two = [FactorKind::Bypass, FactorKind::Totp];
    assert_eq!(login("factors = ['bypass', 'totp']").factors, two);
    assert_eq!(login("unenrolled = 'enrol'").unenrolled, Unenrolled::Enrol);
    assert_eq!(login("enrol-ticket = 'none'").enrol_ticket, EnrolTicket::None);
    assert_eq!(login("enrol-ticket = \"required\"\nlanguage = \"en\"\ntries = 0x0a").tries, 10);
    assert_eq!(login("prompt = \"Code:\"").prompt, "Code: ");
    assert_eq!(login("resume-window = \"0s\"").resume_window, Duration::ZERO);
    let contacts = login("security-contact = [\"root@localhost\", \"Ada@Example.ORG\"]").security_contact;
    assert_eq!(
        contacts.iter().map(|contact| contact.as_str()).collect::<Vec<_>>(),
        ["root@localhost", "Ada@example.org"]
    );
}

#[test]
fn a_throttle_may_name_one_of_its_two_numbers() {
    let throttle = |failures, within| Throttle { failures, within: seconds(within) };
    assert_eq!(login("throttle = { failures = 1 }").throttle, throttle(1, 90));
    assert_eq!(login("throttle = { within = \"1d\" }").throttle, throttle(5, 86_400));
    assert_eq!(login("throttle.failures = 100\nthrottle.within = \"1h\"").throttle, throttle(100, 3600));
}

#[test]
fn a_grace_ends_with_the_day_that_is_named() {
    let Unenrolled::AllowUntil(instant) = login("unenrolled = { allow-until = 2027-01-31 }").unenrolled
    else {
        panic!("no grace");
    };
    let midnight_in_utc = 1_801_440_000_000_u64;
    assert!(instant.abs_diff(midnight_in_utc) <= 14 * 3_600_000, "{instant}");
}

#[test]
fn the_url_of_a_relay_says_how_it_is_spoken_to() {
    for (smtp, expected) in [
        ("{ url = \"smtp://localhost\" }", relay("localhost", 25, Security::Plain)),
        ("{ url = \"smtp://127.0.0.1:2525/\" }", relay("127.0.0.1", 2525, Security::Plain)),
        ("{ url = \"smtp://[::1]\" }", relay("::1", 25, Security::Plain)),
        ("{ url = \"smtp://mail.example.com\" }", relay("mail.example.com", 25, Security::StartTls)),
        ("{ url = \"smtp://[2001:db8::1]:587\" }", relay("2001:db8::1", 587, Security::StartTls)),
        ("{ url = \"smtps://mail.example.com\" }", relay("mail.example.com", 465, Security::ImplicitTls)),
        ("{ url = \"smtps://localhost:4465\" }", relay("localhost", 4465, Security::ImplicitTls)),
        ("{ url = \"smtp://mx\", tls = \"none\" }", relay("mx", 25, Security::Plain)),
        ("{ url = \"smtp://mx\", tls = \"implicit\" }", relay("mx", 465, Security::ImplicitTls)),
        ("{ url = \"smtp://localhost\", tls = \"starttls\" }", relay("localhost", 25, Security::StartTls)),
    ] {
        assert_eq!(email(&format!("smtp = {smtp}")).transport, Transport::Smtp(vec![expected]), "{smtp}");
    }
    let two = email("[[email.smtp]]\nurl = \"smtp://mx1\"\n[[email.smtp]]\nurl = \"smtp://mx2\"").transport;
    let expected = ["mx1", "mx2"].map(|host| relay(host, 25, Security::StartTls));
    assert_eq!(two, Transport::Smtp(expected.to_vec()));
}

#[test]
fn a_user_of_a_relay_stands_in_the_url_and_the_password_in_a_file() {
    let with_login = |url: &str, file: &str| {
        let smtp = format!("smtp = {{ url = \"{url}\", password-file = \"{file}\" }}");
        match email(&smtp).transport {
            Transport::Smtp(mut relays) => relays.remove(0).login.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    let login = |user: &str, file: &str| RelayLogin { user: user.to_owned(), password_file: file.into() };
    assert_eq!(with_login("smtps://ada@mx", "/etc/mfad/relay"), login("ada", "/etc/mfad/relay"));
    assert_eq!(with_login("smtp://ada%40example.org@mx", "relay"), login("ada@example.org", "relay"));
    assert_eq!(with_login("smtp://a%3ab%C3%BC@localhost", "relay"), login("a:bü", "relay"));
}

#[test]
fn the_other_ways_out_are_understood() {
    let sendmail = |lines: &str| email(&format!("transport = \"sendmail\"\n{lines}")).transport;
    assert_eq!(sendmail(""), Transport::Sendmail(Sendmail::OfThisHost));
    let arguments = ["/opt/send it", "-x"].map(str::to_owned).to_vec();
    let own = sendmail("sendmail = [\"/opt/send it\", \"-x\"]");
    assert_eq!(own, Transport::Sendmail(Sendmail::Program(arguments)));
    let socket = Sendmail::Socket("/run/a b.sock".into());
    assert_eq!(sendmail("sendmail = \"unix:/run/a b.sock\""), Transport::Sendmail(socket));
    let maildir = email("transport = \"maildir\"\nmaildir = \"/var/mail-pickup/$USER\"").transport;
    assert_eq!(maildir, Transport::Maildir("/var/mail-pickup/$USER".to_owned()));
}

#[test]
fn texts_of_mails_may_hold_variables() {
    assert_eq!(email("subject = \"$$5 for $USER\"").subject, "$$5 for $USER");
    for from in
        ["mfad@$HOST", "mfad <mfad@example.org>", "<mfad@example.org>", "Größe Ltd <a@bücher.example>"]
    {
        assert_eq!(email(&format!("from = '{from}'")).from, from);
    }
    assert_eq!(email("from = '\"Example, Inc.\" <a@$HOST>'").from, "\"Example, Inc.\" <a@$HOST>");
}

#[test]
fn a_template_that_is_named_is_used() {
    let scratch = Scratch::new();
    let template = scratch.write("mail.html", "<p>$MFA_TOKEN</p>");
    scratch.write("mfad.toml", format!("[email]\ntemplate = \"{}\"", template.display()));
    assert_eq!(scratch.load().unwrap().email.template, TemplateSource::File(template));
}

#[test]
fn addresses_and_limits_are_understood() {
    assert_eq!(
        email("address = [\"pattern:$USER@example.com\", \"map:/a/b\"]").address,
        [AddressSource::Pattern("$USER@example.com".to_owned()), AddressSource::Map("/a/b".into())]
    );
    let cap = |within, count| MailCap { within: seconds(within), count };
    assert_eq!(email("per-user = { \"1d\" = 20, \"90s\" = 1 }").per_user, [cap(90, 1), cap(86_400, 20)]);
    assert_eq!(email("[email.per-user]\n7d = 1000").per_user, [cap(604_800, 1000)]);
    assert_eq!(email("log-codes = true").log_codes, LogCodes::Yes);
    let lax = read("[email]\non-failure = \"bypass\"\n").unwrap();
    assert_eq!(lax.terms.on_email_failure, OnFailure::Bypass);
    assert_eq!(email("on-failure = \"deny\"\ndigits = 10").digits, 10);
}

#[test]
fn domains_for_own_addresses_are_one_or_all_below_one() {
    let domains = email("self-enrol-domains = [\"Example.ORG\", \"*.bücher.example\"]").self_enrol_domains;
    let exact = DomainPattern::Exact("example.org".to_owned());
    let below = DomainPattern::Below("xn--bcher-kva.example".to_owned());
    assert_eq!(domains, [exact, below]);
}

#[test]
fn a_time_server_is_a_host_with_or_without_a_port() {
    let time = |line: &str| read(&format!("[time]\nprovider = \"ntp\"\n{line}\n")).unwrap().time.provider;
    let server = |host: &str, port, timeout| {
        TimeProvider::Ntp(NtpServer { host: host.to_owned(), port, timeout: seconds(timeout) })
    };
    assert_eq!(time(""), server("pool.ntp.org", 123, 5));
    assert_eq!(time("ntp = { server = \"192.0.2.1:1123\" }"), server("192.0.2.1", 1123, 5));
    assert_eq!(time("ntp.server = \"[2001:db8::1]\"\nntp.timeout = \"30s\""), server("2001:db8::1", 123, 30));
    assert_eq!(
        read("[time]\nskew = 0\nntp = { server = \"x\" }").unwrap().time.provider,
        TimeProvider::System
    );
}

#[test]
fn later_files_win_key_by_key() {
    let scratch = Scratch::new();
    scratch.write("mfad.toml", "[login]\ntries = 1\nlock-after = 10\nprompt = \"Code: \"\n");
    scratch.drop_in("20-b.toml", "[login]\ntries = 3\n[email]\ndigits = 8\n");
    scratch.drop_in("10-a.toml", "[login]\ntries = 2\nlock-after = 20\n");
    for ignored in ["README", "30-c.toml.dpkg-old", ".40-d.toml", "50-e.toml~"] {
        scratch.drop_in(ignored, "[login]\ntries = 9\n");
    }
    let config = scratch.load().unwrap();
    assert_eq!((config.terms.login.tries, config.terms.login.lock_after, config.email.digits), (3, 20, 8));
    assert_eq!(config.terms.login.prompt, "Code: ");
    let names = ["mfad.toml", "conf.d/10-a.toml", "conf.d/20-b.toml"].map(|name| scratch.path(name));
    assert_eq!(config.files, names);
}

#[test]
fn drop_ins_count_also_without_a_main_file() {
    let scratch = Scratch::new();
    let file = scratch.drop_in("always.toml", "login.require = \"always\"");
    let config = scratch.load().unwrap();
    assert_eq!((config.terms.login.require, config.files), (Require::Always, vec![file]));
}
