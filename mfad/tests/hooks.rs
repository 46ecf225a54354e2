//! Hooks: real programs that carry codes and judge answers, and what they can do wrong.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mfad::config::{Hook, HookProof};
use mfad::deliver::hook::{Judgement, Request, check, send};
use mfad::deliver::{Cause, DeliveryError};
use mfad::rules::attempt::{Service, Source, UserName};
use protocol::Secret;

const CODE: &str = "4829";
const PATIENT: Duration = Duration::from_secs(20);

/// A directory of its own, gone when the test ends.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("hooks-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Place(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// A shell script, as a command. It is not executed itself: a child that another test forks just now may still have
    /// it open for writing.
    fn script(&self, text: &str) -> Vec<String> {
        let file = self.file("hook");
        fs::write(&file, format!("{text}\n")).unwrap();
        vec!["/bin/sh".to_owned(), file, self.0.display().to_string()]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn hook(proof: HookProof, timeout: Duration) -> Hook {
    Hook { name: "sms".to_owned(), proof, fallback: None, timeout, lifetime: Duration::from_secs(300) }
}

fn sends(command: Vec<String>) -> Hook {
    hook(HookProof::Sent { send: command, digits: 4 }, PATIENT)
}

fn checks(command: Vec<String>) -> Hook {
    hook(HookProof::Checked { send: None, check: command }, PATIENT)
}

struct Facts {
    user: UserName,
    service: Service,
    code: Secret,
}

impl Facts {
    fn with_code(code: &str) -> Self {
        let user = UserName::parse("ada").unwrap();
        Facts { user, service: Service::read("sshd"), code: Secret::new(code.to_owned()) }
    }

    fn request(&self) -> Request<'_> {
        Request {
            user: &self.user,
            contact: Some("+44 20 7946 0000"),
            code: Some(&self.code),
            host: "login.example.org",
            service: &self.service,
            source: Source::Address([192, 0, 2, 7].into()),
            language: "en",
        }
    }
}

async fn failure(hook: &Hook) -> DeliveryError {
    send(hook, &Facts::with_code(CODE).request(), PATIENT).await.unwrap_err()
}

async fn judgement(script: &str) -> Result<Judgement, DeliveryError> {
    let place = Place::new();
    check(&checks(place.script(script)), &Facts::with_code(CODE).request(), PATIENT).await
}

/// The process of this id is no more; a zombie that its new parent has not reaped yet does not count.
fn is_gone(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.is_empty() || stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z'))
}

