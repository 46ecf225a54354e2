//! A QR code as text for a terminal: pure. Two modules are one character, so that both are square; there is no escape
//! sequence in it, for login programs strip those or show them.
//!
//! A scanner needs dark on light. What is ink on a terminal depends on the terminal, so the ground must be named.

use protocol::Secret;
use qrcode::{Color, EcLevel, QrCode};

/// Modules of light that a scanner needs around the code (ISO/IEC 18004, 9.1).
const QUIET_ZONE: usize = 4;

/// Columns that a code may have: wider ones are broken by a terminal of 80. This is 425 bytes of text.
const WIDEST: usize = 78;

/// What a terminal's characters stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Light text on a dark ground, as most terminals have it.
    Dark,
    /// Dark text on a light ground.
    Light,
}

impl Ground {
    /// Whether a module of this colour is drawn, or left as ground.
    fn draws(self, module: Color) -> Ink {
        match (self, module) {
            (Ground::Dark, Color::Light) | (Ground::Light, Color::Dark) => Ink::Drawn,
            (Ground::Dark, Color::Dark) | (Ground::Light, Color::Light) => Ink::Left,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ink {
    Drawn,
    Left,
}

/// The text does not fit into a code of 78 columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is too long for a QR code on a terminal. Show the text itself")]
pub struct TooLong;

/// Draws a text for a terminal with this ground: lines of equal width, each ended by a line feed.
///
/// # Errors
/// [`TooLong`].
pub fn draw(text: &Secret, ground: Ground) -> Result<Secret, TooLong> {
    let code = QrCode::with_error_correction_level(text.expose(), EcLevel::L).map_err(|_| TooLong)?;
    let side = code.width() + 2 * QUIET_ZONE;
    if side > WIDEST {
        return Err(TooLong);
    }
    let ink = |x: usize, y: usize| ground.draws(module(&code, x, y));
    // A block is three bytes of UTF-8.
    let mut drawing = String::with_capacity((3 * side + 1) * side.div_ceil(2));
    for y in (0..side).step_by(2) {
        drawing.extend((0..side).map(|x| {
            // The last line has no lower half.
            let lower = if y + 1 < side { ink(x, y + 1) } else { Ink::Left };
            glyph(ink(x, y), lower)
        }));
        drawing.push('\n');
    }
    Ok(Secret::new(drawing))
}

/// The module at a place that counts the quiet zone.
fn module(code: &QrCode, x: usize, y: usize) -> Color {
    let inside = |at: usize| at.checked_sub(QUIET_ZONE).filter(|at| *at < code.width());
    match (inside(x), inside(y)) {
        (Some(x), Some(y)) => code[(x, y)],
        _ => Color::Light,
    }
}

fn glyph(upper: Ink, lower: Ink) -> char {
    match (upper, lower) {
        (Ink::Drawn, Ink::Drawn) => '█',
        (Ink::Drawn, Ink::Left) => '▀',
        (Ink::Left, Ink::Drawn) => '▄',
        (Ink::Left, Ink::Left) => ' ',
    }
}

/// A URI of 120 characters becomes 49 columns wide, one of 150 characters 53, one of 200 characters 61. What is drawn is
/// read back by a real scanner (zbarimg), from a picture that is made as a terminal makes it.
#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    /// Pixels of a character.
    const CELL: (usize, usize) = (8, 16);

    /// Characters of bare terminal around the drawing.
    const MARGIN: usize = 3;

    fn drawn(text: &str, ground: Ground) -> String {
        draw(&Secret::new(text.to_owned()), ground).unwrap().expose().to_owned()
    }

    fn uri(length: usize) -> String {
        let start = "otpauth://totp/login.example.org:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=";
        format!("{start}{}", "login.example.org-".repeat(9).get(..length - start.len()).unwrap())
    }

    /// A picture in grey (PGM) of a terminal that shows the drawing.
    fn picture(drawing: &str, ground: Ground) -> Vec<u8> {
        let (paper, ink) = match ground {
            Ground::Dark => (0_u8, 255_u8),
            Ground::Light => (255, 0),
        };
        let lines: Vec<Vec<char>> = drawing.lines().map(|line| line.chars().collect()).collect();
        let columns = lines[0].len() + 2 * MARGIN;
        let (width, height) = (columns * CELL.0, (lines.len() + 2 * MARGIN) * CELL.1);
        let mut picture = format!("P5 {width} {height} 255\n").into_bytes();
        for y in 0..height {
            for x in 0..width {
                let line = (y / CELL.1).checked_sub(MARGIN).and_then(|line| lines.get(line));
                let cell = (x / CELL.0).checked_sub(MARGIN).and_then(|column| line?.get(column));
                let upper_half = y % CELL.1 < CELL.1 / 2;
                let is_ink = match cell.unwrap_or(&' ') {
                    '█' => true,
                    '▀' => upper_half,
                    '▄' => !upper_half,
                    ' ' => false,
                    other => panic!("{other:?} is no block"),
                };
                picture.push(if is_ink { ink } else { paper });
            }
        }
        picture
    }

    fn scan(picture: &[u8]) -> String {
        let mut scanner = Command::new("zbarimg")
            .args(["--quiet", "--raw", "--nodbus", "pgm:-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("zbarimg is of Debian's zbar-tools");
        scanner.stdin.take().unwrap().write_all(picture).unwrap();
        String::from_utf8(scanner.wait_with_output().unwrap().stdout).unwrap()
    }

    #[test]
    fn a_scanner_reads_what_either_terminal_shows() {
        for length in [120, 150, 200] {
            for ground in [Ground::Dark, Ground::Light] {
                let uri = uri(length);
                let drawing = drawn(&uri, ground);
                assert_eq!(scan(&picture(&drawing, ground)).trim_end(), uri, "{length} {ground:?}");
            }
        }
    }

    #[test]
    fn a_uri_of_150_characters_fits_on_a_terminal_of_80_columns() {
        for (length, columns) in [(120, 49), (150, 53), (200, 61)] {
            let drawing = drawn(&uri(length), Ground::Dark);
            assert!(drawing.lines().all(|line| line.chars().count() == columns), "{length}\n{drawing}");
            assert_eq!(drawing.lines().count(), columns.div_ceil(2));
        }
    }

    #[test]
    fn nothing_but_blocks_is_drawn_and_the_quiet_zone_is_light() {
        let dark = drawn("mfad", Ground::Dark);
        let light = drawn("mfad", Ground::Light);
        assert!(dark.chars().chain(light.chars()).all(|c| "█▀▄ \n".contains(c)));
        for line in dark.lines().take(2) {
            assert!(line.chars().all(|c| c == '█'));
        }
        for line in light.lines().take(2) {
            assert!(line.chars().all(|c| c == ' '));
        }
    }

    #[test]
    fn what_a_terminal_would_break_is_refused() {
        assert!(draw(&Secret::new("a".repeat(425)), Ground::Dark).is_ok());
        assert_eq!(draw(&Secret::new("a".repeat(426)), Ground::Dark), Err(TooLong));
        assert_eq!(draw(&Secret::new("a".repeat(100_000)), Ground::Dark), Err(TooLong));
    }
}
