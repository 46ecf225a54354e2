//! One login, from `Begin` to the verdict: shows the notices, asks the questions, sends the answers, and takes the
//! login up again when the connection is lost. It knows neither PAM nor sockets: see [`Terminal`] and [`Link`].

use std::fmt;

use protocol::Secret;
use protocol::login::{Answer, Begin, Conversation, Notice, Question, Severity, Step, Then, Verdict};
use protocol::text::printable_lines;

use crate::outcome::Failure;

/// The steps of one login. People need a dozen; a daemon that has gone mad would ask for ever.
const LONGEST: usize = 64;

/// How often one request may lose its connection. More than a restart or two: it may be the request that kills mfad.
const LOSSES: usize = 8;

/// The longest answer that is sent, in bytes. Some programs pass on a megabyte.
const LONGEST_ANSWER: usize = 1024;

/// What sshd types in the place of the answer for users that may not log in (auth-pam.c, `fake_password`), cut to the
/// length of the real one.
const SSHD_JUNK: &[u8] = b"\x08\n\r\x7fINCORRECT";

/// An answer that is no text that can be sent goes out as this: it has no factor's shape, so it costs no try.
const UNREADABLE: &str = "\u{fffd}";

/// The person's side.
pub(crate) trait Terminal {
    /// Shows a notice, and says whether a person can have seen it. A notice that cannot be shown is passed over: if
    /// the person is gone, the next question finds out.
    fn show(&mut self, severity: Severity, text: &str) -> Conversation;

    /// Asks.
    ///
    /// # Errors
    /// [`HangUp`] if there was no answer.
    fn ask(&mut self, question: &Question) -> Result<Typed, HangUp>;

    /// For the log of an administrator who asked for it. Never holds an answer.
    fn trace(&mut self, line: fmt::Arguments<'_>);
}

/// The conversation failed, or brought a NULL in the place of an answer.
#[derive(Debug)]
pub(crate) struct HangUp;

/// The daemon's side.
pub(crate) trait Link {
    /// Sends a request and waits for its step.
    ///
    /// # Errors
    /// [`Failure::Lost`] if a new `Begin` may help. Patience is the link's: it does not lose connections for ever.
    fn call(&mut self, request: &Request) -> Result<Step, Failure>;

    /// Tells the daemon that the person gave up; nobody waits for a reply.
    fn cancel(&mut self, login: String);
}

/// What the module can say to the daemon.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    /// Open the login, or find it again.
    Begin(Begin),
    /// Go on.
    Continue(protocol::login::Continue),
    /// This was typed.
    Answer(Answer),
}

/// What came back from a question.
#[derive(Debug, PartialEq)]
pub(crate) enum Typed {
    /// An answer; empty too, which opens the daemon's menu.
    Text(Secret),
    /// A program's answer: sshd's junk, or the password over again. It never leaves the module.
    ByProgram,
    /// Too long, or not UTF-8.
    Unreadable,
}

/// What was typed for the lines before ours. A program that knows nothing else gives it again.
#[derive(Debug, Default)]
pub(crate) struct TypedBefore<'a> {
    /// PAM_AUTHTOK; empty if there is none.
    pub(crate) password: &'a [u8],
    /// What was split off its end; empty if nothing was.
    pub(crate) code: &'a str,
}

impl TypedBefore<'_> {
    fn is(&self, answer: &[u8]) -> bool {
        let whole = answer.split_at_checked(self.password.len()).is_some_and(|(password, code)| {
            same(password, self.password) && same(code, self.code.as_bytes())
        });
        whole || same(answer, self.password)
    }
}

impl Typed {
    /// Judges an answer.
    pub(crate) fn judge(answer: &[u8], before: &TypedBefore<'_>) -> Self {
        let junk = answer.starts_with(SSHD_JUNK) || SSHD_JUNK.starts_with(answer);
        let long_junk = answer.starts_with(SSHD_JUNK.get(..4).unwrap_or_default());
        let again = !before.password.is_empty() && before.is(answer);
        if !answer.is_empty() && (junk || long_junk || again) {
            return Typed::ByProgram;
        }
        match std::str::from_utf8(answer) {
            Ok(text) if answer.len() <= LONGEST_ANSWER => Typed::Text(Secret::new(text.to_owned())),
            _ => Typed::Unreadable,
        }
    }
}

