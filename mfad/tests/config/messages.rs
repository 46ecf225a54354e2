//! Whole messages, as they are printed; and what is never printed.

use crate::scratch::{Scratch, read};

fn printed(text: &str) -> String {
    let scratch = Scratch::new();
    scratch.write("mfad.toml", text);
    let directory = format!("{}/", scratch.path("").display()).replace("//", "/");
    scratch.load().unwrap_err().to_string().replace(&directory, "/etc/mfad/")
}

#[test]
fn a_message_has_a_fact_a_place_and_a_remedy() {
    assert_eq!(
        printed("[login]\n\trequire = \"allways\"  # everybody\n"),
        r#"/etc/mfad/mfad.toml:2:12: login.require: this word is not known here
     require = "allways"  # everybody
               ^^^^^^^^^
  did you mean "always"?"#
    );
    assert_eq!(
        printed("[email]\nprompt = \"Größe: \"\nper-user = { \"1d\" = 0 }\n[[relay]]\n"),
        r#"/etc/mfad/mfad.toml:4:3: relay: unknown section
    [[relay]]
      ^^^^^
  remove it; this version knows [paths], [login], [email], [trust], [time], [audit], [metrics], [[hook]] and [[rule]]
/etc/mfad/mfad.toml:2:1: email.prompt: unknown key
    prompt
    ^^^^^^
  it is a key of [login]: move it there
/etc/mfad/mfad.toml:3:21: email.per-user.1d: the number is not between 1 and 1000
    per-user = { "1d" = 0 }
                        ^
  write 1 to 1000, without quotes"#
    );
    assert_eq!(
        printed("[email]\nfrom = \"Grüße \u{202e}\"\r\n"),
        r#"/etc/mfad/mfad.toml:2:8: email.from: the text has a control character, or one that is invisible
    from = "Grüße ?"
           ^^^^^^^^^
  remove it"#
    );
    assert_eq!(
        printed("[email]\nsmtp = { url = \"smtp://mx\", tls = \"off\" }\n"),
        r#"/etc/mfad/mfad.toml:2:35: email.smtp.tls: this word is not known here
  write "implicit", "starttls" or "none""#
    );
}

#[test]
fn a_value_over_several_lines_is_marked_on_the_first() {
    assert_eq!(
        printed("[login]\nprompt = \"\"\"a\nb\"\"\"\n"),
        "/etc/mfad/mfad.toml:2:10: login.prompt: the text has a control character, or one that is invisible\n    \
         prompt = \"\"\"a\n             ^^^^\n  remove it"
    );
}

#[test]
fn a_message_about_a_file_has_no_line() {
    assert_eq!(
        {
            let scratch = Scratch::new();
            let main = scratch.write("mfad.toml", "");
            crate::scratch::restrict(&main, 0o666);
            scratch.load().unwrap_err().to_string().replace(&main.display().to_string(), "FILE")
        },
        "FILE: others than its owner may write to it (mode 0666)\n  chmod go-w FILE"
    );
}

/// To break it on purpose: quote the value in a message of `relay`, or show the lines of `email.smtp`.
#[test]
fn a_secret_that_was_written_into_the_file_is_not_repeated() {
    for text in [
        "[email]\nsmtp = { url = \"smtp://ada:hunter2@mx\" }",
        "[email]\nsmtp = { url = \"smtp://ada:hunter2/3@mx:x\" }",
        "[email]\nsmtp = { url = \"hunter2\" }",
        "[email]\nsmtp = { url = \"smtp://u@mx\", password-file = \"hunter2/\" }",
        "[email]\nsmtp = { url = \"smtp://u@mx\", password = \"hunter2\" }",
        "[email]\nsmtp = \"smtp://ada:hunter2@mx\"",
        "[email]\nsmtp = [\"hunter2\"]",
        "[email.smtp]\nurl = \"smtp://mx\"\ntls = \"hunter2\"",
        "[email]\nsmtp-password = \"hunter2\"",
        "[email]\ntransport = \"smtp://ada:hunter2@mx\"",
        "[emial]\nsmtp = { url = \"smtp://ada:hunter2@mx\" }",
        "[database]\nurl = \"postgres://ada:hunter2@db\"",
        "database = { url = \"postgres://ada:hunter2@db\" }",
        "email = { smtp = { url = \"smtp://a:hunter2@mx\" }, digits = 3, dgts = 1 }",
        "[email]\nsmtp = { url = \"smtp://ada:hunter2@mx }",
        "[email]\nsmtp = { url = smtp://ada:hunter2@mx }",
        "[email]\npassword = hunter2",
        "[email]\nsmtp.url = \"a\"\nsmtp.url = \"hunter2\"",
    ] {
        let problems = read(text).unwrap_err();
        assert!(!problems.to_string().contains("hunter2"), "{problems}");
        assert!(!format!("{problems:?}").contains("hunter2"), "{problems:?}");
    }
}
