//! Forgets events of the audit that the configuration no longer wants, a batch at a time, beside the logins.

use std::sync::Arc;
use std::time::Duration;

use super::Daemon;
use crate::audit::Priority;
use crate::store::{Rest, Retention, StoreError};

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(60);

/// Between two batches logins have the writer to themselves.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs until the store closes.
pub(super) async fn keep(daemon: Arc<Daemon>) {
    loop {
        match sweep(&daemon).await {
            Ok(()) => {}
            Err(StoreError::Closed) => return,
            Err(error) => {
                daemon.log.note(Priority::Warning, &format!("old events could not be forgotten: {error}"));
            }
        }
        tokio::time::sleep(PERIOD).await;
    }
}

async fn sweep(daemon: &Daemon) -> Result<(), StoreError> {
    loop {
        let audit = daemon.live().config.audit;
        let retention = Retention { events: u64::from(audit.keep_events), age: audit.keep_age };
        if daemon.store.sweep(retention).await? == Rest::None {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
