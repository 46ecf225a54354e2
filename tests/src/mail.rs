//! Mail servers of a story, and the mails they took.

use std::io::Write;
use std::process::Stdio;

use serde::Deserialize;

use crate::binaries;
use crate::host::{free_port, path};
use crate::process::{Family, Running, bare};
use crate::wait::until;

/// The Python of the distribution: the one that `python3-aiosmtpd` is installed for.
pub const PYTHON: &str = "/usr/bin/python3";

/// A mail as a reader shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Mail {
    /// Decoded.
    pub subject: String,
    /// The header.
    pub from: String,
    /// The header.
    pub to: String,
    /// The text part.
    pub plain: String,
    /// The HTML part.
    pub html: String,
}

impl Mail {
    /// Decodes a message, headers and body.
    ///
    /// # Panics
    /// If it is not one.
    pub fn read(message: &[u8]) -> Self {
        let mut reader = bare(PYTHON)
            .arg(binaries::source("clients/read_mail.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        reader.stdin.take().expect("its input").write_all(message).expect("the message");
        let output = reader.wait_with_output().expect("its output");
        serde_json::from_slice(&output.stdout).expect("a decoded message")
    }

    /// The code: the one word of six to ten digits in the text part.
    ///
    /// # Panics
    /// If there is none, or more than one.
    pub fn code(&self) -> String {
        let is_code =
            |word: &&str| (6..=10).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
        let mut words: Vec<&str> = self.plain.split_whitespace().filter(is_code).collect();
        words.dedup();
        assert_eq!(words.len(), 1, "one code in {:?}", self.plain);
        words[0].to_owned()
    }
}

/// A code of the same length that is not this one.
pub fn wrong(code: &str) -> String {
    code.chars().map(|digit| if digit == '9' { '0' } else { char::from(digit as u8 + 1) }).collect()
}

/// A real SMTP server (aiosmtpd).
pub struct MailServer {
    running: Running,
    port: u16,
}

#[derive(Deserialize)]
struct Taken {
    data: String,
}

impl MailServer {
    /// One that takes every mail in clear text.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start() -> Self {
        MailServer::start_on(free_port(), &[])
    }

    /// One on this port; the options are those of `servers/smtp.py`.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_on(port: u16, options: &[&str]) -> Self {
        let (script, number) = (binaries::source("servers/smtp.py").display().to_string(), port.to_string());
        let mut arguments = vec![script.as_str(), "--port", &number];
        arguments.extend_from_slice(options);
        let mut running = Running::start("smtp", Family::Alone, PYTHON, &arguments);
        running.await_output(&format!("{port}\n"));
        MailServer { running, port }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How a configuration names it.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// What it printed: each mail with its envelope.
    pub fn log(&self) -> String {
        self.running.log()
    }

    /// How many mails it took.
    pub fn count(&self) -> usize {
        self.taken().len()
    }

    /// How many of them had a code; the others are news of changes.
    pub fn codes(&self) -> usize {
        let mails = self.taken().into_iter().map(|taken| Mail::read(taken.data.as_bytes()));
        mails.filter(|mail| mail.plain.contains("Your login code is")).count()
    }

    /// Waits for its n-th mail, from 1.
    ///
    /// # Panics
    /// If it does not come.
    pub fn await_mail(&self, number: usize) -> Mail {
        let taken =
            until(&format!("mail {number} at the SMTP server"), || self.taken().into_iter().nth(number - 1));
        Mail::read(taken.data.as_bytes())
    }

    /// Waits for the first mail that says this; news and codes come in any order.
    ///
    /// # Panics
    /// If it does not come.
    pub fn await_mail_about(&self, text: &str) -> Mail {
        until(&format!("a mail about {text:?} at the SMTP server"), || {
            let mails = self.taken().into_iter().map(|taken| Mail::read(taken.data.as_bytes()));
            mails.into_iter().find(|mail| mail.plain.contains(text))
        })
    }

    /// Waits for the n-th mail with a code, from 1.
    ///
    /// # Panics
    /// If it does not come.
    pub fn await_code(&self, number: usize) -> String {
        let found = until(&format!("code {number} at the SMTP server"), || {
            let mails = self.taken().into_iter().map(|taken| Mail::read(taken.data.as_bytes()));
            mails.filter(|mail| mail.plain.contains("Your login code is")).nth(number - 1)
        });
        found.code()
    }

    fn taken(&self) -> Vec<Taken> {
        self.running.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

/// Where a `maildir` courier leaves the mails of a story.
pub struct MailDirectory {
    per_user: String,
}

impl MailDirectory {
    /// An empty one.
    ///
    /// # Panics
    /// If it cannot be created.
    pub fn create() -> Self {
        let root = path("maildir");
        crate::namespace::directory(&root, 0o700);
        MailDirectory { per_user: format!("{}/$USER", root.display()) }
    }

    /// The pattern for the configuration.
    pub fn pattern(&self) -> &str {
        &self.per_user
    }

    /// How many mails somebody got.
    pub fn count(&self, user: &str) -> usize {
        files_of(&self.per_user.replace("$USER", user)).len()
    }

    /// Waits for somebody's n-th mail, from 1.
    ///
    /// # Panics
    /// If it does not come.
    pub fn await_mail(&self, user: &str, number: usize) -> Mail {
        await_file(&self.per_user.replace("$USER", user), number)
    }
}

/// Waits for the n-th message in a Maildir, from 1.
///
/// # Panics
/// If it does not come.
pub fn await_file(maildir: &str, number: usize) -> Mail {
    let what = format!("mail {number} in {maildir}");
    let file = until(&what, || files_of(maildir).into_iter().nth(number - 1));
    Mail::read(&std::fs::read(file).expect("a mail"))
}

/// Oldest first.
fn files_of(maildir: &str) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(format!("{maildir}/new")) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    files.into_iter().map(|(_, path)| path).collect()
}
