//! What mfactl may ask about factors, asked of a running daemon: by administrators, by people about themselves, and by
//! people about others.

mod appended;
mod given;
mod keys;
mod own;
mod proof;
#[path = "../running/mod.rs"]
mod running;
#[path = "../time_server/mod.rs"]
mod time_server;

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::Secret;
use protocol::login::{Answer, Attempt, Begin, Continue, Conversation, Step, Then, Verdict};
use protocol::manage;
use running::{Peer, Running};

/// A person of every Debian host who is not root, and their uid.
const ADA: &str = "daemon";
const ADAS_UID: u32 = 1;

/// Another one.
const BOB: &str = "nobody";

fn begin(user: &str, service: &str) -> Begin {
    let attempt = Attempt {
        user: user.into(),
        service: service.into(),
        tty: None,
        remote_host: None,
        remote_user: None,
        ssh_connection: None,
        ssh_auth_info: None,
    };
    Begin { protocol: protocol::VERSION, attempt, appended: None }
}

/// Begins, lets a code be sent where one is, and answers the question with what `text` gives then.
fn log_in(peer: &mut Peer, user: &str, service: &str, text: impl FnOnce() -> String) -> Then {
    let mut step = peer.call(&begin(user, service)).unwrap().step;
    if step.then == Then::Continue {
        step = peer.call(&Continue { login: step.login, conversation: Conversation::Seen }).unwrap().step;
    }
    let Step { login, then: Then::Ask(question), .. } = step else { return step.then };
    let text = Secret::new(text());
    peer.call(&Answer { login, question: question.id, text }).unwrap().step.then
}

/// What an app shows, so many steps from now. Near the end of a step it waits, so that a test is done within one.
fn app_code(secret: &str, steps: i64) -> String {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    while now() % 30 > 24 {
        std::thread::sleep(Duration::from_millis(200));
    }
    let at = format!("@{}", now().checked_add_signed(steps * 30).unwrap());
    let output = Command::new("oathtool").args(["--totp", "-b", secret, "-N", &at]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn start(user: Option<&str>, factor: &str, contact: Option<&str>) -> manage::StartEnrolment {
    manage::StartEnrolment {
        user: user.map(str::to_owned),
        factor: factor.into(),
        contact: contact.map(str::to_owned),
        algorithm: None,
        digits: None,
        step: None,
    }
}

fn confirm(user: Option<&str>, code: &str) -> manage::ConfirmEnrolment {
    let code = Secret::new(code.into());
    manage::ConfirmEnrolment { user: user.map(str::to_owned), id: None, code }
}

/// Enrols an app for somebody, with the code of the step before this one; answers its key and the recovery codes.
fn enrolled(peer: &mut Peer, user: Option<&str>) -> (String, Vec<String>) {
    let started = peer.call(&start(user, "totp", None)).unwrap();
    let secret = started.secret.unwrap().expose().to_owned();
    let confirmed = peer.call(&confirm(user, &app_code(&secret, -1))).unwrap();
    assert_eq!(confirmed.id, started.id);
    (secret, confirmed.recovery.iter().map(|code| code.expose().to_owned()).collect())
}

fn new_recovery(user: Option<&str>) -> manage::NewRecovery {
    manage::NewRecovery { user: user.map(str::to_owned) }
}
