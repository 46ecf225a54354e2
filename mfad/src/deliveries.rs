//! Mails that are being sent now, or were a moment ago. The second connection that needs the same mail waits for the first
//! one's outcome instead of sending another.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::factor::mailed::ChallengeId;

/// How long a sent mail is remembered here: longer than a connection can hold news that it is not sent yet.
const MEMORY: Duration = Duration::from_secs(5);

/// What is known of a delivery.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Sent,
}

/// The deliveries of this process.
#[derive(Default)]
pub struct Deliveries {
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    states: HashMap<ChallengeId, watch::Receiver<State>>,
    /// Sent ones, the oldest first.
    sent: VecDeque<(Instant, ChallengeId)>,
}

/// Who sends.
pub enum Role {
    /// The caller does, and says so when it is done; dropping this unsaid means that it failed.
    Sender(Delivery),
    /// Somebody else does, or did.
    Waiter(Outcome),
}

/// A delivery that the caller carries out.
pub struct Delivery {
    id: ChallengeId,
    state: watch::Sender<State>,
    known: Arc<Mutex<Known>>,
}

/// What will come of somebody else's delivery.
pub struct Outcome(watch::Receiver<State>);

impl Deliveries {
    /// Takes part in the delivery of a challenge's mail.
    pub fn join(&self, id: &ChallengeId) -> Role {
        let mut known = lock(&self.known);
        known.forget_old();
        if let Some(state) = known.states.get(id) {
            return Role::Waiter(Outcome(state.clone()));
        }
        let (state, watched) = watch::channel(State::Running);
        known.states.insert(id.clone(), watched);
        Role::Sender(Delivery { id: id.clone(), state, known: self.known.clone() })
    }
}

impl Known {
    fn forget_old(&mut self) {
        while self.sent.front().is_some_and(|(sent, _)| sent.elapsed() > MEMORY) {
            if let Some((_, id)) = self.sent.pop_front() {
                self.states.remove(&id);
            }
        }
    }
}

impl Delivery {
    /// A courier has the mail.
    pub fn done(self) {
        let _ = self.state.send(State::Sent);
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let mut known = lock(&self.known);
        if *self.state.borrow() == State::Sent {
            known.sent.push_back((Instant::now(), self.id.clone()));
        } else {
            known.states.remove(&self.id);
        }
    }
}

impl Outcome {
    /// Waits for it.
    ///
    /// # Errors
    /// Nothing but that it failed; the sender's login has the cause in its record.
    pub async fn wait(mut self) -> Result<(), ()> {
        let settled = self.0.wait_for(|state| *state == State::Sent).await;
        settled.map(drop).map_err(drop)
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> ChallengeId {
        ChallengeId::from_random([1; 16])
    }

    #[tokio::test]
    async fn the_second_waits_for_the_first_and_hears_how_it_went() {
        let deliveries = Deliveries::default();
        for sent in [false, true] {
            let Role::Sender(delivery) = deliveries.join(&id()) else { panic!("the first sends") };
            let Role::Waiter(outcome) = deliveries.join(&id()) else { panic!("the second waits") };
            if sent {
                delivery.done()
            } else {
                drop(delivery)
            }
            assert_eq!(outcome.wait().await.is_ok(), sent);
        }
        let Role::Waiter(late) = deliveries.join(&id()) else {
            panic!("who comes late sends no second mail")
        };
        assert!(late.wait().await.is_ok());
    }
}
