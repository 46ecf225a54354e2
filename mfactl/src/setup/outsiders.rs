//! Who would stay outside once it is switched on. A second factor that keeps its own administrators out is taken off again.

use std::fs;

use protocol::manage::Explain;

use super::fault::Fault;
use super::ssh_lines::Sshd;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::import::homes::{self, Home};

/// Accounts below belong to the system, but for root (login.defs(5)).
const FIRST_PERSON: u32 = 1000;

/// "nobody", and what is no uid in 16 bits.
const NOBODY: [u32; 2] = [65_534, 65_535];

/// Names that are told of a list.
const TOLD: usize = 10;

/// Something that should not be, unless it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// What `--accept` calls it.
    pub name: &'static str,
    /// Who is concerned, and how.
    pub detail: String,
}

/// Root is who repairs this host: root may be asked, and not shut out.
///
/// # Errors
/// [`Fault::RootRefused`], or what mfad refused.
pub fn spare_root(daemon: &mut Connection) -> Result<String, Failure> {
    let mut told = Vec::new();
    for service in ["login", "sshd"] {
        let outcome = outcome("root", service, daemon)?;
        if outcome.starts_with(REFUSED) {
            return Err(Fault::RootRefused { service, outcome }.into());
        }
        told.push(format!("by {service}: {outcome}"));
    }
    Ok(told.join("; "))
}

/// People whom mfad would refuse by the rules that are in effect.
///
/// # Errors
/// What mfad refused, or that nobody can be listed.
pub fn refused(daemon: &mut Connection) -> Result<Option<Concern>, Failure> {
    let mut names = Vec::new();
    for home in people()? {
        if outcome(&home.user, "sshd", daemon)?.starts_with(REFUSED) {
            names.push(home.user);
        }
    }
    Ok(concern("would-be-refused", names, "would be refused: mfactl explain NAME tells why"))
}

/// People for whom a key is all they have, where it shall not be enough any more.
///
/// # Errors
/// That nobody can be listed.
pub fn by_key_alone(sshd: &Sshd) -> Result<Vec<Concern>, Failure> {
    let shadow = fs::read_to_string("/etc/shadow").unwrap_or_default();
    let is_locked = |home: &Home| has_no_password(&shadow, &home.user);
    let has_keys =
        |home: &Home| home.directory.join(".ssh/authorized_keys").metadata().is_ok_and(|it| it.len() > 0);
    let stuck = people()?.into_iter().filter(|home| has_keys(home) && is_locked(home));
    let names = stuck.map(|home| home.user).collect();
    let without = concern("key-without-password", names, "would stay outside: a key and no password");
    let root = sshd.takes_root_by_key_alone().then(|| Concern {
        name: "root-by-key",
        detail: "sshd takes root by key alone (PermitRootLogin), so root would not get in by SSH any more"
            .to_owned(),
    });
    Ok(without.into_iter().chain(root).collect())
}

/// Whether a password of theirs is in `/etc/shadow` that can be typed; a directory may have others.
pub fn has_no_password(shadow: &str, user: &str) -> bool {
    let entry = shadow.lines().find_map(|line| line.strip_prefix(user)?.strip_prefix(':'));
    entry.is_some_and(|rest| rest.starts_with(['!', '*', ':']))
}

const REFUSED: &str = "refused";

fn outcome(user: &str, service: &str, daemon: &mut Connection) -> Result<String, Failure> {
    let explain = Explain {
        user: user.to_owned(),
        service: service.to_owned(),
        source: (service == "login").then(|| "local".to_owned()),
        key_type: None,
        key_fingerprint: None,
        at: None,
    };
    Ok(daemon.call(&explain)?.outcome)
}

fn people() -> Result<Vec<Home>, Failure> {
    let is_person = |home: &Home| home.uid == 0 || (home.uid >= FIRST_PERSON && !NOBODY.contains(&home.uid));
    Ok(homes::everybody()?.into_iter().filter(|home| home.has_a_shell() && is_person(home)).collect())
}

fn concern(name: &'static str, mut names: Vec<String>, what: &str) -> Option<Concern> {
    let more = names.len().saturating_sub(TOLD);
    names.truncate(TOLD);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| Concern { name, detail: format!("{}{more} {what}", names.join(", ")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_nobody_can_type_is_none() {
        let shadow = "root:*:1::\nada:$6$x:1::\nbert:!:1::\ncleo:!$6$x:1::\ndora::1::\nadam:$y$z:1::\n";
        for (user, is_without) in [
            ("root", true),
            ("ada", false),
            ("bert", true),
            ("cleo", true),
            ("dora", true),
            ("adam", false),
            ("eve", false),
        ] {
            assert_eq!(has_no_password(shadow, user), is_without, "{user}");
        }
    }

    #[test]
    fn of_many_people_some_are_named() {
        let names = |count: usize| (0..count).map(|number| format!("p{number}")).collect();
        assert_eq!(concern("x", names(0), "stay"), None);
        assert_eq!(concern("x", names(2), "stay").unwrap().detail, "p0, p1 stay");
        assert!(concern("x", names(12), "stay").unwrap().detail.ends_with("p9 and 2 more stay"));
    }
}
