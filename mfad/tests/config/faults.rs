//! Every kind of fault, with its place.

use crate::scratch::{Scratch, read, summary};

const REMOVE: &str = "remove it; this version knows [paths], [login], [email], [trust], [time], [audit], [metrics], [[hook]] and [[rule]]";

fn faults(text: &str) -> Vec<String> {
    let problems = match read(text) {
        Ok(config) => panic!("accepted: {text}\n{config:?}"),
        Err(problems) => problems,
    };
    for problem in &problems.0 {
        assert!(!problem.remedy.is_empty() && problem.file.ends_with("mfad.toml"), "{problem:?}");
    }
    summary(&problems)
}

/// Each text has one fault, told at this line and column, of this key.
fn check(table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(faults(text), [*expected], "{text}");
    }
}

/// Each value of a key of the section has one fault.
fn check_values(section: &str, table: &[(&str, &str)]) {
    for (line, message) in table {
        let key = line.split(" = ").next().unwrap();
        let found = faults(&format!("[{section}]\n{line}\n"));
        let [found] = found.as_slice() else { panic!("{line}: {found:?}") };
        let column = key.chars().count() + 4;
        assert_eq!(*found, format!("2:{column} {section}.{key}: {message}"), "{line}");
    }
}

#[test]
fn what_is_not_toml_is_refused_with_its_place() {
    for (text, place) in [
        ("[login]\nrequire = always\n", "2:11 "),
        ("[login\n", "1:7 "),
        ("[login]\ntries = 3\ntries = 4\n", "3:1 "),
        ("[login]\n[login]\n", "2:2 "),
        ("[login]\nprompt = \"abc\n", "2:"),
        ("[login]\nthrottle = { failures = 3\n", "2:"),
        ("= 3", "1:"),
    ] {
        let found = faults(text);
        assert!(found[0].starts_with(place) && found[0].contains("not valid TOML"), "{text}: {found:?}");
    }
}

#[test]
fn what_is_no_key_of_this_version_is_refused() {
    let later = |name: &str| format!("[{name}] is not in this version of mfad");
    for name in ["server", "upstream", "database"] {
        assert_eq!(faults(&format!("\n[{name}]\na = 1\n")), [format!("2:2 {name}: {}", later(name))]);
        assert_eq!(faults(&format!("{name}.a = 1\n")), [format!("1:1 {name}: {}", later(name))]);
    }
    check(&[
        ("[logim]\n", "1:2 logim: unknown section"),
        ("[login]\n[email]\n  digit = 6\n", "3:3 email.digit: unknown key"),
        ("[login]\n\"x\\u001by\" = 6\n", "2:1 login.x\u{1b}y: unknown key"),
        ("[login.throttle]\nfailure = 3\n", "2:1 login.throttle.failure: unknown key"),
        ("[login]\nthrottle = { failures = 3, in = \"1s\" }", "2:28 login.throttle.in: unknown key"),
        ("[login]\ndigits = 6\n", "2:1 login.digits: unknown key"),
        ("tries = 6\n", "1:1 tries: tries is a key of [login], and stands outside of it"),
        ("login = 3\n", "1:9 login: login is a section"),
        ("[[login]]\n", "1:1 login: login is a section"),
    ]);
}

#[test]
fn the_remedy_guesses_what_was_meant() {
    for (text, remedy) in [
        ("[logim]", "did you mean [login]?"),
        ("[xyz]", REMOVE),
        ("[rule]\nname = \"x\"", "write its keys below one line [[rule]]"),
        ("[[hok]]\nname = \"x\"", "did you mean [[hook]]?"),
        ("[login]\nlock_after = 3", "did you mean lock-after?"),
        ("[login]\ndigits = 6", "it is a key of [email]: move it there"),
        ("[login]\nrequire = \"allways\"", "did you mean \"always\"?"),
        ("[login]\nrequire = \"yes\"", "write \"never\", \"enrolled\", \"always\" or \"dry-run\""),
        ("[login]\nresume-window = 90", "write \"90s\""),
        ("digits = 6", "move it below the line [email]"),
        ("[email.smtp]\nurl = \"smtp://localhost\"\npassword = \"x\"", "did you mean password-file?"),
    ] {
        let problems = read(text).unwrap_err();
        assert_eq!(problems.0[0].remedy, remedy, "{text}");
    }
}

