//! One login over one connection: a call in, one step of the rules in one transaction, what follows from it (a mail, a
//! record), a step out. What a login needs to survive a restart is in the account; what is here may be lost.
//!
//! Here are the calls; [`sending`] has codes on their way, [`answering`] what is made of an answer, [`afterwards`] what is
//! asked of somebody who is in, [`enrolling`] the way to a first factor, [`appended`] codes that came along with the
//! password, [`telling`] the steps that go back, up to the last.

mod afterwards;
mod answering;
mod appended;
mod enrolling;
mod sending;
mod telling;

use std::sync::Arc;

use protocol::call::Fault;
use protocol::login::{self as wire, Conversation, Step};

use enrolling::Enrolment;
pub(crate) use enrolling::{recovery_seed, seed};

use crate::daemon::{Daemon, Live};
use crate::factor::mailed::Channel;
use crate::factor::shape::{Shape, shape};
use crate::listen::Peer;
use crate::metrics::METRICS;
use crate::moment::Moment;
use crate::people::{Found, LookupError};
use crate::rules::attempt::{Attempt, REQUESTS, UserName};
use crate::rules::grant::{Decision, Refusal};
use crate::rules::login::{self, Asked};
use crate::rules::matching;
use crate::rules::policy::Purpose;
use crate::steps::{Facts, Standing, Steps};
use crate::store::StoreError;

/// How many answers in a row may be empty or no code, before it is clear that nobody is going to type one.
const PATIENCE: u32 = 3;

/// The logins of one connection, one at a time.
pub struct Session {
    daemon: Arc<Daemon>,
    peer: Peer,
    purpose: Purpose,
    login: Option<Login>,
    proved: Option<Proved>,
}

/// Somebody proved a factor of theirs over this connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Proved {
    /// Who.
    pub user: UserName,
    /// When.
    pub at: Moment,
}

/// A login that is not decided yet.
struct Login {
    steps: Steps,
    live: Arc<Live>,
    stage: Stage,
    empty_answers: u32,
    junk_answers: u32,
    /// The factor that the person took from the menu.
    chosen: Option<String>,
    /// Factors whose codes could not be sent.
    failed: Vec<String>,
    /// Questions of an enrolment so far: each has its own id.
    questions: u32,
}

/// What the module was told last.
enum Stage {
    /// A notice, to see whether somebody is there.
    Announced(Channel),
    /// That the appended code was wrong, to see the same.
    Appended,
    /// A question.
    Asked(Asked),
    /// The same question, with the choice of another way.
    Menu(Asked),
    /// The person is in, and may say whether this factor is to be asked for first from now on.
    Preferring(Decision, String),
    /// The person is in, and may say whether this device is to be remembered.
    Remembering(Decision),
    /// A person without a factor is enrolling one.
    Enrolling(Enrolment),
}

/// How a step of a session can fail to have an answer. Each becomes a refusal.
enum Trouble {
    Store(StoreError),
    Lookup(LookupError),
}

/// Why a name leads to no account.
enum NoAccount {
    /// No name service may answer it.
    Name,
    /// The name service, or an address file, failed.
    Lookup(LookupError),
}

impl Session {
    /// A connection's session.
    pub fn new(daemon: Arc<Daemon>, peer: Peer, purpose: Purpose) -> Self {
        Session { daemon, peer, purpose, login: None, proved: None }
    }

    /// Who is on the other end.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// The last proof over this connection; leave that a rule gives without one is none.
    pub fn proved(&self) -> Option<&Proved> {
        self.proved.as_ref()
    }

    /// `Begin`.
    ///
    /// # Errors
    /// [`Fault`]: a version that is not served, or a peer that may not log this user in.
    pub async fn begin(&mut self, begin: wire::Begin) -> Result<Step, Fault> {
        if !protocol::speaks(begin.protocol) {
            return Err(Fault::UnsupportedVersion);
        }
        // Beginning again ends what was begun before.
        self.hang_up().await;
        METRICS.logins.add(1);
        let live = self.daemon.live();
        let steps = match self.steps(&begin.attempt, &live).await? {
            Ok(steps) => steps,
            Err(NoAccount::Name) => return Ok(self.nobody()),
            Err(NoAccount::Lookup(error)) => {
                return Ok(self.failed(&self.daemon.reference(), &Trouble::Lookup(error)));
            }
        };
        let opening = steps.look(login::begin).await;
        let reference = steps.reference().to_owned();
        self.login = Some(Login::new(steps, live));
        Ok(match (opening, begin.appended) {
            (Ok(opening), None) => self.opened(opening).await,
            (Ok(opening), Some(code)) => self.append(opening, code).await,
            (Err(error), _) => self.failed(&reference, &Trouble::Store(error)),
        })
    }

    /// Whose login it would be, for a peer that may ask.
    async fn steps(&self, said: &wire::Attempt, live: &Live) -> Result<Result<Steps, NoAccount>, Fault> {
        let Some(name) = UserName::parse(&said.user) else {
            self.peer.may_log_in(None)?;
            return Ok(Err(NoAccount::Name));
        };
        let found = match self.daemon.people.find(name.clone(), live.config.email.address.clone()).await {
            Ok(found) => found,
            Err(error) => {
                self.peer.may_log_in(None)?;
                return Ok(Err(NoAccount::Lookup(error)));
            }
        };
        self.peer.may_log_in(found.person.as_ref().map(|person| person.uid))?;
        let standing = if found.person.is_some() { Standing::Known } else { Standing::Stranger };
        let mut facts = self.facts(live, &name, found, said);
        let groups = matching::groups_that_matter(&facts.config, &facts.attempt);
        match self.daemon.people.memberships(&facts.attempt.user, groups).await {
            Ok(groups) => facts.attempt.groups = groups,
            Err(error) => return Ok(Err(NoAccount::Lookup(error))),
        }
        facts.note_trace(self.daemon.clock.now());
        Ok(Ok(Steps::new(self.daemon.clone(), facts, standing)))
    }

