//! Puts the write-ahead log on disk, and only then answers. Alone, a login is answered soonest if the event loop itself
//! waits for the disk; in company it goes on serving the others while a thread waits, and one flush answers all whose
//! commit came before it.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use protocol::manage::EventLine;
use tokio::sync::{broadcast, oneshot};

use crate::metrics::METRICS;
use crate::store::StoreError;

/// From so many connections on it pays to wait for others.
const CROWD: usize = 16;

/// How many answers make a flush worth its while.
const ENOUGH: usize = 12;

/// How long the first of them waits for the others.
const LONGEST_WAIT: Duration = Duration::from_millis(2);

/// What waits for the disk.
pub(super) struct Batch {
    pub(super) answers: Vec<Answer>,
    pub(super) lines: Vec<EventLine>,
}

/// Where an answer goes, and what it is if the disk does its part.
pub(super) struct Answer {
    pub(super) to: oneshot::Sender<Result<(), StoreError>>,
    pub(super) outcome: Result<(), StoreError>,
}

/// Waits for the disk.
pub(super) struct Flusher {
    disk: Disk,
    batches: Sender<Batch>,
}

/// What both ways of waiting share.
#[derive(Clone)]
struct Disk {
    log: Arc<File>,
    committed: broadcast::Sender<EventLine>,
    /// Set when a flush failed. The kernel may have dropped what it could not write, and a second flush would say
    /// nothing of it: nothing is let in on its word until mfad starts anew.
    suspect: Arc<AtomicBool>,
    /// One flush at a time: a failure is told once, to whoever asks first.
    turn: Arc<Mutex<()>>,
}

impl Flusher {
    /// Starts the thread for the log.
    ///
    /// # Errors
    /// The operating system's, if no thread can be had.
    pub(super) fn start(log: File, committed: broadcast::Sender<EventLine>) -> io::Result<Self> {
        let disk = Disk { log: Arc::new(log), committed, suspect: Arc::default(), turn: Arc::default() };
        let (batches, waiting) = mpsc::channel();
        let of_thread = disk.clone();
        std::thread::Builder::new().name("flush".to_owned()).spawn(move || run(&of_thread, &waiting))?;
        Ok(Flusher { disk, batches })
    }

    /// True if what is on disk can no longer be trusted.
    pub(super) fn is_suspect(&self) -> bool {
        self.disk.suspect.load(Ordering::Acquire)
    }

    /// Answers a batch when it is on disk.
    pub(super) fn flush(&self, batch: Batch) {
        if METRICS.connections.value() <= 1 {
            return self.disk.flush(vec![batch]);
        }
        if let Err(mpsc::SendError(batch)) = self.batches.send(batch) {
            self.disk.flush(vec![batch]);
        }
    }

    /// Answers a batch that nobody decided anything in.
    pub(super) fn answer(&self, batch: Batch) {
        self.disk.answer(batch, &Ok(()));
    }
}

/// The thread. In a crowd it waits a moment for others, so that a flush serves many: the disk is what a crowd shares.
fn run(disk: &Disk, waiting: &Receiver<Batch>) {
    while let Ok(first) = waiting.recv() {
        let end = Instant::now() + LONGEST_WAIT;
        let there = usize::try_from(METRICS.connections.value()).unwrap_or(usize::MAX);
        let worth_it = if there < CROWD { 0 } else { ENOUGH.min(there / 3) };
        let mut batches = vec![first];
        batches.extend(waiting.try_iter());
        while answers(&batches) < worth_it {
            match waiting.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(batch) => batches.push(batch),
                Err(_) => break,
            }
        }
        batches.extend(waiting.try_iter());
        disk.flush(batches);
    }
}

fn answers(batches: &[Batch]) -> usize {
    batches.iter().map(|batch| batch.answers.len()).sum()
}

impl Disk {
    fn flush(&self, batches: Vec<Batch>) {
        METRICS.flushes.add(1);
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let flushed = if self.suspect.load(Ordering::Acquire) {
            Err(StoreError::Failed("an earlier flush failed".to_owned()))
        } else {
            self.log.sync_data().map_err(|error| {
                self.suspect.store(true, Ordering::Release);
                StoreError::Failed(format!("the disk did not flush: {error}"))
            })
        };
        drop(turn);
        for batch in batches {
            self.answer(batch, &flushed);
        }
    }

    fn answer(&self, batch: Batch, flushed: &Result<(), StoreError>) {
        for answer in batch.answers {
            let _ = answer.to.send(flushed.clone().and(answer.outcome));
        }
        if flushed.is_ok() {
            for line in batch.lines {
                let _ = self.committed.send(line);
            }
        }
    }
}
