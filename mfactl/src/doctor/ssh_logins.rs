//! What is wrong with how sshd lets people in, once its PAM stack asks for a code.

use std::path::Path;
use std::time::Duration;

use super::finding::{Finding, Id, Severity};
use super::pam::Place;
use super::sshd::{CONFIGURATION, Line, Login, Settings};
use super::stacks::Lines;

/// The ways that sshd knows, by the setting that switches each on.
const METHODS: [(&str, &[&str]); 5] = [
    ("publickey", &["pubkeyauthentication"]),
    ("password", &["passwordauthentication"]),
    ("keyboard-interactive", &["kbdinteractiveauthentication", "challengeresponseauthentication"]),
    ("hostbased", &["hostbasedauthentication"]),
    ("gssapi-with-mic", &["gssapiauthentication"]),
];

/// What a login is judged by.
pub struct Rules<'a> {
    /// Our lines in sshd's stack.
    pub lines: Lines,
    /// How long a mailed code is good.
    pub lifetime: Duration,
    /// The configuration, for the places.
    pub configuration: &'a [Line],
}

/// What has to be proved, one after the other.
pub type Way = Vec<String>;

/// The ways in that these settings leave open.
pub fn ways(settings: &Settings) -> Vec<Way> {
    let is_on = |name: &str| {
        let row = METHODS.iter().find(|(method, _)| *method == name);
        row.is_none_or(|(_, keys)| keys.iter().any(|key| settings.is_on(key)))
    };
    match settings.value("authenticationmethods") {
        None | Some("any" | "") => {
            METHODS.iter().filter(|(name, _)| is_on(name)).map(|(name, _)| vec![(*name).to_owned()]).collect()
        }
        Some(lists) => {
            let method = |word: &str| word.split(':').next().unwrap_or_default().to_owned();
            let way = |list: &str| list.split(',').map(method).collect::<Way>();
            lists.split_whitespace().map(way).filter(|way| way.iter().all(|name| is_on(name))).collect()
        }
    }
}

/// Whether every way in begins with an SSH key or the like, so that a stack without a password is no fault.
pub fn key_comes_first(settings: &Settings) -> bool {
    let ways = ways(settings);
    let has_key = |way: &Way| way.iter().any(|name| name != "password" && name != "keyboard-interactive");
    !ways.is_empty() && ways.iter().all(has_key)
}

