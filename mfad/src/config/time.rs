//! `[time]`: which clock counts, and how far another one may be off.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::duration::{self, seconds};
use super::fields::Fields;
use super::problem::{Problem, Problems};
use super::relay::read_server;
use super::tree::Node;
use super::values::{Words, number, text};

/// `[time]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Time {
    /// Where the time comes from.
    pub provider: TimeProvider,
    /// Steps (of 30 s, as a rule) that the clock of an authenticator may be ahead or behind: 0 to 10, default 1.
    pub skew: u8,
}

/// Where the time comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeProvider {
    /// The clock of this host. The default.
    System,
    /// A time server; the clock of this host where it does not answer.
    Ntp(NtpServer),
}

/// A server that speaks NTP (RFC 5905).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NtpServer {
    /// A name, or an address without brackets. Default `pool.ntp.org`.
    pub host: String,
    /// 1 to 65535, default 123.
    pub port: u16,
    /// How long its answer is waited for: 1 s to 30 s, default 5 s.
    pub timeout: Duration,
}

impl std::fmt::Display for NtpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Default for NtpServer {
    fn default() -> Self {
        NtpServer { host: "pool.ntp.org".to_owned(), port: NTP_PORT, timeout: seconds(5) }
    }
}

#[derive(Clone, Copy)]
enum ProviderName {
    System,
    Ntp,
}

const PROVIDER: Words<ProviderName> =
    Words { now: &[("system", ProviderName::System), ("ntp", ProviderName::Ntp)], later: &[] };
const NTP_PORT: u16 = 123;
const TIMEOUT: RangeInclusive<Duration> = seconds(1)..=seconds(30);
const SKEW: RangeInclusive<u32> = 0..=10;

/// The server is checked also where it is not chosen.
pub(super) fn check(mut fields: Fields) -> Result<Time, Problems> {
    let provider = fields.read("provider", ProviderName::System, |node| PROVIDER.read(node));
    let server = fields.read("ntp", NtpServer::default(), server);
    let time = Time {
        provider: match provider {
            ProviderName::System => TimeProvider::System,
            ProviderName::Ntp => TimeProvider::Ntp(server),
        },
        skew: fields.read("skew", 1, skew),
    };
    fields.done(time)
}

fn skew(node: &Node) -> Result<u8, Problem> {
    let skew = number(node, &SKEW, "each step is one more code that is right")?;
    u8::try_from(skew).map_err(|_| node.problem("too many steps", "write 1"))
}

fn server(node: &Node) -> Result<NtpServer, Problems> {
    let mut fields = Fields::of(node, &["server", "timeout"])?;
    let NtpServer { host, port, timeout } = NtpServer::default();
    let (host, port) = fields.read("server", (host, port), host_and_port);
    let timeout = fields.read("timeout", timeout, |node| duration::read(node, &TIMEOUT));
    fields.done(NtpServer { host, port, timeout })
}

fn host_and_port(node: &Node) -> Result<(String, u16), Problem> {
    let (host, port) = read_server(text(node)?).ok_or_else(|| {
        let remedy = "write \"pool.ntp.org\", \"192.0.2.1:123\" or \"[2001:db8::1]\"";
        node.problem("this is no host with or without a port", remedy)
    })?;
    Ok((host, port.unwrap_or(NTP_PORT)))
}
