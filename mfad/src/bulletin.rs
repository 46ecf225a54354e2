//! Mails news of a person's factors to the addresses that were known before the change. Sent beside everything else:
//! nobody waits for it, and a failure is in the log.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::address::EmailAddress;
use crate::audit::Priority;
use crate::daemon::Daemon;
use crate::deliver::{Cause, message};
use crate::rules::attempt::UserName;
use crate::rules::news::{Audience, News};

/// When to try, counted from the event.
const TRIES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(60), Duration::from_secs(600)];

/// Mails that may wait at once: whoever changes their factors a thousand times a minute floods nobody.
static PLACES: Semaphore = Semaphore::const_new(64);

impl Daemon {
    /// Tells a person, and where it says so the security contacts, what happened.
    pub fn tell(self: &Arc<Self>, user: &UserName, addresses: Vec<EmailAddress>, news: Vec<News>) {
        for item in news {
            let mut audience = addresses.clone();
            if item.audience == Audience::PersonAndSecurity {
                audience.extend(self.live().config.login.security_contact.clone());
            }
            audience.sort_by(|one, other| one.as_str().cmp(other.as_str()));
            audience.dedup();
            for to in audience {
                let Ok(place) = PLACES.try_acquire() else {
                    let text = format!("{user} was not told that something changed: too many mails wait");
                    self.log.note(Priority::Warning, &text);
                    continue;
                };
                let (daemon, user, text) = (self.clone(), user.clone(), item.text.clone());
                tokio::spawn(async move {
                    let _place = place;
                    mail(daemon, user, to, text).await;
                });
            }
        }
    }
}

async fn mail(daemon: Arc<Daemon>, user: UserName, to: EmailAddress, text: String) {
    let at = Timestamp::now();
    let mut waited = Duration::ZERO;
    for try_at in TRIES {
        tokio::time::sleep(try_at.saturating_sub(waited)).await;
        waited = try_at;
        let live = daemon.live();
        let subject = format!("Your second factor on {}", daemon.host);
        let facts = [
            text.clone(),
            String::new(),
            format!("User: {user}"),
            format!("Host: {}", daemon.host),
            format!("Time: {at:.0}"),
            String::new(),
            "Not you? Tell your administrator at once.".to_owned(),
        ];
        let lines: Vec<&str> = facts.iter().map(String::as_str).collect();
        let Ok(message) = message::notice(&live.sender, &to, user.as_str(), &subject, &lines) else { return };
        match live.courier.deliver(&message, &|_| ()).await {
            Ok(_) => return,
            Err(error) => {
                let cause = format!("{user} was not told that something changed: {error}");
                daemon.log.note(Priority::Warning, &cause);
                if error.cause == Cause::Unknown {
                    return;
                }
            }
        }
    }
}
