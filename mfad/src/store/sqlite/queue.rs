//! Steps that wait for the writer, and the task that hands them to it group by group.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::writer::{Health, Job, Writer};
use crate::store::StoreError;

/// Steps that may wait for the writer; more are refused, for a login that waits is worse than one that fails.
const QUEUE: usize = 4096;

/// At most so many steps a commit.
const GROUP: usize = 256;

/// How long a step may wait for another's commit to share, if nobody waits for it.
const LEISURE: Duration = Duration::from_millis(10);

/// How often a closed gate is tried.
const AT_THE_GATE: Duration = Duration::from_micros(500);

/// Whether somebody waits for a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haste {
    /// Somebody does.
    Now,
    /// Nobody does: it is kept with the next commit, or within 10 ms. Later steps still come after it.
    Soon,
}

/// Steps that wait for the writer.
pub(super) struct Queue {
    /// None once the database was given up.
    jobs: Mutex<Option<VecDeque<Job>>>,
    /// Somebody waits.
    urgent: Notify,
    /// Nobody does.
    leisurely: Notify,
}

impl Queue {
    /// An empty one, of a database that is open.
    pub(super) fn open() -> Self {
        Queue { jobs: Mutex::new(Some(VecDeque::new())), urgent: Notify::new(), leisurely: Notify::new() }
    }

    pub(super) fn push(&self, job: Job, haste: Haste) -> Result<(), StoreError> {
        let mut jobs = self.jobs();
        let waiting = jobs.as_mut().ok_or(StoreError::Closed)?;
        if waiting.len() >= QUEUE {
            return Err(StoreError::Busy);
        }
        waiting.push_back(job);
        match haste {
            Haste::Now => self.urgent.notify_one(),
            Haste::Soon => self.leisurely.notify_one(),
        }
        Ok(())
    }

    /// The next group; empty if nothing waits.
    fn take(&self) -> Vec<Job> {
        let mut jobs = self.jobs();
        let Some(waiting) = jobs.as_mut() else { return Vec::new() };
        let count = waiting.len().min(GROUP);
        waiting.drain(..count).collect()
    }

    /// Takes no more steps; those that wait hear of it.
    fn close(&self) {
        self.jobs().take();
    }

    fn jobs(&self) -> MutexGuard<'_, Option<VecDeque<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer's task.
pub(super) async fn write(mut writer: Writer, queue: Arc<Queue>) {
    loop {
        tokio::select! {
            () = queue.urgent.notified() => {}
            () = queue.leisurely.notified() => {
                let _ = tokio::time::timeout(LEISURE, queue.urgent.notified()).await;
            }
        }
        // Behind everything that is ready now: its steps belong to the same commit.
        tokio::task::yield_now().await;
        loop {
            // The gate is closed for one flush at the most; others are served meanwhile.
            let Some(health) = writer.try_commit(|| queue.take()) else {
                tokio::time::sleep(AT_THE_GATE).await;
                continue;
            };
            match health {
                Health::Idle => break,
                Health::Sound => {}
                Health::Suspect => return queue.close(),
            }
        }
    }
}
