//! How mail leaves the host: asked, written for mfad, put into effect, and tried by a test mail. What does not take mail is taken
//! out again.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use protocol::manage::{CheckConfig, Outcome, Reload, TestMail};
use serde::Serialize;

use super::Setup;
use super::fault::Fault;
use super::questions::Question;
use super::whole;
use crate::arguments::setup::Attendance;
use crate::connection::Connection;
use crate::failure::Failure;

const RELAY: Question = Question {
    flag: "relay",
    about: "how mail leaves this host",
    text: "How does mail leave this host? keep (as configured now), sendmail, or a URL as in smtps://user@mail.example.com",
};

const PASSWORD: Question = Question {
    flag: "relay-password-file",
    about: "the file with the relay's password",
    text: "The file with the password for the relay, which only root and the group mfad may read",
};

/// The name of the file, among those of the administrator.
const NAME: &str = "50-setup.toml";

/// What is left of it where the relay took no mail: mfad refuses a reload that a file vanished from.
const NOTHING: &str = "# mfactl setup tried a relay here, which took no mail.\n";

/// A configuration file with what is set here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Sections {
    email: Email,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Email {
    transport: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    smtp: Option<Smtp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Smtp {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_file: Option<PathBuf>,
}

/// How often somebody may try another relay.
const TRIES: usize = 5;

impl Setup<'_, '_> {
    /// Asks for a relay until one takes the test mail; where it was named by a flag, that one has to.
    ///
    /// # Errors
    /// [`Failure`]; the mail settings are as before then.
    pub(super) fn set_up_mail(&mut self, address: Option<&str>) -> Result<(), Failure> {
        let is_asked = self.wanted.relay.is_none() && self.questions.attendance() == Attendance::Asked;
        let mut left = if is_asked { TRIES } else { 1 };
        loop {
            left -= 1;
            match self.try_relay(address) {
                Err(failure @ Failure::Setup(_)) if left > 0 => self.told.failed("mail", failure.to_string()),
                ended => return ended,
            }
        }
    }

    fn try_relay(&mut self, address: Option<&str>) -> Result<(), Failure> {
        let written = match self.ask_for_a_relay()? {
            Some(sections) => Some(Written::now(&sections, &mut self.daemon)?),
            None => None,
        };
        let Some(address) = address else {
            self.told.warning("mail", "not tried, for lack of an address: --address");
            return Ok(());
        };
        let tried = self.send_a_test_mail(address);
        if tried.is_err()
            && let Some(written) = written
        {
            written.take_out(&mut self.daemon)?;
        }
        tried
    }

    /// What is to be configured; nothing if mail goes on leaving as it does.
    fn ask_for_a_relay(&mut self) -> Result<Option<Sections>, Failure> {
        let relay = self.questions.text(RELAY, self.wanted.relay.as_deref(), Some("keep"))?;
        let email = match relay.as_str() {
            "keep" => return Ok(None),
            "sendmail" => Email { transport: "sendmail", smtp: None },
            url if url.starts_with("smtp://") || url.starts_with("smtps://") => {
                let given = self.wanted.relay_password_file.as_ref().map(|path| path.display().to_string());
                let password_file = match url.contains('@') {
                    true => Some(self.questions.text(PASSWORD, given.as_deref(), None)?.into()),
                    false => None,
                };
                Email { transport: "smtp", smtp: Some(Smtp { url: relay, password_file }) }
            }
            _ => return Err(Fault::Relay("that is no way for mail to leave").into()),
        };
        Ok(Some(Sections { email }))
    }

    fn send_a_test_mail(&mut self, address: &str) -> Result<(), Failure> {
        let mut last = None;
        self.daemon.stream(&TestMail { address: address.to_owned() }, |step| {
            last = Some(step.finding);
            Ok(())
        })?;
        match last {
            Some(end) if end.outcome != Outcome::Failed => {
                self.told.well("mail", format!("a test mail to {address} was {}", end.detail));
                Ok(())
            }
            end => {
                self.told.failed("mail", end.map(|end| end.detail).unwrap_or_default());
                Err(Fault::NoMail(address.to_owned()).into())
            }
        }
    }
}

/// A file that is in effect.
struct Written {
    path: PathBuf,
    before: Option<String>,
}

impl Written {
    /// Writes the file, and puts it into effect.
    fn now(sections: &Sections, daemon: &mut Connection) -> Result<Self, Failure> {
        let path = place(daemon)?;
        let before = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            read => Some(read.map_err(Fault::file(&path))?),
        };
        let settings =
            toml::to_string(sections).map_err(|error| Fault::file(&path)(io::Error::other(error)))?;
        let text = format!("# Written by mfactl setup.\n\n{settings}");
        whole::write(&path, &text, 0o644).map_err(Fault::file(&path))?;
        let written = Written { path, before };
        match daemon.call(&Reload {}) {
            Ok(_) => Ok(written),
            Err(failure) => {
                written.restore()?;
                Err(failure)
            }
        }
    }

    /// As it was before it was in effect.
    fn restore(&self) -> Result<(), Failure> {
        let restored = match &self.before {
            Some(text) => whole::write(&self.path, text, 0o644),
            None => fs::remove_file(&self.path),
        };
        Ok(restored.map_err(Fault::file(&self.path))?)
    }

    /// As it was, after it was in effect.
    fn take_out(&self, daemon: &mut Connection) -> Result<(), Failure> {
        let text = self.before.as_deref().unwrap_or(NOTHING);
        whole::write(&self.path, text, 0o644).map_err(Fault::file(&self.path))?;
        daemon.call(&Reload {}).map(drop)
    }
}

/// Beside the daemon's own file, wherever it reads that from, if that is root's alone: what the daemon says is not believed, for it
/// is not root.
fn place(daemon: &mut Connection) -> Result<PathBuf, Failure> {
    let files = daemon.call(&CheckConfig {})?.files;
    let main = PathBuf::from(files.first().map_or("/etc/mfad/mfad.toml", String::as_str));
    let parent = main.parent().filter(|parent| parent.is_absolute() && are_roots(parent));
    let directory = parent.ok_or_else(|| Fault::NotRoots(main.clone()))?.join("conf.d");
    if !directory.exists() {
        fs::create_dir(&directory).map_err(Fault::file(&directory))?;
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&directory, open).map_err(Fault::file(&directory))?;
    }
    let path = directory.join(NAME);
    let is_other = fs::symlink_metadata(&path).is_ok_and(|it| !it.is_file());
    if is_other || !are_roots(&directory) { Err(Fault::NotRoots(path).into()) } else { Ok(path) }
}

/// Whether nobody but root can change what these names mean.
fn are_roots(directory: &Path) -> bool {
    let is_roots = |path: &Path| {
        fs::symlink_metadata(path).is_ok_and(|it| it.is_dir() && it.uid() == 0 && it.mode() & 0o022 == 0)
    };
    directory.ancestors().all(is_roots)
}
