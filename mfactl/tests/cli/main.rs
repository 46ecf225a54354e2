//! The built mfactl against a scripted daemon on a real socket: what it asks, what it prints, how it ends.

#![forbid(unsafe_code)]

mod administration;
mod backup;
mod daemon;
mod doctor;
mod enrol;
mod factors;
mod failures;
mod hostile;
mod import;
mod policy;
mod proof;
mod reports;
mod streams;
mod usage;
mod user;
