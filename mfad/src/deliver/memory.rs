//! A courier for tests: keeps what it is given, and fails or waits when it is told to.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{Courier, Delivery, DeliveryError, Message, Progress, Receipt};

/// Keeps messages in memory.
#[derive(Debug, Default)]
pub struct Outbox {
    state: Mutex<State>,
    released: Notify,
}

#[derive(Debug, Default)]
struct State {
    messages: Vec<Message>,
    error: Option<DeliveryError>,
    held: usize,
    holding: bool,
}

impl Outbox {
    /// All that was delivered so far, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.state().messages.clone()
    }

    /// From now on each delivery fails with this error.
    pub fn fail(&self, error: DeliveryError) {
        self.state().error = Some(error);
    }

    /// From now on deliveries succeed.
    pub fn recover(&self) {
        self.state().error = None;
    }

    /// From now on deliveries wait until [`Outbox::release`].
    pub fn hold(&self) {
        self.state().holding = true;
    }

    /// Lets all that wait go on.
    pub fn release(&self) {
        self.state().holding = false;
        self.released.notify_waiters();
    }

    /// How many deliveries wait now.
    pub fn held(&self) -> usize {
        self.state().held
    }

    async fn wait(&self) {
        loop {
            // Listening starts before the look, so a release in between is not missed.
            let released = self.released.notified();
            if !self.state().holding {
                return;
            }
            let _waiting = Waiting::new(self);
            released.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Courier for Outbox {
    fn deliver<'a>(&'a self, message: &'a Message, progress: Progress<'a>) -> Delivery<'a> {
        Box::pin(async move {
            self.wait().await;
            let mut state = self.state();
            if let Some(error) = &state.error {
                return Err(error.clone());
            }
            state.messages.push(message.clone());
            progress("kept in memory");
            Ok(Receipt { by: "memory".into(), answer: "kept".into() })
        })
    }
}

/// Counts one that waits, also when its future is dropped.
struct Waiting<'a>(&'a Outbox);

impl<'a> Waiting<'a> {
    fn new(outbox: &'a Outbox) -> Self {
        outbox.state().held += 1;
        Waiting(outbox)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().held -= 1;
    }
}
