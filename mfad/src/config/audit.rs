//! `[audit]`: how long what happened is kept. `[metrics]`: where it can be counted.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::duration::days;
use super::fields::Fields;
use super::problem::{Problem, Problems};
use super::tree::Node;
use super::values::{number, text};

/// `[audit]`. The narrower of both limits holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audit {
    /// Older events are forgotten; none (`0`, the default): however old.
    pub keep_age: Option<Duration>,
    /// Most events that are kept: 1,000 to 100,000,000, default 1,000,000, which is about 300 MB.
    pub keep_events: u32,
}

const DAYS: RangeInclusive<u32> = 0..=36_500;

/// Fewer would let whoever can be refused push out within minutes what should be seen.
const EVENTS: RangeInclusive<u32> = 1_000..=100_000_000;

pub(super) fn check(mut fields: Fields) -> Result<Audit, Problems> {
    let age = fields.read("keep-days", 0, |node| number(node, &DAYS, "0 keeps them however old"));
    let events = |node: &_| number(node, &EVENTS, "refused logins alone can be as many within minutes");
    let audit = Audit {
        keep_age: (age > 0).then(|| days(u64::from(age))),
        keep_events: fields.read("keep-events", 1_000_000, events),
    };
    fields.done(audit)
}

/// `[metrics] listen`: where the counters can be read over HTTP; nowhere, the default.
pub(super) fn check_metrics(mut fields: Fields) -> Result<Option<SocketAddr>, Problems> {
    let listen = fields.read("listen", None, |node| loopback(node).map(Some));
    fields.done(listen)
}

/// An address that nobody outside of this host can reach.
fn loopback(node: &Node) -> Result<SocketAddr, Problem> {
    let remedy = "write \"127.0.0.1:9464\" or \"[::1]:9464\"";
    let address: SocketAddr =
        text(node)?.parse().map_err(|_| node.problem("this is no address with a port", remedy))?;
    if address.ip().is_loopback() && address.port() != 0 {
        return Ok(address);
    }
    Err(node.problem("only an address of this host alone, and a port, may be listened on", remedy))
}
