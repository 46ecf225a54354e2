//! A telephone's camera in front of a terminal: finds the QR code among what is shown, and reads it with zbarimg.

use std::iter::Peekable;
use std::str::Chars;

use crate::host::path;
use crate::process::run;

/// Pixels of a character.
const CELL: (usize, usize) = (8, 16);

/// Characters of bare ground around what is seen.
const MARGIN: usize = 3;

/// How light the eight colours of a terminal are, black first.
const COLOURS: [u8; 8] = [0, 76, 150, 226, 29, 105, 179, 255];

/// What colours a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// Light text on dark ground.
    LightOnDark,
    /// Dark text on light ground.
    DarkOnLight,
}

impl Colours {
    /// How a character looks that says nothing of colours.
    fn pen(self) -> Pen {
        match self {
            Colours::LightOnDark => Pen { ink: 255, paper: 0 },
            Colours::DarkOnLight => Pen { ink: 0, paper: 255 },
        }
    }
}

/// Reads the code in a transcript.
///
/// # Panics
/// If no code is in it, or it cannot be read.
pub fn scan(transcript: &str, colours: Colours) -> String {
    let lines: Vec<Vec<Cell>> = transcript
        .lines()
        .map(|line| line.trim_end_matches('\r'))
        .filter(|line| line.contains(['█', '▀', '▄']) && line.chars().all(|c| "█▀▄ ".contains(c)))
        .map(|line| line.chars().map(|glyph| Cell { glyph, pen: colours.pen() }).collect())
        .collect();
    assert!(lines.len() > 15, "there is no QR code:\n{transcript}");
    read(&lines, colours)
}

/// Reads the code on a screen as it is, with all that stands around it; `screen` is what tmux captures with escapes.
///
/// # Panics
/// If no code is seen, or the screen has what this camera does not know.
pub fn scan_screen(screen: &str, colours: Colours) -> String {
    let mut pen = colours.pen();
    let lines: Vec<Vec<Cell>> = screen.lines().map(|line| cells(line, &mut pen, colours)).collect();
    read(&lines, colours)
}

/// A character, and how it looks.
struct Cell {
    glyph: char,
    pen: Pen,
}

/// How light ink and paper are.
#[derive(Clone, Copy)]
struct Pen {
    ink: u8,
    paper: u8,
}

/// Follows the escapes of a line (ECMA-48, 8.3.117); the pen goes on in the next one.
fn cells(line: &str, pen: &mut Pen, colours: Colours) -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut rest = line.chars().peekable();
    while let Some(glyph) = rest.next() {
        match (glyph, rest.peek()) {
            ('\u{1b}', Some('[')) => *pen = rendition(&mut rest, *pen, colours),
            // Shift in and out: tmux marks its own line drawing by them.
            ('\u{e}' | '\u{f}', _) => {}
            _ => cells.push(Cell { glyph, pen: *pen }),
        }
    }
    cells
}

fn rendition(rest: &mut Peekable<Chars<'_>>, before: Pen, colours: Colours) -> Pen {
    let numbers: String = rest.skip(1).take_while(|c| *c != 'm').collect();
    numbers.split(';').fold(before, |pen, number| match number.parse().unwrap_or(0usize) {
        0 => colours.pen(),
        1..=5 | 22..=25 => pen,
        7 | 27 => Pen { ink: pen.paper, paper: pen.ink },
        30..=37 | 90..=97 => Pen { ink: colour(number), ..pen },
        39 => Pen { ink: colours.pen().ink, ..pen },
        40..=47 | 100..=107 => Pen { paper: colour(number), ..pen },
        49 => Pen { paper: colours.pen().paper, ..pen },
        _ => panic!("this camera does not know the rendition {numbers:?}"),
    })
}

fn colour(number: &str) -> u8 {
    let last = number.chars().last().and_then(|digit| digit.to_digit(10));
    COLOURS[last.expect("a digit") as usize]
}

fn read(lines: &[Vec<Cell>], colours: Colours) -> String {
    let picture = path("screen.pgm");
    std::fs::write(&picture, draw(lines, colours)).expect("a picture");
    let read = run("zbarimg", &["--quiet", "--raw", "--nodbus", &picture.display().to_string()]);
    read.expect_success("zbarimg").trim().to_owned()
}

/// A picture in grey (PGM) of a terminal that shows these lines.
fn draw(lines: &[Vec<Cell>], colours: Colours) -> Vec<u8> {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default() + 2 * MARGIN;
    let (width, height) = (columns * CELL.0, (lines.len() + 2 * MARGIN) * CELL.1);
    let mut picture = format!("P5 {width} {height} 255\n").into_bytes();
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let line = (y / CELL.1).checked_sub(MARGIN).and_then(|line| lines.get(line));
        let cell = (x / CELL.0).checked_sub(MARGIN).and_then(|column| line?.get(column));
        picture.push(cell.map_or(colours.pen().paper, |cell| pixel(cell, x % CELL.0, y % CELL.1)));
    }
    picture
}

/// Letters are blots: there is no font here, and a scanner must not mind them.
fn pixel(cell: &Cell, x: usize, y: usize) -> u8 {
    let upper = y < CELL.1 / 2;
    let is_ink = match cell.glyph {
        '█' => true,
        '▀' => upper,
        '▄' => !upper,
        ' ' => false,
        _ => (1..CELL.0 - 1).contains(&x) && (4..CELL.1 - 4).contains(&y),
    };
    if is_ink { cell.pen.ink } else { cell.pen.paper }
}
