//! `email.sendmail`: the program that takes a message, or the socket behind which somebody else runs one.

use std::path::{Path, PathBuf};

use super::problem::Problems;
use super::tree::{Node, Value};
use super::values::{self, text};

/// Who runs the sendmail program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sendmail {
    /// The default: systemd, where the socket of `mfad-sendmail.socket` is, and else mfad, as `/usr/sbin/sendmail -t -i`.
    OfThisHost,
    /// mfad: arguments without a shell. The first one is an absolute path.
    Program(Vec<String>),
    /// Whoever listens on this socket: an absolute path. It reads a message up to its end, and answers with a line that
    /// holds the exit code of its sendmail program.
    Socket(PathBuf),
}

impl Sendmail {
    /// Where `mfad-sendmail.socket` listens.
    pub const SOCKET: &str = "/run/mfad-sendmail.sock";

    /// What runs where there is no socket.
    pub fn default_program() -> Vec<String> {
        ["/usr/sbin/sendmail", "-t", "-i"].map(str::to_owned).to_vec()
    }
}

const WRITE_A_COMMAND: &str = "write [\"/usr/sbin/sendmail\", \"-t\", \"-i\"]";

pub(super) fn read(node: &Node) -> Result<Sendmail, Problems> {
    if let Value::Text(_) = node.value {
        return socket(node);
    }
    let arguments = values::list(node, |item| text(item).map(str::to_owned))?;
    match arguments.first() {
        Some(program) if Path::new(program).is_absolute() => Ok(Sendmail::Program(arguments)),
        Some(_) => {
            let remedy = "write the whole path of the program: there is no $PATH";
            Err(node.problem("the program does not start at /", remedy).into())
        }
        None => Err(node.problem("the command is empty", WRITE_A_COMMAND).into()),
    }
}

fn socket(node: &Node) -> Result<Sendmail, Problems> {
    let Some(path) = text(node)?.strip_prefix("unix:") else {
        let remedy = format!(
            "{WRITE_A_COMMAND}: there is no shell to split it; or a socket, \"unix:{}\"",
            Sendmail::SOCKET
        );
        return Err(node.problem("a command is a list of arguments", remedy).into());
    };
    Ok(Sendmail::Socket(values::absolute(node, path)?))
}
