//! The one sanitiser for text that comes from outside and reaches a terminal or a log.

/// Replaces what could move a cursor, forge a line or reorder the text: control characters (C0, C1, DEL), line and
/// paragraph separators, and bidirectional or invisible formatting characters. Each becomes `?`.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if is_harmless(c) { c } else { '?' }).collect()
}

/// As [`printable`], but keeps line feeds: for a message that is meant to have several lines.
pub fn printable_lines(text: &str) -> String {
    text.chars().map(|c| if c == '\n' || is_harmless(c) { c } else { '?' }).collect()
}

fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_bidi_controls_are_replaced_and_letters_stay() {
        assert_eq!(printable("a\x1b[2Jb\u{9b}c\u{202e}d\r\ne"), "a?[2Jb?c?d??e");
        assert_eq!(printable("Grüße, 東京"), "Grüße, 東京");
        assert_eq!(printable_lines("one\ntwo\x07"), "one\ntwo?");
    }
}
