//! How PAM is switched on here: by pam-auth-update on Debian and Ubuntu, by authselect on Fedora and RHEL.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::program;
use super::rehearsal::Rehearsal;

const PAM_AUTH_UPDATE: &str = "/usr/sbin/pam-auth-update";

/// What pam-auth-update knows mfad by.
const DEBIAN_PROFILE: &str = "/usr/share/pam-configs/mfad";

const AUTHSELECT: &str = "/usr/bin/authselect";

/// Where the profiles of the package lie.
const VENDOR_PROFILES: &str = "/usr/share/authselect/vendor";

/// Features that the profiles of the package have as well.
const FEATURES: [&str; 3] = ["with-faillock", "with-mkhomedir", "without-nullok"];

/// Which profile of ours stands in for which. Others, winbind's for one, have people whom ours do not know.
const PROFILES: [(&str, &str); 3] = [("local", "mfad"), ("minimal", "mfad"), ("sssd", "mfad-sssd")];

/// How long another run of the same program may take: apt's, for one.
const BUSY: Duration = Duration::from_secs(30);

/// How PAM is switched on here, and what there was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// By a profile among others.
    PamAuthUpdate,
    /// By a profile in the place of this one, with its features.
    Authselect {
        /// The words behind "authselect select".
        before: Vec<String>,
    },
}

/// Where it is switched.
#[derive(Clone, Copy)]
pub enum Stage<'a> {
    /// On this host.
    Host,
    /// Where nobody sees it.
    Rehearsal(&'a Rehearsal),
}

impl Stage<'_> {
    fn run(self, words: &[&str]) -> Result<String, Fault> {
        match self {
            Stage::Host => program::run(words),
            Stage::Rehearsal(rehearsal) => rehearsal.run(words),
        }
    }
}

impl Switch {
    /// How it is done on this host.
    ///
    /// # Errors
    /// [`Fault::NoSwitch`] if nothing here does it.
    pub fn of_host() -> Result<Self, Fault> {
        if Path::new(PAM_AUTH_UPDATE).exists() && Path::new(DEBIAN_PROFILE).exists() {
            return Ok(Switch::PamAuthUpdate);
        }
        if !Path::new(AUTHSELECT).exists() {
            return Err(Fault::NoSwitch);
        }
        let before = current()?;
        let switch = Switch::Authselect { before };
        let profile = Path::new(VENDOR_PROFILES).join(switch.profile()?);
        if profile.is_dir() { Ok(switch) } else { Err(Fault::NoSwitch) }
    }

    /// What does it.
    pub fn program(&self) -> &'static str {
        match self {
            Switch::PamAuthUpdate => "pam-auth-update",
            Switch::Authselect { .. } => "authselect",
        }
    }

    /// Switches on.
    ///
    /// # Errors
    /// [`Fault::Program`]. That it was done is for the doctor to say: pam-auth-update says yes when it left files alone.
    pub fn on(&self, stage: Stage<'_>) -> Result<(), Fault> {
        stage.run(&self.words_on()?).map(drop)
    }

    fn words_on(&self) -> Result<Vec<&str>, Fault> {
        match self {
            Switch::PamAuthUpdate => Ok(vec![PAM_AUTH_UPDATE, "--enable", "mfad"]),
            Switch::Authselect { before } => {
                let kept = before.iter().map(String::as_str).filter(|feature| FEATURES.contains(feature));
                Ok([AUTHSELECT, "select", self.profile()?].into_iter().chain(kept).collect())
            }
        }
    }

    /// Switches back. Where setup was killed, what it had started may still be at it, and keeps others out.
    ///
    /// # Errors
    /// [`Fault::Program`].
    pub fn off(&self) -> Result<(), Fault> {
        let start = Instant::now();
        loop {
            match self.try_off() {
                Err(_) if start.elapsed() < BUSY => thread::sleep(Duration::from_millis(200)),
                ended => return ended,
            }
        }
    }

    fn try_off(&self) -> Result<(), Fault> {
        match self {
            Switch::PamAuthUpdate => program::run(&[PAM_AUTH_UPDATE, "--disable", "mfad"]).map(drop),
            // Somebody may have chosen another one since.
            Switch::Authselect { .. } if current()?.first().map(String::as_str) != Some(self.profile()?) => {
                Ok(())
            }
            Switch::Authselect { before } => {
                let words = [AUTHSELECT, "select"].into_iter().chain(before.iter().map(String::as_str));
                program::run(&words.collect::<Vec<_>>()).map(drop)
            }
        }
    }

    /// What there is now, and would not be any more: features that our profiles do not have.
    pub fn lost(&self) -> Vec<&str> {
        match self {
            Switch::PamAuthUpdate => Vec::new(),
            Switch::Authselect { before } => {
                let features = before.iter().skip(1).map(String::as_str);
                features.filter(|feature| !FEATURES.contains(feature)).collect()
            }
        }
    }

    /// The profile of ours that takes the place of the one there is.
    fn profile(&self) -> Result<&'static str, Fault> {
        let Switch::Authselect { before } = self else { return Ok("mfad") };
        let name = before.first().map(String::as_str).unwrap_or_default();
        let found = PROFILES.iter().find(|(theirs, _)| *theirs == name);
        found.map(|(_, ours)| *ours).ok_or_else(|| Fault::OtherProfile(name.to_owned()))
    }
}

/// The profile that is selected, and its features.
fn current() -> Result<Vec<String>, Fault> {
    let said = program::run(&[AUTHSELECT, "current", "--raw"]).map_err(|_| Fault::NoSwitch)?;
    Ok(said.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_of_ours_keeps_the_features_that_it_has_and_names_the_others() {
        let before = ["sssd", "with-faillock", "with-sudo", "without-nullok"].map(str::to_owned).to_vec();
        let switch = Switch::Authselect { before };
        assert_eq!(switch.profile().unwrap(), "mfad-sssd");
        assert_eq!(
            switch.words_on().unwrap(),
            [AUTHSELECT, "select", "mfad-sssd", "with-faillock", "without-nullok"]
        );
        assert_eq!(switch.lost(), ["with-sudo"]);
        for (name, ours) in [("local", Some("mfad")), ("winbind", None), ("custom/sssd", None)] {
            let other = Switch::Authselect { before: vec![name.to_owned()] };
            assert_eq!(other.profile().ok(), ours, "{name}");
        }
    }
}
