//! The way back: what was switched on and written, kept before it is done, and taken back. It needs no daemon.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::ssh_lines;
use super::switch::Switch;
use super::told::Told;
use super::whole;
use crate::doctor;
use crate::doctor::host::Host;

/// Where it is kept. Only root writes there.
pub const FILE: &str = "/etc/mfad/setup.json";

/// What setup does to the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayBack {
    /// How PAM is switched on.
    pub switch: Switch,
    /// What is written for sshd, if anything.
    pub sshd: Option<String>,
}

impl WayBack {
    /// Whether there is one.
    pub fn exists() -> bool {
        Path::new(FILE).exists()
    }

    /// Keeps it. It is on disk when this returns: whoever is cut off in the next step can go back.
    ///
    /// # Errors
    /// [`Fault::File`].
    pub fn keep(&self) -> Result<(), Fault> {
        let text = serde_json::to_string(self).map_err(|error| Fault::file(FILE)(error.into()))?;
        whole::write(Path::new(FILE), &format!("{text}\n"), 0o600).map_err(Fault::file(FILE))
    }

    fn kept() -> Result<Self, Fault> {
        let text = match fs::read_to_string(FILE) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Fault::NothingToTakeBack),
            read => read.map_err(Fault::file(FILE))?,
        };
        let kept = serde_json::from_str(&text);
        // Where the file is damaged the profile of the distribution's own tool can still be taken out.
        kept.or_else(|error| match Switch::of_host() {
            Ok(Switch::PamAuthUpdate) => Ok(WayBack { switch: Switch::PamAuthUpdate, sshd: None }),
            _ => Err(Fault::file(FILE)(error.into())),
        })
    }
}

/// Takes back what was kept: PAM first, for it is what keeps people out. What fails does not keep the rest from being tried.
///
/// # Errors
/// [`Fault`]; what is not taken back yet stays kept.
pub fn take_back(told: &mut Told<'_>) -> Result<(), Fault> {
    let kept = WayBack::kept()?;
    let pam = kept.switch.off().and_then(|()| match doctor::asking(&Host::running()).is_empty() {
        true => Ok(()),
        false => Err(Fault::LeftAlone(kept.switch.program())),
    });
    if pam.is_ok() {
        told.well("pam", format!("switched off by {}", kept.switch.program()));
    }
    let sshd = match &kept.sshd {
        Some(lines) => ssh_lines::remove(lines, told),
        None => {
            if Path::new(ssh_lines::FILE).exists() {
                told.warning("sshd", format!("{} is there, and stays", ssh_lines::FILE));
            }
            Ok(())
        }
    };
    let faults: Vec<String> =
        [pam.err(), sshd.err()].into_iter().flatten().map(|fault| fault.to_string()).collect();
    if !faults.is_empty() {
        return Err(Fault::Unfinished(faults.join("; ")));
    }
    fs::remove_file(FILE).map_err(Fault::file(FILE))?;
    told.well("kept", "mail settings and enrolments are as they are: nobody is asked any more");
    Ok(())
}
