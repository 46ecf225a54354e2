//! PAM stacks as libpam reads and runs them. Nothing here knows files of mfad, sshd or a host; what is read comes
//! through [`Library`].
//!
//! - [`code`]: what modules return.  [`control`]: what a line makes of it.
//! - [`text`]: lines and tokens.  [`library`]: a service with what it includes, as one [`Stack`].
//! - [`dispatch`]: a stack run, call by call.
//! - [`modules`]: what is known of each module.  [`ways`]: every way through a stack.

pub mod code;
pub mod control;
pub mod dispatch;
pub mod library;
pub mod modules;
pub mod text;
pub mod ways;

use std::path::PathBuf;

pub use code::Code;
pub use control::{Action, Control};
pub use library::Library;

/// Where a line stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as libpam opens it.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u32,
}

/// What libpam does at one step of a stack (`struct handler` in libpam's pam_private.h).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handler {
    /// Calls a module.
    Module {
        /// As the line names it.
        path: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// Nothing is called: the line is malformed, and counts as PAM_PERM_DENIED.
    MustFail,
    /// A substack begins.
    Substack,
}

/// One step of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where its line stands.
    pub place: Place,
    /// How many substacks it is inside of.
    pub level: usize,
    /// What becomes of each code.
    pub control: Control,
    /// What is done.
    pub handler: Handler,
}

/// The `auth` lines of a service in order, those of included files in their place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stack {
    /// The steps.
    pub entries: Vec<Entry>,
}

/// Why libpam refuses everything that a service asks for, or does what nobody can tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Neither the service nor "other" has a file.
    #[error("there is no file for it, nor one named other")]
    NoFile,
    /// The last line of a file goes on, and the file ends.
    #[error("{}: the file ends in a backslash, or a line is too long", .0.display())]
    Unfinished(PathBuf),
    /// What `@include` names cannot be read.
    #[error("{}:{}: what it includes cannot be read", .0.file.display(), .0.line)]
    NoInclude(Place),
    /// The same within a file that is included for one type: libpam's own control for it is not set to anything.
    #[error("{}:{}: what it includes cannot be read, and what libpam does then is undefined", .0.file.display(), .0.line)]
    Undefined(Place),
}
