//! Tells the site's security contacts by mail what they should not have to look for in a log: an account that was locked,
//! and a login that the site's configuration let in because mail failed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::manage::EventLine;
use tokio::sync::broadcast::error::RecvError;

use crate::address::EmailAddress;
use crate::audit::Priority;
use crate::daemon::Daemon;
use crate::deliver::{Cause, message};

/// When to try, counted from the event. Mail may be down just now: that may be why there is an event.
const TRIES: [Duration; 4] =
    [Duration::ZERO, Duration::from_secs(60), Duration::from_secs(600), Duration::from_secs(3600)];

/// One alarm in this time: who got one looks at the audit, and a storm of mails helps nobody.
const PAUSE: Duration = Duration::from_secs(60);

/// Watches committed events; ends with the store.
pub async fn watch(daemon: Arc<Daemon>) {
    let mut news = daemon.store_news();
    let mut last: Option<Instant> = None;
    loop {
        match news.recv().await {
            Ok(event) if is_alarming(&event) && last.is_none_or(|last| last.elapsed() >= PAUSE) => {
                last = Some(Instant::now());
                for contact in daemon.live().config.security_contacts() {
                    tokio::spawn(tell(daemon.clone(), event.clone(), contact));
                }
            }
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn is_alarming(event: &EventLine) -> bool {
    matches!(event.kind.as_str(), "account-locked" | "login-opened" | "audit-damaged")
}

async fn tell(daemon: Arc<Daemon>, event: EventLine, contact: EmailAddress) {
    let mut waited = Duration::ZERO;
    for at in TRIES {
        tokio::time::sleep(at.saturating_sub(waited)).await;
        waited = at;
        let live = daemon.live();
        let Ok(message) = compose(&daemon, &live.sender, &contact, &event) else { return };
        match live.courier.deliver(&message, &|_| ()).await {
            Ok(_) => return,
            Err(error) => {
                let text = format!("security-contact {contact} was not told of event {}: {error}", event.id);
                daemon.log.note(Priority::Warning, &text);
                if error.cause == Cause::Unknown {
                    return;
                }
            }
        }
    }
}

fn compose(
    daemon: &Daemon,
    sender: &crate::deliver::Sender,
    contact: &EmailAddress,
    event: &EventLine,
) -> Result<message::Message, message::RenderError> {
    let user = event.user.as_deref().unwrap_or("-");
    let subject = format!("{}: {} on {}", event.kind, user, daemon.host);
    let facts = [
        event.text.clone(),
        String::new(),
        format!("User:      {user}"),
        format!("Host:      {}", daemon.host),
        format!("Service:   {}", event.service.as_deref().unwrap_or("-")),
        format!("From:      {}", event.source.as_deref().unwrap_or("-")),
        format!("Reference: {}", event.reference.as_deref().unwrap_or("-")),
        String::new(),
        format!("More: mfactl events --user {user}"),
    ];
    let lines: Vec<&str> = facts.iter().map(String::as_str).collect();
    message::notice(sender, contact, "security-contact", &subject, &lines)
}
