//! Why a verb brought no answer: for people, a fact and a remedy; for scripts, an exit status.

use std::io;
use std::path::{Path, PathBuf};

use protocol::call::{CallError, Fault};
use protocol::frame::FrameError;

use crate::Ending;

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
    /// The answer could not be printed.
    #[error("the answer could not be printed: {0}. Check where the output goes")]
    Output(io::Error),
}

impl Failure {
    /// The exit status that tells it to scripts.
    pub fn ending(&self) -> Ending {
        match self {
            Failure::Output(_) if self.is_quiet() => Ending::Done,
            Failure::Refused(_) | Failure::OtherVersion | Failure::RequestTooLong | Failure::Output(_) => {
                Ending::Refused
            }
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
            CallError::Refused { name, reason } => {
                match Fault::ALL.into_iter().find(|fault| fault.name() == name) {
                    Some(Fault::UnsupportedVersion) => Failure::OtherVersion,
                    Some(fault) => Failure::Refused(explained(fault)),
                    None => Failure::Refused(reason),
                }
            }
        }
    }
}

/// A fault says what the protocol made of the call; the person needs what to do.
fn explained(fault: Fault) -> String {
    match fault {
        Fault::PermissionDenied => {
            "mfad does not let you ask that. Ask as root, or become a member of the group mfad-admin"
                .to_owned()
        }
        Fault::InvalidParameter => {
            "mfad takes no such argument. Check how it is written: mfactl --help".to_owned()
        }
        Fault::MethodNotFound => {
            "this mfad cannot do that. Is it older than mfactl? After an update: systemctl restart mfad"
                .to_owned()
        }
        Fault::InvalidFrame | Fault::UnsupportedVersion | Fault::UnknownLogin => {
            format!("mfad refused: {fault}. Install mfad and mfactl from one release")
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
        for fault in Fault::ALL {
            let failure = Failure::from(CallError::Refused { name: fault.name().into(), reason: "x".into() });
            assert_eq!(failure.ending(), Ending::Refused, "{fault}");
            assert!(failure.to_string().contains(['.', '?']), "{failure}");
        }
    }
}
