//! What alone changes the database.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use protocol::manage::EventLine;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;

use super::chain::Chain;
use super::checkpoint::Gate;
use super::failed;
use super::flusher::{Answer, Batch, Flusher};
use super::recent::{Others, Shared};
use super::sweep::sweep;
use crate::audit::{Event, Flush};
use crate::clock::Clock;
use crate::metrics::METRICS;
use crate::rules::Ledger;
use crate::rules::account::Account;
use crate::rules::attempt::UserName;
use crate::store::{Rest, Retention, Step, StoreError, line};

/// Something that waits for its turn.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) answer: oneshot::Sender<Result<(), StoreError>>,
}

/// What is to be done.
pub(super) enum Work {
    /// A step on somebody's account.
    Step(UserName, Step),
    /// Events that are no longer wanted are forgotten; tells whether there are more.
    Sweep(Retention, Arc<Mutex<Rest>>),
}

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) flusher: Flusher,
    pub(super) clock: Clock,
    pub(super) gate: Gate,
    pub(super) recent: Shared,
    pub(super) chain: Chain,
}

/// Whether the writer may go on.
#[derive(PartialEq, Eq)]
#[must_use]
pub(super) enum Health {
    Sound,
    /// Nothing waited.
    Idle,
    /// A flush failed.
    Suspect,
}

/// Steps that ran in a transaction that is not committed yet.
#[derive(Default)]
struct Ran {
    /// Those that are answered after the commit.
    soon: Vec<Answer>,
    /// Those that are answered when it is on disk.
    flushed: Vec<Answer>,
    lines: Vec<EventLine>,
}

