//! `io.mfad.Login`: a login as the PAM module sees it. The module shows and asks; every decision is the daemon's.
//!
//! A login is a row of steps. Each call answers with a [`Step`]: notices to show, and then either a question, or a
//! verdict, or neither, which asks the module to `Continue` and say whether a person could see the notices. [`Expect`] is
//! apart: where password and code are typed as one text, it says before the password is checked what the code looks like.

use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::describe::{Declared, Described};
use crate::wire;

/// The description of the interface, for `GetInterfaceDescription`.
pub const DESCRIPTION: &str = include_str!("../io.mfad.Login.varlink");

/// The interface's name.
pub const INTERFACE: &str = "io.mfad.Login";

wire! {
    /// Who wants in, through which program, from where: what PAM told the module, not interpreted.
    struct Attempt {
        /// PAM_USER.
        user: String,
        /// PAM_SERVICE.
        service: String,
        /// PAM_TTY.
        tty: Option<String>,
        /// PAM_RHOST: a name or an address, as the service set it.
        remote_host: Option<String>,
        /// PAM_RUSER.
        remote_user: Option<String>,
        /// `SSH_CONNECTION` of the PAM environment (sshd 8.0 and later): "address port address port".
        ssh_connection: Option<String>,
        /// `SSH_AUTH_INFO_0` of the PAM environment (sshd 7.8 and later): a line for each method that passed.
        ssh_auth_info: Option<String>,
    }

    /// Whether a person can see and answer.
    enum Conversation {
        /// Notices were shown.
        Seen = "seen",
        /// The program answers by itself: nobody sees a notice, and every prompt gets the password.
        Blind = "blind",
    }

    /// How much a notice matters: which PAM message style it gets.
    enum Severity {
        /// PAM_TEXT_INFO.
        Info = "info",
        /// PAM_ERROR_MSG.
        Error = "error",
    }

    /// Whether what is typed may be seen.
    enum Echo {
        /// PAM_PROMPT_ECHO_ON.
        On = "on",
        /// PAM_PROMPT_ECHO_OFF.
        Off = "off",
    }

    /// A line to show.
    struct Notice {
        /// Its style.
        severity: Severity,
        /// Its text.
        text: String,
    }

    /// What to ask. The same id means: the same question, an answer that is at hand may be sent again.
    struct Question {
        /// Names the question within this user's logins.
        id: String,
        /// The prompt, its trailing space included.
        text: String,
        /// Whether the answer may be seen.
        echo: Echo,
    }

    /// How a login ended.
    enum Verdict {
        /// A factor was proved.
        Allow = "allow",
        /// A rule asks nothing of this login.
        Exempt = "exempt",
        /// No valid factor.
        Deny = "deny",
        /// The user is not known to this host.
        Unknown = "unknown",
        /// The tries are used up, or the account waits.
        Locked = "locked",
        /// mfad cannot decide now: mail, disk or name service fails.
        Unavailable = "unavailable",
        /// The person gave up.
        Cancelled = "cancelled",
    }

    /// What a code looks like at the end of a password.
    enum Shape {
        /// Six ASCII digits.
        SixDigits = "digits6",
        /// Seven.
        SevenDigits = "digits7",
        /// Eight.
        EightDigits = "digits8",
        /// A recovery or bypass code with its dashes: `xxxx-xxxx-xxxx-xxxx`.
        Letters = "letters",
    }

    /// Asks which codes this person can append to a password. Opens no login, and changes nothing.
    method "io.mfad.Login" Expect {
        /// The version that the module speaks.
        protocol: u32,
        /// Who wants in.
        attempt: Attempt,
    } ->
    /// What to split off.
    ExpectReply {
        /// The first one that fits counts. None if nothing is to be split off.
        shapes: Vec<Shape>,
    }

    /// Opens a login, or finds it again after a lost connection.
    method "io.mfad.Login" Begin {
        /// The version that the module speaks.
        protocol: u32,
        /// Who wants in.
        attempt: Attempt,
        /// The code that was split off the password. Left out, not null, where there is none: a daemon that does not know
        /// the field then has nothing to refuse.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        appended: Option<Secret>,
    } ->
    /// What to do next.
    BeginReply {
        /// The step.
        step: Step,
    }

    /// Answers a step that has neither question nor verdict; or says that a program answered by itself.
    method "io.mfad.Login" Continue {
        /// The login.
        login: String,
        /// Whether a person was there.
        conversation: Conversation,
    } ->
    /// What to do next.
    ContinueReply {
        /// The step.
        step: Step,
    }

    /// Answers the open question.
    method "io.mfad.Login" Answer {
        /// The login.
        login: String,
        /// The question's id.
        question: String,
        /// What was typed.
        text: Secret,
    } ->
    /// What to do next.
    AnswerReply {
        /// The step.
        step: Step,
    }

    /// Ends a login that the person gave up. A live code stays valid for the next attempt.
    method "io.mfad.Login" Cancel {
        /// The login.
        login: String,
    } ->
    /// Nothing.
    CancelReply {}
}

/// What the module does after showing the notices.
#[derive(Debug, Clone, PartialEq)]
pub enum Then {
    /// Ask, and `Answer`.
    Ask(Question),
    /// `Continue`.
    Continue,
    /// Return to PAM.
    End(Verdict),
}

/// One step of a login.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawStep", into = "RawStep")]
pub struct Step {
    /// The login's id; the reference that a person may quote.
    pub login: String,
    /// Shown first, in order.
    pub notices: Vec<Notice>,
    /// What comes after them.
    pub then: Then,
}

/// [`Step`] as varlink can say it: there is no sum type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    login: String,
    notices: Vec<Notice>,
    question: Option<Question>,
    verdict: Option<Verdict>,
}

impl TryFrom<RawStep> for Step {
    type Error = &'static str;

    fn try_from(raw: RawStep) -> Result<Self, Self::Error> {
        let then = match (raw.question, raw.verdict) {
            (Some(question), None) => Then::Ask(question),
            (None, Some(verdict)) => Then::End(verdict),
            (None, None) => Then::Continue,
            (Some(_), Some(_)) => return Err("a step has either a question or a verdict"),
        };
        Ok(Step { login: raw.login, notices: raw.notices, then })
    }
}

impl From<Step> for RawStep {
    fn from(step: Step) -> Self {
        let (question, verdict) = match step.then {
            Then::Ask(question) => (Some(question), None),
            Then::Continue => (None, None),
            Then::End(verdict) => (None, Some(verdict)),
        };
        RawStep { login: step.login, notices: step.notices, question, verdict }
    }
}

impl Described for Step {
    fn type_name() -> String {
        "Step".to_owned()
    }
}

impl Declared for Step {
    fn declaration() -> String {
        "type Step (login: string, notices: []Notice, question: ?Question, verdict: ?Verdict)".to_owned()
    }
}
