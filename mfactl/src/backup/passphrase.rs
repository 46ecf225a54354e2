//! What encrypts a backup: a passphrase that is typed unseen, or a file.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use data_encoding::BASE64;
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use protocol::Secret;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::terminal::{Terminal, line};

/// A key file has at least so many bytes: a short one can be guessed.
const SHORTEST_KEY: usize = 16;

/// And at most so many.
const LONGEST_KEY: u64 = 1024 * 1024;

/// Characters of a passphrase, at least, where one is chosen.
const SHORTEST: usize = 12;

/// Whether the passphrase is chosen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// It is: asked for twice, and not too short.
    Chosen,
    /// It was chosen before.
    Known,
}

/// The contents of the key file, or else a passphrase: typed at a terminal, or the first line of standard input.
///
/// # Errors
/// [`Failure::File`], [`Failure::Passphrase`].
pub(super) fn obtain(key_file: Option<&Path>, occasion: Occasion) -> Result<Secret, Failure> {
    match key_file {
        Some(path) => read(path),
        None if io::stdin().is_terminal() => typed(occasion),
        None => accept(line()?, occasion),
    }
}

fn read(path: &Path) -> Result<Secret, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = File::open(path).and_then(|file| file.take(LONGEST_KEY).read_to_end(&mut bytes));
    read.map_err(|cause| Failure::File { path: path.to_owned(), cause })?;
    if bytes.len() < SHORTEST_KEY {
        return Err(Failure::Passphrase(
            "the key file is too short. Make one: head -c 32 /dev/urandom >FILE",
        ));
    }
    // As text, because a secret is text; every byte counts.
    Ok(Secret::new(BASE64.encode(&bytes)))
}

fn typed(occasion: Occasion) -> Result<Secret, Failure> {
    let first = accept(ask("Passphrase: ")?, occasion)?;
    if occasion == Occasion::Known {
        return Ok(first);
    }
    match ask("The same again: ")? {
        Some(second) if second.expose() == first.expose() => Ok(first),
        _ => Err(Failure::Passphrase("these were two different passphrases. Nothing was written")),
    }
}

fn accept(typed: Option<Secret>, occasion: Occasion) -> Result<Secret, Failure> {
    let given = typed.filter(|secret| !secret.expose().is_empty());
    let secret = given.ok_or(Failure::Passphrase("no passphrase was given. Type one, or use --key-file"))?;
    if occasion == Occasion::Chosen && secret.expose().chars().count() < SHORTEST {
        return Err(Failure::Passphrase("a passphrase needs 12 characters or more: several words"));
    }
    Ok(secret)
}

/// Asks without showing what is typed.
fn ask(question: &str) -> Result<Option<Secret>, Failure> {
    let Some(mut terminal) = Terminal::on_stdin() else { return Ok(None) };
    let unseen = |error: nix::Error| Failure::Input(error.into());
    let before = tcgetattr(io::stdin()).map_err(unseen)?;
    let mut hidden = before.clone();
    hidden.local_flags.remove(LocalFlags::ECHO);
    hidden.local_flags.insert(LocalFlags::ECHONL);
    tcsetattr(io::stdin(), SetArg::TCSANOW, &hidden).map_err(unseen)?;
    let typed = terminal.ask(question);
    tcsetattr(io::stdin(), SetArg::TCSANOW, &before).map_err(unseen)?;
    typed
}
