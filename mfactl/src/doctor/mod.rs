//! The host's own files, as those read them who act on them.
//!
//! - [`host`]: where files are.  [`pam`]: stacks, as libpam reads and runs them.

pub mod host;
pub mod pam;
