mod blind;

use std::collections::VecDeque;

use protocol::login::{Attempt, Continue, Echo};

use super::*;

/// A person or a program: what comes back from notices, and the raw answers (`None`: the conversation ends).
#[derive(Default)]
struct Double {
    notices_are_answered: bool,
    password: Option<&'static [u8]>,
    appended: &'static str,
    answers: VecDeque<Option<Vec<u8>>>,
    seen: Vec<String>,
    traced: String,
}

impl Double {
    fn typing(answers: &[&[u8]]) -> Self {
        let answers = answers.iter().map(|answer| Some(answer.to_vec())).collect();
        Double { answers, ..Double::default() }
    }
}

impl Terminal for Double {
    fn show(&mut self, severity: Severity, text: &str) -> Conversation {
        self.seen.push(format!("{}: {text}", severity.name()));
        if self.notices_are_answered { Conversation::Blind } else { Conversation::Seen }
    }

    fn ask(&mut self, question: &Question) -> Result<Typed, HangUp> {
        self.seen.push(format!("{}? {}", question.echo.name(), question.text));
        let answer = self.answers.pop_front().expect("an answer is left").ok_or(HangUp)?;
        let before = TypedBefore { password: self.password.unwrap_or_default(), code: self.appended };
        Ok(Typed::judge(&answer, &before))
    }

    fn trace(&mut self, line: fmt::Arguments<'_>) {
        self.traced += &format!("{line}\n");
    }
}

/// A daemon with a list of replies, and what it heard.
struct Daemon {
    replies: VecDeque<Result<Step, Failure>>,
    heard: Vec<Request>,
    cancelled: Vec<String>,
}

impl Link for Daemon {
    fn call(&mut self, request: &Request) -> Result<Step, Failure> {
        self.heard.push(request.clone());
        self.replies.pop_front().expect("a reply is left")
    }

    fn cancel(&mut self, login: String) {
        self.cancelled.push(login);
    }
}

impl Daemon {
    fn replying(replies: Vec<Result<Step, Failure>>) -> Self {
        Daemon { replies: replies.into(), heard: Vec::new(), cancelled: Vec::new() }
    }
}

fn begin() -> Begin {
    let attempt = Attempt {
        user: "ann".into(),
        service: "sshd".into(),
        tty: None,
        remote_host: None,
        remote_user: None,
        ssh_connection: None,
        ssh_auth_info: None,
    };
    Begin { protocol: protocol::VERSION, attempt, appended: None }
}

fn step(login: &str, notices: &[&str], then: Then) -> Result<Step, Failure> {
    let notices =
        notices.iter().map(|text| Notice { severity: Severity::Info, text: (*text).to_owned() }).collect();
    Ok(Step { login: login.to_owned(), notices, then })
}

fn ask(id: &str) -> Then {
    Then::Ask(Question { id: id.to_owned(), text: "Code: ".to_owned(), echo: Echo::On })
}

fn answer(login: &str, question: &str, text: &str) -> Request {
    Request::Answer(Answer {
        login: login.to_owned(),
        question: question.to_owned(),
        text: Secret::new(text.to_owned()),
    })
}

fn proceed(login: &str, conversation: Conversation) -> Request {
    Request::Continue(Continue { login: login.to_owned(), conversation })
}

fn held(terminal: &mut Double, daemon: &mut Daemon) -> Result<Verdict, Failure> {
    let outcome = hold(terminal, daemon, begin());
    assert_eq!(daemon.heard.first(), Some(&Request::Begin(begin())));
    outcome
}

#[test]
fn a_code_is_announced_asked_for_and_answered() {
    let mut person = Double::typing(&[b"123456"]);
    let mut daemon = Daemon::replying(vec![
        step("l1", &["Sending a code to a***@example.org"], Then::Continue),
        step("l1", &[], ask("q1")),
        step("l1", &["Welcome"], Then::End(Verdict::Allow)),
    ]);
    assert_eq!(held(&mut person, &mut daemon).unwrap(), Verdict::Allow);
    assert_eq!(daemon.heard[1..], [proceed("l1", Conversation::Seen), answer("l1", "q1", "123456")]);
    assert_eq!(person.seen, ["info: Sending a code to a***@example.org", "on? Code: ", "info: Welcome"]);
    assert!(daemon.cancelled.is_empty());
    assert!(!person.traced.contains("123456"), "{}", person.traced);
}

#[test]
fn answers_are_judged_by_what_they_are() {
    let text = |text: &str| Typed::Text(Secret::new(text.to_owned()));
    type Row<'a> = (&'a [u8], Option<&'a [u8]>, Typed);
    let table: &[Row<'_>] = &[
        (b"123456", None, text("123456")),
        (b"123456", Some(b"secret"), text("123456")),
        (b"secret", Some(b"secret"), Typed::ByProgram),
        (b"Secret", Some(b"secret"), text("Secret")),
        (b"", None, text("")),
        (b"", Some(b""), text("")),
        (&[b'x'; 1024], None, text(&"x".repeat(1024))),
        (&[b'x'; 1025], None, Typed::Unreadable),
        (&[b'x'; 1 << 20], None, Typed::Unreadable),
        (&[b'x'; 2000], Some(&[b'x'; 2000]), Typed::ByProgram),
        (b"12\xff\xfe56", None, Typed::Unreadable),
    ];
    for (typed, password, expected) in table {
        let before = TypedBefore { password: password.unwrap_or_default(), code: "" };
        assert_eq!(Typed::judge(typed, &before), *expected, "{} bytes", typed.len());
    }
}

