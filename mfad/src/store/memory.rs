//! A store in memory: for tests, and for the accounts of people whom nobody knows, who must meet the same rules.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use protocol::manage::EventLine;

use super::{EventQuery, Later, Page, Rest, Step, Store, StoreError, line};
use crate::rules::Ledger;
use crate::rules::account::Account;
use crate::rules::attempt::UserName;

/// Accounts that are kept; strangers must not fill the memory. More begin anew.
const LIMIT: usize = 4096;

/// Accounts and events that end with the process.
#[derive(Default)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    accounts: HashMap<UserName, Account>,
    events: Vec<EventLine>,
}

impl Memory {
    /// A store that has one account.
    pub fn with(user: UserName, account: Account) -> Self {
        let memory = Memory::default();
        memory.state().accounts.insert(user, account);
        memory
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, user: &UserName, mut step: Step) {
        let mut state = self.state();
        let mut account = state.accounts.get(user).cloned().unwrap_or_default();
        let mut ledger = Ledger::default();
        step(&mut account, &mut ledger);
        if account != Account::default() {
            if state.accounts.len() >= LIMIT && !state.accounts.contains_key(user) {
                state.accounts.clear();
            }
            state.accounts.insert(user.clone(), account);
        }
        for event in ledger.into_events() {
            let id = i64::try_from(state.events.len()).unwrap_or(i64::MAX);
            state.events.push(line(id, 0, &event));
        }
    }
}

impl Store for Memory {
    fn transact_step<'a>(&'a self, user: &'a UserName, step: Step) -> Later<'a, ()> {
        self.run(user, step);
        Box::pin(async { Ok(()) })
    }

    fn accounts(&self, after: Option<String>, filter: Option<String>) -> Later<'_, Page> {
        let wanted = |name: &&UserName| {
            after.as_deref().is_none_or(|after| name.as_str() > after)
                && filter.as_deref().is_none_or(|filter| name.as_str().contains(filter))
        };
        let state = self.state();
        let mut accounts: Vec<_> = state.accounts.iter().filter(|(name, _)| wanted(name)).collect();
        accounts.sort_by_key(|(name, _)| (*name).clone());
        let accounts =
            accounts.into_iter().map(|(name, account)| (name.clone(), Ok(account.clone()))).collect();
        Box::pin(async { Ok(Page { accounts, rest: Rest::None }) })
    }

    fn account<'a>(&'a self, user: &'a UserName) -> Later<'a, Option<Account>> {
        let account = self.state().accounts.get(user).cloned();
        Box::pin(async { Ok(account) })
    }

    fn events(&self, query: EventQuery) -> Later<'_, Vec<EventLine>> {
        let events = self.state().events.iter().filter(|event| event.id > query.after).cloned().collect();
        Box::pin(async { Ok(events) })
    }

    fn ping(&self) -> Later<'_, ()> {
        Box::pin(async { Ok::<(), StoreError>(()) })
    }
}