#[test]
fn values_of_login_that_do_not_fit_are_refused() {
    let range = "the number is not between 1 and 10";
    let locked =
        "the number is not between 1 and 100: NIST SP 800-63B-4 allows at most 100 consecutive failures";
    check_values(
        "login",
        &[
            ("require = \"Always\"", "this word is not known here"),
            ("require = true", "a word belongs here"),
            ("unenrolled = \"allow\"", "this word is not known here"),
            ("unenrolled = 2027-01-31", "a word or a date belongs here"),
            ("unenrolled = {}", "the date is missing"),
            ("enrol-ticket = false", "a word belongs here"),
            ("enrol-ticket = \"no\"", "this word is not known here"),
            ("language = \"de\"", "this word is not known here"),
            ("security-contact = \"root@localhost\"", "a list belongs here"),
            ("factors = \"email\"", "a list belongs here"),
            ("factors = []", "the list is empty"),
            ("factors = [\"email\", \"email\"]", "something is in the list twice"),
            ("no-address = \"other\"", "this word is not known here"),
            ("tries = 0", range),
            ("tries = 11", range),
            ("tries = -1", range),
            ("tries = 99999999999999999999", range),
            ("tries = \"3\"", "a whole number belongs here"),
            ("tries = 3.0", "a whole number belongs here"),
            ("lock-after = 0", locked),
            ("lock-after = 101", locked),
            ("throttle = 5", "a table belongs here"),
            ("resume-window = \"601s\"", "the duration is not between 0s and 10m"),
            ("resume-window = \"99999999999999999999d\"", "the duration is not between 0s and 10m"),
            ("resume-window = \"-5m\"", "this is not a duration"),
            ("resume-window = \"5\"", "this is not a duration"),
            ("resume-window = 300", "a duration needs a unit"),
            ("resume-window = 1.5", "a duration belongs here"),
            ("prompt = \"\"", "the text is empty"),
            ("prompt = \"Code\"", "the prompt does not end in \": \""),
            ("prompt = \": \"", "the prompt does not end in \": \""),
            ("prompt = \"Code\\n: \"", "the text has a control character, or one that is invisible"),
            ("prompt = \"Schlüssel: \"", "the prompt has a letter that is not ASCII"),
            ("prompt = 3", "a text belongs here"),
        ],
    );
    let long = format!("[login]\nprompt = \"{}: \"", "x".repeat(99));
    assert_eq!(faults(&long), ["2:10 login.prompt: the prompt is longer than 100 characters"]);
    check(&[
        (
            "[login]\nunenrolled = { allow-until = \"2027-01-31\" }",
            "2:30 login.unenrolled.allow-until: a date belongs here",
        ),
        (
            "[login]\nunenrolled = { allow-until = 2027-01-31T10:00:00 }",
            "2:30 login.unenrolled.allow-until: a date belongs here",
        ),
        (
            "[login]\nunenrolled = { allow-until = 1960-01-01 }",
            "2:30 login.unenrolled.allow-until: there is no such day",
        ),
        (
            "[login]\nthrottle = { failures = 101 }",
            "2:25 login.throttle.failures: the number is not between 1 and 100",
        ),
        (
            "[login]\nthrottle = { within = \"0s\" }",
            "2:23 login.throttle.within: the duration is not between 1s and 1d",
        ),
        (
            "[login]\nfactors = [\"email\", \"http\"]",
            "2:21 login.factors: \"http\" is not in this version of mfad",
        ),
        (
            "[login]\nfactors = [\"email\", \"sms\"]",
            "2:21 login.factors: no factor and no hook has this name",
        ),
        ("[login]\nfactors = [\"hook\"]", "2:12 login.factors: a hook is named by its own name"),
        (
            "[login]\nsecurity-contact = [\"a@b\",\n \"x\"]",
            "3:2 login.security-contact: an address has the form name@domain",
        ),
    ]);
}

