//! What the daemon counts since its start.

pub mod histogram;
pub mod prometheus;

use std::sync::atomic::{AtomicU64, Ordering};

use protocol::manage::Counter;

pub use histogram::Histogram;

/// The counters of this process.
pub static METRICS: Metrics = Metrics::new();

/// A number that only rises.
#[derive(Debug)]
pub struct Count(AtomicU64);

impl Count {
    const fn new() -> Self {
        Count(AtomicU64::new(0))
    }

    /// Adds to it.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that rises and falls.
#[derive(Debug)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// One more, until what is returned is dropped.
    pub fn enter(&'static self) -> Presence {
        self.0.fetch_add(1, Ordering::Relaxed);
        Presence(self)
    }

    /// How many there are.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts as one as long as it lives.
#[derive(Debug)]
pub struct Presence(&'static Gauge);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All counters, by name.
#[derive(Debug)]
pub struct Metrics {
    /// Logins begun.
    pub logins: Count,
    /// Logins that ended with a proved factor.
    pub allowed: Count,
    /// Logins that a rule let pass.
    pub exempted: Count,
    /// Logins that a failure of mail or of a hook let pass, where the site says so.
    pub opened: Count,
    /// Logins that ended otherwise.
    pub refused: Count,
    /// Mails that a courier took.
    pub mails_sent: Count,
    /// Mails that none took.
    pub mails_failed: Count,
    /// Transactions.
    pub commits: Count,
    /// Rows written: accounts and events.
    pub rows: Count,
    /// Transactions that waited for the disk.
    pub flushes: Count,
    /// Connections that are open.
    pub connections: Gauge,
    /// Connections refused because their user has too many.
    pub connections_refused: Count,
    /// How long `Begin` took.
    pub begins: Histogram,
    /// How long `Continue` took: a mail is sent in it.
    pub continues: Histogram,
    /// How long `Answer` took.
    pub answers: Histogram,
}

impl Metrics {
    const fn new() -> Self {
        Metrics {
            logins: Count::new(),
            allowed: Count::new(),
            exempted: Count::new(),
            opened: Count::new(),
            refused: Count::new(),
            mails_sent: Count::new(),
            mails_failed: Count::new(),
            commits: Count::new(),
            rows: Count::new(),
            flushes: Count::new(),
            connections: Gauge(AtomicU64::new(0)),
            connections_refused: Count::new(),
            begins: Histogram::new(),
            continues: Histogram::new(),
            answers: Histogram::new(),
        }
    }

    /// Counts a mail by what became of it.
    pub fn count_mail<T, E>(&self, sent: &Result<T, E>) {
        if sent.is_ok() { self.mails_sent.add(1) } else { self.mails_failed.add(1) }
    }

    /// All of them, for `mfactl health`.
    pub fn counters(&self) -> Vec<Counter> {
        [
            ("logins", self.logins.value()),
            ("allowed", self.allowed.value()),
            ("exempted", self.exempted.value()),
            ("opened", self.opened.value()),
            ("refused", self.refused.value()),
            ("mails-sent", self.mails_sent.value()),
            ("mails-failed", self.mails_failed.value()),
            ("commits", self.commits.value()),
            ("rows-written", self.rows.value()),
            ("flushes", self.flushes.value()),
            ("connections", self.connections.value()),
            ("connections-refused", self.connections_refused.value()),
        ]
        .into_iter()
        .map(|(name, value)| Counter { name: name.to_owned(), value })
        .collect()
    }
}