/// Compares without stopping at the first difference; lengths are no secret.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// Holds one login.
///
/// # Errors
/// [`Failure`]: why there is no verdict.
pub(crate) fn hold(
    terminal: &mut impl Terminal,
    link: &mut impl Link,
    begin: Begin,
) -> Result<Verdict, Failure> {
    let mut dialogue = Dialogue {
        terminal,
        link,
        appended: begin.appended.is_some(),
        begin,
        conversation: Conversation::Seen,
        last_answer: Conversation::Seen,
        shown: Vec::new(),
    };
    let mut request = Request::Begin(dialogue.begin.clone());
    for _ in 0..LONGEST {
        let step = dialogue.deliver(request)?;
        // It was judged with the first step: a login that is found again must not have it judged again.
        dialogue.begin.appended = None;
        dialogue.show(&step.notices);
        request = match step.then {
            Then::End(verdict) => return dialogue.end(&step.login, verdict),
            Then::Continue => dialogue.proceed(step.login, dialogue.conversation),
            Then::Ask(question) => dialogue.ask(step.login, question)?,
        };
    }
    Err(Failure::Endless)
}

struct Dialogue<'a, T, L> {
    terminal: &'a mut T,
    link: &'a mut L,
    begin: Begin,
    /// Whether a code came along with the password.
    appended: bool,
    /// Blind from the first notice that a program answered.
    conversation: Conversation,
    /// Blind if the last answer was a program's.
    last_answer: Conversation,
    /// The notices so far: a login that is found again may repeat them.
    shown: Vec<Notice>,
}

impl<T: Terminal, L: Link> Dialogue<'_, T, L> {
    /// Sends a request. If the connection is lost, finds the login again: an answer to a question that is still the
    /// open one is sent again, in any other case the step that `Begin` brought is the next one.
    fn deliver(&mut self, mut request: Request) -> Result<Step, Failure> {
        let mut outcome = self.link.call(&request);
        for _ in 0..LOSSES {
            if !matches!(outcome, Err(Failure::Lost)) {
                break;
            }
            self.terminal.trace(format_args!("connection lost, beginning again"));
            outcome = self.link.call(&Request::Begin(self.begin.clone()));
            let Ok(step) = &mut outcome else { continue };
            step.notices.retain(|notice| !self.shown.contains(notice));
            if let (Request::Answer(answer), Then::Ask(question)) = (&mut request, &step.then)
                && answer.question == question.id
            {
                answer.login.clone_from(&step.login);
                outcome = self.link.call(&request);
            }
        }
        outcome
    }

    fn show(&mut self, notices: &[Notice]) {
        for notice in notices {
            if self.terminal.show(notice.severity, &printable_lines(&notice.text)) == Conversation::Blind {
                self.conversation = Conversation::Blind;
            }
            self.shown.push(notice.clone());
        }
    }

    /// A denial that no person can have read a question of is worth a line in the log, and the way out of it: nothing
    /// else would say why the password is right and nobody gets in.
    fn end(&mut self, login: &str, verdict: Verdict) -> Result<Verdict, Failure> {
        self.terminal.trace(format_args!("login {login}: {}", verdict.name()));
        let blind = [self.conversation, self.last_answer].contains(&Conversation::Blind);
        if verdict == Verdict::Deny && blind && !self.appended {
            return Err(Failure::Blind);
        }
        Ok(verdict)
    }

    fn proceed(&mut self, login: String, conversation: Conversation) -> Request {
        self.terminal.trace(format_args!("login {login}: going on, conversation {}", conversation.name()));
        Request::Continue(protocol::login::Continue { login, conversation })
    }

    fn ask(&mut self, login: String, question: Question) -> Result<Request, Failure> {
        self.terminal.trace(format_args!("login {login}: question {}", question.id));
        let shown = Question { text: printable_lines(&question.text), ..question };
        let answer = self.terminal.ask(&shown);
        self.last_answer = match answer {
            Ok(Typed::ByProgram) => Conversation::Blind,
            _ => Conversation::Seen,
        };
        let text = match answer {
            Ok(Typed::Text(text)) => text,
            Ok(Typed::Unreadable) => Secret::new(UNREADABLE.to_owned()),
            Ok(Typed::ByProgram) => return Ok(self.proceed(login, Conversation::Blind)),
            Err(HangUp) => {
                self.link.cancel(login);
                return Err(self.hung_up());
            }
        };
        Ok(Request::Answer(Answer { login, question: shown.id, text }))
    }

    /// Whether it was the person who left, or a program that cannot ask: sshd's password method fails at a question that
    /// echoes, and tells itself by answering a notice. An empty one shows nothing.
    fn hung_up(&mut self) -> Failure {
        if self.shown.is_empty() {
            self.conversation = self.terminal.show(Severity::Info, "");
        }
        match self.conversation {
            Conversation::Blind => Failure::Blind,
            Conversation::Seen => Failure::HangUp,
        }
    }
}

#[cfg(test)]
mod tests;
