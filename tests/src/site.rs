//! The usual cast of a story: a mail server, mfad, sshd, and Anna, who has a second factor.

use crate::daemon::{Mfad, Settings};
use crate::host::{Host, PASSWORD, Person};
use crate::mail::{MailServer, wrong};
use crate::sshd::{INSIDE, Methods, Sshd};
use crate::terminal::Terminal;

/// How every prompt for a code ends.
pub const CODE_PROMPT: &str = "code: ";

/// What a story needs unless it is about something else.
pub struct Site {
    /// Takes the mails.
    pub mail: MailServer,
    /// The daemon.
    pub mfad: Mfad,
    /// The door.
    pub sshd: Sshd,
    /// Enrolled, with an address.
    pub anna: Person,
}

impl Site {
    /// Password and code over SSH.
    ///
    /// # Panics
    /// If a part does not start.
    pub fn on(host: &Host) -> Self {
        Site::with(host, Methods::KeyboardInteractive, |settings| settings)
    }

    /// As [`Site::on`], with another way in and other settings.
    ///
    /// # Panics
    /// If a part does not start.
    pub fn with(host: &Host, methods: Methods, change: impl FnOnce(Settings) -> Settings) -> Self {
        let mail = MailServer::start();
        let mfad = Mfad::start(host, &change(Settings::smtp(&mail)));
        let anna = host.person("anna");
        mfad.enrol(&anna);
        let sshd = Sshd::start(host, methods);
        Site { mail, mfad, sshd, anna }
    }

    /// Anna at the prompt for the code, her password given.
    ///
    /// # Panics
    /// If she does not get there.
    pub fn anna_is_asked(&self) -> Terminal {
        let mut terminal = self.sshd.connect(&self.anna);
        give_password(&mut terminal);
        terminal.expect(CODE_PROMPT);
        terminal
    }

    /// One login of hers with a right code, then one with three wrong ones: the first two mails of the site.
    ///
    /// # Panics
    /// If they do not end so.
    pub fn anna_gets_in_and_is_kept_out(&self) {
        let mut right = self.anna_is_asked();
        right.type_line(&self.mail.await_mail(1).code());
        expect_inside(&mut right, &self.anna);
        let mut guessing = self.anna_is_asked();
        let guess = wrong(&self.mail.await_mail(2).code());
        for _ in 0..2 {
            guessing.type_line(&guess);
            guessing.expect(CODE_PROMPT);
        }
        guessing.type_line(&guess);
        expect_outside(&mut guessing);
    }
}

/// Answers the prompt for the password.
///
/// # Panics
/// If it does not come.
pub fn give_password(terminal: &mut Terminal) {
    terminal.expect("assword");
    terminal.expect(": ");
    terminal.type_line(PASSWORD);
}

/// Waits until the login succeeds and ends.
///
/// # Panics
/// If it does not.
pub fn expect_inside(terminal: &mut Terminal, person: &Person) {
    terminal.expect(&format!("{INSIDE}{}", person.name));
    let (status, transcript) = terminal.await_end();
    assert!(status.success(), "the client ended with {status}:\n{transcript}");
}

/// Waits for the end of a login that must have failed; returns what was shown.
///
/// # Panics
/// If it succeeded.
pub fn expect_outside(terminal: &mut Terminal) -> String {
    let (status, transcript) = terminal.await_end();
    assert!(!status.success(), "this login had to fail:\n{transcript}");
    assert!(!transcript.contains(INSIDE), "this login had to fail:\n{transcript}");
    transcript
}
