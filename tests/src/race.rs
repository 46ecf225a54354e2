//! Many PAM conversations of one user at the same moment, held by a small C program that speaks to libpam itself.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Stdio};

use serde::Deserialize;

use crate::binaries;
use crate::host::{FirstFactor, Host, Person, path};
use crate::process::{bare, run};

/// The PAM service of these conversations: the module alone, no password first.
pub const SERVICE: &str = "race";

/// What libpam answers when somebody is let in.
pub const PAM_SUCCESS: i32 = 0;

/// Conversations that have been asked, or have ended, and wait for their answers.
pub struct Race {
    driver: Child,
    output: BufReader<ChildStdout>,
}

/// How one conversation ended.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Outcome {
    /// The return code of `pam_authenticate`.
    pub code: i32,
    /// How often it was asked.
    pub prompts: u32,
    /// How often it was told of a wrong code.
    pub wrong: u32,
}

impl Race {
    /// Begins so many conversations; [`Race::await_prompts`] waits for their prompts.
    ///
    /// # Panics
    /// If the driver cannot be compiled or started.
    pub fn begin(host: &Host, person: &Person, count: usize) -> Self {
        let program = path("race");
        if !program.exists() {
            host.stack(SERVICE, FirstFactor::Elsewhere);
            let (source, target) =
                (binaries::source("drivers/race.c").display().to_string(), program.display().to_string());
            let arguments = ["-O1", "-Wall", "-Werror", "-pthread", "-o", &target, &source, "-lpam"];
            run("cc", &arguments).expect_success("cc");
        }
        let mut command = bare("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).args([
            SERVICE,
            &person.name,
            &count.to_string(),
        ]);
        let mut driver = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the driver");
        let output = BufReader::new(driver.stdout.take().expect("its output"));
        Race { driver, output }
    }

    /// Waits until every conversation is at its first prompt or has ended; returns how many are asked.
    ///
    /// # Panics
    /// If the driver fails.
    pub fn await_prompts(&mut self) -> usize {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the driver's word");
        let count = line.strip_prefix("asked ").unwrap_or_else(|| panic!("the driver said {line:?}"));
        count.trim().parse().expect("a count")
    }

    /// Lets all answer at once: a single answer is given once by each, of several each takes one after the other.
    ///
    /// # Panics
    /// If the driver is gone.
    pub fn answer(&mut self, answers: &[String]) {
        let mut line = answers.join(" ");
        line.push('\n');
        self.driver.stdin.as_mut().expect("its input").write_all(line.as_bytes()).expect("the driver");
    }

    /// Waits until every conversation has ended.
    ///
    /// # Panics
    /// If the driver fails.
    pub fn outcomes(mut self) -> Vec<Outcome> {
        let lines = (&mut self.output).lines().map(|line| line.expect("the driver's word"));
        let outcomes = lines.map(|line| serde_json::from_str(&line).expect("an outcome")).collect();
        assert!(self.driver.wait().expect("its end").success(), "the driver failed");
        outcomes
    }
}

impl Drop for Race {
    fn drop(&mut self) {
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}
