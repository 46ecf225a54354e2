//! Mail to a sendmail program that somebody else runs: systemd, by `mfad-sendmail@.service`. The programs of Postfix and Exim
//! get the rights of their spool by a set-id bit, and mfad's own unit lets nothing below it gain rights.
//!
//! One connection is one message: the message, the end of our side, then one line with the exit code of the program. The
//! line counts and not the end of the connection: a program may go on behind it, with the connection in its hands.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::{Cause, DeliveryError, Progress, Receipt, quotable, sendmail};

/// The longest answer: three digits and the end of the line.
const ANSWER_LIMIT: u64 = 4;
/// How timeout(1) ends when it had to kill the program.
const KILLED: i32 = 124;
/// How a shell ends when there is no such program, or when it may not be run.
const NOT_RUN: [i32; 2] = [126, 127];

const SEE: &str = "see journalctl -u 'mfad-sendmail@*' and the log of the mail system";

/// Why there is no exit code.
enum Silence {
    /// The connection ended with a part of the message unread.
    Unread(io::Error),
    /// The message was read to its end.
    AfterReading(&'static str),
}

pub(super) async fn carry(
    path: &Path,
    input: &[u8],
    deadline: Duration,
    progress: Progress<'_>,
) -> Result<Receipt, DeliveryError> {
    let by = path.display().to_string();
    progress(&format!("connecting to {by}"));
    let answered = timeout(deadline, async {
        let stream = connect(path).await?;
        progress("connected; sending the message");
        hand_over(stream, input).await.map_err(|silence| explain(&by, &silence))
    });
    let in_vain = Silence::AfterReading("no exit code in time");
    match answered.await.unwrap_or_else(|_| Err(explain(&by, &in_vain)))? {
        0 => {
            progress(&format!("accepted by sendmail behind {by}"));
            Ok(Receipt { by, answer: "exit code 0".to_owned() })
        }
        code => Err(refused(&by, code)),
    }
}

async fn connect(path: &Path) -> Result<UnixStream, DeliveryError> {
    let refuse = |cause, fact: &str| {
        let remedy = "try systemctl status mfad-sendmail.socket, or set email.sendmail";
        Err(DeliveryError::new(cause, format!("{}: {fact}; {remedy}", path.display())))
    };
    let stream = match UnixStream::connect(path).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            return refuse(Cause::Deferred, "too many wait");
        }
        Err(error) => return refuse(Cause::Misconfigured, &error.to_string()),
    };
    // Codes go to root's socket, or to our own, and to nobody else's.
    let listener = stream.peer_cred().map(|peer| peer.uid());
    match listener {
        Ok(uid) if uid == 0 || uid == nix::unistd::geteuid().as_raw() => Ok(stream),
        Ok(uid) => refuse(Cause::Misconfigured, &format!("the socket belongs to somebody else (uid {uid})")),
        Err(error) => refuse(Cause::Misconfigured, &error.to_string()),
    }
}

async fn hand_over(mut stream: UnixStream, input: &[u8]) -> Result<i32, Silence> {
    // A program may end without reading all: its exit code, if there is one, says what that means.
    let written = match stream.write_all(input).await {
        Ok(()) => stream.shutdown().await,
        error => error,
    };
    let line = answer(stream).await;
    match (written, line) {
        (_, Ok(line)) if line.ends_with(b"\n") => exit_code(&line),
        // The kernel says so when the last holder of the other side leaves something unread.
        (_, Err(error)) | (Err(error), _) => Err(Silence::Unread(error)),
        (Ok(()), Ok(_)) => Err(Silence::AfterReading("it ended without an exit code")),
    }
}

async fn answer(stream: impl AsyncRead + Unpin) -> io::Result<Vec<u8>> {
    let (mut stream, mut line) = (stream.take(ANSWER_LIMIT), Vec::new());
    while !line.ends_with(b"\n") && stream.read_buf(&mut line).await? > 0 {}
    Ok(line)
}

fn exit_code(line: &[u8]) -> Result<i32, Silence> {
    // As echo writes it, and no other way: a stray zero must not pass for success.
    let plain = (0..=255).find(|code: &i32| line == format!("{code}\n").as_bytes());
    plain.ok_or(Silence::AfterReading("it answered with something that is no exit code"))
}

fn explain(by: &str, silence: &Silence) -> DeliveryError {
    match silence {
        Silence::Unread(error) => {
            let fact = quotable(&error.to_string());
            DeliveryError::new(Cause::Deferred, format!("{by}: nobody took the message ({fact}); {SEE}"))
        }
        // It had the whole message, so it may have queued it.
        Silence::AfterReading(fact) => DeliveryError::new(Cause::Unknown, format!("{by}: {fact}; {SEE}")),
    }
}

fn refused(by: &str, code: i32) -> DeliveryError {
    match code {
        KILLED => explain(by, &Silence::AfterReading("sendmail did not end in time and was killed")),
        code if NOT_RUN.contains(&code) => {
            let fact =
                format!("there is no sendmail that could run (exit code {code}); install a mail server");
            DeliveryError::new(Cause::Misconfigured, format!("{by}: {fact}"))
        }
        code => sendmail::by_exit_code(&format!("sendmail behind {by}"), code, SEE),
    }
}
