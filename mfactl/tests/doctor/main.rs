//! The doctor beside the real libpam: what it says of a stack, and what libpam does with it, never differ.
//!
//! - [`libpam`]: libpam with probes in the place of modules.  [`predicted`]: the same by the doctor.
//! - [`generated`]: thousands of stacks made up.

mod generated;
mod libpam;
mod predicted;
