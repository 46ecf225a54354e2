//! How many: what the audit counts, and what the daemon counted since its start.

use std::collections::BTreeMap;

use protocol::manage::{self as wire, Counter, HourLine};

use super::{Administration, Refused};
use crate::metrics::{METRICS, prometheus};
use crate::store::sqlite::LoginCount;

/// Milliseconds that are counted back, at the most: the hours fit into one reply.
const LONGEST: u64 = 31 * 24 * HOUR;

const HOUR: u64 = 3_600_000;

/// The kind of a login that ended outside.
const REFUSED: &str = "login-refused";

impl Administration<'_> {
    pub(super) fn metrics(&self) -> wire::MetricsReply {
        wire::MetricsReply { lines: prometheus::lines(&METRICS, self.daemon.started.elapsed().as_secs()) }
    }

    pub(super) async fn stats(&self, asked: wire::Stats) -> Result<wire::StatsReply, Refused> {
        if asked.since < self.daemon.clock.now().wall.saturating_sub(LONGEST + HOUR) {
            return Err(Refused::Parameter("logins are counted 31 days back at the most"));
        }
        let counts = self.daemon.store.count_logins(asked.since).await?;
        let (mut outcomes, mut factors) = (BTreeMap::new(), BTreeMap::new());
        for LoginCount { kind, factor, count, .. } in &counts {
            *outcomes.entry(kind.clone()).or_insert(0) += count;
            if let Some(factor) = factor {
                *factors.entry(factor.clone()).or_insert(0) += count;
            }
        }
        Ok(wire::StatsReply { hours: hours(&counts), outcomes: listed(outcomes), factors: listed(factors) })
    }
}

fn hours(counts: &[LoginCount]) -> Vec<HourLine> {
    let mut hours: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for LoginCount { hour, kind, count, .. } in counts {
        let (allowed, refused) = hours.entry(*hour).or_default();
        *(if kind == REFUSED { refused } else { allowed }) += count;
    }
    let line = |(hour, (allowed, refused))| HourLine { at: hour * HOUR, allowed, refused };
    hours.into_iter().map(line).collect()
}

/// The most frequent first.
fn listed(counts: BTreeMap<String, u64>) -> Vec<Counter> {
    let mut counters: Vec<Counter> =
        counts.into_iter().map(|(name, value)| Counter { name, value }).collect();
    counters.sort_by_key(|counter| std::cmp::Reverse(counter.value));
    counters
}
