//! One login over one connection: a call in, one step of the rules in one transaction, what follows from it (a mail, a
//! record), a step out. What a login needs to survive a restart is in the account; what is here may be lost.

use std::sync::Arc;

use protocol::Secret;
use protocol::call::Fault;
use protocol::login::{self as wire, Conversation, Echo, Notice, Question, Severity, Step, Then};

use crate::audit::{Event, Kind};
use crate::daemon::{Daemon, Live};
use crate::deliveries::Role;
use crate::factor::mailed::{self, ChallengeId, Shape};
use crate::listen::Peer;
use crate::metrics::METRICS;
use crate::people::{Found, LookupError};
use crate::rules::attempt::{Attempt, UserName};
use crate::rules::grant::{Decision, Refusal};
use crate::rules::login::{self, Answered, Asked, Letter, Opening, Resend};
use crate::steps::{Facts, Sending, Standing, Steps};
use crate::store::StoreError;
use crate::words;

/// How many answers in a row may be empty or no code, before it is clear that nobody is going to type one.
const PATIENCE: u32 = 3;

/// The logins of one connection, one at a time.
pub struct Session {
    daemon: Arc<Daemon>,
    peer: Peer,
    login: Option<Login>,
}

/// A login that is not decided yet.
struct Login {
    steps: Steps,
    live: Arc<Live>,
    stage: Stage,
    empty_answers: u32,
    junk_answers: u32,
}

/// What the module was told last.
enum Stage {
    /// A notice, to see whether somebody is there.
    Announced,
    /// A question.
    Asked(Asked),
    /// The same question, with the choice to have the mail again.
    Menu(Asked),
}

/// How a step of a session can fail to have an answer. Each becomes a refusal.
enum Trouble {
    Store(StoreError),
    Lookup(LookupError),
}

impl Session {
    /// A connection's session.
    pub fn new(daemon: Arc<Daemon>, peer: Peer) -> Self {
        Session { daemon, peer, login: None }
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
        let Some(name) = UserName::parse(&begin.attempt.user) else {
            self.peer.may_log_in(None)?;
            return Ok(self.nobody());
        };
        let found = match self.daemon.people.find(name.clone(), live.config.email.address.clone()).await {
            Ok(found) => found,
            Err(error) => {
                self.peer.may_log_in(None)?;
                return Ok(self.failed(&self.daemon.reference(), &Trouble::Lookup(error)));
            }
        };
        self.peer.may_log_in(found.person.as_ref().map(|person| person.uid))?;
        let standing = if found.person.is_some() { Standing::Known } else { Standing::Stranger };
        let facts = self.facts(&live, &name, found, &begin.attempt);
        let steps = Steps::new(self.daemon.clone(), facts, standing);
        let opening = steps.run(login::begin).await;
        let reference = steps.reference().to_owned();
        self.login = Some(Login { steps, live, stage: Stage::Announced, empty_answers: 0, junk_answers: 0 });
        match opening {
            Ok(opening) => Ok(self.opened(opening).await),
            Err(error) => Ok(self.failed(&reference, &Trouble::Store(error))),
        }
    }

    /// `Continue`.
    ///
    /// # Errors
    /// [`Fault::UnknownLogin`].
    pub async fn proceed(&mut self, call: wire::Continue) -> Result<Step, Fault> {
        let login = self.login(&call.login)?;
        match (&login.stage, call.conversation) {
            (Stage::Announced, Conversation::Blind) => Ok(self.end(Refusal::Blind).await),
            (Stage::Announced, Conversation::Seen) => {
                let fresh = ChallengeId::from_random(random());
                let opening = login
                    .steps
                    .run(move |account, context, ledger| login::send(account, context, &fresh, ledger));
                match opening.await {
                    Ok(opening) => Ok(self.opened(opening).await),
                    Err(error) => Ok(self.failed(&call.login, &Trouble::Store(error))),
                }
            }
            // The module kept an answer to itself: it was the password, or sshd's junk.
            (Stage::Asked(_) | Stage::Menu(_), Conversation::Blind) => Ok(self.junk().await),
            (Stage::Asked(_) | Stage::Menu(_), Conversation::Seen) => Err(Fault::UnknownLogin),
        }
    }