async fn await_end_of(pid_file: &str) {
    let pid = fs::read_to_string(pid_file).unwrap();
    let start = Instant::now();
    while !is_gone(pid.trim()) {
        assert!(start.elapsed() < PATIENT, "process {pid} lives on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_program_gets_one_json_object_on_its_input_and_nothing_elsewhere() {
    let place = Place::new();
    let script = "cat >$1/input; tr '\\0' '\\n' </proc/$$/cmdline >$1/argv
        tr '\\0' '\\n' </proc/$$/environ >$1/environment; pwd >$1/directory; echo 'queued as 4711'";
    let receipt =
        send(&sends(place.script(script)), &Facts::with_code(CODE).request(), PATIENT).await.unwrap();
    assert_eq!((receipt.by.as_str(), receipt.answer.as_str()), ("hook sms", "queued as 4711"));
    let read = |name: &str| fs::read_to_string(place.file(name)).unwrap();
    let input = read("input");
    assert!(input.ends_with("}\n") && input.matches('\n').count() == 1, "{input}");
    let told: BTreeMap<String, String> = serde_json::from_str(&input).unwrap();
    let told: Vec<(&str, &str)> = told.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let expected = [
        ("code", CODE),
        ("contact", "+44 20 7946 0000"),
        ("host", "login.example.org"),
        ("language", "en"),
        ("service", "sshd"),
        ("source", "192.0.2.7"),
        ("user", "ada"),
    ];
    assert_eq!(told, expected);
    assert!(!read("argv").contains(CODE) && read("argv").lines().count() == 3);
    assert_eq!(read("environment"), "LC_ALL=C.UTF-8\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
    assert_eq!(read("directory"), "/\n");
}

#[tokio::test]
async fn what_was_typed_cannot_leave_its_json_string() {
    let place = Place::new();
    let typed = "\",\"user\":\"root\u{1b}\n\\$(id)`id`\u{0}ü";
    let facts = Facts::with_code(typed);
    let judged = check(&checks(place.script("cat >$1/input")), &facts.request(), PATIENT).await;
    assert_eq!(judged, Ok(Judgement::Accepted));
    let input = fs::read_to_string(place.file("input")).unwrap();
    let told: serde_json::Value = serde_json::from_str(&input).unwrap();
    assert_eq!((told["code"].as_str(), told["user"].as_str()), (Some(typed), Some("ada")));
}

#[tokio::test]
async fn a_check_accepts_by_0_and_rejects_by_1_and_anything_else_is_a_failure() {
    assert_eq!(judgement("cat >/dev/null; exit 0").await, Ok(Judgement::Accepted));
    assert_eq!(judgement("cat >/dev/null; exit 1").await, Ok(Judgement::Rejected));
    for (script, cause, text) in [
        ("exit 2", Cause::Rejected, "failed (exit code 2)"),
        ("exit 75", Cause::Deferred, "try later (exit code 75)"),
        ("exit 127", Cause::Rejected, "failed (exit code 127)"),
        ("kill -9 $$", Cause::Rejected, "killed by signal 9"),
        ("kill -TERM $$", Cause::Rejected, "killed by signal 15"),
    ] {
        let error = judgement(script).await.unwrap_err();
        assert_eq!(error.cause, cause, "{}", error.text);
        assert!(error.text.starts_with("hook sms (check): ") && error.text.contains(text), "{}", error.text);
    }
}

#[tokio::test]
async fn a_send_has_succeeded_only_by_exit_code_0() {
    for (script, cause) in
        [("exit 1", Cause::Rejected), ("exit 75", Cause::Deferred), ("kill -9 $$", Cause::Rejected)]
    {
        let place = Place::new();
        let error = failure(&sends(place.script(script))).await;
        assert_eq!(error.cause, cause, "{}", error.text);
    }
}

#[tokio::test]
async fn a_program_that_cannot_run_is_a_mistake_of_the_operator() {
    let place = Place::new();
    for command in [vec!["/no/such/hook".to_owned()], vec!["/etc/passwd".to_owned()], Vec::new()] {
        let error = failure(&sends(command)).await;
        assert_eq!(error.cause, Cause::Misconfigured, "{}", error.text);
    }
    let without_send = checks(place.script("exit 0"));
    assert_eq!(failure(&without_send).await.cause, Cause::Misconfigured);
    let facts = Facts::with_code(CODE);
    let without_check = sends(place.script("exit 0"));
    let error = check(&without_check, &facts.request(), PATIENT).await.unwrap_err();
    assert_eq!(error.cause, Cause::Misconfigured, "a hook that cannot check accepts nothing");
}

#[tokio::test]
async fn a_program_that_reads_nothing_has_its_say_by_its_exit_code() {
    let long = "9".repeat(1 << 20);
    let facts = Facts::with_code(&long);
    let place = Place::new();
    let judged = check(&checks(place.script("exec <&-; exit 0")), &facts.request(), PATIENT).await;
    assert_eq!(judged, Ok(Judgement::Accepted));
    assert_eq!(judgement("exit 1").await, Ok(Judgement::Rejected));
}

#[tokio::test]
async fn megabytes_of_talk_neither_lock_up_nor_reach_the_log() {
    let script = "dd if=/dev/zero bs=65536 count=64 2>/dev/null; dd if=/dev/zero bs=65536 count=64 >&2
        cat >/dev/null; exit 3";
    let error = judgement(script).await.unwrap_err();
    assert!(error.text.len() < 600, "{}", error.text.len());
    assert!(error.text.contains("exit code 3"), "{}", error.text);
}

#[tokio::test]
async fn what_a_program_says_is_quoted_without_the_code_and_without_control_characters() {
    let error = judgement("echo out; printf 'sent 4829 to you \\033[2J\\r\\nok4829' >&2; exit 2").await;
    let text = error.unwrap_err().text;
    assert!(text.ends_with("it said: sent … to you ?[2J??ok…"), "{text}");
    let place = Place::new();
    let echo = sends(place.script("cat"));
    let receipt = send(&echo, &Facts::with_code(CODE).request(), PATIENT).await.unwrap();
    assert!(!receipt.answer.contains(CODE) && receipt.answer.contains("\"user\""), "{}", receipt.answer);
    let debug = format!("{:?}", Facts::with_code(CODE).request());
    assert!(!debug.contains(CODE), "{debug}");
}

#[tokio::test]
async fn a_program_that_hangs_dies_at_the_deadline_with_a_grandchild_that_ignores_signals() {
    let place = Place::new();
    let script = "trap '' TERM HUP INT
        (trap '' TERM HUP INT; (sh -c 'echo $$ >\"$0/grandchild\"; while :; do sleep 1; done' \"$1\") & wait) &
        echo $$ >\"$1/leader\"
        while [ ! -s \"$1/grandchild\" ]; do sleep 0.01; done
        while :; do sleep 1; done";
    let start = Instant::now();
    let hook = hook(HookProof::Sent { send: place.script(script), digits: 6 }, Duration::from_millis(1500));
    let error = failure(&hook).await;
    assert_eq!(error.cause, Cause::Timeout, "{}", error.text);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    await_end_of(&place.file("leader")).await;
    await_end_of(&place.file("grandchild")).await;
}

#[tokio::test]
async fn a_caller_in_a_hurry_shortens_the_deadline() {
    let place = Place::new();
    let start = Instant::now();
    let facts = Facts::with_code(CODE);
    let hook = checks(place.script("sleep 60"));
    let error = check(&hook, &facts.request(), Duration::from_millis(200)).await.unwrap_err();
    assert_eq!(error.cause, Cause::Timeout);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn children_that_a_program_leaves_behind_die_with_it() {
    let place = Place::new();
    let script = "sh -c 'echo $$ >\"$0/child\"; while :; do sleep 1; done' \"$1\" &
        while [ ! -s \"$1/child\" ]; do sleep 0.01; done
        echo done; exit 0";
    let facts = Facts::with_code(CODE);
    let receipt = send(&sends(place.script(script)), &facts.request(), PATIENT).await.unwrap();
    assert_eq!(receipt.answer, "done");
    await_end_of(&place.file("child")).await;
}

#[tokio::test]
async fn a_login_that_is_given_up_takes_its_program_along() {
    let place = Place::new();
    let command = place.script("echo $$ >\"$1/leader\"; while :; do sleep 1; done");
    let leader = place.file("leader");
    let task = tokio::spawn(async move {
        let hook = sends(command);
        let facts = Facts::with_code(CODE);
        send(&hook, &facts.request(), PATIENT).await
    });
    while !fs::read_to_string(&leader).is_ok_and(|pid| pid.ends_with('\n')) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    task.abort();
    await_end_of(&leader).await;
}

#[tokio::test]
async fn many_programs_at_once_do_not_hear_each_others_ends() {
    let runs = (0..24).map(|number| {
        tokio::spawn(async move { judgement(&format!("sleep 0.0{}; exit {}", number % 7, number % 2)).await })
    });
    for (number, run) in runs.collect::<Vec<_>>().into_iter().enumerate() {
        let expected = if number % 2 == 0 { Judgement::Accepted } else { Judgement::Rejected };
        assert_eq!(run.await.unwrap(), Ok(expected));
    }
}