    /// `Continue`.
    ///
    /// # Errors
    /// [`Fault::UnknownLogin`].
    pub async fn proceed(&mut self, call: wire::Continue) -> Result<Step, Fault> {
        let login = self.login(&call.login)?;
        match (&login.stage, call.conversation) {
            (Stage::Announced(_) | Stage::Appended, Conversation::Blind) => {
                Ok(self.end(Refusal::Blind).await)
            }
            (Stage::Appended, Conversation::Seen) => Ok(self.go_on().await),
            (Stage::Announced(channel), Conversation::Seen) => {
                let channel = channel.clone();
                Ok(self.send(channel, vec![]).await)
            }
            // The module kept an answer to itself: it was the password, or sshd's junk.
            (Stage::Asked(_) | Stage::Menu(_), Conversation::Blind) => Ok(self.junk().await),
            (Stage::Preferring(..), Conversation::Blind) => Ok(self.prefer("").await),
            (Stage::Remembering(_), Conversation::Blind) => Ok(self.remember("").await),
            (Stage::Enrolling(Enrolment::Saving(_)), Conversation::Blind) => Ok(self.saved()),
            (Stage::Enrolling(_), Conversation::Blind) => Ok(self.end(Refusal::Blind).await),
            (_, Conversation::Seen) => Err(Fault::UnknownLogin),
        }
    }

    /// `Answer`.
    ///
    /// # Errors
    /// [`Fault::UnknownLogin`], also for a question that is not the open one.
    pub async fn answer(&mut self, call: wire::Answer) -> Result<Step, Fault> {
        let login = self.login(&call.login)?;
        if telling::question_id(login).as_ref() != Some(&call.question) {
            return Err(Fault::UnknownLogin);
        }
        let (asked, in_menu) = match &login.stage {
            Stage::Asked(asked) => (asked.clone(), None),
            Stage::Menu(asked) => (asked.clone(), answering::entry(asked, call.text.expose())),
            Stage::Preferring(..) => return Ok(self.prefer(call.text.expose()).await),
            Stage::Remembering(_) => return Ok(self.remember(call.text.expose()).await),
            Stage::Enrolling(_) => return Ok(self.enrol_answer(call.text).await),
            Stage::Announced(_) | Stage::Appended => return Err(Fault::UnknownLogin),
        };
        let shape = shape(call.text.expose());
        if shape != Shape::Empty {
            login.empty_answers = 0;
        }
        Ok(match (in_menu, shape) {
            (Some(way), _) => self.take(asked, way).await,
            (None, Shape::Empty) => self.menu(asked).await,
            (None, Shape::Junk) => self.junk().await,
            (None, shape) if answering::is_code(&asked, shape, &login.live) => {
                self.judge(asked, call.text).await
            }
            (None, _) => self.other(asked).await,
        })
    }

    /// `Cancel`.
    ///
    /// # Errors
    /// [`Fault::UnknownLogin`].
    pub async fn cancel(&mut self, call: &wire::Cancel) -> Result<(), Fault> {
        self.login(&call.login)?;
        self.end(Refusal::Cancelled).await;
        Ok(())
    }

    /// The connection ended. Somebody with the right password who leaves at the code is worth a record.
    pub async fn hang_up(&mut self) {
        if self.login.is_some() {
            self.end(Refusal::Cancelled).await;
        }
    }

    fn login(&mut self, id: &str) -> Result<&mut Login, Fault> {
        self.login.as_mut().filter(|login| login.steps.reference() == id).ok_or(Fault::UnknownLogin)
    }

    fn facts(&self, live: &Live, name: &UserName, found: Found, said: &wire::Attempt) -> Facts {
        let (name, uid) = match found.person {
            Some(person) => (person.name, person.uid),
            None => (name.clone(), u32::MAX),
        };
        let attempt = match self.purpose {
            Purpose::Login => Attempt::read(name, said, self.peer.told_by()),
            Purpose::Proof => Attempt::of_request(name, REQUESTS),
        };
        Facts {
            config: live.config.clone(),
            attempt,
            purpose: self.purpose,
            host: self.daemon.host.clone(),
            uid,
            by: uid,
            known: found.known,
            reference: self.daemon.reference(),
        }
    }

    fn stage(&mut self, stage: Stage) {
        if let Some(login) = &mut self.login {
            login.stage = stage;
        }
    }
}

impl Login {
    fn new(steps: Steps, live: Arc<Live>) -> Self {
        Login {
            steps,
            live,
            stage: Stage::Announced(Channel::Hook { name: String::new(), contact: String::new() }),
            empty_answers: 0,
            junk_answers: 0,
            chosen: None,
            failed: Vec::new(),
            questions: 0,
        }
    }
}

/// Random bytes; the kernel's generator does not fail once it is seeded, and without it no code may be made.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the kernel's random generator works");
    bytes
}
