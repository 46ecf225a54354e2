//! What crosses a socket of mfad: frames, calls and replies, the messages of both interfaces, and secrets.
//!
//! - [`frame`]: one JSON object, then NUL; a hard cap both ways. Varlink's wire format.
//! - [`call`]: the envelope of a call and of its reply, and the one error type of a peer that misbehaves.
//! - [`login`]: `io.mfad.Login`, spoken by the PAM module.  [`manage`]: `io.mfad.Manage`, spoken by mfactl.
//! - [`describe`]: keeps the two `.varlink` files equal to the types.
//! - [`secret`]: text that is wiped when it is dropped and never printed.
//! - [`text`]: the one sanitiser for text that reaches a terminal or a log.
//!
//! No async, no unsafe, no I/O beyond `Read` and `Write`.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod call;
pub mod describe;
pub mod frame;
pub mod login;
pub mod manage;
pub mod secret;
pub mod text;

pub use secret::Secret;

/// The version of both interfaces. A peer that speaks this one or the one before is accepted.
pub const VERSION: u32 = 1;

/// The oldest version that is still accepted.
pub const OLDEST_VERSION: u32 = VERSION.saturating_sub(1);

/// True if a peer of this version can be served.
pub fn speaks(version: u32) -> bool {
    (OLDEST_VERSION..=VERSION).contains(&version)
}
