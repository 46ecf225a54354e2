//! The command line of mfad. Everything is in the library; see its map.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use mfactl::arguments::Arguments;

fn main() -> ExitCode {
    mfactl::run(&Arguments::parse()).into()
}
