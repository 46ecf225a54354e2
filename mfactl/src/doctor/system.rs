//! What surrounds mfad: clock, mandatory access control, login(1), and how long a code is good.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use toml::{Table, Value};

use super::finding::{Finding, Id, Severity};
use super::host::Host;
use crate::time;

/// How long a mailed code is good unless the configuration says otherwise.
const LIFETIME: Duration = Duration::from_mins(5);

/// login(1)'s own limit, in seconds, where login.defs(5) says nothing.
const LOGIN_TIMEOUT: u64 = 60;

/// Programs that speak PAM and that distributions confine.
const CONFINED: [&str; 9] =
    ["sshd", "sudo", "su", "login", "lightdm", "gdm", "dovecot/auth", "vsftpd", "swaylock"];

/// `[email] lifetime`, as the last file that names it says.
pub fn lifetime(host: &Host) -> Duration {
    let fragments = Path::new("/etc/mfad/conf.d");
    let names = host.names_in(fragments).into_iter().filter(|name| name.ends_with(".toml"));
    let files = std::iter::once(Path::new("/etc/mfad/mfad.toml").to_owned())
        .chain(names.map(|name| fragments.join(name)));
    files.filter_map(|file| lifetime_in(&host.text(file)?)).next_back().unwrap_or(LIFETIME)
}

fn lifetime_in(text: &str) -> Option<Duration> {
    let table: Table = text.parse().ok()?;
    let span = table.get("email")?.get("lifetime").and_then(Value::as_str)?;
    time::length(span).ok().map(Duration::from_millis)
}

/// Whether login(1) gives up before the code does.
pub fn login_timeout(host: &Host, lifetime: Duration) -> Option<Finding> {
    let file = Path::new("/etc/login.defs");
    let text = host.text(file).unwrap_or_default();
    let said = |line: &str| -> Option<u64> {
        let mut words = line.split_whitespace();
        words.next().filter(|word| *word == "LOGIN_TIMEOUT")?;
        words.next()?.parse().ok()
    };
    let seconds = text.lines().filter_map(said).next_back().unwrap_or(LOGIN_TIMEOUT);
    let needed = lifetime.as_secs();
    (seconds != 0 && seconds < needed).then(|| {
        Finding::new(
            Severity::Medium,
            Id::LoginTimeout,
            format!("login gives up after {seconds} s, and a mailed code is good for {needed} s"),
        )
        .service("login")
        .in_file(file)
        .meets("At the console, whose mail takes its time is cut off while they wait for it")
        .remedy(format!("Write: LOGIN_TIMEOUT {needed}"))
    })
}

/// Whether the clock is known to run free.
pub fn clock(host: &Host) -> Option<Finding> {
    if !host.is_running() || host.exists(Path::new("/run/systemd/timesync/synchronized")) {
        return None;
    }
    let says = |program: &str, arguments: &[&str], word: &str| {
        let output = Command::new(program).args(arguments).env_clear().stdin(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).contains(word))
    };
    let is_free = says("/usr/bin/chronyc", &["-n", "tracking"], "Not synchronised")
        .or_else(|| says("/usr/bin/timedatectl", &["show", "-p", "NTPSynchronized", "--value"], "no"));
    is_free.filter(|free| *free).map(|_| {
        Finding::new(Severity::Medium, Id::ClockUnsynchronised, "nothing keeps this host's clock")
            .meets("When it has drifted by half a minute, the codes of apps are refused")
            .remedy("Install and start chrony or systemd-timesyncd")
    })
}

/// Whether a policy stands between the module and mfad.
pub fn confinement(host: &Host) -> Vec<Finding> {
    [selinux(host), apparmor(host)].into_iter().flatten().collect()
}

fn selinux(host: &Host) -> Option<Finding> {
    let is_enforcing = host.text("/sys/fs/selinux/enforce")?.trim() == "1";
    let store = Path::new("/var/lib/selinux");
    let has_module = host.names_in(store).into_iter().any(|policy| {
        let modules = store.join(policy).join("active/modules");
        host.names_in(&modules).into_iter().any(|priority| host.exists(&modules.join(priority).join("mfad")))
    });
    (is_enforcing && !has_module).then(|| {
        Finding::new(Severity::High, Id::SelinuxPolicy, "SELinux enforces, and its policy has no module mfad")
            .meets("sshd, login and sudo may not speak to mfad: everybody of whom a code is asked is refused")
            .remedy("Install mfad-selinux, or: semodule -i mfad.pp")
    })
}

fn apparmor(host: &Host) -> Option<Finding> {
    let profiles = host.text("/sys/kernel/security/apparmor/profiles")?;
    let enforced = profiles.lines().filter_map(|line| line.strip_suffix(" (enforce)"));
    let is_pam = |profile: &&str| {
        CONFINED.iter().any(|name| profile.ends_with(&format!("/{name}")) || profile == name)
    };
    let confined: Vec<&str> = enforced.filter(is_pam).collect();
    let is_allowed = host.exists(Path::new("/etc/apparmor.d/abstractions/authentication.d/mfad"));
    (!confined.is_empty() && !is_allowed).then(|| {
        let fact = format!("AppArmor confines {}, and no rule lets them speak to mfad", confined.join(", "));
        Finding::new(Severity::Medium, Id::ApparmorRule, fact)
            .meets("These programs refuse everybody of whom a code is asked")
            .remedy("Install /etc/apparmor.d/abstractions/authentication.d/mfad with \"@{run}/mfad/io.mfad.Login rw,\"")
    })
}
