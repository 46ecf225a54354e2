//! The configuration as an administrator meets it: files on a disk, and what mfad makes of them.

mod faults;
mod files;
mod good;
mod hooks;
mod manual;
mod matching;
mod messages;
mod mutants;
mod rules;
mod samples;
mod scratch;
