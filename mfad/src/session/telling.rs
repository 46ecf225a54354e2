//! The steps that go back to the module: questions, notices, and the last one.

use protocol::login::{self as wire, Echo, Notice, Question, Severity, Step, Then};

use super::enrolling::Enrolment;
use super::{Login, Proved, Session, Stage, Trouble};
use crate::audit::{Event, Kind};
use crate::metrics::METRICS;
use crate::rules::grant::{Decision, Refusal};
use crate::rules::login::Asked;
use crate::store::StoreError;
use crate::words;

/// The id of the open question, if there is one. The same id means the same question: another code, a used try or the
/// menu make another one.
pub(super) fn question_id(login: &Login) -> Option<String> {
    let (asked, menu) = match &login.stage {
        Stage::Asked(asked) => (asked, ""),
        Stage::Menu(asked) => (asked, ".menu"),
        Stage::Preferring(..) => return Some("prefer".to_owned()),
        Stage::Remembering(_) => return Some("remember".to_owned()),
        Stage::Enrolling(stage) => {
            return Some(format!("{}.{}.{}", login.steps.reference(), stage.name(), login.questions));
        }
        Stage::Announced(_) | Stage::Appended => return None,
    };
    let about = asked.code.as_ref().map_or(asked.way.factor(), |code| code.as_str());
    Some(format!("{about}.{}{menu}", asked.tries_left))
}

pub(super) fn info(text: String) -> Notice {
    Notice { severity: Severity::Info, text }
}

pub(super) fn warning(text: String) -> Notice {
    Notice { severity: Severity::Error, text }
}

impl Session {
    pub(super) fn ask(&mut self, asked: Asked, notices: Vec<Notice>) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let text = words::question(&asked, &login.steps.terms().login.prompt);
        self.question(asked, notices, text)
    }

    /// Some programs drop notices and some replace prompts, so both say what was wrong.
    pub(super) fn ask_again(&mut self, asked: Asked, why: &str) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        let text = format!("{why} {}", login.steps.terms().login.prompt);
        self.question(asked, vec![], text)
    }

    fn question(&mut self, asked: Asked, notices: Vec<Notice>, text: String) -> Step {
        self.pose(Stage::Asked(asked), notices, text)
    }

    /// Puts a question.
    pub(super) fn pose(&mut self, stage: Stage, notices: Vec<Notice>, text: String) -> Step {
        self.stage(stage);
        let id = self.login.as_ref().and_then(question_id).unwrap_or_default();
        self.step(notices, Then::Ask(Question { id, text, echo: Echo::On }))
    }

    pub(super) fn step(&self, notices: Vec<Notice>, then: Then) -> Step {
        let login = self.login.as_ref().map(|login| login.steps.reference().to_owned()).unwrap_or_default();
        Step { login, notices, then }
    }

    /// Ends a login that no step of the rules has ended, with its record.
    pub(super) async fn end(&mut self, refusal: Refusal) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        // Who is in already stays in: the proof is spent, and its record says so.
        match login.stage {
            Stage::Preferring(..) => return self.prefer("").await,
            Stage::Remembering(_) => return self.remember("").await,
            Stage::Enrolling(Enrolment::Saving(_)) => return self.saved(),
            _ => {}
        }
        let decision = login.steps.end(refusal).await;
        self.finish(decision)
    }

    pub(super) fn finish(&mut self, decision: Decision) -> Step {
        let Some(login) = self.login.take() else { return self.lost() };
        let reference = login.steps.reference().to_owned();
        let decision = login.steps.settle(decision);
        match decision.verdict() {
            wire::Verdict::Allow => METRICS.allowed.add(1),
            wire::Verdict::Exempt => METRICS.exempted.add(1),
            _ => METRICS.refused.add(1),
        }
        if decision.is_proved() {
            self.proved = Some(Proved { user: login.steps.user().clone(), at: self.daemon.clock.now() });
        }
        let notices = match &decision {
            Decision::Refused(refusal) => words::farewell(*refusal, &reference).map(warning),
            Decision::Granted(_) => None,
        };
        Step { login: reference, notices: notices.into_iter().collect(), then: Then::End(decision.verdict()) }
    }

    /// mfad itself cannot decide: one neutral sentence for the person, the cause in the log under the same reference.
    pub(super) fn failed(&mut self, reference: &str, trouble: &Trouble) -> Step {
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
            self.daemon.record(Event::of_host(kind, reference));
        }
        self.login = None;
        METRICS.refused.add(1);
        let notice = words::farewell(refusal, reference).map(warning);
        let notices = notice.into_iter().collect();
        Step { login: reference.to_owned(), notices, then: Then::End(refusal.verdict()) }
    }

    /// A name that no name service may answer.
    pub(super) fn nobody(&self) -> Step {
        METRICS.refused.add(1);
        let reference = self.daemon.reference();
        let kind = Kind::Refused { why: Refusal::Unknown };
        self.daemon.record(Event::of_host(kind, Some(reference.clone())));
        Step { login: reference, notices: vec![], then: Then::End(Refusal::Unknown.verdict()) }
    }

    /// Only reached if a step lost its login, which no path does; refusing is right even then.
    pub(super) fn lost(&self) -> Step {
        Step { login: String::new(), notices: vec![], then: Then::End(Refusal::Unavailable.verdict()) }
    }
}
