//! Mail to a sendmail program behind a socket: only its exit code 0 is success, and every other end is told apart.

mod deliver_support;

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use deliver_support::{PATIENT, Place, deliver, mail_to};
use mfad::config::Sendmail;
use mfad::deliver::sendmail::SendmailCourier;
use mfad::deliver::{Cause, DeliveryError};

/// What stands behind the socket: it gets one connection, and what it returns stays open.
type Program = fn(UnixStream) -> Option<UnixStream>;

struct Helper {
    place: Place,
    messages: Receiver<Vec<u8>>,
}

impl Helper {
    fn start(
        program: impl FnOnce(UnixStream, &Sender<Vec<u8>>) -> Option<UnixStream> + Send + 'static,
    ) -> Self {
        let place = Place::new();
        let listener = UnixListener::bind(place.file("socket")).unwrap();
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            if let Some(_open) = program(stream, &sender) {
                std::thread::sleep(PATIENT);
            }
        });
        Helper { place, messages }
    }

    fn courier(&self, deadline: Duration) -> SendmailCourier {
        SendmailCourier::new(Sendmail::Socket(self.place.file("socket").into()), deadline)
    }

    async fn failure(&self, deadline: Duration) -> DeliveryError {
        deliver(&self.courier(deadline), &mail_to("ada@example.org")).await.0.unwrap_err()
    }
}

/// One that reads the message and then writes this; after a whole line the connection stays open.
fn answers(answer: &'static str) -> Helper {
    Helper::start(move |mut stream, messages| {
        let mut message = Vec::new();
        stream.read_to_end(&mut message).unwrap();
        messages.send(message).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        answer.ends_with('\n').then_some(stream)
    })
}

/// Break it: wait for the end of the connection instead of the line.
#[tokio::test]
async fn a_message_counts_as_handed_over_when_the_exit_code_is_0_even_if_the_connection_stays_open() {
    let helper = answers("0\n");
    let message = mail_to("ada@example.org");
    let begun = Instant::now();
    let (result, said) = deliver(&helper.courier(PATIENT), &message).await;
    assert_eq!(result.unwrap().by, helper.place.file("socket"));
    assert!(begun.elapsed() < PATIENT / 2);
    let expected = String::from_utf8(message.bytes.to_vec()).unwrap().replace("\r\n", "\n");
    assert_eq!(String::from_utf8(helper.messages.recv().unwrap()).unwrap(), expected);
    assert!(said.last().unwrap().starts_with("accepted by sendmail"), "{said:?}");
}

#[tokio::test]
async fn exit_codes_behind_a_socket_mean_what_sysexits_says() {
    for (answer, cause, text) in [
        ("75\n", Cause::Deferred, "try later (exit code 75)"),
        ("67\n", Cause::Rejected, "no such user"),
        ("69\n", Cause::Rejected, "unavailable"),
        ("64\n", Cause::Misconfigured, "wrong arguments"),
        ("1\n", Cause::Misconfigured, "failed (exit code 1)"),
        ("137\n", Cause::Misconfigured, "failed (exit code 137)"),
        ("127\n", Cause::Misconfigured, "there is no sendmail that could run"),
        ("124\n", Cause::Unknown, "did not end in time and was killed"),
    ] {
        let error = answers(answer).failure(PATIENT).await;
        assert_eq!(error.cause, cause, "{}", error.text);
        assert!(error.text.contains(text), "{}", error.text);
    }
}

/// Break it: take the end of the connection, or any zero, for success.
#[tokio::test]
async fn whatever_is_not_an_exit_code_leaves_the_mail_in_doubt() {
    for answer in
        ["", "0", "00\n", " 0\n", "0 \n", "0\r\n", "+0\n", "ok\n", "\n", "-1\n", "256\n", "0000000000\n"]
    {
        let error = answers(answer).failure(PATIENT).await;
        assert_eq!(error.cause, Cause::Unknown, "{answer:?}: {}", error.text);
        assert!(error.text.contains("exit code"), "{answer:?}: {}", error.text);
    }
}

#[tokio::test]
async fn a_message_that_nobody_read_to_its_end_was_not_handed_over() {
    let closes: Program = |stream| {
        drop(stream);
        None
    };
    let reads_a_little: Program = |mut stream| {
        stream.read_exact(&mut [0; 10]).unwrap();
        None
    };
    for program in [closes, reads_a_little] {
        let error = Helper::start(move |stream, _| program(stream)).failure(PATIENT).await;
        assert_eq!(error.cause, Cause::Deferred, "{}", error.text);
        assert!(error.text.contains("nobody took the message"), "{}", error.text);
    }
}

#[tokio::test]
async fn a_program_that_ends_without_reading_is_judged_by_its_exit_code() {
    let unread: Program = |mut stream| {
        stream.write_all(b"78\n").unwrap();
        None
    };
    let error = Helper::start(move |stream, _| unread(stream)).failure(PATIENT).await;
    assert_eq!(error.cause, Cause::Misconfigured);
    assert!(error.text.contains("misconfigured"), "{}", error.text);
}

/// Break it: read without a deadline.
#[tokio::test]
async fn a_program_that_hangs_leaves_the_mail_in_doubt_at_the_deadline() {
    let deaf: Program = Some;
    let half_an_answer: Program = |mut stream| {
        stream.read_to_end(&mut Vec::new()).unwrap();
        stream.write_all(b"0").unwrap();
        Some(stream)
    };
    for program in [deaf, half_an_answer] {
        let error = Helper::start(move |stream, _| program(stream)).failure(Duration::from_millis(300)).await;
        assert_eq!(error.cause, Cause::Unknown);
        assert!(error.text.contains("no exit code in time"), "{}", error.text);
    }
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_named_with_a_remedy() {
    let place = Place::new();
    drop(UnixListener::bind(place.file("deserted")).unwrap());
    for name in ["deserted", "missing"] {
        let courier = SendmailCourier::new(Sendmail::Socket(place.file(name).into()), PATIENT);
        let error = deliver(&courier, &mail_to("ada@example.org")).await.0.unwrap_err();
        assert_eq!(error.cause, Cause::Misconfigured);
        assert!(error.text.contains(name) && error.text.contains("mfad-sendmail.socket"), "{}", error.text);
    }
}

#[tokio::test]
async fn a_message_larger_than_any_buffer_arrives_whole() {
    let helper = answers("0\n");
    let mut message = mail_to("ada@example.org");
    message.bytes.extend(std::iter::repeat_n(b"0123456789abcde\n", 200_000).flatten());
    deliver(&helper.courier(PATIENT), &message).await.0.unwrap();
    let taken = helper.messages.recv().unwrap();
    assert_eq!(taken.len(), message.bytes.iter().filter(|byte| **byte != b'\r').count());
}