#[test]
fn values_of_email_that_do_not_fit_are_refused() {
    let invisible = "the text has a control character, or one that is invisible";
    check_values(
        "email",
        &[
            ("digits = 5", "the number is not between 6 and 10"),
            ("digits = 11", "the number is not between 6 and 10"),
            ("lifetime = \"29s\"", "the duration is not between 30s and 10m"),
            ("lifetime = \"11m\"", "the duration is not between 30s and 10m"),
            ("subject = \"$MFA_TOKEN\"", "the code must not be in the subject: locked screens show subjects"),
            ("subject = \"for $NAME\"", "$NAME is not known here"),
            ("subject = \"5$\"", "a $ stands alone"),
            ("subject = \"a\\r\\nBcc: b@c\"", invisible),
            ("from = \"$USER@example.org\"", "$USER is not known here"),
            ("from = \"mfad\"", "an address has the form name@domain"),
            ("from = \"mfad <mfad@>\"", "an address has the form name@domain"),
            ("from = \"a@b\\nBcc: c@d\"", invisible),
            ("from = \"a@b, c@d\"", "the part before the @ has a character that mfad does not send to"),
            ("from = \"x <y@z> <a@b>\"", "this is not a name and an address"),
            ("template = \"email.html\"", "the path does not start at /"),
            ("template = \"/etc\"", "what the path names is not a file"),
            ("transport = \"relay\"", "\"relay\" is not in this version of mfad"),
            ("transport = \"maildir\"", "this transport needs the key maildir"),
            ("maildir = \"mail/$USER\"", "the path does not start at /"),
            ("maildir = \"/mail/../$USER\"", "the path is /, or goes up by .."),
            ("maildir = \"/mail/$HOST\"", "$HOST is not known here"),
            ("sendmail = []", "the command is empty"),
            ("sendmail = \"/usr/sbin/sendmail -t\"", "a command is a list of arguments"),
            ("sendmail = [\"sendmail\", \"-t\"]", "the program does not start at /"),
            ("sendmail = \"unix:mfad-sendmail.sock\"", "the path does not start at /"),
            ("sendmail = \"unix:\"", "the path does not start at /"),
            ("address = []", "the list is empty"),
            ("address = [\"userdb\", \"userdb\"]", "something is in the list twice"),
            ("self-enrol-domains = \"example.org\"", "a list belongs here"),
            ("per-user = {}", "there is no limit in it"),
            ("per-user = 5", "a table of limits belongs here"),
            ("per-user = { \"1m\" = 5, \"60s\" = 6 }", "two limits are for the same time"),
            ("on-failure = \"open\"", "this word is not known here"),
            ("log-codes = \"yes\"", "true or false belongs here"),
        ],
    );
    let long = format!("[email]\nsubject = \"{}\"", "ü".repeat(201));
    assert_eq!(faults(&long), ["2:11 email.subject: the subject is longer than 200 characters"]);
    let key = |message: &str| format!("2:12 email.address: {message}");
    for (source, message) in [
        ("ldap", "this is no source of addresses"),
        ("map:addresses", "the path does not start at /"),
        ("pattern:all@example.org", "the pattern gives everybody the same address"),
        ("pattern:$USER", "an address has the form name@domain"),
        ("pattern:$HOST@example.org", "$HOST is not known here"),
        ("pattern:$$USER@example.org", "the pattern gives everybody the same address"),
    ] {
        assert_eq!(faults(&format!("[email]\naddress = [\"{source}\"]")), [key(message)]);
    }
    check(&[
        (
            "[email]\nper-user = { \"8d\" = 5 }",
            "2:21 email.per-user.8d: the duration is not between 1s and 7d",
        ),
        (
            "[email]\nper-user = { \"1d\" = 0 }",
            "2:21 email.per-user.1d: the number is not between 1 and 1000",
        ),
        ("[email]\nper-user = { day = 5 }", "2:20 email.per-user.day: this is not a duration"),
        ("[email]\nsendmail = [\"/a\", 3]", "2:19 email.sendmail: a text belongs here"),
        (
            "[email]\nself-enrol-domains = [\"*\"]",
            "2:23 email.self-enrol-domains: the part after the @ is not a domain name",
        ),
        (
            "[email]\nself-enrol-domains = [\"a.org\", \"*.*.org\"]",
            "2:32 email.self-enrol-domains: the part after the @ is not a domain name",
        ),
        (
            "[email]\nself-enrol-domains = [\"ada@example.org\"]",
            "2:23 email.self-enrol-domains: the part after the @ is not a domain name",
        ),
        ("[paths]\nstate = \"state\"", "2:9 paths.state: the path does not start at /"),
        ("[paths]\nkey = \"/\"", "2:7 paths.key: the path is /, or goes up by .."),
    ]);
}

