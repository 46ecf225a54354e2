//! Mail that stays on this host: through a sendmail program, and into a Maildir.

mod deliver_support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use deliver_support::{CODE, PATIENT, Place, deliver, mail_to};
use mfad::config::Sendmail;
use mfad::deliver::memory::Outbox;
use mfad::deliver::sendmail::SendmailCourier;
use mfad::deliver::{Cause, Courier, DeliveryError, maildir::MaildirCourier};

fn shell(script: &str, more: &[&str], deadline: Duration) -> SendmailCourier {
    let argv = ["/bin/sh", "-c", script].iter().chain(more).map(|word| (*word).to_owned()).collect();
    SendmailCourier::new(Sendmail::Program(argv), deadline)
}

async fn failure(courier: &dyn Courier) -> DeliveryError {
    deliver(courier, &mail_to("ada@example.org")).await.0.unwrap_err()
}

#[tokio::test]
async fn the_program_gets_the_message_with_unix_lines_and_an_empty_environment() {
    let place = Place::new();
    let (mail, environment) = (place.file("mail"), place.file("environment"));
    let courier = shell(
        "cat > $1; env | sort > $2; pwd >> $2; echo queued as 4711",
        &["sh", &mail, &environment],
        PATIENT,
    );
    let message = mail_to("ada@example.org");
    let receipt = deliver(&courier, &message).await.0.unwrap();
    assert_eq!((receipt.by.as_str(), receipt.answer.as_str()), ("/bin/sh", "queued as 4711"));
    let expected = String::from_utf8(message.bytes.to_vec()).unwrap().replace("\r\n", "\n");
    assert_eq!(std::fs::read_to_string(mail).unwrap(), expected);
    let environment = std::fs::read_to_string(environment).unwrap();
    let ours =
        |line: &&str| !line.starts_with("_=") && !line.starts_with("PWD=") && !line.starts_with("SHLVL=");
    let lines: Vec<&str> = environment.lines().filter(ours).collect();
    assert_eq!(lines, ["LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "/"]);
}

#[tokio::test]
async fn nothing_of_a_recipient_reaches_an_argument_vector_or_a_shell() {
    let place = Place::new();
    let courier =
        shell("cat > /dev/null; for word; do echo \"[$word]\"; done", &["sh", "-t", "`id`"], PATIENT);
    let receipt = deliver(&courier, &mail_to("`id`$HOME@example.org")).await.0.unwrap();
    assert_eq!(receipt.answer, "[-t]?[`id`]");
    assert!(std::fs::read_dir(&place.0).unwrap().next().is_none());
}

#[tokio::test]
async fn exit_codes_mean_what_sysexits_says() {
    for (code, cause, text) in [
        (75, Cause::Deferred, "try later (exit code 75)"),
        (67, Cause::Rejected, "no such user"),
        (65, Cause::Rejected, "the message is wrong"),
        (77, Cause::Rejected, "not permitted"),
        (69, Cause::Rejected, "unavailable"),
        (64, Cause::Misconfigured, "wrong arguments"),
        (78, Cause::Misconfigured, "misconfigured"),
        (1, Cause::Misconfigured, "failed (exit code 1)"),
    ] {
        let error = failure(&shell(&format!("printf 'a\\033[2J\\nb' >&2; exit {code}"), &[], PATIENT)).await;
        assert_eq!(error.cause, cause, "{}", error.text);
        assert!(error.text.contains(text), "{}", error.text);
        assert!(error.text.ends_with("it said: a?[2J?b"), "{}", error.text);
    }
    let error = failure(&shell("kill -9 $$", &[], PATIENT)).await;
    assert_eq!(error.cause, Cause::Misconfigured);
    assert!(error.text.contains("killed by signal 9"), "{}", error.text);
}

#[tokio::test]
async fn a_program_that_cannot_run_is_named_with_a_remedy() {
    for argv in [vec!["/no/such/sendmail".to_owned()], vec!["/etc/passwd".to_owned()], Vec::new()] {
        let error = failure(&SendmailCourier::new(Sendmail::Program(argv), PATIENT)).await;
        assert_eq!(error.cause, Cause::Misconfigured);
        assert!(error.text.contains("email.sendmail"), "{}", error.text);
    }
}

#[tokio::test]
async fn neither_a_program_that_reads_nothing_nor_one_that_talks_without_end_locks_up() {
    let flood =
        shell("dd if=/dev/zero bs=65536 count=64 2>/dev/null; cat > /dev/null; exit 75", &[], PATIENT);
    let error = failure(&flood).await;
    assert_eq!(error.cause, Cause::Deferred);
    assert!(error.text.len() < 600, "{}", error.text.len());
    deliver(&shell("exit 0", &[], PATIENT), &mail_to("ada@example.org")).await.0.unwrap();
}

#[tokio::test]
async fn a_queue_runner_that_stays_behind_is_not_waited_for_and_not_killed() {
    let place = Place::new();
    let proof = place.file("proof");
    let script = "cat > /dev/null; (read line < $1.go; echo done > $1) & exit 0";
    assert!(std::process::Command::new("mkfifo").arg(format!("{proof}.go")).status().unwrap().success());
    deliver(&shell(script, &["sh", &proof], PATIENT), &mail_to("ada@example.org")).await.0.unwrap();
    std::fs::write(format!("{proof}.go"), "go\n").unwrap();
    while !Path::new(&proof).exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn at_the_deadline_the_program_dies_with_all_its_children() {
    let place = Place::new();
    let pids = place.file("pids");
    let script = "sleep 600 & echo $! > $1; echo $$ >> $1; wait";
    let error = failure(&shell(script, &["sh", &pids], Duration::from_millis(500))).await;
    assert_eq!(error.cause, Cause::Unknown);
    assert!(error.text.contains("was killed"), "{}", error.text);
    for pid in std::fs::read_to_string(&pids).unwrap().lines() {
        while is_running(pid) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn is_running(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

#[tokio::test]
async fn a_maildir_is_made_on_the_first_mail_and_each_mail_is_a_file_in_new() {
    let place = Place::new();
    let courier = MaildirCourier::new(place.file("$USER"), "web/1:x");
    for count in 1..=3 {
        let receipt = deliver(&courier, &mail_to("ada@example.org")).await.0.unwrap();
        assert_eq!(receipt.by, place.file("ada"));
        assert!(receipt.answer.ends_with(".web\\0571\\072x"), "{}", receipt.answer);
        assert_eq!(std::fs::read_dir(place.0.join("ada/new")).unwrap().count(), count);
        let file = place.0.join("ada/new").join(&receipt.answer);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains(CODE) && !text.contains('\r'));
    }
    assert_eq!(std::fs::read_dir(place.0.join("ada/tmp")).unwrap().count(), 0);
    for part in ["ada", "ada/tmp", "ada/new", "ada/cur"] {
        assert_eq!(std::fs::metadata(place.0.join(part)).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[tokio::test]
async fn a_maildir_is_never_made_outside_of_its_place() {
    let place = Place::new();
    let courier = MaildirCourier::new(place.file("mail/$USER"), "web1");
    assert_eq!(failure(&courier).await.cause, Cause::Misconfigured, "the parent does not exist");
    let courier = MaildirCourier::new(place.file("$USER"), "web1");
    for user in ["../eve", "..", ".hidden", "a/b", ""] {
        let mut message = mail_to("ada@example.org");
        message.user = user.to_owned();
        let error = deliver(&courier, &message).await.0.unwrap_err();
        assert_eq!(error.cause, Cause::Misconfigured, "{user}");
    }
    assert_eq!(
        failure(&MaildirCourier::new("relative/$USER".into(), "web1")).await.cause,
        Cause::Misconfigured
    );
    assert!(std::fs::read_dir(&place.0).unwrap().next().is_none());
}

#[tokio::test]
async fn the_outbox_keeps_fails_and_waits_as_it_is_told() {
    let outbox = Outbox::default();
    deliver(&outbox, &mail_to("ada@example.org")).await.0.unwrap();
    assert_eq!(outbox.messages()[0].to.as_str(), "ada@example.org");
    outbox.fail(DeliveryError::new(Cause::Timeout, "slow"));
    assert_eq!(failure(&outbox).await.cause, Cause::Timeout);
    outbox.recover();
    outbox.hold();
    let message = mail_to("bob@example.org");
    let release = async {
        while outbox.held() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(outbox.messages().len(), 1);
        outbox.release();
    };
    let (delivered, ()) = tokio::join!(deliver(&outbox, &message), release);
    delivered.0.unwrap();
    assert_eq!((outbox.messages().len(), outbox.held()), (2, 0));
}
