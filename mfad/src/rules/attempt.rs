//! Who wants in, through which program, from where: read once from what PAM said, valid ever after.

use std::fmt;
use std::net::IpAddr;

use protocol::{login, text};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The name of an account, as the host's name service spells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UserName(String);

impl UserName {
    /// The longest name, in bytes. Linux allows 32 for local users; directories know longer ones.
    pub const LIMIT: usize = 256;

    /// Reads a name. `None` for what no name service may answer: empty, too long, with a separator of passwd(5) or of
    /// paths, with control or invisible characters, or with spaces around it.
    pub fn parse(name: &str) -> Option<Self> {
        let is_sound = !name.is_empty()
            && name.len() <= Self::LIMIT
            && name.trim() == name
            && !name.contains([':', '/', ','])
            && !matches!(name, "." | "..")
            && text::printable(name) == name;
        is_sound.then(|| UserName(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A PAM service: "sshd", "sudo", … Printable and short, for it stands in mails and logs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Service(String);

impl Service {
    /// Reads a service name; what cannot be shown is replaced, what is too long is cut at 64 characters.
    pub fn read(name: &str) -> Self {
        Service(text::printable(name).chars().take(64).collect())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a login comes from. "Local" is proven by a terminal, never assumed from a missing address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Source {
    /// An address; IPv4 also where the kernel wrote it as a mapped IPv6 one.
    Address(IpAddr),
    /// A terminal of this machine.
    Local,
    /// Nobody said, or a name that nobody can vouch for.
    Unknown,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Address(address) => address.fmt(f),
            Source::Local => f.write_str("local"),
            Source::Unknown => f.write_str("unknown"),
        }
    }
}

impl From<Source> for String {
    fn from(source: Source) -> String {
        source.to_string()
    }
}

impl TryFrom<String> for Source {
    type Error = std::net::AddrParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "local" => Ok(Source::Local),
            "unknown" => Ok(Source::Unknown),
            address => Ok(Source::Address(address.parse::<IpAddr>()?.to_canonical())),
        }
    }
}

/// The service that requests of mfactl are booked under.
pub const REQUESTS: &str = "mfactl";

/// One try to log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The account.
    pub user: UserName,
    /// The program.
    pub service: Service,
    /// Where from.
    pub source: Source,
    /// sshd's own name for the connection, "address port address port": the same for each call that it makes.
    pub connection: Option<String>,
    /// The terminal, for the audit.
    pub tty: Option<String>,
    /// The SSH key that sshd saw proved before.
    pub ssh_key: Option<SshKey>,
    /// Those groups of the person that a rule may ask for, as the name service says.
    pub groups: Vec<String>,
    /// Who says all this.
    pub told_by: ToldBy,
}

/// Whether what a program says of a login can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToldBy {
    /// A program of root: sshd, sudo, login.
    Root,
    /// A program that the person runs, such as a screen locker: it may say what it likes. No address and no key is taken
    /// from it, and no trust is built on it.
    Oneself,
}

/// An SSH key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SshKey {
    /// Its type, as in `ssh-ed25519`.
    pub kind: String,
    /// `SHA256:` and the digest of the key in base 64, as `ssh-keygen -l` prints it. Of a certificate it is the digest of
    /// the whole certificate.
    pub fingerprint: String,
}

impl SshKey {
    /// The first key of `SSH_AUTH_INFO_0`: lines of a method and what it proved (sshd(8), ExposeAuthInfo).
    fn read(info: &str) -> Option<Self> {
        info.lines().find_map(|line| {
            let mut words = line.strip_prefix("publickey ")?.split_ascii_whitespace();
            let (kind, key) = (words.next()?, words.next()?);
            let blob = data_encoding::BASE64.decode(key.as_bytes()).ok()?;
            let digest = data_encoding::BASE64_NOPAD.encode(&Sha256::digest(blob));
            let kind = text::printable(kind).chars().take(64).collect();
            Some(SshKey { kind, fingerprint: format!("SHA256:{digest}") })
        })
    }
}

impl Attempt {
    /// A request of somebody who is logged in, as an attempt that the rules can look at. Nothing of it is the caller's
    /// word: who could choose the service could choose the rule.
    pub fn of_request(user: UserName, service: &str) -> Self {
        Attempt {
            user,
            service: Service::read(service),
            source: Source::Unknown,
            connection: None,
            tty: None,
            ssh_key: None,
            groups: Vec::new(),
            told_by: ToldBy::Oneself,
        }
    }

