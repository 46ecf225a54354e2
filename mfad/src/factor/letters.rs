//! Codes of 80 bits that people copy from paper: sixteen letters in groups of four, `xxxx-xxxx-xxxx-xxxx`.
//!
//! The alphabet is Crockford's base 32: no letter looks like another, and what is mistaken all the same is read as meant.

use protocol::Secret;

/// Five bits each.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Letters of a code.
const COUNT: usize = 16;

/// Letters between dashes.
const GROUP: usize = 4;

/// Writes 80 random bits as they are shown.
pub(super) fn write(random: &[u8; 10]) -> Secret {
    let bits = random.iter().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    let mut text = String::with_capacity(COUNT + COUNT / GROUP - 1);
    for place in 0..COUNT {
        if place > 0 && place % GROUP == 0 {
            text.push('-');
        }
        let five = bits >> (5 * (COUNT - 1 - place)) & 31;
        text.push(char::from(ALPHABET[five as usize]));
    }
    Secret::new(text)
}

/// Reads a code as people write it, to its sixteen letters; none if it is not one.
pub(super) fn read(typed: &str) -> Option<Secret> {
    let mut text = String::with_capacity(COUNT);
    for letter in typed.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let letter = meant(letter);
        if text.len() == COUNT || !ALPHABET.iter().any(|known| char::from(*known) == letter) {
            return None;
        }
        text.push(letter);
    }
    (text.len() == COUNT).then(|| Secret::new(text))
}

/// The letter that was meant.
fn meant(letter: char) -> char {
    match letter.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_has_its_letter_and_what_is_shown_reads_back() {
        assert_eq!(write(&[0; 10]).expose(), "0000-0000-0000-0000");
        assert_eq!(write(&[0xff; 10]).expose(), "zzzz-zzzz-zzzz-zzzz");
        let mut seen = std::collections::HashSet::new();
        for bit in 0..80 {
            let mut random = [0u8; 10];
            random[bit / 8] = 1 << (bit % 8);
            let shown = write(&random);
            assert_eq!(read(shown.expose()).unwrap().expose(), shown.expose().replace('-', ""));
            assert!(seen.insert(shown.expose().to_owned()));
        }
    }

    #[test]
    fn what_is_mistaken_is_read_as_meant() {
        let meant = "0123456789abcdef";
        for typed in
            ["0123-4567-89ab-cdef", "OI23 4567 89AB CDEF", "ol23456789abcdef", "  0123456789abcdef\n"]
        {
            assert_eq!(read(typed).unwrap().expose(), meant, "{typed:?}");
        }
        for typed in
            ["", "0123-4567-89ab-cde", "0123-4567-89ab-cdef-0", "0123-4567-89ab-cdeu", "0123456789abcdeé"]
        {
            assert_eq!(read(typed), None, "{typed:?}");
        }
    }
}
