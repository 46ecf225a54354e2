//! A telephone's camera in front of a terminal: finds the QR code among what is shown, and reads it with zbarimg.

use crate::host::path;
use crate::process::run;

/// Pixels of a character.
const CELL: (usize, usize) = (8, 16);

/// What colours a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// Light text on dark ground.
    LightOnDark,
    /// Dark text on light ground.
    DarkOnLight,
}

/// Reads the code in a transcript.
///
/// # Panics
/// If no code is in it, or it cannot be read.
pub fn scan(transcript: &str, colours: Colours) -> String {
    let lines: Vec<Vec<char>> = transcript
        .lines()
        .map(|line| line.trim_end_matches('\r'))
        .filter(|line| line.contains(['█', '▀', '▄']) && line.chars().all(|c| "█▀▄ ".contains(c)))
        .map(|line| line.chars().collect())
        .collect();
    assert!(lines.len() > 15, "there is no QR code:\n{transcript}");
    let picture = path("screen.pgm");
    std::fs::write(&picture, draw(&lines, colours)).expect("a picture");
    let read = run("zbarimg", &["--quiet", "--raw", "--nodbus", &picture.display().to_string()]);
    read.expect_success("zbarimg").trim().to_owned()
}

/// A picture in grey (PGM) of a terminal that shows these lines.
fn draw(lines: &[Vec<char>], colours: Colours) -> Vec<u8> {
    let (paper, ink) = match colours {
        Colours::LightOnDark => (0u8, 255u8),
        Colours::DarkOnLight => (255, 0),
    };
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default() + 6;
    let (width, height) = (columns * CELL.0, (lines.len() + 6) * CELL.1);
    let mut picture = format!("P5 {width} {height} 255\n").into_bytes();
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let line = (y / CELL.1).checked_sub(3).and_then(|line| lines.get(line));
        let cell = (x / CELL.0).checked_sub(3).and_then(|column| line?.get(column));
        let upper = y % CELL.1 < CELL.1 / 2;
        let is_ink = match cell {
            Some('█') => true,
            Some('▀') => upper,
            Some('▄') => !upper,
            _ => false,
        };
        picture.push(if is_ink { ink } else { paper });
    }
    picture
}
