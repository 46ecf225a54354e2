//! Lines and words of a PAM file. Two readers are in use: Linux-PAM up to 1.6 reads into 1024 bytes, and a line that goes
//! on skips empty lines and comments (`_pam_assemble_line` in libpam/pam_handlers.c); from 1.7 on lines are as long as
//! they are, and an empty line ends one that goes on (libpam_internal/pam_line.c).

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Up to 1.6.
    Buffered,
    /// From 1.7.
    Unbounded,
}

/// How a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// After a line.
    Whole,
    /// Within one: libpam then refuses the file.
    Cut,
}

/// A line that says something; what goes on is put together, comments are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it begins, from 1.
    pub number: u32,
    /// What it says.
    pub text: Vec<u8>,
}

/// `BUF_SIZE` in pam_handlers.c.
const BUFFER: usize = 1024;

/// The lines of a file, up to where libpam gives up.
pub fn lines(content: &[u8], reading: Reading) -> (Vec<Line>, Ending) {
    let mut lines = Vec::new();
    let mut source = Source { rest: content, next: 1 };
    loop {
        let assembled = match reading {
            Reading::Buffered => buffered(&mut source),
            Reading::Unbounded => unbounded(&mut source),
        };
        match assembled {
            Ok(Some(line)) => lines.push(line),
            Ok(None) => return (lines, Ending::Whole),
            Err(Unfinished) => return (lines, Ending::Cut),
        }
    }
}

struct Unfinished;

struct Source<'a> {
    rest: &'a [u8],
    /// The number of the next line.
    next: u32,
}

impl Source<'_> {
    /// Up to the end of the line, or so many bytes; none at the end of the file.
    fn chunk(&mut self, most: usize) -> Option<Vec<u8>> {
        if self.rest.is_empty() {
            return None;
        }
        let line = self.rest.iter().position(|byte| *byte == b'\n').map_or(self.rest.len(), |at| at + 1);
        let (chunk, rest) = self.rest.split_at(line.min(most));
        self.rest = rest;
        self.next += u32::from(chunk.ends_with(b"\n"));
        // To C, a string ends at NUL.
        Some(chunk.split(|byte| *byte == 0).next().unwrap_or_default().to_vec())
    }
}

fn buffered(source: &mut Source) -> Result<Option<Line>, Unfinished> {
    let mut line = Line { number: source.next, text: Vec::new() };
    loop {
        let room = BUFFER.saturating_sub(line.text.len() + 1);
        if room == 0 {
            return Err(Unfinished);
        }
        let begins = source.next;
        let Some(chunk) = source.chunk(room) else {
            return if line.text.is_empty() { Ok(None) } else { Err(Unfinished) };
        };
        let said = trim_start(&chunk, b" \n\t");
        if said.is_empty() || said.starts_with(b"#") {
            continue;
        }
        if line.text.is_empty() {
            line.number = begins;
        }
        let (text, comment) = cut_comment(&chunk);
        match text_before_backslash(text) {
            Some(text) if comment == Comment::None => {
                line.text.extend(text);
                line.text.push(b' ');
            }
            _ => {
                line.text.extend(text);
                return Ok(Some(line));
            }
        }
    }
}

