//! The built module under the real libpam. Whatever the daemon and the program do, only `allow` is PAM_SUCCESS.
//!
//! The module is loaded from the target directory: `cargo build -p pam_mfad --lib --examples` first. The daemon's socket must lie on a
//! way that is root's alone, so these tests prove little for another user; those that need it say so and pass.

#![allow(clippy::print_stderr)]

mod libpam;

use std::time::{Duration, Instant};

use libpam::*;

const SORRY: &str = "The second factor cannot be checked now. Ask your administrator.";

/// Gives the daemon, or ends the test for want of root.
macro_rules! daemon {
    ($serve:expr) => {
        match Daemon::start($serve) {
            Some(daemon) => daemon,
            None => return eprintln!("skipped: only root can make a socket that the module trusts"),
        }
    };
}

/// A person who types the code, and does not answer notices.
fn person(style: i32, _text: &str) -> Reply {
    if style <= 2 { Reply::text("123456") } else { Reply::Null }
}

/// Asks once, then gives the verdict.
fn ask_then(verdict: &'static str) -> impl Fn(usize) -> Serve + Send {
    move |call| if call == 0 { step("Hello", "Code: ", "") } else { step("", "", verdict) }
}

#[test]
fn each_verdict_reaches_the_stack() {
    for (service, verdict, code) in [
        ("sshd", "allow", SUCCESS),
        ("sshd", "exempt", SUCCESS),
        ("sshd", "deny", AUTH_ERR),
        ("sshd", "unknown", USER_UNKNOWN),
        ("sshd", "locked", MAXTRIES),
        ("sudo", "locked", ABORT),
        ("sudo-i", "locked", ABORT),
        ("sshd", "unavailable", AUTHINFO_UNAVAIL),
        ("sshd", "cancelled", CONV_ERR),
    ] {
        let daemon = daemon!(ask_then(verdict));
        let mut program = Program::start(service, "ann", &daemon.stack("debug timeout=5"), person);
        assert_eq!(program.authenticate(), code, "{verdict} under {service}");
        assert_eq!(program.seen(), ["Hello", "Code: "]);
        assert!(daemon.heard()[1].contains(r#""question":"q1","text":"123456""#));
    }
}

#[test]
fn the_daemon_hears_what_pam_knows_and_nothing_of_the_process_environment() {
    let daemon = daemon!(ask_then("allow"));
    let mut program = Program::start("sshd", "ann", &daemon.stack(""), person)
        .item(TTY, "ssh")
        .item(RHOST, &format!("host.example{}", "x".repeat(2000)))
        .environment("SSH_CONNECTION=192.0.2.1 4711 192.0.2.2 22")
        .environment("SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA\n");
    assert_eq!(program.authenticate(), SUCCESS);
    let begin: serde_json::Value = serde_json::from_str(&daemon.heard()[0]).unwrap();
    let attempt = &begin["parameters"]["attempt"];
    assert_eq!(begin["method"], "io.mfad.Login.Begin");
    assert_eq!(begin["parameters"]["protocol"], 1);
    assert_eq!(attempt["user"], "ann");
    assert_eq!(attempt["service"], "sshd");
    assert_eq!(attempt["tty"], "ssh");
    assert_eq!(attempt["remote_host"].as_str().unwrap().len(), 1024);
    assert!(attempt["remote_user"].is_null());
    assert_eq!(attempt["ssh_connection"], "192.0.2.1 4711 192.0.2.2 22");
    assert_eq!(attempt["ssh_auth_info"], "publickey ssh-ed25519 AAAA\n");
}

#[test]
fn a_bad_argument_or_a_socket_that_is_not_there_never_opens() {
    for (args, code) in [
        ("socket=/run/mfad-test-nowhere/s timeout=1", AUTHINFO_UNAVAIL),
        ("socket=/dev/null", SYSTEM_ERR),
        ("socket=/etc", SYSTEM_ERR),
        ("socket=/tmp/mfad-test-nowhere", SYSTEM_ERR),
        ("timeout=0", SERVICE_ERR),
        ("url=https://example.org", SERVICE_ERR),
        ("socket=relative", SERVICE_ERR),
    ] {
        let mut program = Program::start("sshd", "ann", &stack(args), person);
        assert_eq!(program.authenticate(), code, "{args}");
        assert_eq!(program.seen(), [SORRY], "{args}");
    }
}

#[test]
fn a_daemon_that_misbehaves_never_opens_and_never_holds_the_program() {
    type Maker = fn() -> Serve;
    let table: [(&str, Maker, i32); 6] = [
        ("hangs", || Serve::Hang, AUTHINFO_UNAVAIL),
        ("closes", || Serve::Close, AUTHINFO_UNAVAIL),
        ("sends garbage", || Serve::Frame("PAM_SUCCESS".into()), SYSTEM_ERR),
        ("sends 64 KiB", || Serve::Bytes(vec![b'x'; 64 * 1024]), SYSTEM_ERR),
        (
            "answers with an error",
            || Serve::Frame(r#"{"error":"io.mfad.UnsupportedVersion"}"#.into()),
            SYSTEM_ERR,
        ),
        ("asks for ever", || step("", "Code: ", ""), SYSTEM_ERR),
    ];
    for (what, serve, code) in table {
        for good_calls in [0, 1] {
            let daemon =
                daemon!(move |call| if call < good_calls { step("", "Code: ", "") } else { serve() });
            let mut program = Program::start("sshd", "ann", &daemon.stack("timeout=1"), person);
            let start = Instant::now();
            assert_eq!(program.authenticate(), code, "a daemon that {what} after {good_calls}");
            assert!(start.elapsed() < Duration::from_secs(2), "a daemon that {what}: {:?}", start.elapsed());
            assert_eq!(program.seen().last(), Some(&SORRY));
        }
    }
}

#[test]
fn a_program_that_does_not_answer_the_question_never_opens() {
    for reply in [Reply::Null, Reply::Nothing, Reply::Fails] {
        let daemon = daemon!(ask_then("allow"));
        let told = reply.clone();
        let mut program = Program::start("sshd", "ann", &daemon.stack(""), move |style, _| {
            if style <= 2 { told.clone() } else { Reply::Null }
        });
        assert_eq!(program.authenticate(), CONV_ERR);
        assert_eq!(program.seen(), ["Hello", "Code: "]);
        std::thread::sleep(Duration::from_millis(100));
        assert!(daemon.heard()[1].contains("io.mfad.Login.Cancel"), "{:?}", daemon.heard());
    }
}

#[test]
fn answers_that_are_no_codes_are_not_passed_on() {
    let typed: [(&[u8], &str); 4] = [
        (&[b'7'; 1 << 20], "\u{fffd}"),
        (b"\xff\xfe", "\u{fffd}"),
        (b"\x08\n\r\x7fIN", r#""conversation":"blind""#),
        (b"the password", r#""conversation":"blind""#),
    ];
    for (typed, sent) in typed {
        let daemon = daemon!(ask_then("deny"));
        // PAM_AUTHTOK can be set by modules only: pam_unix would. An `auth` line before ours asks for it.
        let module =
            daemon.stack("").replacen("pam_permit.so", "pam_exec.so expose_authtok quiet /bin/true", 1);
        let mut program = Program::start("sshd", "ann", &module, move |style, text| match (style, text) {
            (1, _) => Reply::text("the password"),
            (2, _) => Reply::Text(typed.to_vec()),
            _ => Reply::Null,
        });
        assert_eq!(program.authenticate(), AUTH_ERR);
        assert!(daemon.heard()[1].contains(sent), "{}", daemon.heard()[1]);
        assert!(!daemon.heard()[1].contains("password"));
    }
}

#[test]
fn a_program_that_answers_notices_is_reported_blind() {
    let daemon = daemon!(|call| if call == 0 { step("Sending", "", "") } else { step("", "", "deny") });
    let mut program = Program::start("sshd", "ann", &daemon.stack(""), |_, _| Reply::text(""));
    assert_eq!(program.authenticate(), AUTH_ERR);
    assert!(daemon.heard()[1].contains(r#""conversation":"blind""#));
}

#[test]
fn a_restart_of_the_daemon_between_question_and_answer_goes_unnoticed() {
    let daemon = daemon!(|call| match call {
        0 | 2 => step("Hello", "Code: ", ""),
        1 => Serve::Close,
        _ => step("", "", "allow"),
    });
    let mut program = Program::start("sshd", "ann", &daemon.stack(""), person);
    assert_eq!(program.authenticate(), SUCCESS);
    assert_eq!(program.seen(), ["Hello", "Code: "]);
    assert_eq!(daemon.heard().len(), 4);
}

#[test]
fn a_verdict_for_somebody_else_is_not_used() {
    for verdict in ["allow", "exempt"] {
        let daemon = daemon!(ask_then(verdict));
        let mut program = Program::start("sshd", "ann", &daemon.stack(""), |style, _| {
            if style <= 2 { Reply::ChangesUser(b"123456".to_vec()) } else { Reply::Null }
        });
        assert_eq!(program.authenticate(), SYSTEM_ERR, "{verdict}");
    }
}

#[test]
fn setcred_succeeds_where_no_other_module_counts_and_account_is_left_to_others() {
    let daemon = daemon!(ask_then("allow"));
    let alone = daemon.stack("").replace("auth required pam_permit.so\n", "");
    let mut program = Program::start("sshd", "ann", &alone, person);
    assert_eq!(program.authenticate(), SUCCESS);
    assert_eq!(program.setcred(), SUCCESS);
    assert_eq!(program.acct_mgmt(), SUCCESS);
}

#[test]
fn a_user_name_that_no_account_can_have_is_unknown() {
    let mut program = Program::start("sshd", &"x".repeat(1025), &stack("timeout=1"), person);
    assert_eq!(program.authenticate(), USER_UNKNOWN);
}

#[test]
fn a_panic_is_caught_denied_and_silent() {
    if std::env::var_os("MFAD_TEST_PANICS").is_some() {
        let module = built("examples/libpanics.so");
        let stack = format!("auth required pam_permit.so\nauth required {}\n", module.display());
        assert_eq!(Program::start("sudo", "ann", &stack, person).authenticate(), ABORT);
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_panic_is_caught_denied_and_silent", "--nocapture"])
        .env("MFAD_TEST_PANICS", "1")
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
