//! What a guide shows of a command, held against what the command says.

use crate::guide::{Shown, fits};
use crate::host::PASSWORD;
use crate::mail::MailServer;
use crate::process::Finished;
use crate::terminal::Terminal;

use super::{Codes, terminal};

/// What a question ends in whose answer is a code.
const QUESTIONS: [&str; 2] = ["code: ", "(Enter: later): "];

/// How a shell of this host waits for a command, as guides write it.
const SHELL: &str = ":~$";

/// A line with a question, and what is typed: what stands before the question, and the question.
fn question(line: &str) -> Option<(&str, &'static str)> {
    QUESTIONS.iter().find_map(|question| Some((line.split_once(question)?.0, *question)))
}

/// Whether somebody types something while it runs.
pub(super) fn is_a_conversation(shown: &Shown) -> bool {
    shown.lines.iter().any(|line| line.contains("assword:") || question(line).is_some())
}

/// What it printed, line by line. A command that fails is one whose failure is shown: nothing of it may be left to `…`.
pub(super) fn compare(place: &str, shown: &Shown, ended: &Finished) {
    let said = format!("{}{}", ended.out, ended.err);
    let tells_all = !shown.lines.is_empty() && !shown.lines.iter().any(|line| line.trim() == "…");
    assert!(ended.code == 0 || tells_all, "{place}: {} failed: {said}", shown.command);
    let said: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let wanted: Vec<&str> =
        shown.lines.iter().map(String::as_str).filter(|line| !line.trim().is_empty()).collect();
    assert!(
        is_shown(&wanted, &said),
        "{place}: {} shows\n{}\nand not\n{}",
        shown.command,
        said.join("\n"),
        wanted.join("\n")
    );
}

/// Passwords are typed, and codes; what is shown must come in this order.
pub(super) fn converse(shown: &Shown, mail: &MailServer, code: Codes<'_>) {
    let mut terminal = terminal(&shown.who, &shown.command);
    let mut seen = String::new();
    for line in &shown.lines {
        if line.ends_with(SHELL) {
            seen.push_str(&terminal.expect("$ "));
            terminal.type_line("exit");
        } else if line.contains("assword:") {
            seen.push_str(&terminal.expect("assword: "));
            terminal.type_line(PASSWORD);
        } else if let Some((before, question)) = question(line) {
            expect_parts(&mut terminal, before, &mut seen);
            seen.push_str(&terminal.expect(question));
            terminal.type_line(&code(mail, &seen));
        } else {
            expect_parts(&mut terminal, line, &mut seen);
        }
    }
    let (status, transcript) = terminal.await_end();
    assert!(status.success(), "{} ended with {status}:\n{transcript}", shown.command);
}

fn expect_parts(terminal: &mut Terminal, line: &str, seen: &mut String) {
    for part in line.split('…').map(str::trim).filter(|part| !part.is_empty()) {
        seen.push_str(&terminal.expect(part));
    }
}

/// A line that is `…` alone stands for any number of lines.
fn is_shown(wanted: &[&str], said: &[&str]) -> bool {
    match (wanted, said) {
        ([], []) => true,
        ([any, rest @ ..], _) if any.trim() == "…" => {
            (0..=said.len()).any(|skipped| is_shown(rest, &said[skipped..]))
        }
        ([first, wanted @ ..], [line, said @ ..]) => fits(first, line) && is_shown(wanted, said),
        _ => false,
    }
}
