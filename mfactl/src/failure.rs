//! Why a verb brought no answer: for people, a fact and a remedy; for scripts, an exit status.

use std::io;
use std::path::{Path, PathBuf};

use protocol::call::{self, CallError};
use protocol::frame::FrameError;
use protocol::login::Verdict;
use protocol::manage::PROOF_NEEDED;

use crate::Ending;
use crate::import::homes::HomesError;
use crate::setup::fault::Fault;

const LOOK_AT_THE_LOG: &str = "Look at its log: journalctl -u mfad";

/// Why a verb brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing answers on the socket.
    #[error("{}", unreachable(socket, cause))]
    Unreachable {
        /// Where it was looked for.
        socket: PathBuf,
        /// What connect(2) said.
        cause: io::Error,
    },
    /// The connection broke or fell silent.
    #[error("{}", broken(.0))]
    Socket(io::Error),
    /// mfad hung up.
    #[error("mfad ended the connection before its answer was complete. {LOOK_AT_THE_LOG}")]
    Closed,
    /// The answer is none.
    #[error(
        "mfad's answer cannot be read. Are mfad and mfactl of one release? After an update: systemctl restart mfad"
    )]
    Malformed,
    /// The command line does not fit into one frame.
    #[error("the request is longer than the 64 KiB that mfad takes. Shorten the arguments")]
    RequestTooLong,
    /// No version of the protocol is spoken by both.
    #[error(
        "mfad and this mfactl {} (protocol {}) do not speak the same version of the protocol. \
         Install both from one release, then: systemctl restart mfad",
        env!("CARGO_PKG_VERSION"), protocol::VERSION
    )]
    OtherVersion,
    /// mfad understood and said no.
    #[error("{0}")]
    Refused(String),
    /// mfad wants a proof of who asks before it does this.
    #[error("{0}")]
    ProofNeeded(String),
    /// The proof did not end well.
    #[error("{}", not_proved(*.0))]
    NotProved(Verdict),
    /// A question was to be asked, and nobody is there to answer it.
    #[error("{question}, and standard input is no terminal. Run this in a terminal, or as an administrator")]
    NoTerminal {
        /// Why something was to be asked.
        question: &'static str,
    },
    /// No code was typed, and none came on standard input.
    #[error("no code was given. Type it when asked, or send it to standard input")]
    NoCode,
    /// What was typed could not be read.
    #[error("what was typed could not be read: {0}. Type letters, digits and dashes")]
    Input(io::Error),
    /// The name service does not say what the caller is called.
    #[error("uid {uid} has no name here ({cause}). Check: getent passwd {uid}")]
    Nameless {
        /// Who asks.
        uid: u32,
        /// What the name service said.
        cause: String,
    },
    /// A file that was to be imported cannot be read.
    #[error("{} cannot be read: {cause}. Check the path, and whether you may read it", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// A file that was to be written cannot be.
    #[error("{} was not written: {cause}. Choose another name or place, and look whether the disk is full", path.display())]
    Unwritten {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// A file is no backup that can be read.
    #[error("{} cannot be restored: {cause}", path.display())]
    Backup {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// What was to encrypt or decrypt is not there or not good enough.
    #[error("{0}")]
    Passphrase(&'static str),
    /// Setup stopped.
    #[error(transparent)]
    Setup(#[from] Fault),
    /// Whose homes to look into could not be found out.
    #[error(transparent)]
    Homes(#[from] HomesError),
    /// The name service knows nobody of that name.
    #[error("there is no user {0}. Check the name: getent passwd {0}")]
    NoSuchUser(String),
    /// The answer could not be printed.
    #[error("the answer could not be printed: {0}. Check where the output goes")]
    Output(io::Error),
}

impl Failure {
    /// The exit status that tells it to scripts.
    pub fn ending(&self) -> Ending {
        match self {
            Failure::Output(_) if self.is_quiet() => Ending::Done,
            Failure::Refused(_)
            | Failure::OtherVersion
            | Failure::RequestTooLong
            | Failure::ProofNeeded(_)
            | Failure::NotProved(_)
            | Failure::NoTerminal { .. }
            | Failure::NoCode
            | Failure::Input(_)
            | Failure::Nameless { .. }
            | Failure::File { .. }
            | Failure::Unwritten { .. }
            | Failure::Backup { .. }
            | Failure::Passphrase(_)
            | Failure::Setup(_)
            | Failure::Homes(_)
            | Failure::NoSuchUser(_)
            | Failure::Output(_) => Ending::Refused,
            Failure::Unreachable { .. } | Failure::Socket(_) | Failure::Closed | Failure::Malformed => {
                Ending::Unreachable
            }
        }
    }

    /// True if nobody needs to be told: whoever read the output has read enough, as `head` does.
    pub fn is_quiet(&self) -> bool {
        matches!(self, Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<FrameError> for Failure {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::TooLong => Failure::Malformed,
            FrameError::Closed => Failure::Closed,
            FrameError::Io(error) if error.kind() == io::ErrorKind::ConnectionReset => Failure::Closed,
            FrameError::Io(error) => Failure::Socket(error),
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Malformed => Failure::Malformed,
            CallError::Refused { name, reason } if name == PROOF_NEEDED => Failure::ProofNeeded(reason),
            CallError::Refused { name, reason } => {
                match call::Fault::ALL.into_iter().find(|fault| fault.name() == name) {
                    Some(call::Fault::UnsupportedVersion) => Failure::OtherVersion,
                    Some(fault) => Failure::Refused(explained(fault)),
                    None => Failure::Refused(reason),
                }
            }
        }
    }
}

/// A fault says what the protocol made of the call; the person needs what to do.
fn explained(fault: call::Fault) -> String {
    match fault {
        call::Fault::PermissionDenied => {
            "mfad does not let you ask that. Ask as root, or become a member of the group mfad-admin"
                .to_owned()
        }
        call::Fault::InvalidParameter => {
            "mfad takes no such argument. Check how it is written: mfactl --help".to_owned()
        }
        call::Fault::MethodNotFound => {
            "this mfad cannot do that. Is it older than mfactl? After an update: systemctl restart mfad"
                .to_owned()
        }
        call::Fault::InvalidFrame | call::Fault::UnsupportedVersion | call::Fault::UnknownLogin => {
            format!("mfad refused: {fault}. Install mfad and mfactl from one release")
        }
    }
}

/// What the dialogue itself has not said yet.
fn not_proved(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Cancelled => "nothing was proved, so nothing was changed",
        Verdict::Locked => {
            "your codes are not looked at now. Wait a few minutes, or ask an administrator: mfactl user unlock"
        }
        Verdict::Unavailable => "mfad cannot ask for a proof now. Try again later, or ask an administrator",
        Verdict::Deny | Verdict::Unknown | Verdict::Allow | Verdict::Exempt => {
            "mfad did not take the proof, so nothing was changed. Try again, or ask an administrator"
        }
    }
}

fn unreachable(socket: &Path, cause: &io::Error) -> String {
    const START_IT: &str = "Start it: systemctl start mfad";
    let (fact, remedy) = match cause.kind() {
        io::ErrorKind::NotFound => ("no such file".to_owned(), START_IT),
        io::ErrorKind::ConnectionRefused => ("nothing listens there".to_owned(), START_IT),
        io::ErrorKind::PermissionDenied => {
            ("permission denied".to_owned(), "Check the modes of the socket and of the directories above it")
        }
        _ => (cause.to_string(), "Check --socket"),
    };
    format!("mfad does not answer on {} ({fact}). {remedy}", socket.display())
}

fn broken(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            format!("mfad did not answer within 30 seconds. {LOOK_AT_THE_LOG}")
        }
        _ => format!("the connection to mfad broke: {error}. {LOOK_AT_THE_LOG}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_in_seconds_and_not_as_an_errno() {
        let silent = Failure::from(FrameError::Io(io::ErrorKind::WouldBlock.into()));
        assert_eq!(
            silent.to_string(),
            "mfad did not answer within 30 seconds. Look at its log: journalctl -u mfad"
        );
        assert_eq!(silent.ending(), Ending::Unreachable);
    }

    #[test]
    fn every_fault_is_a_refusal_with_a_remedy() {
        for fault in call::Fault::ALL {
            let failure = Failure::from(CallError::Refused { name: fault.name().into(), reason: "x".into() });
            assert_eq!(failure.ending(), Ending::Refused, "{fault}");
            assert!(failure.to_string().contains(['.', '?']), "{failure}");
        }
    }
}
