//! The lines that sshd needs to ask for a code, in a file of their own. They say what has to change and nothing else: whoever
//! gets in by a key alone, or cannot get in by a password, does not begin to.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::fault::Fault;
use super::program::run;
use super::rehearsal::Rehearsal;
use super::told::Told;
use super::whole;
use crate::arguments::setup::SshKeys;
use crate::doctor::finding::Id;
use crate::doctor::ssh_logins::{Way, ways};
use crate::doctor::sshd::Settings;

/// Before what other packages put there: of two lines sshd takes the first.
pub const FILE: &str = "/etc/ssh/sshd_config.d/00-mfad.conf";

/// Where it is, in the order that it is looked for.
const PROGRAMS: [&str; 2] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"];

/// What its unit is called: on Debian, on Fedora.
const UNITS: [&str; 2] = ["ssh.service", "sshd.service"];

const PASSWORD: &str = "password";

const INTERACTIVE: &str = "keyboard-interactive";

/// Asked by PAM, and by nothing else (sshd_config(5)).
const BY_PAM: &str = "keyboard-interactive:pam";

/// This host's sshd, and what it says of itself.
pub struct Sshd {
    /// Where it is.
    pub program: &'static str,
    /// What holds for whoever logs in over loopback.
    pub settings: Settings,
    /// What holds for root.
    pub root: Settings,
}

impl Sshd {
    /// Asks it; none if the host has none.
    ///
    /// # Errors
    /// [`Fault::Program`] if it does not say.
    pub fn ask(user: &str, rehearsal: &Rehearsal) -> Result<Option<Self>, Fault> {
        let Some(program) = PROGRAMS.into_iter().find(|path| Path::new(path).exists()) else {
            return Ok(None);
        };
        let of = |user: &str| -> Result<Settings, Fault> {
            let login = format!("user={user},host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22");
            Ok(Settings::read(&rehearsal.run(&[program, "-T", "-C", &login])?))
        };
        Ok(Some(Sshd { program, settings: of(user)?, root: of("root")? }))
    }

    /// Whether somebody gets in by something that is neither a password nor asked for by PAM: a key.
    pub fn takes_keys(&self) -> bool {
        ways(&self.settings).iter().any(|way| !takes_a_password(way))
    }

    /// Whether somebody gets in by a password at all.
    pub fn takes_passwords(&self) -> bool {
        ways(&self.settings).iter().any(takes_a_password)
    }

    /// Whether a password and a code are all that it takes.
    pub fn asks_for_no_key(&self) -> bool {
        ways(&self.settings).iter().any(|way| way.as_slice() == [INTERACTIVE])
    }

    /// Whether root gets in by a key and by nothing else.
    pub fn takes_root_by_key_alone(&self) -> bool {
        let limited = ["prohibit-password", "without-password", "forced-commands-only"];
        self.root.value("permitrootlogin").is_some_and(|value| limited.contains(&value))
    }

    /// The PAM service that its logins are.
    pub fn service(&self) -> &str {
        self.settings.value("pamservicename").unwrap_or("sshd")
    }

    /// The findings that are meant, where a key is worth this much.
    pub fn meant(&self, keys: SshKeys) -> Vec<Id> {
        match keys {
            SshKeys::WithCode => Vec::new(),
            SshKeys::Alone if self.takes_passwords() => vec![Id::MethodWithoutPam],
            SshKeys::Alone => vec![Id::MethodWithoutPam, Id::KeyboardInteractiveOff],
        }
    }

    /// The lines that are missing; none if it can ask as it is, or shall not.
    pub fn lines(&self, keys: SshKeys, lifetime: Duration) -> Option<String> {
        let lines = missing(&self.settings, keys, lifetime);
        let comment = "# Written by mfactl setup; mfactl setup --undo takes it away.";
        (!lines.is_empty()).then(|| format!("{comment}\n{}\n", lines.join("\n")))
    }
}

