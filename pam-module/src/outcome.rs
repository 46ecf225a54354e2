//! How a login can end, and the one table from that to what PAM is told. Nothing but a verdict of the daemon opens.

use ::pam::constants::PamResultCode;
use protocol::login::Verdict;

/// Why there is no verdict. The text is for the administrator's log: a fact, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The operator's fault.
    #[error(
        "bad argument {0:?}: known are socket=/PATH, timeout=SECONDS (1 to 300), append=split or append=verify, \
         and debug, each once. Correct the PAM line"
    )]
    BadOption(String),
    /// Nobody answers at the socket.
    #[error(
        "mfad cannot be reached: {0}. Try `systemctl status mfad.socket mfad`, and compare socket= with its path"
    )]
    Unreachable(String),
    /// The daemon took longer than `timeout` in this login.
    #[error(
        "mfad did not answer within {0} s. `journalctl -u mfad` says what holds it; timeout= allows more"
    )]
    Deadline(u64),
    /// The connection ended before the reply. The dialogue opens another one.
    #[error("mfad closed the connection. `journalctl -u mfad` says why")]
    Lost,
    /// The socket may be somebody else's.
    #[error(
        "refused to talk to the socket: {0}. Only root may own it, and mfad or root serve it: find out who did"
    )]
    Foreign(String),
    /// The peer does not speak the protocol.
    #[error("mfad sent {0}. Are pam_mfad.so and mfad of the same release?")]
    Malformed(&'static str),
    /// The daemon answered with an error.
    #[error("mfad refused the call: {reason} ({name}). `journalctl -u mfad` has the cause")]
    Refused {
        /// The error's name on the wire.
        name: String,
        /// The daemon's sentence.
        reason: String,
    },
    /// The daemon asked without end.
    #[error("mfad did not come to an end in one login. Report this with `journalctl -u mfad`")]
    Endless,
    /// The person, or the program, is gone.
    #[error("the conversation ended before an answer")]
    HangUp,
    /// The program answers for itself, and no code came along with the password.
    #[error(
        "nobody can be asked for a code: the program can ask for one text only, as sshd does with \
         PasswordAuthentication. Let it use keyboard-interactive, or let people type the code behind the password: \
         append=split before the password's line and append=verify on this one"
    )]
    Blind,
    /// libpam did not keep or give what one line leaves to the other.
    #[error("libpam failed to keep the password or the code: {0:?}")]
    Pam(PamResultCode),
    /// No user name, or one that no account can have.
    #[error("PAM names no user, or one that is not text")]
    NoUser,
    /// The verdict is about somebody else.
    #[error("PAM_USER changed while the second factor was asked. Find the module or program that changes it")]
    UserChanged,
}

/// syslog(3)'s levels that the module uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    /// LOG_ALERT: somebody may be cheating.
    Alert = 1,
    /// LOG_ERR.
    Error = 3,
    /// LOG_NOTICE: an everyday event.
    Notice = 5,
    /// LOG_DEBUG.
    Debug = 7,
}

impl Failure {
    /// What PAM is told, and how loudly the log.
    fn row(&self) -> (PamResultCode, Priority) {
        use PamResultCode as Code;
        match self {
            Failure::BadOption(_) => (Code::PAM_SERVICE_ERR, Priority::Error),
            Failure::Unreachable(_) | Failure::Deadline(_) | Failure::Lost => {
                (Code::PAM_AUTHINFO_UNAVAIL, Priority::Error)
            }
            Failure::Foreign(_) | Failure::Malformed(_) | Failure::Endless | Failure::UserChanged => {
                (Code::PAM_SYSTEM_ERR, Priority::Alert)
            }
            Failure::Refused { .. } => (Code::PAM_SYSTEM_ERR, Priority::Error),
            Failure::Pam(_) => (Code::PAM_SYSTEM_ERR, Priority::Error),
            Failure::Blind => (Code::PAM_AUTH_ERR, Priority::Error),
            Failure::HangUp => (Code::PAM_CONV_ERR, Priority::Notice),
            Failure::NoUser => (Code::PAM_USER_UNKNOWN, Priority::Notice),
        }
    }

    /// How loudly the log is told.
    pub(crate) fn priority(&self) -> Priority {
        self.row().1
    }
}

/// True if the stack goes on towards an open door.
pub(crate) fn opens(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Allow | Verdict::Exempt)
}

/// What a line of the stack has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// Taken the code off the password.
    Split,
    /// Asked the daemon.
    Decided(Verdict),
}

/// What PAM is told.
pub(crate) fn code(outcome: &Result<Done, Failure>, service: &str) -> PamResultCode {
    match outcome {
        Err(failure) => failure.row().0,
        // It decides nothing: it must not count as a success where the other lines are ignored.
        Ok(Done::Split) => PamResultCode::PAM_IGNORE,
        Ok(Done::Decided(verdict)) => code_of(*verdict, service),
    }
}

