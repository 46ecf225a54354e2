//! What the conditions of a rule are compared with: names with `*` and `?`, networks, SSH keys.

use std::net::IpAddr;

use ipnet::IpNet;
use wildmatch::WildMatch;

use super::problem::Problem;
use super::suggest;
use super::tree::Node;
use super::values::text;

/// A name in which `*` stands for any letters and `?` for one.
#[derive(Debug, Clone)]
pub struct Glob {
    text: String,
    pattern: WildMatch,
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Glob {}

impl Glob {
    /// Whether it fits.
    pub fn fits(&self, name: &str) -> bool {
        self.pattern.matches(name)
    }

    /// Whether everything that `other` fits, this fits too, as far as that is plain to see.
    pub(super) fn covers(&self, other: &Glob) -> bool {
        self == other
            || self.text == "*"
            || (self.has_wildcards() && !other.has_wildcards() && self.fits(&other.text))
    }

    /// The pattern.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it may fit more than one name.
    pub fn has_wildcards(&self) -> bool {
        self.text.contains(['*', '?'])
    }
}

/// Where a login may come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourcePattern {
    /// An address of this network.
    Network(IpNet),
    /// A terminal of this machine.
    Local,
}

impl SourcePattern {
    pub(super) fn covers(&self, other: &SourcePattern) -> bool {
        match (self, other) {
            (SourcePattern::Network(wide), SourcePattern::Network(narrow)) => wide.contains(narrow),
            (one, other) => one == other,
        }
    }
}

/// Which SSH keys are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPattern {
    /// Keys of these types.
    Kind(Glob),
    /// The key with this fingerprint, as `ssh-keygen -l` prints it: `SHA256:…`.
    Fingerprint(String),
}

impl KeyPattern {
    pub(super) fn covers(&self, other: &KeyPattern) -> bool {
        match (self, other) {
            (KeyPattern::Kind(wide), KeyPattern::Kind(narrow)) => wide.covers(narrow),
            (one, other) => one == other,
        }
    }
}

/// The types of keys that OpenSSH takes from a client (sshd(8), AUTHORIZED_KEYS FILE FORMAT; ssh -Q key-plain and
/// key-cert).
const KEY_TYPES: [&str; 14] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-ed25519-cert-v01@openssh.com",
    "ssh-rsa-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "sk-ssh-ed25519-cert-v01@openssh.com",
    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
];

pub(super) fn glob(node: &Node) -> Result<Glob, Problem> {
    text(node).map(|text| Glob { text: text.to_owned(), pattern: WildMatch::new(text) })
}

pub(super) fn source(node: &Node) -> Result<SourcePattern, Problem> {
    let remedy = "write a network as in \"10.0.0.0/8\" or \"2001:db8::/32\", an address, or \"local\"";
    let text = text(node)?;
    if text == "local" {
        return Ok(SourcePattern::Local);
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(SourcePattern::Network(IpNet::from(address.to_canonical())));
    }
    let network: IpNet = text.parse().map_err(|_| {
        let remedy = match suggest::nearest(text, &["local"]) {
            Some(_) => "did you mean \"local\"?",
            None => remedy,
        };
        node.problem("this is neither a network nor \"local\"", remedy)
    })?;
    if network.trunc() != network {
        let message = "the address has bits behind the network's length";
        return Err(node.problem(message, format!("write \"{}\"", network.trunc())));
    }
    Ok(SourcePattern::Network(canonical(network)))
}

/// An IPv4 network that is written as mapped into IPv6 is the IPv4 network: sources are compared in that form.
fn canonical(network: IpNet) -> IpNet {
    match (network.addr().to_canonical(), network.prefix_len().checked_sub(96)) {
        (address @ IpAddr::V4(_), Some(bits)) if network.addr().is_ipv6() => {
            IpNet::new(address, bits).unwrap_or(network)
        }
        _ => network,
    }
}

pub(super) fn key(node: &Node) -> Result<KeyPattern, Problem> {
    let text = text(node)?;
    if let Some(digest) = text.strip_prefix("SHA256:") {
        let sound =
            data_encoding::BASE64_NOPAD.decode(digest.as_bytes()).is_ok_and(|bytes| bytes.len() == 32);
        let remedy = "copy it from `ssh-keygen -l -f KEY.pub`: SHA256: and 43 letters";
        return if sound {
            Ok(KeyPattern::Fingerprint(text.to_owned()))
        } else {
            Err(node.problem("this is no fingerprint", remedy))
        };
    }
    let glob = glob(node)?;
    if KEY_TYPES.iter().any(|kind| glob.fits(kind)) {
        return Ok(KeyPattern::Kind(glob));
    }
    let remedy = match suggest::nearest(text, &KEY_TYPES) {
        Some(kind) => format!("did you mean \"{kind}\"?"),
        None => "write a type as in \"sk-*\" or \"ssh-ed25519\", or a SHA256: fingerprint".to_owned(),
    };
    Err(node.problem("no SSH key is of such a type", remedy))
}
