//! Accounts that were read or written lately: a login reads the same one three or four times within a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::rules::account::Account;
use crate::rules::attempt::UserName;

/// How many are kept, at a kilobyte or two each.
const LIMIT: usize = 1024;

/// Recent accounts, for the writer, and for whoever may look without waiting.
#[derive(Clone, Default)]
pub(super) struct Shared(Arc<Mutex<Recent>>);

impl Shared {
    /// They are never held across anything that waits.
    pub(super) fn lock(&self) -> MutexGuard<'_, Recent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether another connection changed the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    Silent,
    Wrote,
}

/// Accounts as they are in the database.
#[derive(Default)]
pub(super) struct Recent {
    accounts: HashMap<UserName, Account>,
    /// SQLite's count of what other connections changed.
    version: i64,
}

impl Recent {
    /// Forgets everything if another connection changed the database: somebody repaired a row, or broke one. Asked
    /// inside a transaction, so that nothing comes between.
    pub(super) fn check(&mut self, connection: &Connection) -> rusqlite::Result<Others> {
        let mut ask = connection.prepare_cached("PRAGMA data_version")?;
        let version = ask.query_row([], |row| row.get(0))?;
        if version == self.version {
            return Ok(Others::Silent);
        }
        self.accounts.clear();
        self.version = version;
        Ok(Others::Wrote)
    }

    /// What is known of a person.
    pub(super) fn account(&self, user: &UserName) -> Option<&Account> {
        self.accounts.get(user)
    }

    /// Remembers what was read or written.
    pub(super) fn keep(&mut self, user: &UserName, account: Account) {
        if self.accounts.len() >= LIMIT && !self.accounts.contains_key(user) {
            self.accounts.clear();
        }
        self.accounts.insert(user.clone(), account);
    }

    /// Forgets everything: what was written is not kept after all.
    pub(super) fn clear(&mut self) {
        self.accounts.clear();
    }
}