#[test]
fn values_of_time_that_do_not_fit_are_refused() {
    let skew = "the number is not between 0 and 10: each step is one more code that is right";
    check_values(
        "time",
        &[
            ("provider = \"gps\"", "this word is not known here"),
            ("provider = true", "a word belongs here"),
            ("skew = 11", skew),
            ("skew = -1", skew),
            ("skew = \"1\"", "a whole number belongs here"),
            ("ntp = \"pool.ntp.org\"", "a table belongs here"),
        ],
    );
    let host = "this is no host with or without a port";
    for (ntp, fault) in [
        ("{ server = \"\" }", "18 time.ntp.server: the text is empty".to_owned()),
        ("{ server = \"a b\" }", format!("18 time.ntp.server: {host}")),
        ("{ server = \"2001:db8::1\" }", format!("18 time.ntp.server: {host}")),
        ("{ server = \"ntp://x\" }", format!("18 time.ntp.server: {host}")),
        ("{ server = \"x:0\" }", format!("18 time.ntp.server: {host}")),
        ("{ timeout = \"31s\" }", "19 time.ntp.timeout: the duration is not between 1s and 30s".to_owned()),
        ("{ timeout = \"0s\" }", "19 time.ntp.timeout: the duration is not between 1s and 30s".to_owned()),
        ("{ host = \"x\" }", "9 time.ntp.host: unknown key".to_owned()),
    ] {
        assert_eq!(faults(&format!("[time]\nntp = {ntp}")), [format!("2:{fault}")], "{ntp}");
    }
}