fn unbounded(source: &mut Source) -> Result<Option<Line>, Unfinished> {
    let mut line = Line { number: source.next, text: Vec::new() };
    let mut goes_on = false;
    loop {
        let begins = source.next;
        let Some(chunk) = source.chunk(usize::MAX) else {
            return if goes_on { Err(Unfinished) } else { Ok(None) };
        };
        if line.text.is_empty() {
            line.number = begins;
        }
        let (text, comment) = cut_comment(&chunk);
        let said = trim_start(text, b" \t");
        match text_before_backslash(text) {
            Some(before) if comment == Comment::None => {
                let before = trim_start(before, b" \t");
                // The space that stands for the backslash goes with the others, if nothing stands before it.
                if !before.is_empty() {
                    line.text.extend(before);
                    line.text.push(b' ');
                }
                goes_on = true;
            }
            _ => {
                if !line.text.is_empty() || !matches!(said, [] | [b'\n', ..]) {
                    line.text.extend(said);
                    return Ok(Some(line));
                }
                goes_on = false;
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum Comment {
    None,
    Some,
}

fn cut_comment(chunk: &[u8]) -> (&[u8], Comment) {
    match chunk.iter().position(|byte| *byte == b'#') {
        Some(at) => (&chunk[..at], Comment::Some),
        None => (chunk, Comment::None),
    }
}

/// What stands before a backslash that ends the line, blanks after it left out of account.
fn text_before_backslash(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().rposition(|byte| !b" \t\n".contains(byte))?;
    (text[end] == b'\\').then(|| &text[..end])
}

fn trim_start<'a>(text: &'a [u8], blanks: &[u8]) -> &'a [u8] {
    let skipped = text.iter().take_while(|byte| blanks.contains(byte)).count();
    &text[skipped..]
}

/// The words of a line: between blanks, or within `[` and the first `]` that no backslash stands before
/// (`_pam_StrTok` and `_pam_tokenize` in libpam/pam_misc.c).
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    /// Those of this text.
    pub fn of(text: &'a [u8]) -> Self {
        Tokens { rest: text }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        const BLANKS: &[u8] = b" \n\t";
        let text = trim_start(self.rest, BLANKS);
        let (token, used) = match text.first() {
            None => {
                self.rest = &[];
                return None;
            }
            Some(b'[') => bracketed(text),
            Some(_) => {
                let end = text.iter().position(|byte| BLANKS.contains(byte)).unwrap_or(text.len());
                (text[..end].to_vec(), end)
            }
        };
        // The character that ended it is gone, too.
        self.rest = text.get(used + 1..).unwrap_or_default();
        Some(token)
    }
}

fn bracketed(text: &[u8]) -> (Vec<u8>, usize) {
    let mut token = Vec::new();
    let mut at = 1;
    while at < text.len() && text[at] != b']' {
        if text[at] == b'\\' && text.get(at + 1) == Some(&b']') {
            at += 1;
        }
        token.push(text[at]);
        at += 1;
    }
    (token, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str, reading: Reading) -> Vec<(u32, String)> {
        let (lines, _) = lines(content.as_bytes(), reading);
        let words = |line: &Line| {
            let words = Tokens::of(&line.text).map(|token| String::from_utf8(token).unwrap());
            words.collect::<Vec<_>>().join("|")
        };
        lines.iter().map(|line| (line.number, words(line))).collect()
    }

    #[test]
    fn comments_and_blank_lines_say_nothing() {
        for reading in [Reading::Buffered, Reading::Unbounded] {
            let lines = read("# a\n\n  auth required pam_a.so # b \\\n\t\n#c\nauth x", reading);
            assert_eq!(lines, [(3, "auth|required|pam_a.so".into()), (6, "auth|x".into())]);
        }
    }

    #[test]
    fn a_line_goes_on_after_a_backslash_and_the_readers_differ_in_what_ends_it() {
        for reading in [Reading::Buffered, Reading::Unbounded] {
            assert_eq!(
                read("auth \\ \n required \\\n pam_a.so\n", reading),
                [(1, "auth|required|pam_a.so".into())]
            );
        }
        let gap = "auth \\\n\nrequired pam_a.so\n";
        assert_eq!(read(gap, Reading::Buffered), [(1, "auth|required|pam_a.so".into())]);
        assert_eq!(read(gap, Reading::Unbounded), [(1, "auth".into()), (3, "required|pam_a.so".into())]);
    }

    #[test]
    fn a_file_that_ends_within_a_line_is_refused() {
        for reading in [Reading::Buffered, Reading::Unbounded] {
            assert_eq!(lines(b"auth required \\\n", reading).1, Ending::Cut);
            assert_eq!(lines(b"auth required", reading).1, Ending::Whole);
        }
    }

    #[test]
    fn brackets_hold_a_word_together() {
        let line = r"auth [a=b  c=d]pam_a.so [x [y\]] []";
        assert_eq!(read(line, Reading::Unbounded), [(1, "auth|a=b  c=d|pam_a.so|x [y]|".into())]);
    }

    #[test]
    fn an_old_libpam_cuts_a_long_line_in_two() {
        let long = format!("auth required pam_a.so {}\n", "x".repeat(1100));
        assert_eq!(read(&long, Reading::Buffered).len(), 2);
        assert_eq!(read(&long, Reading::Unbounded).len(), 1);
    }
}
