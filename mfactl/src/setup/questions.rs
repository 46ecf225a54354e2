//! Where answers come from: the flag, the person at the terminal, the default.

use clap::ValueEnum;

use super::fault::Fault;
use crate::arguments::setup::Attendance;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// How often somebody may mistype one answer.
const TRIES: usize = 5;

/// A question, as people and flags know it.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// The flag that answers it.
    pub flag: &'static str,
    /// What is to be known, within a sentence.
    pub about: &'static str,
    /// What is asked.
    pub text: &'static str,
}

/// The person who answers, if there is one.
pub struct Questions(Option<Terminal>);

impl Questions {
    /// Whoever is at the terminal, unless nobody may be asked.
    pub fn to(attendance: Attendance) -> Self {
        Questions(Terminal::on_stdin().filter(|_| attendance == Attendance::Asked))
    }

    /// Whether somebody is there.
    pub fn attendance(&self) -> Attendance {
        if self.0.is_some() { Attendance::Asked } else { Attendance::Unattended }
    }

    /// Tells whoever is there.
    pub fn tell(&mut self, text: &str) {
        if let Some(terminal) = &mut self.0 {
            terminal.tell(text);
        }
    }

    /// One of several words. Without `otherwise` there is no default.
    ///
    /// # Errors
    /// [`Fault::Unanswered`], [`Fault::NoAnswer`].
    pub fn choice<T: ValueEnum>(
        &mut self,
        question: Question,
        given: Option<T>,
        otherwise: Option<T>,
    ) -> Result<T, Failure> {
        if let Some(given) = given {
            return Ok(given);
        }
        let name = |value: &T| value.to_possible_value().map(|it| it.get_name().to_owned());
        let words = T::value_variants().iter().filter_map(name).collect::<Vec<_>>().join("/");
        let default = otherwise.as_ref().and_then(name);
        let text = format!("{} ({words})", question.text);
        let mut typed = String::new();
        for _ in 0..TRIES {
            typed = self.typed(question, &text, default.as_deref())?;
            if let Ok(value) = T::from_str(&typed, true) {
                return Ok(value);
            }
        }
        Err(Fault::NoAnswer(typed).into())
    }

    /// A text. An empty default means that there may be none.
    ///
    /// # Errors
    /// [`Fault::Unanswered`].
    pub fn text(
        &mut self,
        question: Question,
        given: Option<&str>,
        otherwise: Option<&str>,
    ) -> Result<String, Failure> {
        given.map_or_else(|| self.typed(question, question.text, otherwise), |given| Ok(given.to_owned()))
    }

    fn typed(&mut self, question: Question, text: &str, otherwise: Option<&str>) -> Result<String, Failure> {
        let unanswered = || Fault::Unanswered { question: question.about, flag: question.flag };
        let Some(terminal) = &mut self.0 else {
            return otherwise.map(str::to_owned).ok_or_else(|| unanswered().into());
        };
        let shown = match otherwise {
            Some(default) if !default.is_empty() => format!("{text} [{default}]: "),
            _ => format!("{text}: "),
        };
        for _ in 0..TRIES {
            let typed = terminal.ask(&shown)?.ok_or_else(unanswered)?;
            match (typed.expose(), otherwise) {
                ("", None) => {}
                ("", Some(default)) => return Ok(default.to_owned()),
                (typed, _) => return Ok(typed.to_owned()),
            }
        }
        Err(unanswered().into())
    }
}
