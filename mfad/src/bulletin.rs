//! Mails news of a person's factors to the addresses that were known before the change. Sent beside everything else:
//! nobody waits for it, and a failure is in the log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::address::EmailAddress;
use crate::audit::Priority;
use crate::daemon::Daemon;
use crate::deliver::{Cause, message};
use crate::rules::attempt::UserName;
use crate::rules::news::{Audience, News};

/// When to try, counted from the event.
const TRIES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(60), Duration::from_secs(600)];

/// News that may wait at once, each for everybody who hears of it.
const PLACES: usize = 64;

/// Those of one person: whoever changes their factors a thousand times a minute keeps nobody else's news from going out.
const PLACES_OF_ONE: usize = 8;

static WAITING: Mutex<Waiting> = Mutex::new(Waiting { total: 0, of: BTreeMap::new() });

/// Who hears of a person's news.
#[derive(Debug, Clone, Default)]
pub struct Listeners {
    /// The person's addresses.
    pub person: Vec<EmailAddress>,
    /// `login.security-contact`.
    pub security: Vec<EmailAddress>,
}

impl Daemon {
    /// Tells a person, and where it says so the security contacts, what happened.
    pub fn tell(self: &Arc<Self>, user: &UserName, listeners: &Listeners, news: Vec<News>) {
        for item in news {
            let place = match Place::take(user) {
                Ok(place) => Arc::new(place),
                Err(full) => {
                    let text = format!("{user} was not told that something changed: {full}");
                    self.log.note(Priority::Warning, &text);
                    continue;
                }
            };
            let mut audience = listeners.person.clone();
            if item.audience == Audience::PersonAndSecurity {
                audience.extend(listeners.security.clone());
            }
            audience.sort_by(|one, other| one.as_str().cmp(other.as_str()));
            audience.dedup();
            for to in audience {
                let (daemon, user, text, place) =
                    (self.clone(), user.clone(), item.text.clone(), place.clone());
                tokio::spawn(async move {
                    let _place = place;
                    mail(daemon, user, to, text).await;
                });
            }
        }
    }
}

/// News that wait for their mails, by person.
struct Waiting {
    total: usize,
    of: BTreeMap<UserName, usize>,
}

/// Why news do not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Full {
    #[error("{PLACES} such mails wait already. Check the mail server")]
    Everywhere,
    #[error("{PLACES_OF_ONE} such mails of this person wait already. See `mfactl events`")]
    ForThisPerson,
}

impl Waiting {
    fn enter(&mut self, user: &UserName) -> Result<(), Full> {
        let own = self.of.get(user).copied().unwrap_or(0);
        if own >= PLACES_OF_ONE {
            return Err(Full::ForThisPerson);
        }
        if self.total >= PLACES {
            return Err(Full::Everywhere);
        }
        self.total += 1;
        self.of.insert(user.clone(), own + 1);
        Ok(())
    }

    fn leave(&mut self, user: &UserName) {
        self.total = self.total.saturating_sub(1);
        match self.of.get_mut(user) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(self.of.remove(user)),
        }
    }
}

/// A place among those who wait, until it is dropped.
struct Place(UserName);

impl Place {
    fn take(user: &UserName) -> Result<Self, Full> {
        waiting().enter(user).map(|()| Place(user.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        waiting().leave(&self.0);
    }
}

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// To see it fail, let `enter` not look at `own`.
    #[test]
    fn one_persons_noise_keeps_nobody_elses_news_from_going_out() {
        let mut waiting = Waiting { total: 0, of: BTreeMap::new() };
        let name = |name: &str| UserName::parse(name).unwrap();
        let (ada, bob) = (name("ada"), name("bob"));
        let taken = (0..1000).filter(|_| waiting.enter(&ada).is_ok()).count();
        assert_eq!((taken, waiting.enter(&ada)), (PLACES_OF_ONE, Err(Full::ForThisPerson)));
        assert_eq!(waiting.enter(&bob), Ok(()));
        waiting.leave(&ada);
        assert_eq!(waiting.enter(&ada), Ok(()), "a mail that went out makes room");
        let others = (0..1000).filter(|number| waiting.enter(&name(&format!("u{number}"))).is_ok()).count();
        assert_eq!((others, waiting.enter(&bob)), (PLACES - PLACES_OF_ONE - 1, Err(Full::Everywhere)));
        for _ in 0..PLACES_OF_ONE {
            waiting.leave(&ada);
        }
        assert!(!waiting.of.contains_key(&ada) && waiting.total == PLACES - PLACES_OF_ONE);
    }
}