#[test]
fn an_answer_that_cannot_be_sent_goes_out_as_a_wrong_shape_and_an_empty_one_as_it_is() {
    let mut person = Double::typing(&[&[b'7'; 1 << 20], b"\xff", b""]);
    let mut daemon = Daemon::replying(vec![
        step("l1", &[], ask("q1")),
        step("l1", &[], ask("q1")),
        step("l1", &[], ask("q1")),
        step("l1", &[], Then::End(Verdict::Cancelled)),
    ]);
    assert_eq!(held(&mut person, &mut daemon).unwrap(), Verdict::Cancelled);
    let sent = [answer("l1", "q1", "\u{fffd}"), answer("l1", "q1", "\u{fffd}"), answer("l1", "q1", "")];
    assert_eq!(daemon.heard[1..], sent);
}

#[test]
fn a_hang_up_at_a_question_is_told_to_the_daemon() {
    let mut person = Double { answers: [None].into(), ..Double::default() };
    let mut daemon = Daemon::replying(vec![step("l1", &[], ask("q1"))]);
    assert!(matches!(held(&mut person, &mut daemon), Err(Failure::HangUp)));
    assert_eq!(daemon.cancelled, ["l1"]);
}

#[test]
fn after_a_lost_connection_the_same_question_gets_the_held_answer_without_asking_twice() {
    let mut person = Double::typing(&[b"123456"]);
    let mut daemon = Daemon::replying(vec![
        step("l1", &["Hello"], ask("q1")),
        Err(Failure::Lost),
        Err(Failure::Lost),
        step("l2", &["Hello"], ask("q1")),
        Err(Failure::Lost),
        step("l3", &[], ask("q1")),
        step("l3", &[], Then::End(Verdict::Allow)),
    ]);
    assert_eq!(held(&mut person, &mut daemon).unwrap(), Verdict::Allow);
    let again = Request::Begin(begin());
    assert_eq!(
        daemon.heard[1..],
        [
            answer("l1", "q1", "123456"),
            again.clone(),
            again.clone(),
            answer("l2", "q1", "123456"),
            again,
            answer("l3", "q1", "123456"),
        ]
    );
    assert_eq!(person.seen, ["info: Hello", "on? Code: "]);
}

#[test]
fn after_a_lost_connection_another_question_is_asked_and_old_notices_are_not_repeated() {
    let mut person = Double::typing(&[b"123456", b"654321"]);
    let mut daemon = Daemon::replying(vec![
        step("l1", &["Hello"], ask("q1")),
        Err(Failure::Lost),
        step("l2", &["Hello", "A new code was sent"], ask("q2")),
        step("l2", &[], Then::End(Verdict::Allow)),
    ]);
    assert_eq!(held(&mut person, &mut daemon).unwrap(), Verdict::Allow);
    assert_eq!(daemon.heard[3..], [answer("l2", "q2", "654321")]);
    assert_eq!(person.seen, ["info: Hello", "on? Code: ", "info: A new code was sent", "on? Code: "]);
}

#[test]
fn after_a_lost_continue_the_login_goes_on_where_begin_says() {
    let mut program = Double { notices_are_answered: true, ..Double::default() };
    let mut daemon = Daemon::replying(vec![
        step("l1", &["Sending a code"], Then::Continue),
        Err(Failure::Lost),
        step("l2", &["Sending a code"], Then::Continue),
        step("l2", &[], Then::End(Verdict::Deny)),
    ]);
    assert!(matches!(held(&mut program, &mut daemon), Err(Failure::Blind)));
    assert_eq!(daemon.heard[3..], [proceed("l2", Conversation::Blind)]);
    assert_eq!(program.seen.len(), 1);
}

#[test]
fn a_request_that_always_costs_the_connection_is_given_up() {
    let mut person = Double::typing(&[b"123456"]);
    let mut replies = vec![step("l1", &[], ask("q1"))];
    for _ in 0..=LOSSES {
        replies.extend([Err(Failure::Lost), step("l1", &[], ask("q1"))]);
    }
    let mut daemon = Daemon::replying(replies);
    assert!(matches!(held(&mut person, &mut daemon), Err(Failure::Lost)));
    let answers = daemon.heard.iter().filter(|request| matches!(request, Request::Answer(_))).count();
    assert_eq!(answers, LOSSES + 1);
}

#[test]
fn every_failure_of_the_link_ends_the_login() {
    for failure in [
        Failure::Unreachable("x".into()),
        Failure::Deadline(1),
        Failure::Foreign("x".into()),
        Failure::Malformed("x"),
        Failure::Refused { name: "x".into(), reason: "x".into() },
    ] {
        let name = failure.to_string();
        let mut daemon = Daemon::replying(vec![Err(failure)]);
        assert_eq!(held(&mut Double::default(), &mut daemon).unwrap_err().to_string(), name);
    }
}

#[test]
fn a_daemon_that_asks_for_ever_is_left() {
    let mut person = Double::typing(&[b"1".as_slice(); LONGEST]);
    let mut daemon = Daemon::replying((0..=LONGEST).map(|_| step("l1", &[], ask("q1"))).collect());
    assert!(matches!(held(&mut person, &mut daemon), Err(Failure::Endless)));
    assert_eq!(daemon.heard.len(), LONGEST);
}

#[test]
fn text_of_the_daemon_cannot_move_a_cursor_or_end_early_but_may_have_lines() {
    let mut person = Double::typing(&[b"1"]);
    let evil = Question { id: "q1".into(), text: "a\x1b[2J\0b\nCode: ".into(), echo: Echo::Off };
    let mut daemon = Daemon::replying(vec![
        step("l1", &["one\ntwo\0\u{202e}"], Then::Ask(evil)),
        step("l1", &[], Then::End(Verdict::Deny)),
    ]);
    held(&mut person, &mut daemon).unwrap();
    assert_eq!(person.seen, ["info: one\ntwo??", "off? a?[2J?b\nCode: "]);
}
