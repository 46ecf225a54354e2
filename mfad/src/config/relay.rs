//! `[email] smtp`: mail relays, and whether what goes to them is encrypted. No message here repeats a part of a URL:
//! somebody will have written a password into it.

use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};

use super::fields::Fields;
use super::problem::{Problem, Problems};
use super::tree::{Node, Value};
use super::values::{Words, absolute, collect, existing_file, text};

/// A mail server that takes messages from this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// A name, or an IP address; IPv6 without brackets.
    pub host: String,
    /// Default 465 for [`Security::ImplicitTls`], else 25. Submission (RFC 6409) is `:587` in the URL.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub security: Security,
    /// Who mfad is there, if the relay asks.
    pub login: Option<RelayLogin>,
    /// Certificates to trust in the place of those of the system (PEM). It was there when the configuration was read.
    pub ca_file: Option<PathBuf>,
}

/// How a connection to a relay is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314): `smtps://`.
    ImplicitTls,
    /// STARTTLS (RFC 3207), and no mail without it: `smtp://` to another host.
    StartTls,
    /// No encryption: `smtp://` to this host, or `tls = "none"`.
    Plain,
}

/// A name and where its password is. The password is read when it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayLogin {
    /// From the URL, percent-decoded.
    pub user: String,
    /// Absolute: a file. Relative: the name of a credential in `$CREDENTIALS_DIRECTORY` (systemd.exec(5)), without `/`.
    pub password_file: PathBuf,
}

const TLS: Words<Security> = Words {
    now: &[("implicit", Security::ImplicitTls), ("starttls", Security::StartTls), ("none", Security::Plain)],
    later: &[],
};

const URL_REMEDY: &str = "write it as in \"smtps://user@mail.example.com:465\" or \"smtp://localhost:25\"";

impl Relay {
    /// The mail server of this host: `smtp://localhost:25`.
    pub(super) fn of_this_host() -> Self {
        Relay {
            host: "localhost".to_owned(),
            port: 25,
            security: Security::Plain,
            login: None,
            ca_file: None,
        }
    }
}

/// One table, or a list of them.
pub(super) fn read_all(node: &Node) -> Result<Vec<Relay>, Problems> {
    match &node.value {
        Value::List(items) if items.is_empty() => {
            Err(node.problem("the list of relays is empty", "write at least one, or remove the key").into())
        }
        Value::List(items) => collect(items.iter().map(read)),
        _ => Ok(vec![read(node)?]),
    }
}

fn read(node: &Node) -> Result<Relay, Problems> {
    let mut fields = Fields::of(node, &["url", "password-file", "ca-file", "tls"])?;
    if fields.place("url").is_none() {
        fields.refuse(node.problem("the key url is missing", URL_REMEDY));
    }
    let address = fields.optional("url", Address::read);
    let password_file = fields.optional("password-file", password_file);
    let ca_file = fields.optional("ca-file", existing_file);
    let tls_place = fields.place("tls");
    let tls = fields.optional("tls", |node| TLS.read(node));
    let Some(address) = address else { return fields.done(Relay::of_this_host()) };
    let security = tls.unwrap_or_else(|| address.security());
    if address.scheme == Scheme::Smtps && security != Security::ImplicitTls {
        let remedy = "write smtp:// in the url, or remove tls";
        let place = tls_place.as_ref().unwrap_or(&node.place);
        fields.refuse(place.problem("smtps:// is TLS from the first byte, and tls says otherwise", remedy));
    }
    let login = login(node, &mut fields, &address, password_file);
    if login.is_some() && security == Security::Plain && !address.is_this_host() {
        let message = "the password would cross the network without TLS";
        fields.refuse(node.problem(message, "remove tls = \"none\", or remove the user and password-file"));
    }
    let port = address.port.unwrap_or(if security == Security::ImplicitTls { 465 } else { 25 });
    fields.done(Relay { host: address.host, port, security, login, ca_file })
}