impl Writer {
    /// Commits the next group; none if the gate is closed.
    pub(super) fn try_commit(&mut self, next: impl FnOnce() -> Vec<Job>) -> Option<Health> {
        let gate = self.gate.clone();
        let _open = match gate.try_lock() {
            Ok(open) => open,
            Err(TryLockError::Poisoned(open)) => open.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let group = next();
        Some(if group.is_empty() { Health::Idle } else { self.commit(group) })
    }

    /// Runs a group in one transaction and answers each step after the commit; a step that decided, spent or counted
    /// anything when it is on disk. If the commit fails, all fail: nobody is let in by what was not kept.
    fn commit(&mut self, group: Vec<Job>) -> Health {
        let mut ran = Ran::default();
        let committed = self.transaction(group, &mut ran);
        METRICS.commits.add(1);
        if let Err(error) = committed {
            self.chain.rolled_back();
            self.recent.lock().clear();
            if !self.connection.is_autocommit() {
                let _ = self.connection.execute_batch("ROLLBACK");
            }
            for answer in ran.soon.into_iter().chain(ran.flushed) {
                let _ = answer.to.send(Err(error.clone()));
            }
            return Health::Sound;
        }
        self.chain.committed();
        let Ran { soon, flushed, lines } = ran;
        if flushed.is_empty() {
            self.flusher.answer(Batch { answers: soon, lines });
        } else {
            self.flusher.answer(Batch { answers: soon, lines: vec![] });
            self.flusher.flush(Batch { answers: flushed, lines });
        }
        if self.flusher.is_suspect() { Health::Suspect } else { Health::Sound }
    }

    fn transaction(&mut self, group: Vec<Job>, ran: &mut Ran) -> Result<(), StoreError> {
        let mut result = self.run("BEGIN IMMEDIATE");
        if result.is_ok() {
            result = self.look_again();
        }
        for mut job in group {
            // Also after a failure: every step that waits gets its answer.
            let outcome = match &result {
                Ok(()) => self.work(&mut job.work, &mut ran.lines),
                Err(error) => Err(StepError::Group(error.clone())),
            };
            match outcome {
                Ok(Flush::Now) => ran.flushed.push(Answer { to: job.answer, outcome: Ok(()) }),
                Ok(Flush::Later) => ran.soon.push(Answer { to: job.answer, outcome: Ok(()) }),
                Err(StepError::Own(error)) => ran.soon.push(Answer { to: job.answer, outcome: Err(error) }),
                Err(StepError::Group(error)) => {
                    ran.soon.push(Answer { to: job.answer, outcome: Err(error.clone()) });
                    result = Err(error);
                }
            }
        }
        result?;
        self.chain.mark(&self.connection).map_err(failed)?;
        self.run("COMMIT")
    }

    /// What another connection wrote is seen.
    fn look_again(&mut self) -> Result<(), StoreError> {
        match self.recent.lock().check(&self.connection).map_err(failed)? {
            Others::Silent => Ok(()),
            Others::Wrote => self.chain.look_again(&self.connection).map_err(failed),
        }
    }

    fn work(&mut self, work: &mut Work, lines: &mut Vec<EventLine>) -> Result<Flush, StepError> {
        match work {
            Work::Step(user, step) => self.step(user, step, lines),
            Work::Sweep(retention, left) => {
                let (keys, now) = (self.chain.keys().load(), self.clock.now().wall);
                let rest = sweep(&self.connection, &keys, *retention, now)?;
                *left.lock().unwrap_or_else(PoisonError::into_inner) = rest;
                Ok(Flush::Later)
            }
        }
    }

    /// Runs one step and writes what it changed.
    fn step(
        &mut self,
        user: &UserName,
        step: &mut Step,
        lines: &mut Vec<EventLine>,
    ) -> Result<Flush, StepError> {
        let kept = self.load(user)?;
        let mut account = kept.clone();
        let mut ledger = Ledger::default();
        catch_unwind(AssertUnwindSafe(|| step(&mut account, &mut ledger)))
            .map_err(|_| StepError::Own(StoreError::Failed("a step of the rules panicked".to_owned())))?;
        if account != kept {
            self.save(user, &account)?;
            self.recent.lock().keep(user, account);
        }
        let mut flush = Flush::Later;
        for event in ledger.into_events() {
            if event.kind.flush() == Flush::Now {
                flush = Flush::Now;
            }
            lines.push(self.append(&event)?);
        }
        Ok(flush)
    }

    fn load(&mut self, user: &UserName) -> Result<Account, StepError> {
        let recent = self.recent.lock().account(user).cloned();
        if let Some(account) = recent {
            return Ok(account);
        }
        let mut select = self.connection.prepare_cached("SELECT body FROM account WHERE user = ?1")?;
        // As bytes: a body that is not even text is this person's trouble alone.
        let body =
            select.query_row([user.as_str()], |row| Ok(row.get_ref(0)?.as_bytes()?.to_vec())).optional()?;
        let Some(body) = body else {
            return Ok(Account::default());
        };
        let account: Account = serde_json::from_slice(&body).map_err(|error| {
            StepError::Own(StoreError::Damaged { user: user.to_string(), cause: error.to_string() })
        })?;
        self.recent.lock().keep(user, account.clone());
        Ok(account)
    }

    fn save(&self, user: &UserName, account: &Account) -> Result<(), StepError> {
        let body = serde_json::to_string(account)
            .map_err(|error| StepError::Own(StoreError::Failed(error.to_string())))?;
        let sql = "INSERT INTO account (user, version, uid, email, body) VALUES (?1, 1, ?2, ?3, ?4)
            ON CONFLICT (user) DO UPDATE SET version = version + 1,
                uid = excluded.uid, email = excluded.email, body = excluded.body";
        let email = account.email.as_ref().map(|email| email.as_str());
        let mut upsert = self.connection.prepare_cached(sql)?;
        upsert.execute(params![user.as_str(), account.uid, email, body])?;
        METRICS.rows.add(1);
        Ok(())
    }

    fn append(&mut self, event: &Event) -> Result<EventLine, StepError> {
        let sql = "INSERT INTO event
            (id, at, kind, priority, user, uid, service, source, reference, text, link, linked_by)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        let mut line = line(0, self.clock.now().wall, event);
        let (link, by) = self.chain.append(&mut line);
        let mut insert = self.connection.prepare_cached(sql)?;
        let at = i64::try_from(line.at).unwrap_or(i64::MAX);
        METRICS.rows.add(1);
        insert.execute(params![
            line.id,
            at,
            line.kind,
            line.priority,
            line.user,
            line.uid,
            line.service,
            line.source,
            line.reference,
            line.text,
            link,
            by
        ])?;
        Ok(line)
    }

    fn run(&self, sql: &'static str) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        statement.execute([]).map(drop).map_err(failed)
    }
}

/// Whose failure it is: this step's alone, or the whole group's.
enum StepError {
    Own(StoreError),
    Group(StoreError),
}

impl From<rusqlite::Error> for StepError {
    fn from(error: rusqlite::Error) -> Self {
        StepError::Group(failed(error))
    }
}