    /// `Answer`.
    ///
    /// # Errors
    /// [`Fault::UnknownLogin`], also for a question that is not the open one.
    pub async fn answer(&mut self, call: wire::Answer) -> Result<Step, Fault> {
        let login = self.login(&call.login)?;
        let asked = match &login.stage {
            Stage::Asked(asked) | Stage::Menu(asked) if question_id(&login.stage, asked) == call.question => {
                asked.clone()
            }
            _ => return Err(Fault::UnknownLogin),
        };
        let wants_mail = matches!(login.stage, Stage::Menu(_)) && call.text.expose().trim() == "1";
        let shape = mailed::shape(call.text.expose(), asked.digits);
        if shape != Shape::Empty {
            login.empty_answers = 0;
        }
        Ok(match shape {
            _ if wants_mail => self.resend(asked).await,
            Shape::Empty => self.menu(asked).await,
            Shape::Junk => self.junk().await,
            Shape::Other => self.other(asked).await,
            Shape::Code => self.judge(asked, call.text).await,
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
        Facts {
            config: live.config.clone(),
            keys: self.daemon.keys.clone(),
            attempt: Attempt::read(name, said),
            uid,
            known: found.known,
            reference: self.daemon.reference(),
        }
    }

    async fn opened(&mut self, opening: Opening) -> Step {
        match opening {
            Opening::End(decision) => self.finish(decision),
            Opening::Announce(address) => {
                self.stage(Stage::Announced);
                let notice = info(words::announcement(&address.masked()));
                self.step(vec![notice], Then::Continue)
            }
            Opening::Ask(asked, None) => self.ask(asked, vec![]),
            Opening::Ask(asked, Some(letter)) => match self.deliver(&letter).await {
                Ok(Sending::Confirmed) => self.ask(asked, vec![]),
                Ok(Sending::InDoubt) => self.ask(asked, vec![warning(words::in_doubt())]),
                Err(decision) => self.finish(decision),
            },
        }
    }

    /// Sends a code, or waits for the connection that is sending it.
    async fn deliver(&self, letter: &Letter) -> Result<Sending, Decision> {
        let Some(login) = &self.login else { return Err(Decision::Refused(Refusal::Unavailable)) };
        match self.daemon.deliveries.join(&letter.challenge) {
            Role::Waiter(outcome) => match outcome.wait().await {
                Ok(()) => Ok(Sending::Confirmed),
                Err(()) => Err(login.steps.end(Refusal::NotSent).await),
            },
            Role::Sender(delivery) => {
                let sending = login.steps.send(&login.live, letter).await?;
                if sending == Sending::Confirmed {
                    delivery.done();
                }
                Ok(sending)
            }
        }
    }

    /// Sends the same mail again, at the person's wish.
    async fn resend(&mut self, asked: Asked) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let challenge = asked.challenge.clone();
        let resend = login
            .steps
            .run(move |account, context, ledger| login::resend(account, context, &challenge, ledger));
        let notice = match resend.await {
            Err(error) => {
                let reference = login.steps.reference().to_owned();
                return self.failed(&reference, &Trouble::Store(error));
            }
            Ok(Resend::End(decision)) => return self.finish(decision),
            Ok(Resend::TooSoon(wait)) => info(words::too_soon(wait)),
            Ok(Resend::Capped(wait)) => info(words::capped(wait)),
            Ok(Resend::Send(letter)) => match login.steps.mail(&login.live, &letter).await {
                Ok(by) => {
                    let masked = letter.to.masked();
                    login.steps.note_sent(letter, by);
                    info(words::sent_again(&masked))
                }
                Err(error) => {
                    login.steps.note_not_sent(letter, error).await;
                    warning(words::not_sent_again(login.steps.reference()))
                }
            },
        };
        self.ask(asked, vec![notice])
    }

    async fn judge(&mut self, asked: Asked, typed: Secret) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let challenge = asked.challenge.clone();
        let judged = login.steps.run(move |account, context, ledger| {
            login::answer(account, context, &challenge, typed.expose(), ledger)
        });
        match judged.await {
            Ok(Answered::End(decision)) => self.finish(decision),
            Ok(Answered::Again(asked)) => {
                let text = words::wrong(asked.tries_left);
                self.ask_again(asked, &text)
            }
            Err(error) => {
                let reference = login.steps.reference().to_owned();
                self.failed(&reference, &Trouble::Store(error))
            }
        }
    }

    /// An empty answer opens the menu; a row of them is a program that cannot type.
    async fn menu(&mut self, asked: Asked) -> Step {
        let Some(login) = &mut self.login else { return self.lost() };
        login.empty_answers += 1;
        if login.empty_answers >= PATIENCE {
            return self.end(Refusal::Cancelled).await;
        }
        let stage = Stage::Menu(asked.clone());
        let question = Question { id: question_id(&stage, &asked), text: words::menu(), echo: Echo::On };
        self.stage(stage);
        self.step(vec![], Then::Ask(question))
    }

    /// An answer that no person typed. It looks like a wrong code, so that nobody learns why, but costs no try.
    async fn junk(&mut self) -> Step {
        let Some(login) = &mut self.login else { return self.lost() };
        login.junk_answers += 1;
        let (Stage::Asked(asked) | Stage::Menu(asked)) = &login.stage else { return self.lost() };
        let asked = asked.clone();
        match asked.tries_left.checked_sub(login.junk_answers) {
            None | Some(0) => self.end(Refusal::NoCode).await,
            Some(left) => self.ask_again(asked, &words::wrong(left)),
        }
    }