#[test]
fn relays_that_are_unsafe_or_unclear_are_refused() {
    for (smtp, fault) in [
        ("{}", "8 email.smtp: the key url is missing"),
        ("[]", "8 email.smtp: the list of relays is empty"),
        ("\"smtp://mx\"", "8 email.smtp: a table belongs here"),
        ("{ url = \"mail.example.com\" }", "16 email.smtp.url: the url is neither smtp:// nor smtps://"),
        ("{ url = \"http://mx\" }", "16 email.smtp.url: the url is neither smtp:// nor smtps://"),
        ("{ url = \"smtp://\" }", "16 email.smtp.url: the url has no valid host and port"),
        ("{ url = \"smtp://mx:0\" }", "16 email.smtp.url: the url has no valid host and port"),
        ("{ url = \"smtp://mx:65536\" }", "16 email.smtp.url: the url has no valid host and port"),
        ("{ url = \"smtp://mx:\" }", "16 email.smtp.url: the url has no valid host and port"),
        ("{ url = \"smtp://::1\" }", "16 email.smtp.url: the url has no valid host and port"),
        ("{ url = \"smtp://1.2.3.400\" }", "16 email.smtp.url: the url has no valid host and port"),
        ("{ url = \"smtp://mx/path\" }", "16 email.smtp.url: the url has no valid host and port"),
        ("{ url = \"smtp://mx?a=b\" }", "16 email.smtp.url: the url has no valid host and port"),
        ("{ url = \"smtp://u:p@mx\" }", "16 email.smtp.url: there is a password in the url"),
        ("{ url = \"smtp://u:p/w@mx\" }", "16 email.smtp.url: there is a password in the url"),
        ("{ url = \"smtp://u:@mx\" }", "16 email.smtp.url: there is a password in the url"),
        ("{ url = \"smtp://@mx\" }", "16 email.smtp.url: the user in the url is not valid"),
        ("{ url = \"smtp://u%4@mx\" }", "16 email.smtp.url: the user in the url is not valid"),
        ("{ url = \"smtp://u%0a@mx\" }", "16 email.smtp.url: the user in the url is not valid"),
        ("{ url = \"smtp://u%ff@mx\" }", "16 email.smtp.url: the user in the url is not valid"),
        ("{ url = \"smtp://u@mx\" }", "8 email.smtp: the url has a user, and there is no password-file"),
        (
            "{ url = \"smtp://mx\", password-file = \"/p\" }",
            "8 email.smtp: there is a password-file, and the url has no user",
        ),
        (
            "{ url = \"smtp://u@mx\", password-file = \"../p\" }",
            "47 email.smtp.password-file: the path does not start at /",
        ),
        (
            "{ url = \"smtp://u@mx\", password-file = \"p\", tls = \"none\" }",
            "8 email.smtp: the password would cross the network without TLS",
        ),
        (
            "{ url = \"smtps://mx\", tls = \"none\" }",
            "36 email.smtp.tls: smtps:// is TLS from the first byte, and tls says otherwise",
        ),
        ("{ url = \"smtp://mx\", tls = \"off\" }", "35 email.smtp.tls: this word is not known here"),
        ("[{ url = \"smtp://mx\" }, 3]", "32 email.smtp: a table belongs here"),
    ] {
        let found = faults(&format!("[email]\nsmtp = {smtp}\n"));
        assert_eq!(found[0], format!("2:{fault}"), "{smtp}");
    }
}

#[test]
fn a_fault_is_told_with_the_file_that_won() {
    let scratch = Scratch::new();
    scratch.write("mfad.toml", "[login]\ntries = 0\nlock-after = 0\n");
    let drop_in = scratch.drop_in("a.toml", "\n[login]\ntries = 99\n");
    let problems = scratch.load().unwrap_err();
    let places: Vec<_> = problems.0.iter().map(|problem| (problem.file.clone(), problem.line)).collect();
    assert_eq!(places, [(drop_in, Some(3)), (scratch.main(), Some(3))]);
}

#[test]
fn all_faults_of_all_files_are_told_at_once() {
    let scratch = Scratch::new();
    scratch
        .write("mfad.toml", "[server]\n[paths]\nkey = 1\n[login]\ntries = 0\nprmpt = 1\nfactors = [1, 2]\n");
    scratch.drop_in("a.toml", "[email]\ndigits = 1\nsmtp = [{ url = 1, tls = 2 }, {}]\n");
    assert_eq!(
        summary(&scratch.load().unwrap_err()),
        [
            "1:2 server: [server] is not in this version of mfad",
            "3:7 paths.key: a text belongs here",
            "6:1 login.prmpt: unknown key",
            "7:12 login.factors: a text belongs here",
            "7:15 login.factors: a text belongs here",
            "5:9 login.tries: the number is not between 1 and 10",
            "2:10 email.digits: the number is not between 6 and 10",
            "3:17 email.smtp.url: a text belongs here",
            "3:26 email.smtp.tls: a word belongs here",
            "3:31 email.smtp: the key url is missing",
        ]
    );
}
