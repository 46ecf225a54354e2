//! Where password and code are typed as one text: which part is which. By shape alone, and only by shapes that the daemon
//! says the person's codes have; whether the code is right is asked after the password. See
//! docs/adr/0007-appended-codes.md.

use protocol::Secret;
use protocol::login::Shape;

/// Characters between the dashes of a recovery code.
const GROUP: usize = 4;

/// The two parts of what was typed.
#[derive(Debug, PartialEq)]
pub(crate) struct Parts<'a> {
    /// What belongs to the modules that follow; never empty.
    pub(crate) password: &'a [u8],
    /// What is the daemon's to judge.
    pub(crate) code: Secret,
}

/// Splits a text at the first of these shapes that its end has. None if it has none of them, or if nothing would be left:
/// a code alone must not turn into an empty password, which a directory may take for an anonymous bind.
pub(crate) fn split<'a>(typed: &'a [u8], shapes: &[Shape]) -> Option<Parts<'a>> {
    shapes.iter().find_map(|shape| {
        let at = typed.len().checked_sub(length(*shape)).filter(|at| *at > 0)?;
        let (password, code) = typed.split_at_checked(at)?;
        let code = std::str::from_utf8(code).ok().filter(|_| fits(*shape, code))?;
        Some(Parts { password, code: Secret::new(code.to_owned()) })
    })
}

/// Whether the end of a text could be anybody's code. If not, there is nothing to ask the daemon.
pub(crate) fn may_be(typed: &[u8]) -> bool {
    split(typed, Shape::ALL).is_some()
}

/// Bytes of a code of this shape.
fn length(shape: Shape) -> usize {
    match shape {
        Shape::SixDigits => 6,
        Shape::SevenDigits => 7,
        Shape::EightDigits => 8,
        Shape::Letters => 19,
    }
}

fn fits(shape: Shape, code: &[u8]) -> bool {
    match shape {
        Shape::SixDigits | Shape::SevenDigits | Shape::EightDigits => code.iter().all(u8::is_ascii_digit),
        // With its dashes: without them, the end of many a passphrase would be sixteen of these letters.
        Shape::Letters => {
            code.split(|byte| *byte == b'-').all(|group| group.len() == GROUP && group.iter().all(is_letter))
        }
    }
}

/// The alphabet of recovery codes has no u; every other letter is one, or is read as the one that was meant.
fn is_letter(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() && !byte.eq_ignore_ascii_case(&b'u')
}

#[cfg(test)]
mod tests;