    /// A text that cannot be a code.
    async fn other(&mut self, asked: Asked) -> Step {
        let Some(login) = &mut self.login else { return self.lost() };
        login.junk_answers += 1;
        if login.junk_answers >= PATIENCE {
            return self.end(Refusal::NoCode).await;
        }
        let text = words::not_a_code(asked.digits);
        self.ask_again(asked, &text)
    }

    fn ask(&mut self, asked: Asked, notices: Vec<Notice>) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let text = words::question(&asked, &login.live.config.login.prompt);
        self.question(asked, notices, text)
    }

    /// Some programs drop notices and some replace prompts, so both say what was wrong.
    fn ask_again(&mut self, asked: Asked, why: &str) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let text = format!("{why} {}", login.live.config.login.prompt);
        self.question(asked, vec![], text)
    }

    fn question(&mut self, asked: Asked, notices: Vec<Notice>, text: String) -> Step {
        let stage = Stage::Asked(asked.clone());
        let question = Question { id: question_id(&stage, &asked), text, echo: Echo::On };
        self.stage(stage);
        self.step(notices, Then::Ask(question))
    }

    fn stage(&mut self, stage: Stage) {
        if let Some(login) = &mut self.login {
            login.stage = stage;
        }
    }

    fn step(&self, notices: Vec<Notice>, then: Then) -> Step {
        let login = self.login.as_ref().map(|login| login.steps.reference().to_owned()).unwrap_or_default();
        Step { login, notices, then }
    }

    /// Ends a login that no step of the rules has ended, with its record.
    async fn end(&mut self, refusal: Refusal) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let decision = login.steps.end(refusal).await;
        self.finish(decision)
    }

    fn finish(&mut self, decision: Decision) -> Step {
        let Some(login) = self.login.take() else { return self.lost() };
        let reference = login.steps.reference().to_owned();
        let decision = login.steps.settle(decision);
        match &decision {
            Decision::Granted(_) if decision.verdict() == wire::Verdict::Allow => METRICS.allowed.add(1),
            Decision::Granted(_) => METRICS.exempted.add(1),
            Decision::Refused(_) => METRICS.refused.add(1),
        }
        let notices = match &decision {
            Decision::Refused(refusal) => words::farewell(*refusal, &reference).map(warning),
            Decision::Granted(_) => None,
        };
        Step { login: reference, notices: notices.into_iter().collect(), then: Then::End(decision.verdict()) }
    }

    /// mfad itself cannot decide: one neutral sentence for the person, the cause in the log under the same reference.
    fn failed(&mut self, reference: &str, trouble: &Trouble) -> Step {
        let refusal = match trouble {
            Trouble::Store(StoreError::Damaged { .. }) => Refusal::Damaged,
            Trouble::Store(_) | Trouble::Lookup(_) => Refusal::Unavailable,
        };
        let cause = match trouble {
            Trouble::Store(error) => error.to_string(),
            Trouble::Lookup(error) => error.to_string(),
        };
        self.daemon.fault(reference, &cause);
        // Where it is not the database that fails, the audit has it as well.
        if !matches!(trouble, Trouble::Store(StoreError::Failed(_) | StoreError::Busy | StoreError::Closed)) {
            let kind = Kind::Fault { cause };
            let reference = Some(reference.to_owned());
            self.daemon.record(Event { kind, user: None, service: None, source: None, reference });
        }
        self.login = None;
        METRICS.refused.add(1);
        let notice = words::farewell(refusal, reference).map(warning);
        let notices = notice.into_iter().collect();
        Step { login: reference.to_owned(), notices, then: Then::End(refusal.verdict()) }
    }

    /// A name that no name service may answer.
    fn nobody(&self) -> Step {
        METRICS.refused.add(1);
        let reference = self.daemon.reference();
        let kind = Kind::Refused { why: Refusal::Unknown };
        let event =
            Event { kind, user: None, service: None, source: None, reference: Some(reference.clone()) };
        self.daemon.record(event);
        Step { login: reference, notices: vec![], then: Then::End(Refusal::Unknown.verdict()) }
    }

    /// Only reached if a step lost its login, which no path does; refusing is right even then.
    fn lost(&self) -> Step {
        Step { login: String::new(), notices: vec![], then: Then::End(Refusal::Unavailable.verdict()) }
    }
}

/// The same id means the same question: another challenge, a used try or the menu make another one.
fn question_id(stage: &Stage, asked: &Asked) -> String {
    let menu = if matches!(stage, Stage::Menu(_)) { ".menu" } else { "" };
    format!("{}.{}{menu}", asked.challenge.as_str(), asked.tries_left)
}

fn info(text: String) -> Notice {
    Notice { severity: Severity::Info, text }
}

fn warning(text: String) -> Notice {
    Notice { severity: Severity::Error, text }
}

/// Random bytes; the kernel's generator does not fail once it is seeded, and without it no code may be made.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the kernel's random generator works");
    bytes
}