    /// Reads what a module sent, for the account that the name service named. The groups are added when it is known which
    /// of them matter.
    pub fn read(user: UserName, said: &login::Attempt, told_by: ToldBy) -> Self {
        let key = said.ssh_auth_info.as_deref().filter(|_| is_from_sshd(said) && told_by == ToldBy::Root);
        let connection = said.ssh_connection.as_deref().filter(|_| is_from_sshd(said));
        Attempt {
            user,
            service: Service::read(&said.service),
            source: match (source(said, connection), told_by) {
                (Source::Address(_), ToldBy::Oneself) => Source::Unknown,
                (source, _) => source,
            },
            connection: connection.map(|text| text::printable(text).chars().take(128).collect()),
            tty: said.tty.as_deref().map(|tty| text::printable(tty).chars().take(64).collect()),
            ssh_key: key.and_then(SshKey::read),
            groups: Vec::new(),
            told_by,
        }
    }
}

/// sshd sets PAM_TTY to "ssh" before it authenticates (OpenSSH auth-pam.c); in other programs the PAM environment may
/// have come from a file of the user.
fn is_from_sshd(said: &login::Attempt) -> bool {
    said.tty.as_deref() == Some("ssh")
}

fn source(said: &login::Attempt, connection: Option<&str>) -> Source {
    let address = |text: &str| text.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    if let Some(address) = connection.and_then(|text| text.split(' ').next()).and_then(address) {
        return Source::Address(address);
    }
    match said.remote_host.as_deref().unwrap_or("") {
        "" if said.tty.as_deref().is_some_and(|tty| !tty.is_empty() && tty != "ssh") => Source::Local,
        "" => Source::Unknown,
        host => address(host).map_or(Source::Unknown, Source::Address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(tty: Option<&str>, host: Option<&str>, connection: Option<&str>) -> login::Attempt {
        login::Attempt {
            user: "ada".into(),
            service: "sshd".into(),
            tty: tty.map(str::to_owned),
            remote_host: host.map(str::to_owned),
            remote_user: None,
            ssh_connection: connection.map(str::to_owned),
            ssh_auth_info: None,
        }
    }

    #[test]
    fn the_source_is_an_address_a_proven_terminal_or_unknown() {
        let ssh = Some("ssh");
        for (tty, host, connection, expected) in [
            (ssh, Some("gateway.example"), Some("192.0.2.7 50000 198.51.100.1 22"), "192.0.2.7"),
            (ssh, Some("192.0.2.7"), None, "192.0.2.7"),
            (ssh, Some("::ffff:192.0.2.7"), None, "192.0.2.7"),
            (ssh, Some("2001:db8::7"), None, "2001:db8::7"),
            (ssh, Some("10.0.0.5.evil.example"), None, "unknown"),
            (ssh, None, None, "unknown"),
            (Some("/dev/pts/3"), None, None, "local"),
            (Some("/dev/pts/3"), Some(""), None, "local"),
            (Some("/dev/pts/3"), Some(""), Some("10.0.0.5 1 10.0.0.1 22"), "local"),
            (Some("/dev/pts/3"), Some("somewhere"), None, "unknown"),
            (None, None, None, "unknown"),
            (Some(""), None, None, "unknown"),
        ] {
            let attempt =
                Attempt::read(UserName::parse("ada").unwrap(), &said(tty, host, connection), ToldBy::Root);
            assert_eq!(attempt.source.to_string(), expected, "{tty:?} {host:?} {connection:?}");
        }
    }

    #[test]
    fn names_that_no_name_service_may_answer_are_refused() {
        for name in ["", " ada", "ada ", "a:b", "a/b", "..", "a\nb", "a\u{202e}b", "a,b", &"a".repeat(257)] {
            assert_eq!(UserName::parse(name), None, "{name:?}");
        }
        for name in ["ada", "ada.l", "DOMAIN\\ada", "ada@EXAMPLE.ORG", "jörg", "two words"] {
            assert!(UserName::parse(name).is_some(), "{name:?}");
        }
    }
}
