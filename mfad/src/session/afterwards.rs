//! What is asked of somebody who is in: whether the way that they took is to be the usual one, and whether this device is
//! to be remembered. The proof is spent, so whatever is answered, they stay in.

use protocol::login::Step;

use super::{Session, Stage};
use crate::rules::grant::{Decision, Refusal};
use crate::rules::login;
use crate::rules::policy::Way;
use crate::rules::trust::{self, Offer};
use crate::words;

impl Session {
    /// Goes on from a decision about an answer.
    pub(super) async fn decided(&mut self, decision: Decision) -> Step {
        let Some(login) = &mut self.login else { return self.lost() };
        let decision = login.steps.settle(decision);
        let (Stage::Asked(asked) | Stage::Menu(asked)) = &login.stage else {
            return self.finish(decision);
        };
        let lasting = !matches!(asked.way, Way::Recovery | Way::Bypass);
        let chosen = login.chosen.take().filter(|chosen| chosen == asked.way.factor() && lasting);
        let usual = asked.ways.first().map(Way::factor);
        match (chosen, &decision) {
            (Some(chosen), Decision::Granted(_)) if usual != Some(chosen.as_str()) => {
                let text = words::prefer(&chosen);
                self.pose(Stage::Preferring(decision, chosen), vec![], text)
            }
            _ => self.offer_trust(decision).await,
        }
    }

    /// The answer to whether a way is to be the usual one.
    pub(super) async fn prefer(&mut self, typed: &str) -> Step {
        let Some(login) = &mut self.login else { return self.lost() };
        let Stage::Preferring(decision, factor) = std::mem::replace(&mut login.stage, nothing()) else {
            return self.lost();
        };
        if is_yes(typed) {
            let noted = login.steps.run(move |account, context, ledger| {
                login::prefer(account, context, &factor, ledger);
            });
            if let Err(error) = noted.await {
                self.daemon.fault(login.steps.reference(), &error.to_string());
            }
        }
        self.offer_trust(decision).await
    }

    async fn offer_trust(&mut self, decision: Decision) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        if !decision.may_be_remembered() {
            return self.finish(decision);
        }
        match login.steps.offer() {
            Offer::None => self.finish(decision),
            Offer::Ask(days) => self.pose(Stage::Remembering(decision), vec![], words::remember(days)),
            Offer::Silently => self.remember_device(decision).await,
        }
    }

    /// The end of a login in which nobody can be asked any more.
    pub(super) async fn finish_unasked(&mut self, decision: Decision) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        if decision.may_be_remembered() && login.steps.offer() == Offer::Silently {
            self.remember_device(decision).await
        } else {
            self.finish(decision)
        }
    }

    /// The answer to whether this device is to be remembered.
    pub(super) async fn remember(&mut self, typed: &str) -> Step {
        let Some(login) = &mut self.login else { return self.lost() };
        let Stage::Remembering(decision) = std::mem::replace(&mut login.stage, nothing()) else {
            return self.lost();
        };
        if is_yes(typed) { self.remember_device(decision).await } else { self.finish(decision) }
    }

    async fn remember_device(&mut self, decision: Decision) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        if let Err(error) = login.steps.run(trust::remember).await {
            self.daemon.fault(login.steps.reference(), &error.to_string());
        }
        self.finish(decision)
    }
}

/// Stands where a stage was taken out.
fn nothing() -> Stage {
    Stage::Remembering(Decision::Refused(Refusal::Unavailable))
}

fn is_yes(typed: &str) -> bool {
    ["y", "yes"].iter().any(|yes| typed.trim().eq_ignore_ascii_case(yes))
}
