//! The doors: sockets, who may use them, and how much of them.

mod activation;
mod caps;
mod connection;
pub mod figures;
mod introspection;
pub mod unix;

pub use activation::{Sockets, bind_or_take};
pub use caps::Caps;
pub use connection::Connection;

use protocol::call::Fault;

use crate::rules::attempt::ToldBy;

/// Who is on the other end, as the kernel says (SO_PEERCRED): the uid at connect(). A name in a message is never
/// authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The effective uid.
    pub uid: u32,
}

impl Peer {
    /// Root may log anybody in; anybody else only themselves.
    ///
    /// # Errors
    /// [`Fault::PermissionDenied`].
    pub fn may_log_in(self, uid: Option<u32>) -> Result<(), Fault> {
        if self.uid == 0 || uid == Some(self.uid) { Ok(()) } else { Err(Fault::PermissionDenied) }
    }

    /// Whether what this peer says of a login can be believed.
    pub fn told_by(self) -> ToldBy {
        if self.uid == 0 { ToldBy::Root } else { ToldBy::Oneself }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_logs_others_in() {
        for (peer, person, allowed) in [
            (0, Some(1000), true),
            (0, Some(0), true),
            (0, None, true),
            (1000, Some(1000), true),
            (1000, Some(1001), false),
            (1000, Some(0), false),
            (1000, None, false),
            (65534, Some(0), false),
        ] {
            assert_eq!(Peer { uid: peer }.may_log_in(person).is_ok(), allowed, "{peer} for {person:?}");
        }
    }
}
