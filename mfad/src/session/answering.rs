//! What is made of an answer: judged as a code, taken as a choice, or known for what no person types.

use protocol::Secret;
use protocol::login::Step;

use super::{PATIENCE, Session, Stage, random};
use crate::daemon::Live;
use crate::deliver::hook::Judgement;
use crate::factor::mailed::ChallengeId;
use crate::factor::shape::Shape;
use crate::rules::grant::Refusal;
use crate::rules::login::{self, Again, Answered, Asked, Outside, Refuted};
use crate::rules::policy::Way;
use crate::words;

/// Whether a text of this shape can prove anything that the person has. Nothing else costs a try.
pub(super) fn is_code(asked: &Asked, shape: Shape, live: &Live) -> bool {
    let judged_outside = live.config.judge(asked.way.factor()).is_some();
    match shape {
        Shape::Digits(count) => judged_outside || asked.digits.contains(&count),
        Shape::Recovery => {
            judged_outside || asked.ways.iter().any(|way| matches!(way, Way::Recovery | Way::Bypass))
        }
        Shape::Other => judged_outside,
        Shape::Empty | Shape::Junk => false,
    }
}

/// The entry of the menu that was chosen, if it was one: its number, from 1.
pub(super) fn entry(asked: &Asked, typed: &str) -> Option<Way> {
    let number: usize = typed.trim().parse().ok().filter(|number| (1..10).contains(number))?;
    menu_of(asked).nth(number.checked_sub(1)?).cloned()
}

/// The ways that the menu shows, the one that is asked for first: choosing that sends its code again. An administrator's
/// code needs no entry: whoever has one types it.
pub(super) fn menu_of(asked: &Asked) -> impl Iterator<Item = &Way> {
    let shown = |way: &&Way| **way != Way::Bypass && (**way != asked.way || asked.code.is_some());
    let first = asked.ways.iter().filter(|way| **way == asked.way);
    first.chain(asked.ways.iter().filter(|way| **way != asked.way)).filter(shown)
}

impl Session {
    pub(super) async fn judge(&mut self, asked: Asked, typed: Secret) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let (question, guess) = (asked.clone(), typed.clone());
        let judged = login.steps.run(move |account, context, ledger| {
            login::answer(account, context, &question, guess.expose(), ledger)
        });
        let judged = judged.await;
        match judged {
            Ok(Answered::Outside(outside)) => self.judge_outside(asked, &outside, &typed).await,
            Ok(answered) => self.judged(answered).await,
            Err(error) => self.store_failed(error),
        }
    }

    /// Asks a hook for its judgement; the try was claimed before.
    async fn judge_outside(&mut self, asked: Asked, outside: &Outside, typed: &Secret) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let accepted = match login.steps.check(outside, typed).await {
            Ok(Judgement::Accepted) => Ok(()),
            Ok(Judgement::Rejected) => Err(Refuted),
            Err(error) => return self.hook_failed(outside, &error.text).await,
        };
        let judged = login.steps.run(move |account, context, ledger| {
            login::judged_outside(account, context, &asked, accepted, ledger)
        });
        match judged.await {
            Ok(answered) => self.judged(answered).await,
            Err(error) => self.store_failed(error),
        }
    }

    /// A hook that cannot judge lets nobody in; another way may.
    async fn hook_failed(&mut self, outside: &Outside, cause: &str) -> Step {
        let Some(login) = &mut self.login else { return self.lost() };
        login.failed.push(outside.hook.clone());
        let failed = login.failed.clone();
        let (taken_back, why) = (outside.clone(), cause.to_owned());
        let noted = login.steps.run(move |account, context, ledger| {
            login::not_judged(account, context, &taken_back, &why, ledger);
        });
        if let Err(error) = noted.await {
            return self.store_failed(error);
        }
        match login.steps.fall_back(failed).await {
            login::After::End(decision) => self.finish(decision),
            login::After::Other(opening) => {
                let notice = super::telling::warning(words::not_judged(&outside.hook));
                self.carry_on(Ok(opening), vec![notice]).await
            }
        }
    }

    async fn judged(&mut self, answered: Answered) -> Step {
        match answered {
            Answered::End(decision) => self.decided(decision).await,
            Answered::Again(asked, why) => {
                let text = match why {
                    Again::Wrong => words::wrong(asked.tries_left),
                    Again::Reused => words::reused(),
                };
                self.ask_again(asked, &text)
            }
            // Only a judgement of the rules asks a hook, and it is carried out there.
            Answered::Outside(_) => self.lost(),
        }
    }

    /// An empty answer opens the menu; a row of them is a program that cannot type.
    pub(super) async fn menu(&mut self, asked: Asked) -> Step {
        let Some(login) = &mut self.login else { return self.lost() };
        login.empty_answers += 1;
        if login.empty_answers >= PATIENCE {
            return self.end(Refusal::Cancelled).await;
        }
        let text = words::menu(&asked, menu_of(&asked));
        self.pose(Stage::Menu(asked), vec![], text)
    }

    /// A choice of the menu.
    pub(super) async fn take(&mut self, asked: Asked, way: Way) -> Step {
        if let (true, Some(id)) = (way == asked.way, asked.code.clone()) {
            return self.resend(asked, id).await;
        }
        let Some(login) = &mut self.login else { return self.lost() };
        login.chosen = Some(way.factor().to_owned());
        let fresh = ChallengeId::from_random(random());
        let opening = login
            .steps
            .run(move |account, context, ledger| {
                login::choose(account, context, way.factor(), &fresh, ledger)
            })
            .await;
        self.carry_on(opening, vec![]).await
    }

    /// An answer that no person typed. It looks like a wrong code, so that nobody learns why, but costs no try.
    pub(super) async fn junk(&mut self) -> Step {
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
    pub(super) async fn other(&mut self, asked: Asked) -> Step {
        let Some(login) = &mut self.login else { return self.lost() };
        login.junk_answers += 1;
        if login.junk_answers >= PATIENCE {
            return self.end(Refusal::NoCode).await;
        }
        let text = words::not_a_code(&asked.digits);
        self.ask_again(asked, &text)
    }
}
