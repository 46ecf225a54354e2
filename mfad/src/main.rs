//! mfad: parse, load, run.

use std::process::ExitCode;

use clap::Parser;
use mfad::arguments::Arguments;

fn main() -> ExitCode {
    mfad::start(&Arguments::parse())
}
