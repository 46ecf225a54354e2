//! The guides, carried out as they stand: each command of root and of people, each file, each login, on a throw-away host
//! that is as the packages leave it.
//!
//! Break it: change a command, a line of a file or of a transcript in docs/guide.

mod daily;
mod locked_out;
mod moving;
mod switching;
mod words;
