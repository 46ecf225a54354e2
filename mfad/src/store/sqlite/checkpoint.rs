//! Moves the write-ahead log into the database, in a thread of its own: what takes long is done while the writer goes on.
//!
//! SQLite starts at the beginning of the log again only if nothing in it is left to move. A busy writer always adds
//! something meanwhile, and a log that grows is slow to flush. So the last few pages are moved with the writer held at
//! the gate, for the time of one flush.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::metrics::METRICS;
use crate::store::StoreError;

/// Held by the writer during each transaction.
pub(super) type Gate = Arc<Mutex<()>>;

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(50);

/// So many rows are worth moving at once; fewer wait for [`LEISURE`]. Each is a page or a little more, so they fit into the
/// log that was made beforehand; and a flush by this thread delays the writer's, so it had better be rare.
const WORTH_MOVING: u64 = 1000;

/// How long a few rows may stay in the log alone.
const LEISURE: Duration = Duration::from_secs(1);

/// How often it tries to catch up with a busy writer before it holds it.
const PASSES: usize = 3;

/// The thread; it ends when this is dropped.
pub(super) struct Checkpointer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn start(connection: Connection, gate: Gate) -> Result<Self, StoreError> {
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            let (mut moved, mut last) = (0, Instant::now());
            while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                let rows = METRICS.rows.value();
                let added = rows - moved;
                if added >= WORTH_MOVING || (added > 0 && last.elapsed() > LEISURE) {
                    empty_log(&connection, &gate);
                    (moved, last) = (rows, Instant::now());
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(run)
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Checkpointer { stop: Some(stop), thread: Some(thread) })
    }
}

/// Moves what is in the log. A failure (a full disk) leaves the log as it is; the writer meets the same failure and says
/// so.
fn empty_log(connection: &Connection, gate: &Gate) {
    for _ in 0..PASSES {
        let before = METRICS.rows.value();
        pass(connection);
        if METRICS.rows.value() == before {
            return;
        }
    }
    let _held = gate.lock().unwrap_or_else(PoisonError::into_inner);
    pass(connection);
}

/// Moves what was there when it began. PASSIVE takes no lock that the writer wants.
fn pass(connection: &Connection) {
    let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