impl Rules<'_> {
    /// Judges one login.
    pub fn judge(&self, login: &Login, settings: &Settings) -> Vec<Finding> {
        if self.lines.asking == 0 {
            return Vec::new();
        }
        let about = |finding: Finding, keyword: &str| self.place(login, finding, keyword);
        if !settings.is_on("usepam") {
            let fact = format!("UsePAM is off for {}", login.whose);
            let finding = Finding::new(Severity::Critical, Id::SshdWithoutPam, fact)
                .meets("sshd checks passwords by itself: whoever knows one gets in, and nobody is asked for a code")
                .remedy("Write: UsePAM yes");
            return vec![about(finding, "usepam")];
        }
        let ways = ways(settings);
        let mut findings: Vec<Finding> = ways.iter().flat_map(|way| self.way(way, login)).collect();
        if !ways.iter().any(|way| self.asks(way)) {
            let fact = format!("no way in lets PAM ask a question, for {}", login.whose);
            let finding = Finding::new(Severity::High, Id::KeyboardInteractiveOff, fact)
                .meets("Nobody of whom a code is asked gets in by SSH with a password")
                .remedy(
                    "Write: KbdInteractiveAuthentication yes, and AuthenticationMethods keyboard-interactive:pam or \
                     publickey,keyboard-interactive:pam",
                );
            findings.push(about(finding, "kbdinteractiveauthentication"));
        }
        findings.extend(self.grace(login, settings));
        findings
    }

    fn asks(&self, way: &Way) -> bool {
        let has = |name: &str| way.iter().any(|it| it == name);
        let is_contradiction = has("password") && has("keyboard-interactive");
        (has("keyboard-interactive") && !is_contradiction) || (has("password") && self.lines.splitting > 0)
    }

    fn way(&self, way: &Way, login: &Login) -> Option<Finding> {
        let has = |name: &str| way.iter().any(|it| it == name);
        let told = way.join(",");
        if self.asks(way) {
            return None;
        }
        if has("password") && has("keyboard-interactive") {
            let fact = format!(
                "\"{told}\" runs the PAM stack twice, the first time for the password method, for {}",
                login.whose
            );
            let finding = Finding::new(Severity::Medium, Id::MethodsContradict, fact)
                .meets("Whoever is asked for a code is refused at the password already")
                .remedy("Write: AuthenticationMethods keyboard-interactive:pam");
            return Some(self.place(login, finding, "authenticationmethods"));
        }
        if has("password") {
            let fact = format!("the password method is on, and cannot ask for a code, for {}", login.whose);
            let finding = Finding::new(Severity::Medium, Id::PasswordBlind, fact)
                .meets("Programs that take this way are refused though password and code are at hand")
                .remedy("Write: PasswordAuthentication no; or let people type the code behind the password: docs/guide/append.md");
            return Some(self.place(login, finding, "passwordauthentication"));
        }
        let fact = format!("\"{told}\" is enough to log in, for {}", login.whose);
        let finding = Finding::new(Severity::High, Id::MethodWithoutPam, fact)
            .meets("Whoever has that alone, a stolen key for one, gets in: sshd does not ask PAM")
            .remedy(format!("Write: AuthenticationMethods {told},keyboard-interactive:pam"));
        Some(self.place(login, finding, "authenticationmethods"))
    }

    fn grace(&self, login: &Login, settings: &Settings) -> Option<Finding> {
        let seconds: u64 = settings.value("logingracetime")?.parse().ok()?;
        if seconds == 0 || seconds >= self.lifetime.as_secs() {
            return None;
        }
        let lifetime = self.lifetime.as_secs();
        let fact = format!("LoginGraceTime is {seconds} s, and a mailed code is good for {lifetime} s");
        let finding = Finding::new(Severity::Medium, Id::LoginGraceTime, fact)
            .meets("Whose mail takes its time is cut off while they wait for it")
            .remedy(format!("Write: LoginGraceTime {lifetime}"));
        Some(self.place(login, finding, "logingracetime"))
    }

    /// The line that the finding is about: in the block of the login, else the first outside of blocks, else the block.
    fn place(&self, login: &Login, finding: Finding, keyword: &str) -> Finding {
        let is_it = |line: &&Line| line.keyword == keyword;
        let of = |block: Option<&Place>| {
            self.configuration.iter().filter(is_it).find(|line| line.block.as_ref() == block)
        };
        let line = login.block.as_ref().and_then(|block| of(Some(block))).or_else(|| of(None));
        let place = line.map(|line| &line.place).or(login.block.as_ref());
        let finding = finding.service("sshd");
        match place {
            Some(place) => finding.at(place),
            None => finding.in_file(Path::new(CONFIGURATION)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "usepam yes\nkbdinteractiveauthentication yes\npasswordauthentication no\npubkeyauthentication yes\n\
                          authenticationmethods keyboard-interactive:pam\nlogingracetime 300\n";

    fn ids(changes: &[(&str, &str)], lines: Lines) -> Vec<Id> {
        let mut text = README.to_owned();
        changes.iter().for_each(|(name, value)| text.push_str(&format!("{name} {value}\n")));
        let rules = Rules { lines, lifetime: Duration::from_secs(300), configuration: &[] };
        let login = super::super::sshd::logins(&super::super::host::Host::running(), &[]).remove(0);
        rules.judge(&login, &Settings::read(&text)).iter().map(|finding| finding.id).collect()
    }

    const ASKING: Lines = Lines { asking: 1, splitting: 0 };
    const APPENDED: Lines = Lines { asking: 1, splitting: 1 };

    #[test]
    fn what_the_readme_says_is_well() {
        assert_eq!(ids(&[], ASKING), []);
        assert_eq!(ids(&[("authenticationmethods", "publickey,keyboard-interactive:pam")], ASKING), []);
        assert_eq!(ids(&[("logingracetime", "0")], ASKING), []);
        assert_eq!(ids(&[("usepam", "no")], Lines { asking: 0, splitting: 0 }), []);
    }

    #[test]
    fn each_way_around_the_code_is_named() {
        let methods = |value| [("authenticationmethods", value)];
        for (changes, expected) in [
            (vec![("usepam", "no")], vec![Id::SshdWithoutPam]),
            (vec![("logingracetime", "120")], vec![Id::LoginGraceTime]),
            (vec![("kbdinteractiveauthentication", "no")], vec![Id::KeyboardInteractiveOff]),
            (methods("any").to_vec(), vec![Id::MethodWithoutPam]),
            (methods("publickey keyboard-interactive").to_vec(), vec![Id::MethodWithoutPam]),
            (methods("publickey,hostbased keyboard-interactive").to_vec(), vec![]),
            (
                vec![
                    ("authenticationmethods", "password,keyboard-interactive"),
                    ("passwordauthentication", "yes"),
                ],
                vec![Id::MethodsContradict, Id::KeyboardInteractiveOff],
            ),
            (
                vec![
                    ("authenticationmethods", "any"),
                    ("passwordauthentication", "yes"),
                    ("pubkeyauthentication", "no"),
                ],
                vec![Id::PasswordBlind],
            ),
            (
                vec![("authenticationmethods", "password"), ("passwordauthentication", "yes")],
                vec![Id::PasswordBlind, Id::KeyboardInteractiveOff],
            ),
        ] {
            assert_eq!(ids(&changes, ASKING), expected, "{changes:?}");
        }
    }

    #[test]
    fn a_code_behind_the_password_lets_the_password_method_ask() {
        let password = [("authenticationmethods", "password"), ("passwordauthentication", "yes")];
        assert_eq!(ids(&password, APPENDED), []);
    }
}
