//! The doctor beside the real libpam: what it says of a stack, and what libpam does with it, never differ.
//!
//! - [`libpam`]: libpam with probes in the place of modules.  [`predicted`]: the same by the doctor.
//! - [`generated`]: thousands of stacks made up.  [`corpus`]: sound and broken ones, each with what must be found.
//! - [`stock`]: those of distributions, on which nothing must be found.  [`host`]: whole hosts in a directory.

mod claims;
mod corpus;
mod generated;
mod host;
mod libpam;
mod predicted;
mod stock;
