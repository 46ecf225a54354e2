//! Moves the write-ahead log into the database, in a thread of its own: a commit never waits for it.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use crate::store::StoreError;

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(200);

/// How often it tries to catch up with a busy writer at a time.
const PASSES: usize = 8;

/// The thread; it ends when this is dropped.
pub(super) struct Checkpointer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn start(connection: Connection) -> Result<Self, StoreError> {
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                empty_log(&connection);
            }
        };
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(run)
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Checkpointer { stop: Some(stop), thread: Some(thread) })
    }
}

/// Moves what is in the log, until nothing was added meanwhile: only then does the writer start at its beginning again
/// instead of letting it grow. PASSIVE takes no lock that the writer wants. A failure (a full disk) leaves the log as it
/// is; the writer meets the same failure and says so.
fn empty_log(connection: &Connection) {
    for _ in 0..PASSES {
        let moved = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
            Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        });
        if !matches!(moved, Ok((frames, done)) if frames > done) {
            return;
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
