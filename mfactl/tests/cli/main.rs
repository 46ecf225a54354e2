//! The built mfactl against a scripted daemon on a real socket: what it asks, what it prints, how it ends.

#![forbid(unsafe_code)]

mod daemon;
mod failures;
mod hostile;
mod reports;
mod streams;
mod usage;
mod user;