fn program() -> Option<&'static str> {
    PROGRAMS.into_iter().find(|path| Path::new(path).exists())
}

fn takes_a_password(way: &Way) -> bool {
    way.iter().any(|method| method == PASSWORD || method == INTERACTIVE)
}

fn missing(settings: &Settings, keys: SshKeys, lifetime: Duration) -> Vec<String> {
    let now = ways(settings);
    let wanted: Vec<Way> = now.iter().map(|way| with_code(way, keys)).collect();
    if !wanted.iter().flatten().any(|method| method == BY_PAM) {
        return Vec::new();
    }
    let mut lines = Vec::new();
    let mut say = |is_missing: bool, line: &str| lines.extend(is_missing.then(|| line.to_owned()));
    say(!settings.is_on("usepam"), "UsePAM yes");
    say(!settings.is_on("kbdinteractiveauthentication"), "KbdInteractiveAuthentication yes");
    say(settings.is_on("passwordauthentication"), "PasswordAuthentication no");
    say(needs_a_list(settings, &now, keys), &format!("AuthenticationMethods {}", list(wanted)));
    let grace: u64 = settings.value("logingracetime").and_then(|value| value.parse().ok()).unwrap_or(0);
    let is_short = grace > 0 && grace < lifetime.as_secs();
    say(is_short, &format!("LoginGraceTime {}", lifetime.as_secs()));
    lines
}

/// A way in, with PAM asking in the place of the method that cannot.
fn with_code(way: &Way, keys: SshKeys) -> Way {
    let asks = takes_a_password(way);
    let method = |method: &String| {
        let asks = method == PASSWORD || method == INTERACTIVE;
        if asks { BY_PAM.to_owned() } else { method.clone() }
    };
    let mut new: Way = way.iter().map(method).collect();
    new.dedup();
    if !asks && keys == SshKeys::WithCode {
        new.push(BY_PAM.to_owned());
    }
    new
}

/// Where any method will do, a list is needed only so that a key will not.
fn needs_a_list(settings: &Settings, now: &[Way], keys: SshKeys) -> bool {
    let is_any = matches!(settings.value("authenticationmethods"), None | Some("any" | ""));
    let has_key = now.iter().any(|way| !takes_a_password(way));
    let has_password = now.iter().flatten().any(|method| method == PASSWORD);
    (has_key && keys == SshKeys::WithCode) || (!is_any && has_password)
}

fn list(wanted: Vec<Way>) -> String {
    let mut lists: Vec<String> = Vec::new();
    for way in wanted.iter().map(|way| way.join(",")) {
        if !lists.contains(&way) {
            lists.push(way);
        }
    }
    lists.join(" ")
}

/// Tries the lines where nobody sees them.
///
/// # Errors
/// [`Fault`], also if sshd does not take them.
pub fn rehearse(lines: &str, sshd: &Sshd, rehearsal: &Rehearsal) -> Result<(), Fault> {
    rehearsal.write(Path::new(FILE), lines)?;
    rehearsal.run(&[sshd.program, "-t"]).map(drop)
}

/// Writes them.
///
/// # Errors
/// [`Fault::File`].
pub fn write(lines: &str, told: &mut Told<'_>) -> Result<(), Fault> {
    whole::write(Path::new(FILE), lines, 0o644).map_err(Fault::file(FILE))?;
    told.well("sshd", format!("{FILE} is written"));
    Ok(())
}

/// Takes them away, unless somebody has changed them since.
///
/// # Errors
/// [`Fault`].
pub fn remove(lines: &str, told: &mut Told<'_>) -> Result<(), Fault> {
    match fs::read_to_string(FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Fault::file(FILE)(error)),
        Ok(text) if text != lines => {
            told.warning("sshd", format!("{FILE} was changed by somebody, so it stays"));
            return Ok(());
        }
        Ok(_) => fs::remove_file(FILE).map_err(Fault::file(FILE))?,
    }
    told.well("sshd", format!("{FILE} is gone"));
    read_again(told)
}

