//! What a typed text is, judged by its shape alone: that picks the factors it is compared with, and keeps tries for
//! texts that can be codes.

use protocol::Secret;

use super::letters;

/// The shape of a typed text, spaces and dashes aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// So many digits, 4 to 10: a mailed code, TOTP, HOTP, or a scratch code that was imported.
    Digits(u8),
    /// Sixteen letters of the alphabet of recovery and bypass codes.
    Recovery,
    /// Nothing.
    Empty,
    /// What sshd sends in place of an answer that it will not accept anyway (OpenSSH auth-pam.c), or what the module
    /// sends in place of an answer that cannot be a code.
    Junk,
    /// Something else.
    Other,
}

/// Judges the shape of what was typed.
pub fn shape(typed: &str) -> Shape {
    let plain = normalised(typed);
    let plain = plain.expose();
    if typed.starts_with("\u{8}\n\r\u{7f}") || typed.contains('\u{fffd}') {
        return Shape::Junk;
    }
    if plain.is_empty() {
        return Shape::Empty;
    }
    match u8::try_from(plain.len()) {
        Ok(count @ 4..=10) if plain.bytes().all(|byte| byte.is_ascii_digit()) => Shape::Digits(count),
        _ if letters::read(plain).is_some() => Shape::Recovery,
        _ => Shape::Other,
    }
}

/// What was typed without the spaces and dashes that people put between digits.
pub fn normalised(typed: &str) -> Secret {
    // At its full size from the start: a text that grows leaves copies behind that nobody wipes.
    let mut plain = String::with_capacity(typed.len());
    plain.extend(typed.chars().filter(|c| !c.is_whitespace() && *c != '-'));
    Secret::new(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_told_by_its_shape() {
        for (typed, expected) in [
            ("1234", Shape::Digits(4)),
            (" 123 456 ", Shape::Digits(6)),
            ("123-456", Shape::Digits(6)),
            ("12345678", Shape::Digits(8)),
            ("1234567890", Shape::Digits(10)),
            ("123", Shape::Other),
            ("12345678901", Shape::Other),
            ("12345a", Shape::Other),
            ("１２３４５６", Shape::Other),
            ("0123-4567-89ab-cdef", Shape::Recovery),
            ("OIL3 4567 89AB CDEF", Shape::Recovery),
            ("0123-4567-89ab-cdeu", Shape::Other),
            ("0123-4567-89ab-cde", Shape::Other),
            ("1234567890123456", Shape::Recovery),
            ("", Shape::Empty),
            (" - ", Shape::Empty),
            ("\u{8}\n\r\u{7f}INCORRECT", Shape::Junk),
            ("\u{8}\n\r\u{7f}IN", Shape::Junk),
            ("\u{fffd}", Shape::Junk),
        ] {
            assert_eq!(shape(typed), expected, "{typed:?}");
        }
    }
}
