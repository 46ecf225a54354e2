//! What to examine.

use std::path::PathBuf;

use clap::Args;

/// A host to examine.
#[derive(Debug, Args)]
pub struct Examination {
    /// Examine the image of a host in this directory, without its daemon
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}
