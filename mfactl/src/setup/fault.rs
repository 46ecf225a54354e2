//! Why setup stopped, or could not go back: a fact and a remedy.

use std::io;
use std::path::PathBuf;

use super::{ssh_lines, way_back};

/// Why setup stopped.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Others may not change PAM.
    #[error("setup changes PAM and sshd, which only root may. Run: sudo mfactl setup")]
    NotRoot,
    /// A question, and nobody to answer it.
    #[error("{question} is not answered, and nobody may be asked. Say --{flag}")]
    Unanswered {
        /// What was to be known.
        question: &'static str,
        /// The flag that answers it.
        flag: &'static str,
    },
    /// What was typed is no answer, again and again.
    #[error("{0:?} is no answer to that. Start again, or use the flags: mfactl setup --help")]
    NoAnswer(String),
    /// There is a way back already.
    #[error("setup was run here before ({}). Take it back first: mfactl setup --undo", way_back::FILE)]
    AlreadySetUp,
    /// There is nothing to take back.
    #[error(
        "setup has switched nothing on here ({} is not there). By hand: pam-auth-update --disable mfad, or take the lines with \
         pam_mfad.so out of /etc/pam.d",
        way_back::FILE
    )]
    NothingToTakeBack,
    /// Somebody's line is in a stack.
    #[error(
        "these services ask for a code already: {0}. Take their lines with pam_mfad.so out first; setup switches all on at once"
    )]
    AlreadyOn(String),
    /// Nothing here edits stacks.
    #[error(
        "neither pam-auth-update with its profile mfad nor authselect with a profile of its own is in use here. Install \
         libpam-mfad or pam_mfad, or write the lines by hand: docs/guide"
    )]
    NoSwitch,
    /// Nobody knows what would get lost.
    #[error(
        "authselect has the profile {0:?}, which no profile of mfad stands in for. Add the lines to a profile of your own: \
         docs/guide/switch-on-rhel.md"
    )]
    OtherProfile(String),
    /// Somebody's lines are where those of setup would be.
    #[error("{} is there, and not by setup. Write the lines into it, or move it away", ssh_lines::FILE)]
    LinesInTheWay,
    /// It said yes, and nothing changed.
    #[error(
        "{0} left /etc/pam.d as it is: the files were edited by hand. Let it write them anew, or add the lines by hand: \
         docs/guide"
    )]
    LeftAlone(&'static str),
    /// A program failed.
    #[error("{program} failed: {said}. Run it by hand to see why")]
    Program {
        /// Which.
        program: String,
        /// The end of what it said.
        said: String,
    },
    /// A file could not be read or written.
    #[error("{}: {cause}. Mend that, and start again", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// The relay takes no mail.
    #[error("the test mail did not go out, so the mail settings are as before. Try: mfactl test mail {0}")]
    NoMail(String),
    /// A relay that wants a password, which is nowhere.
    #[error("{0}. Write --relay keep, sendmail, smtp://HOST or smtps://USER@HOST")]
    Relay(&'static str),
    /// The administrator has nothing to prove a login with.
    #[error(
        "{0} has no factor that works. Choose --factor email with --address, or first: mfactl enrol totp --user {0}"
    )]
    NoFactor(String),
    /// The doctor found that it would not be well.
    #[error(
        "switched on like this, somebody would get around the code or nobody would get in: see above. Mend it, or --accept FINDING"
    )]
    Unwell,
    /// Root would stay outside.
    #[error(
        "root would be refused by {service}: {outcome}. Give root a factor first: mfactl enrol totp --user root"
    )]
    RootRefused {
        /// The service.
        service: &'static str,
        /// What mfad says of it.
        outcome: String,
    },
    /// Nobody could log in like this, whatever mfad did.
    #[error("{user} cannot log in by {door} with a password: {why}. Choose another --user or --trial")]
    NoWay {
        /// The administrator.
        user: String,
        /// The door.
        door: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// The daemon names a place for its files that root does not write to.
    #[error("mfad reads its configuration beside {}, which is not root's alone. Mend its owner and mode", .0.display())]
    NotRoots(PathBuf),
    /// Not everything was taken back.
    #[error("not everything was taken back: {0}. Mend that, and run it again")]
    Unfinished(String),
    /// The trial did not end as it had to.
    #[error("{0}. Nothing was switched on")]
    Trial(&'static str),
    /// It was on, and was taken back.
    #[error("{0}. What had been switched on was taken back")]
    TakenBack(String),
}

impl Fault {
    /// A file that could not be read or written.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Fault {
        let path = path.into();
        move |cause| Fault::File { path, cause }
    }
}