fn code_of(verdict: Verdict, service: &str) -> PamResultCode {
    match verdict {
        Verdict::Allow => PamResultCode::PAM_SUCCESS,
        Verdict::Exempt => PamResultCode::PAM_IGNORE,
        Verdict::Deny => PamResultCode::PAM_AUTH_ERR,
        Verdict::Unknown => PamResultCode::PAM_USER_UNKNOWN,
        // sudo asks again after MAXTRIES and stops at ABORT; sshd and login do the reverse.
        Verdict::Locked if service.starts_with("sudo") => PamResultCode::PAM_ABORT,
        Verdict::Locked => PamResultCode::PAM_MAXTRIES,
        Verdict::Unavailable => PamResultCode::PAM_AUTHINFO_UNAVAIL,
        Verdict::Cancelled => PamResultCode::PAM_CONV_ERR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_its_code() {
        let table = [
            (Verdict::Allow, PamResultCode::PAM_SUCCESS, PamResultCode::PAM_SUCCESS),
            (Verdict::Exempt, PamResultCode::PAM_IGNORE, PamResultCode::PAM_IGNORE),
            (Verdict::Deny, PamResultCode::PAM_AUTH_ERR, PamResultCode::PAM_AUTH_ERR),
            (Verdict::Unknown, PamResultCode::PAM_USER_UNKNOWN, PamResultCode::PAM_USER_UNKNOWN),
            (Verdict::Locked, PamResultCode::PAM_MAXTRIES, PamResultCode::PAM_ABORT),
            (Verdict::Unavailable, PamResultCode::PAM_AUTHINFO_UNAVAIL, PamResultCode::PAM_AUTHINFO_UNAVAIL),
            (Verdict::Cancelled, PamResultCode::PAM_CONV_ERR, PamResultCode::PAM_CONV_ERR),
        ];
        assert_eq!(table.iter().map(|row| row.0).collect::<Vec<_>>(), Verdict::ALL);
        for (verdict, elsewhere, under_sudo) in table {
            for service in ["sshd", "login", "su", "", "visudo"] {
                assert_eq!(
                    code(&Ok(Done::Decided(verdict)), service),
                    elsewhere,
                    "{verdict:?} for {service:?}"
                );
            }
            for service in ["sudo", "sudo-i", "sudo-rs"] {
                assert_eq!(
                    code(&Ok(Done::Decided(verdict)), service),
                    under_sudo,
                    "{verdict:?} for {service:?}"
                );
            }
            let passes = matches!(elsewhere, PamResultCode::PAM_SUCCESS | PamResultCode::PAM_IGNORE);
            assert_eq!(opens(verdict), passes, "{verdict:?}");
        }
    }

    #[test]
    fn no_failure_opens_and_each_says_what_to_do() {
        let text = || "text".to_owned();
        let table = [
            (Failure::BadOption(text()), PamResultCode::PAM_SERVICE_ERR),
            (Failure::Unreachable(text()), PamResultCode::PAM_AUTHINFO_UNAVAIL),
            (Failure::Deadline(30), PamResultCode::PAM_AUTHINFO_UNAVAIL),
            (Failure::Lost, PamResultCode::PAM_AUTHINFO_UNAVAIL),
            (Failure::Foreign(text()), PamResultCode::PAM_SYSTEM_ERR),
            (Failure::Malformed("text"), PamResultCode::PAM_SYSTEM_ERR),
            (Failure::Refused { name: text(), reason: text() }, PamResultCode::PAM_SYSTEM_ERR),
            (Failure::Endless, PamResultCode::PAM_SYSTEM_ERR),
            (Failure::UserChanged, PamResultCode::PAM_SYSTEM_ERR),
            (Failure::Blind, PamResultCode::PAM_AUTH_ERR),
            (Failure::Pam(PamResultCode::PAM_BUF_ERR), PamResultCode::PAM_SYSTEM_ERR),
            (Failure::HangUp, PamResultCode::PAM_CONV_ERR),
            (Failure::NoUser, PamResultCode::PAM_USER_UNKNOWN),
        ];
        for (failure, expected) in table {
            let everyday = failure.priority() == Priority::Notice;
            assert!(everyday || failure.to_string().contains(['.', '?', ':']), "{failure}");
            assert_eq!(code(&Err(failure), "sudo"), expected);
        }
    }

    #[test]
    fn splitting_counts_for_nothing() {
        for service in ["sshd", "sudo"] {
            assert_eq!(code(&Ok(Done::Split), service), PamResultCode::PAM_IGNORE);
        }
    }
}
