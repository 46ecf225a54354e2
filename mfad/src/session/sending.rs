//! Codes on their way: sent, sent again, or not sent, and what the person is asked then.

use protocol::login::{Notice, Step, Then};

use super::telling::{info, warning};
use super::{Session, Stage, Trouble, random};
use crate::deliver::Cause;
use crate::deliveries::Role;
use crate::factor::mailed::{ChallengeId, Channel};
use crate::rules::grant::{Decision, Refusal};
use crate::rules::login::{self, After, Asked, Letter, Opening, Resend};
use crate::steps::Sending;
use crate::words;

impl Session {
    /// Goes on from how a login opened.
    pub(super) async fn opened(&mut self, opening: Opening) -> Step {
        match opening {
            Opening::End(decision) => self.finish(decision),
            Opening::Announce(channel) => {
                let notice = info(words::announcement(&channel));
                self.stage(Stage::Announced(channel));
                self.step(vec![notice], Then::Continue)
            }
            Opening::Ask(asked, letter) => self.ask_or_send(*asked, letter, vec![]).await,
            Opening::Enrol => self.enrol().await,
        }
    }

    /// Sends a code that was announced, or that the person asked for.
    pub(super) async fn send(&mut self, channel: Channel, notices: Vec<Notice>) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let fresh = ChallengeId::from_random(random());
        let opening = login
            .steps
            .run(move |account, context, ledger| login::send(account, context, &channel, &fresh, ledger))
            .await;
        self.carry_on(opening, notices).await
    }

    /// Goes on from an opening in front of a person who is known to be there.
    pub(super) async fn carry_on(
        &mut self,
        opening: Result<Opening, crate::store::StoreError>,
        notices: Vec<Notice>,
    ) -> Step {
        match opening {
            Ok(Opening::Ask(asked, letter)) => self.ask_or_send(*asked, letter, notices).await,
            Ok(Opening::Announce(channel)) => Box::pin(self.send(channel, notices)).await,
            Ok(Opening::Enrol) => self.enrol().await,
            Ok(Opening::End(decision)) => self.finish(decision),
            Err(error) => self.store_failed(error),
        }
    }

    async fn ask_or_send(&mut self, asked: Asked, letter: Option<Box<Letter>>, notices: Vec<Notice>) -> Step {
        let Some(letter) = letter else { return self.ask(asked, notices) };
        match self.deliver(&letter).await {
            Ok(Sending::Confirmed) => self.ask(asked, notices),
            Ok(Sending::InDoubt) => self.ask(asked, [notices, vec![warning(words::in_doubt())]].concat()),
            Err(After::End(decision)) => self.finish(decision),
            Err(After::Other(opening)) => {
                let notice = warning(words::not_sent_other(&letter.channel));
                let notices = [notices, vec![notice]].concat();
                Box::pin(self.carry_on(Ok(opening), notices)).await
            }
        }
    }

    /// Sends a code, or waits for the connection that is sending it.
    async fn deliver(&mut self, letter: &Letter) -> Result<Sending, After> {
        let Some(login) = &mut self.login else {
            return Err(After::End(Decision::Refused(Refusal::Unavailable)));
        };
        login.failed.push(letter.channel.factor().to_owned());
        let failed = login.failed.clone();
        let sending = match self.daemon.deliveries.join(&letter.challenge) {
            Role::Waiter(outcome) => match outcome.wait().await {
                Ok(()) => Ok(Sending::Confirmed),
                Err(()) => Err(login.steps.fall_back(failed).await),
            },
            Role::Sender(delivery) => {
                let sending = login.steps.send(&login.live, letter, failed).await;
                if sending == Ok(Sending::Confirmed) {
                    delivery.done();
                }
                sending
            }
        };
        if sending.is_ok() {
            login.failed.pop();
        }
        sending
    }

    /// Sends the same code again, at the person's wish.
    pub(super) async fn resend(&mut self, asked: Asked, id: ChallengeId) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let resend =
            login.steps.run(move |account, context, ledger| login::resend(account, context, &id, ledger));
        let notice = match resend.await {
            Err(error) => return self.store_failed(error),
            Ok(Resend::End(decision)) => return self.finish(decision),
            Ok(Resend::TooSoon(wait)) => info(words::too_soon(wait)),
            Ok(Resend::Capped(wait)) => info(words::capped(wait)),
            Ok(Resend::Send(letter)) => match login.steps.hand_over(&login.live, &letter).await {
                Ok(by) => {
                    let text = words::sent_again(&letter.channel);
                    login.steps.note_sent(letter, by);
                    info(text)
                }
                Err(error) if error.cause == Cause::Unknown => {
                    login.steps.note_in_doubt(letter, error).await;
                    warning(words::in_doubt())
                }
                Err(error) => {
                    login.steps.note_not_sent(letter, error).await;
                    warning(words::not_sent_again(login.steps.reference()))
                }
            },
        };
        self.ask(asked, vec![notice])
    }

    pub(super) fn store_failed(&mut self, error: crate::store::StoreError) -> Step {
        let reference = self.login.as_ref().map(|login| login.steps.reference().to_owned());
        self.failed(&reference.unwrap_or_default(), &Trouble::Store(error))
    }
}