fn login(
    node: &Node,
    fields: &mut Fields,
    address: &Address,
    password_file: Option<PathBuf>,
) -> Option<RelayLogin> {
    match (address.user.clone(), password_file) {
        (Some(user), Some(password_file)) => Some(RelayLogin { user, password_file }),
        (None, None) => None,
        (Some(_), None) => {
            let remedy = "add password-file = \"/etc/mfad/relay-password\", or remove the user";
            fields.refuse(node.problem("the url has a user, and there is no password-file", remedy));
            None
        }
        (None, Some(_)) => {
            let message = "there is a password-file, and the url has no user";
            fields.refuse(node.problem(message, "write the user into the url: \"smtps://user@…\""));
            None
        }
    }
}

fn password_file(node: &Node) -> Result<PathBuf, Problem> {
    let text = text(node)?;
    if text.starts_with('/') {
        return absolute(node, text);
    }
    if text.contains('/') || text == "." || text == ".." {
        let remedy = "write a whole path, or the name of a credential without /";
        return Err(node.problem("the path does not start at /", remedy));
    }
    Ok(Path::new(text).to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Smtp,
    Smtps,
}

/// What a URL says.
#[derive(Debug)]
struct Address {
    scheme: Scheme,
    user: Option<String>,
    host: String,
    port: Option<u16>,
}

impl Address {
    fn read(node: &Node) -> Result<Self, Problem> {
        let text = text(node)?;
        let (scheme, rest) = match text.split_once("://") {
            Some(("smtp", rest)) => (Scheme::Smtp, rest),
            Some(("smtps", rest)) => (Scheme::Smtps, rest),
            _ => return Err(node.problem("the url is neither smtp:// nor smtps://", URL_REMEDY)),
        };
        let (user, server) = match rest.rsplit_once('@') {
            Some((user, server)) => (Some(read_user(node, user)?), server),
            None => (None, rest),
        };
        let (host, port) = read_server(server.strip_suffix('/').unwrap_or(server))
            .ok_or_else(|| node.problem("the url has no valid host and port", URL_REMEDY))?;
        Ok(Address { scheme, user, host, port })
    }

    fn is_this_host(&self) -> bool {
        let is_loopback = |address: IpAddr| address.is_loopback();
        self.host.eq_ignore_ascii_case("localhost") || self.host.parse().is_ok_and(is_loopback)
    }

    fn security(&self) -> Security {
        match self.scheme {
            Scheme::Smtps => Security::ImplicitTls,
            Scheme::Smtp if self.is_this_host() => Security::Plain,
            Scheme::Smtp => Security::StartTls,
        }
    }
}

fn read_user(node: &Node, user: &str) -> Result<String, Problem> {
    if user.contains(':') {
        let remedy = "secrets live in files: write the password into a file and name it by password-file";
        return Err(node.problem("there is a password in the url", remedy));
    }
    percent_decoded(user)
        .filter(|user| !user.is_empty() && protocol::text::printable(user) == *user)
        .ok_or_else(|| {
            node.problem("the user in the url is not valid", "write @ in a name as %40, and % as %25")
        })
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// `host[:port]`; IPv6 addresses stand in brackets, and come without them.
pub(super) fn read_server(server: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match server.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, (!after.is_empty()).then_some(after))
        }
        None => match server.find(':') {
            Some(at) => (&server[..at], Some(&server[at..])),
            None => (server, None),
        },
    };
    if !server.starts_with('[') && !is_host(host) {
        return None;
    }
    let port = match port {
        Some(port) => Some(port.strip_prefix(':').and_then(read_port)?),
        None => None,
    };
    Some((host.to_owned(), port))
}

fn read_port(digits: &str) -> Option<u16> {
    let port = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
    port.filter(|port| *port != 0)
}

/// A name, or an IPv4 address: what looks like one must be one.
fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let looks_like_address =
        host.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    host.len() <= 253
        && host.split('.').all(is_label)
        && (!looks_like_address || host.parse::<IpAddr>().is_ok())
}
