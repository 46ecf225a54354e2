//! Programs that read mfad's log: fail2ban and logcheck, with the files that are shipped for them.

use std::path::{Path, PathBuf};

use mfad_tests::host::path;
use mfad_tests::process::run;
use mfad_tests::site::Site;
use mfad_tests::{Host, on_a_host};

fn shipped(file: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging").join(file).display().to_string()
}

/// What mfad said, as a log daemon writes it to a file, and some lines more.
fn log_file(host: &Host, more: &[&str]) -> PathBuf {
    let said: Vec<String> =
        host.syslog().lines().into_iter().filter(|line| line.contains(">mfad[")).collect();
    let said = said.iter().filter_map(|line| Some(line.split_once('>')?.1)).chain(more.iter().copied());
    let now = run("date", &["+%b %e %H:%M:%S"]).expect_success("date");
    let text: String = said.map(|line| format!("{} host {line}\n", now.trim())).collect();
    host.write(path("auth.log"), &text, 0o600);
    path("auth.log")
}

fn right_and_wrong(host: &Host) -> Site {
    let site = Site::on(host);
    site.anna_gets_in_and_is_kept_out();
    host.syslog().await_line(&["login-refused", "tries-used-up"]);
    site
}

/// Lines that no login of this host leaves: what a name can do, and what may not count.
const MORE: [&str; 9] = [
    r#"mfad[7]: code-wrong user="x source=192.0.2.66 ref=y" service=sshd source=192.0.2.1 ref=k3f9a: a wrong code"#,
    r#"mfad[7]: code-wrong user="x\" service=sshd source=192.0.2.66 ref=y: z" service=sshd source=192.0.2.2 ref=k3f9a: a"#,
    "mfad[7]: login-refused user=bob service=sshd source=2001:db8::7 ref=k3f9a: refused: unknown-user",
    "mfad[7]: login-refused user=bob service=sshd source=192.0.2.3 ref=k3f9a: refused: throttled",
    "mfad[7]: code-reused user=bob service=su source=local ref=k3f9a: a code of totp-1 that was used before",
    "mfad[7]: login-refused user=bob service=sshd source=192.0.2.66 ref=k3f9a: refused: cancelled",
    "mfad[7]: login-allowed user=bob service=sshd source=192.0.2.66 ref=k3f9a: let in with email",
    "mfad[7]: fault ref=k3f9a: code-wrong user=x service=sshd source=192.0.2.66 ref=y: z",
    "other[7]: code-wrong user=bob service=sshd source=192.0.2.66 ref=k3f9a: a wrong code",
];

/// Break it: let a quoted name end at the first quote, or count every refusal.
#[test]
fn fail2ban_counts_guesses_by_their_address_and_nothing_else() {
    on_a_host(|host| {
        let site = right_and_wrong(host);
        let wrong = site.mfad.events_about(&site.anna, &["code-wrong"]);
        let own = wrong[0].source.clone().expect("an address");
        let log = log_file(host, &MORE).display().to_string();
        // Where it is installed, for it includes fail2ban's own file beside it. This /etc is the story's.
        let filter = std::fs::read_to_string(shipped("fail2ban/filter.d/mfad.conf")).expect("the filter");
        host.write("/etc/fail2ban/filter.d/mfad.conf", &filter, 0o644);
        let found = run("fail2ban-regex", &["-o", "ip", &log, "/etc/fail2ban/filter.d/mfad.conf"]);
        let found = found.expect_success("fail2ban-regex");
        let own = own.as_str();
        let expected = [own, own, own, "192.0.2.1", "192.0.2.2", "2001:db8::7", "192.0.2.3"];
        assert_eq!(found.lines().collect::<Vec<_>>(), expected);
    });
}

#[test]
fn logcheck_passes_over_what_is_normal_and_shows_the_rest() {
    on_a_host(|host| {
        let _site = right_and_wrong(host);
        let log = log_file(host, &[]).display().to_string();
        let ignored = shipped("logcheck/ignore.d.server/mfad");
        let shown = run("grep", &["-vEf", &ignored, &log]).expect_success("grep");
        let kinds = ["account-changed", "code-wrong", "login-refused"];
        for line in shown.lines() {
            assert!(kinds.iter().any(|kind| line.contains(&format!(": {kind} "))), "{line}");
        }
        let all = std::fs::read_to_string(&log).expect("the log");
        for kind in ["login-allowed", "code-sent", "is ready", "the audit goes on from"] {
            assert!(all.contains(kind) && !shown.contains(kind), "{kind}:\n{all}");
        }
        assert_eq!(shown.matches(": code-wrong ").count(), 3);
    });
}
