//! `[trust]`: devices that are remembered, and what they are recognised by.

use std::net::IpAddr;

use ipnet::IpNet;

use super::fields::Fields;
use super::problem::{Problem, Problems};
use super::tree::Node;
use super::values::{self, distinct_list, number, text};

/// `[trust]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// How long a device is remembered, in days: 0 (off, the default) to 365.
    pub days: u32,
    /// What must be the same; never empty, none twice. Default: the address and the SSH key.
    pub bind: Vec<Bind>,
    /// Whether the person is asked first.
    pub ask: AskFirst,
    /// The PAM services that share their devices; any other service has its own. Default: none.
    pub services: Vec<String>,
}

/// What a device is recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bind {
    /// The address that it comes from, or the network that the address is in.
    Source(Network),
    /// The SSH key that it proved.
    SshKey,
}

/// The part of an address that must be the same, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Of an IPv4 address: 8 to 32.
    pub v4: u8,
    /// Of an IPv6 address: all 128, or 64 where the IPv4 part is not whole.
    pub v6: u8,
}

impl Network {
    /// The network that an address is in.
    pub fn of(self, address: IpAddr) -> IpNet {
        let bits = if address.is_ipv4() { self.v4 } else { self.v6 };
        IpNet::new(address, bits).map_or(IpNet::from(address), |network| network.trunc())
    }
}

/// Whether the person is asked before a device is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskFirst {
    /// They are. The default.
    Yes,
    /// It is remembered silently.
    No,
}

const WHOLE: Network = Network { v4: 32, v6: 128 };

pub(super) fn check(mut fields: Fields) -> Result<Trust, Problems> {
    let trust = Trust {
        days: fields.read("days", 0, |node| number(node, &(0..=365), "")),
        bind: fields.read("bind", vec![Bind::Source(WHOLE), Bind::SshKey], |node| distinct_list(node, bind)),
        ask: fields.read("ask", AskFirst::Yes, ask),
        services: fields
            .read("services", Vec::new(), |node| values::list(node, |item| text(item).map(str::to_owned))),
    };
    fields.done(trust)
}

fn bind(node: &Node) -> Result<Bind, Problem> {
    let remedy = "write \"source\", \"source/24\" or \"ssh-key\"";
    match text(node)?.split_once('/') {
        None if text(node)? == "source" => Ok(Bind::Source(WHOLE)),
        None if text(node)? == "ssh-key" => Ok(Bind::SshKey),
        Some(("source", bits)) => bits
            .parse()
            .ok()
            .filter(|bits| (8..=32).contains(bits))
            .map(|v4| Bind::Source(Network { v4, v6: if v4 == 32 { 128 } else { 64 } }))
            .ok_or_else(|| node.problem("the network is not /8 to /32", remedy)),
        _ => Err(node.problem("a device is not recognised by this", remedy)),
    }
}

fn ask(node: &Node) -> Result<AskFirst, Problem> {
    values::boolean(node).map(|first| if first { AskFirst::Yes } else { AskFirst::No })
}
