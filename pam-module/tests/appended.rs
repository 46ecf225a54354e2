//! Password and code typed as one text, under the real libpam: the module on each side of a line that checks the password.
//! The built module is needed, as for through_libpam.rs, and root.

#![allow(clippy::print_stderr)]

mod libpam;

use libpam::*;

const PASSWORD: &str = "correct horse";
const ECHO_OFF: i32 = 1;
const ECHO_ON: i32 = 2;

/// Gives the daemon, or ends the test for want of root.
macro_rules! daemon {
    ($serve:expr) => {
        match Daemon::start($serve) {
            Some(daemon) => daemon,
            None => return eprintln!("skipped: only root can make a socket that the module trusts"),
        }
    };
}

/// A person who types this as the password, and that as a code.
fn person(password: &'static str, code: &'static str) -> impl Fn(i32, &str) -> Reply + 'static {
    move |style, _| match style {
        ECHO_OFF => Reply::text(password),
        ECHO_ON => Reply::text(code),
        _ => Reply::Null,
    }
}

/// sshd's conversation for its password method (auth-pam.c, `sshpam_passwd_conv`).
fn sshd(password: &'static str) -> impl Fn(i32, &str) -> Reply + 'static {
    move |style, _| match style {
        ECHO_OFF => Reply::text(password),
        ECHO_ON => Reply::Fails,
        _ => Reply::text(""),
    }
}

/// The codes of an app, then these steps.
fn app_then(steps: fn(usize) -> Serve) -> impl Fn(usize) -> Serve + Send {
    move |call| match call {
        0 => shapes(r#""digits6","letters""#),
        call => steps(call - 1),
    }
}

#[test]
fn the_password_goes_to_its_module_and_the_code_to_the_daemon() {
    for (typed, code) in
        [("correct horse123456", "123456"), ("correct horse0123-4567-89ab-cdef", "0123-4567-89ab-cdef")]
    {
        let daemon = daemon!(app_then(|_| step("", "", "allow")));
        let mut program = Program::start("sshd", "ann", &daemon.stack_around(PASSWORD), sshd(typed));
        assert_eq!(program.authenticate(), SUCCESS, "{typed}");
        assert_eq!(program.setcred(), SUCCESS);
        assert_eq!(program.seen(), ["Password: "]);
        let heard = daemon.heard();
        assert_eq!(heard.len(), 2);
        assert!(heard[0].contains("io.mfad.Login.Expect") && !heard[0].contains(code), "{}", heard[0]);
        assert!(heard[1].contains(&format!(r#""appended":"{code}""#)), "{}", heard[1]);
        assert!(!heard.concat().contains("horse"));
    }
}

#[test]
fn a_password_that_ends_in_digits_stays_whole_where_nothing_is_to_be_proved() {
    let daemon = daemon!(|call| if call == 0 { shapes("") } else { step("", "", "exempt") });
    let stack = daemon.stack_around("horse123456");
    // IGNORE of ours and of nobody else: the password's line is what counts.
    let mut program = Program::start("sshd", "ann", &stack, sshd("horse123456"));
    assert_eq!(program.authenticate(), SUCCESS);
    assert!(!daemon.heard()[1].contains("appended"));
}

#[test]
fn a_wrong_password_ends_the_stack_before_the_code_is_judged_and_leaves_nothing_for_the_next_try() {
    let daemon = daemon!(|call| match call {
        0 => shapes(r#""digits6""#),
        1 => step("", "Code: ", ""),
        _ => step("", "", "allow"),
    });
    let typed = std::cell::Cell::new("wrong654321");
    let mut program =
        Program::start("su", "ann", &daemon.stack_around(PASSWORD), move |style, _| match style {
            ECHO_OFF => Reply::text(typed.replace(PASSWORD)),
            ECHO_ON => Reply::text("123456"),
            _ => Reply::Null,
        });
    assert_ne!(program.authenticate(), SUCCESS);
    assert_eq!(daemon.heard().len(), 1, "the code of a wrong password is not judged");
    assert_eq!(program.authenticate(), SUCCESS);
    let heard = daemon.heard();
    assert!(heard[1].contains("io.mfad.Login.Begin") && !heard[1].contains("appended"), "{}", heard[1]);
    assert!(heard[2].contains(r#""text":"123456""#));
    assert!(!heard.concat().contains("654321"));
}

#[test]
fn without_a_code_the_daemon_is_not_asked_before_the_password_and_the_person_is_asked_after_it() {
    let daemon = daemon!(|call| if call == 0 { step("", "Code: ", "") } else { step("", "", "allow") });
    let mut program =
        Program::start("sudo", "ann", &daemon.stack_around(PASSWORD), person(PASSWORD, "123456"));
    assert_eq!(program.authenticate(), SUCCESS);
    assert_eq!(program.seen(), ["Password: ", "Code: "]);
    assert!(daemon.heard()[0].contains("io.mfad.Login.Begin"));
}

#[test]
fn after_a_wrong_code_a_person_is_asked_and_a_blind_program_is_refused_without_a_question() {
    let refuted = |call| match call {
        0 => step("Wrong code, 2 tries left.", "", ""),
        1 => step("", "Code: ", ""),
        _ => step("", "", "allow"),
    };
    let daemon = daemon!(app_then(refuted));
    let stack = daemon.stack_around(PASSWORD);
    let mut program = Program::start("login", "ann", &stack, person("correct horse111111", "222222"));
    assert_eq!(program.authenticate(), SUCCESS);
    assert_eq!(program.seen(), ["Password: ", "Wrong code, 2 tries left.", "Code: "]);

    let daemon = daemon!(app_then(|call| match call {
        0 => step("Wrong code, 2 tries left.", "", ""),
        _ => step("", "", "deny"),
    }));
    let mut program =
        Program::start("sshd", "ann", &daemon.stack_around(PASSWORD), sshd("correct horse111111"));
    assert_eq!(program.authenticate(), AUTH_ERR);
    assert_eq!(program.seen(), ["Password: ", "Wrong code, 2 tries left."]);
    assert!(daemon.heard()[2].contains(r#""conversation":"blind""#));
}

/// swaylock drops notices, and gives what was typed to every question.
#[test]
fn what_was_typed_as_one_text_never_leaves_the_module_whole() {
    let daemon = daemon!(app_then(|call| match call {
        0 => step("Wrong code, 2 tries left.", "", ""),
        1 => step("", "Code: ", ""),
        _ => step("", "", "deny"),
    }));
    let stack = daemon.stack_around(PASSWORD);
    let typed = "correct horse111111";
    let mut program = Program::start("swaylock", "ann", &stack, person(typed, typed));
    assert_eq!(program.authenticate(), AUTH_ERR);
    let heard = daemon.heard();
    assert!(heard[3].contains(r#""conversation":"blind""#), "{heard:?}");
    assert!(!heard.concat().contains("horse"), "{heard:?}");
}

#[test]
fn a_daemon_that_cannot_say_what_to_split_off_ends_the_stack() {
    for (serve, code) in [
        (r#"{"error":"org.varlink.service.MethodNotFound"}"#, SYSTEM_ERR),
        (r#"{"parameters":{"shapes":["digits5"]}}"#, SYSTEM_ERR),
        (r#"{"parameters":{}}"#, SYSTEM_ERR),
    ] {
        let daemon = daemon!(move |_| Serve::Frame(serve.to_owned()));
        let stack = daemon.stack_around(PASSWORD);
        let mut program = Program::start("sshd", "ann", &stack, sshd("correct horse123456"));
        assert_eq!(program.authenticate(), code, "{serve}");
        assert_eq!(daemon.heard().len(), 1);
    }
    let daemon = daemon!(|_| Serve::Close);
    let stack = daemon.stack_around(PASSWORD);
    let mut program = Program::start("sshd", "ann", &stack, sshd("correct horse123456"));
    assert_eq!(program.authenticate(), AUTHINFO_UNAVAIL);
}

/// Break it: let `kept::take` leave the code where it is.
#[test]
fn a_code_is_taken_by_one_line_once() {
    let daemon = daemon!(app_then(|_| step("", "", "allow")));
    let stack = daemon.stack_around(PASSWORD);
    let again = stack.lines().last().unwrap().to_owned();
    let mut program =
        Program::start("sshd", "ann", &format!("{stack}{again}\n"), sshd("correct horse123456"));
    assert_eq!(program.authenticate(), SUCCESS);
    let heard = daemon.heard();
    assert_eq!(heard.len(), 3);
    assert!(heard[1].contains("123456") && !heard[2].contains("appended"), "{heard:?}");
}

#[test]
fn a_second_line_without_a_first_one_asks_as_it_would_alone() {
    let daemon = daemon!(|call| if call == 0 { step("", "Code: ", "") } else { step("", "", "allow") });
    let stack = daemon.stack("append=verify");
    let mut program = Program::start("sshd", "ann", &stack, person("", "123456"));
    assert_eq!(program.authenticate(), SUCCESS);
    assert!(!daemon.heard()[0].contains("appended"));
}

#[test]
fn a_first_line_alone_lets_nobody_in() {
    let daemon = daemon!(|_| shapes(""));
    let stack = daemon.stack("append=split").replacen("auth required pam_permit.so\n", "", 1);
    let mut program = Program::start("sshd", "ann", &stack, sshd("correct horse123456"));
    assert_ne!(program.authenticate(), SUCCESS);
}

#[test]
fn a_code_of_one_user_is_not_judged_for_another() {
    let daemon = daemon!(app_then(|_| step("", "", "allow")));
    let stack = daemon.stack_around(PASSWORD);
    let mut program =
        Program::start("sshd", "ann", &stack, |_, _| Reply::ChangesUser(b"correct horse123456".to_vec()));
    assert_eq!(program.authenticate(), SYSTEM_ERR);
    assert_eq!(daemon.heard().len(), 1);
}
