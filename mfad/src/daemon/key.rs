//! The keys in force: read at the start, with each reload, and before everything is sealed anew.

use std::sync::{Arc, PoisonError};

use super::Daemon;
use super::run::credentials;
use crate::audit::Priority;
use crate::rules::change;
use crate::store::sqlite::Adoption;
use crate::store::{Store, StoreError};
use crate::vault::{KeyError, Vault};

/// Whether keys below the first line of the key file are still needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyState {
    /// No: the database belongs to the first, or there is no other.
    Adopted,
    /// Yes: so many accounts have something that an older one sealed.
    Waiting(u64),
    /// Nobody knows, and why.
    Unknown(String),
}

impl KeyState {
    /// Before anybody has looked.
    pub(super) fn at_start(keys: &Vault) -> Self {
        match keys.checks().len() {
            0 | 1 => KeyState::Adopted,
            _ => KeyState::Unknown("what older keys sealed is being looked for".to_owned()),
        }
    }
}

impl Daemon {
    /// The keys in force.
    pub fn keys(&self) -> Arc<Vault> {
        self.keys.load_full()
    }

    /// Whether older keys are still needed, as far as it was looked at.
    pub fn key_state(&self) -> KeyState {
        self.key_state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the key file again. A file without a key that is in use, or may still be needed, is refused.
    ///
    /// # Errors
    /// [`KeyError`]; the keys in force stay.
    pub fn read_keys(&self) -> Result<(), KeyError> {
        let path = &self.live().config.paths.key;
        let fresh = Vault::open(path, credentials().as_deref())?;
        let before = self.keys();
        let needed = match self.key_state() {
            KeyState::Adopted => 1,
            KeyState::Waiting(_) | KeyState::Unknown(_) => usize::MAX,
        };
        let kept = fresh.checks();
        if before.checks().iter().take(needed).any(|check| !kept.contains(check)) {
            return Err(KeyError::Lost(path.clone()));
        }
        if kept.len() > 1 && kept != before.checks() {
            *self.key_state.lock().unwrap_or_else(PoisonError::into_inner) = KeyState::Unknown(
                "the key file has changed; what older keys sealed is being looked for".to_owned(),
            );
        }
        self.keys.store(Arc::new(fresh));
        Ok(())
    }

    /// Makes the database belong to the first key, if nothing needs another one any more, and notes how that stands.
    ///
    /// # Errors
    /// [`StoreError`], also for a damaged account.
    pub async fn adopt_key(&self) -> Result<(), StoreError> {
        let keys = self.keys();
        let looked_for = keys.clone();
        // What was queued with older keys is kept first: it counts.
        let adopted = match self.store.ping().await {
            Ok(()) => {
                self.store.adopt_key(keys.clone(), move |account| change::freshness(account, &*keys)).await
            }
            Err(error) => Err(error),
        };
        let state = match &adopted {
            Ok(Adoption::Done) => KeyState::Adopted,
            Ok(Adoption::Waiting(accounts)) => KeyState::Waiting(*accounts),
            Err(error) => KeyState::Unknown(error.to_string()),
        };
        // Of keys that were replaced meanwhile this says nothing.
        if Arc::ptr_eq(&looked_for, &self.keys()) {
            *self.key_state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        }
        adopted.map(drop)
    }
}

/// Where the key file has several keys: whether the older ones are still needed.
pub(super) async fn look_for_old_keys(daemon: Arc<Daemon>) {
    if daemon.keys().checks().len() > 1
        && let Err(error) = daemon.adopt_key().await
    {
        daemon.log.note(Priority::Warning, &format!("it is not known whether an old key is needed: {error}"));
    }
}
