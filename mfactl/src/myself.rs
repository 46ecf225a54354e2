//! Who runs mfactl, as mfad sees it: by the uid of the process, whatever the environment says.

use nix::unistd::{User, geteuid};

use crate::failure::Failure;

/// The caller's account name.
///
/// # Errors
/// [`Failure::Nameless`] if the name service does not know the uid.
pub fn name() -> Result<String, Failure> {
    let uid = geteuid();
    let nameless = |cause: &str| Failure::Nameless { uid: uid.as_raw(), cause: cause.to_owned() };
    match User::from_uid(uid) {
        Ok(Some(user)) => Ok(user.name),
        Ok(None) => Err(nameless("the name service does not know it")),
        Err(error) => Err(nameless(error.desc())),
    }
}
