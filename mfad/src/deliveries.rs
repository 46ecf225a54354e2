//! Mails that are being sent now. The second connection that needs the same mail waits for the first one's outcome
//! instead of sending another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::factor::mailed::ChallengeId;

/// What is known of a delivery.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Sent,
}

type Running = Arc<Mutex<HashMap<ChallengeId, watch::Receiver<State>>>>;

/// The deliveries of this process.
#[derive(Default)]
pub struct Deliveries {
    running: Running,
}

/// Who sends.
pub enum Role {
    /// The caller does, and says so when it is done; dropping this unsaid means that it failed.
    Sender(Delivery),
    /// Somebody else does.
    Waiter(Outcome),
}

/// A delivery that the caller carries out.
pub struct Delivery {
    id: ChallengeId,
    state: watch::Sender<State>,
    running: Running,
}

/// What will come of somebody else's delivery.
pub struct Outcome(watch::Receiver<State>);

impl Deliveries {
    /// Takes part in the delivery of a challenge's mail.
    pub fn join(&self, id: &ChallengeId) -> Role {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = running.get(id) {
            return Role::Waiter(Outcome(state.clone()));
        }
        let (state, watched) = watch::channel(State::Running);
        running.insert(id.clone(), watched);
        Role::Sender(Delivery { id: id.clone(), state, running: self.running.clone() })
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
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> ChallengeId {
        ChallengeId::from_random([1; 16])
    }

    #[tokio::test]
    async fn the_second_waits_for_the_first_and_hears_how_it_went() {
        let deliveries = Deliveries::default();
        for sent in [true, false] {
            let Role::Sender(delivery) = deliveries.join(&id()) else { panic!("the first sends") };
            let Role::Waiter(outcome) = deliveries.join(&id()) else { panic!("the second waits") };
            if sent {
                delivery.done()
            } else {
                drop(delivery)
            }
            assert_eq!(outcome.wait().await.is_ok(), sent);
        }
        assert!(matches!(deliveries.join(&id()), Role::Sender(_)));
    }
}
