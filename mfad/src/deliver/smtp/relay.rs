//! One relay: its idle connections, its memory of failures, and one attempt to hand a message over.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lettre::transport::smtp::client::TlsParameters;
use lettre::transport::smtp::extension::ClientId;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::line::Line;
use super::stage::{Marker, Stage};
use crate::config;
use crate::deliver::{Cause, DeliveryError, Message, Progress, Receipt};

/// How long a connection may wait for its next message. Relays close silent ones after minutes.
const IDLE: Duration = Duration::from_secs(30);
/// How many connections wait at most.
const IDLE_LIMIT: usize = 8;
/// How long a failed relay is tried after the others.
const FAILURE_MEMORY: Duration = Duration::from_secs(30);

pub(super) struct Relay {
    pub(super) settings: config::Relay,
    pub(super) name: String,
    pub(super) hello: ClientId,
    /// Reading all roots of the system takes tens of milliseconds, so it happens once.
    pub(super) tls: OnceCell<TlsParameters>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<(Line, Instant)>,
    failed: Option<Instant>,
}

impl Relay {
    pub(super) fn new(settings: config::Relay, hello: ClientId) -> Self {
        let bracketed = settings.host.contains(':');
        let (host, port) = (&settings.host, settings.port);
        let name = if bracketed { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        Relay { settings, name, hello, tls: OnceCell::new(), state: Mutex::default() }
    }

    /// Whether it failed a short while ago.
    pub(super) fn is_suspect(&self) -> bool {
        self.state().failed.is_some_and(|at| at.elapsed() < FAILURE_MEMORY)
    }

    /// Hands the message over within `share`.
    pub(super) async fn deliver(
        &self,
        message: &Message,
        share: Duration,
        progress: Progress<'_>,
    ) -> Result<Receipt, DeliveryError> {
        let marker = Marker::new(&self.name);
        let attempt = self.attempt(message, share, &marker, progress);
        let result = timeout(share, attempt).await.unwrap_or_else(|_| Err(marker.timeout(share)));
        self.remember(&result, marker.stage());
        result
    }

    async fn attempt(
        &self,
        message: &Message,
        share: Duration,
        marker: &Marker,
        progress: Progress<'_>,
    ) -> Result<Receipt, DeliveryError> {
        if let Some(line) = self.idle_line() {
            progress(&format!("using the open connection to {}", self.name));
            match self.hand_over(line, message, marker, progress).await {
                Err(error) if was_stale(&error, marker) => {
                    progress("it was closed meanwhile; opening another")
                }
                settled => return settled,
            }
        }
        let line = Line::open(self, share, marker, progress).await?;
        self.hand_over(line, message, marker, progress).await
    }

    /// Only a line whose dialogue ended well comes back: any other might be one answer behind.
    async fn hand_over(
        &self,
        mut line: Line,
        message: &Message,
        marker: &Marker,
        progress: Progress<'_>,
    ) -> Result<Receipt, DeliveryError> {
        let answer = line.send(message, marker).await?;
        progress(&format!("accepted: {answer}"));
        let mut state = self.state();
        if state.idle.len() < IDLE_LIMIT {
            state.idle.push((line, Instant::now()));
        }
        Ok(Receipt { by: self.name.clone(), answer })
    }

    fn idle_line(&self) -> Option<Line> {
        let mut state = self.state();
        state.idle.retain(|(_, since)| since.elapsed() < IDLE);
        state.idle.pop().map(|(line, _)| line)
    }

    /// A refusal after MAIL FROM is about the message and says nothing of the next one; being slow always does.
    fn remember(&self, result: &Result<Receipt, DeliveryError>, stage: Stage) {
        match result {
            Ok(_) => self.state().failed = None,
            Err(error) if stage < Stage::Sender || error.cause == Cause::Timeout => {
                self.state().failed = Some(Instant::now());
            }
            Err(_) => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A relay may close an idle connection at any time (421, or just so): worth one fresh try while nothing was sent.
fn was_stale(error: &DeliveryError, marker: &Marker) -> bool {
    match marker.stage() {
        Stage::Content => false,
        Stage::Sender => true,
        _ => error.cause == Cause::Unreachable,
    }
}