/// Has the sshd that runs read its files, whoever wrote them. Logins that are under way go on. Where no systemd is,
/// somebody else knows how it was started.
///
/// # Errors
/// [`Fault::Program`].
pub fn read_again(told: &mut Told<'_>) -> Result<(), Fault> {
    if program().is_none() {
        return Ok(());
    }
    let is_active = |unit: &&&str| run(&["systemctl", "--quiet", "is-active", unit]).is_ok();
    let unit = UNITS.iter().filter(|_| Path::new("/run/systemd/system").exists()).find(is_active);
    match unit {
        Some(unit) => {
            run(&["systemctl", "reload-or-restart", unit])?;
            told.well("sshd", format!("{unit} reads its configuration again"));
        }
        None => {
            told.warning("sshd", "no unit of it runs: if it does run, let it read its configuration again")
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Debian's, but for what is said.
    fn lines(said: &str, keys: SshKeys) -> Vec<String> {
        let mut text = String::from(
            "usepam yes\nkbdinteractiveauthentication no\npasswordauthentication yes\npubkeyauthentication yes\n\
             authenticationmethods any\nlogingracetime 300\n",
        );
        text.push_str(said);
        missing(&Settings::read(&text), keys, Duration::from_mins(5))
    }

    #[test]
    fn only_what_keeps_pam_from_asking_is_changed() {
        let asks = ["KbdInteractiveAuthentication yes", "PasswordAuthentication no"];
        assert_eq!(lines("", SshKeys::Alone), asks);
        let with_code = "AuthenticationMethods publickey,keyboard-interactive:pam keyboard-interactive:pam";
        assert_eq!(lines("", SshKeys::WithCode), [asks[0], asks[1], with_code]);
        assert_eq!(lines("pubkeyauthentication no\n", SshKeys::WithCode), asks);
        let on = "kbdinteractiveauthentication yes\npasswordauthentication no\n";
        assert!(lines(on, SshKeys::Alone).is_empty());
        assert_eq!(lines(&format!("{on}logingracetime 120\n"), SshKeys::Alone), ["LoginGraceTime 300"]);
        for enough in ["logingracetime 0\n", "logingracetime 900\n"] {
            assert!(lines(&format!("{on}{enough}"), SshKeys::Alone).is_empty(), "{enough}");
        }
        assert_eq!(lines("usepam no\n", SshKeys::Alone)[0], "UsePAM yes");
    }

    /// Break it: switch keyboard-interactive on wherever it is off.
    #[test]
    fn where_no_password_lets_in_none_begins_to() {
        let keys_only = "passwordauthentication no\n";
        assert!(lines(keys_only, SshKeys::Alone).is_empty());
        let with_code = lines(keys_only, SshKeys::WithCode);
        let list = "AuthenticationMethods publickey,keyboard-interactive:pam";
        assert_eq!(with_code, ["KbdInteractiveAuthentication yes", list]);
    }

    /// Break it: write a list of methods wherever something else is missing.
    #[test]
    fn what_is_asked_for_beside_the_password_is_asked_for_still() {
        let both = "kbdinteractiveauthentication yes\npasswordauthentication no\nlogingracetime 120\n\
                    authenticationmethods publickey,keyboard-interactive\n";
        for keys in [SshKeys::Alone, SshKeys::WithCode] {
            assert_eq!(lines(both, keys), ["LoginGraceTime 300"]);
        }
        let with_password =
            "authenticationmethods publickey,password gssapi-with-mic\ngssapiauthentication yes\n";
        let list = "AuthenticationMethods publickey,keyboard-interactive:pam gssapi-with-mic";
        assert_eq!(lines(with_password, SshKeys::Alone)[2], list);
        let list = "AuthenticationMethods publickey,keyboard-interactive:pam gssapi-with-mic,keyboard-interactive:pam";
        assert_eq!(lines(with_password, SshKeys::WithCode)[2], list);
    }
}
