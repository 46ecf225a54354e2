//! State files by hand, by the real tool, and by chance.

use std::process::Command;

use proptest::prelude::*;

use super::*;

const OLD: &str = "GEZDGNBVGY3TQOJQ";

fn totp(step: u16, drift: i32, last_step: Option<u64>) -> Kind {
    let step = Step::new(step.into()).unwrap();
    Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::SIX, step, drift, last_step }
}

fn read(text: &str) -> Imported {
    parse(text, Some("ada")).unwrap()
}

fn exposed(codes: &[Secret]) -> Vec<&str> {
    codes.iter().map(Secret::expose).collect()
}

/// What google-authenticator writes, in a file that is gone afterwards.
fn made_by_the_tool(name: &str, arguments: &[&str]) -> String {
    let path = std::env::temp_dir().join(format!("mfactl-state-{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let done = Command::new("google-authenticator").args(arguments).arg("-s").arg(&path).output();
    assert!(done.expect("google-authenticator is of libpam-google-authenticator").status.success());
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    text
}

fn code(secret: &str) -> Vec<u8> {
    let mut oathtool = Command::new("oathtool");
    oathtool.args(["--base32", "--counter=1", "--window=9", secret]);
    let output = oathtool.output().expect("oathtool is of Debian's oathtool");
    assert!(output.status.success());
    output.stdout
}

#[test]
fn a_totp_file_of_the_tool_is_taken_whole() {
    let arguments = ["-t", "-d", "-f", "-C", "-q", "-r", "3", "-R", "30", "-w", "3"];
    let text = made_by_the_tool("totp", &arguments);
    let imported = read(&text);
    assert_eq!(imported.kind, totp(30, 0, None));
    assert_eq!(imported.scratch.len(), 5);
    assert_eq!(exposed(&imported.scratch), text.lines().skip(5).collect::<Vec<_>>());
    assert_eq!(imported.notes, [""; 0]);
    assert_eq!(code(imported.secret.expose()), code(text.lines().next().unwrap()));
}

#[test]
fn a_totp_file_of_the_tool_with_other_settings_says_what_is_lost() {
    let imported = read(&made_by_the_tool(
        "wide",
        &["-t", "-D", "-f", "-C", "-q", "-u", "-w", "17", "-S", "60", "-e", "1"],
    ));
    assert_eq!(imported.kind, totp(60, 0, None));
    assert_eq!(imported.scratch.len(), 1);
    assert_eq!(
        imported.notes,
        [
            "its window of 17 codes was not taken over: mfad has one for everybody",
            "its codes could be used again; mfad takes each once"
        ]
    );
}

/// pam_google_authenticator took the code of counter 1, not the one of 0, while the file said 1, and then wrote 2.
#[test]
fn a_counter_of_the_tool_is_the_one_of_the_next_code() {
    let imported = read(&made_by_the_tool("hotp", &["-c", "-f", "-C", "-q", "-u", "-w", "3"]));
    assert_eq!(imported.kind, Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 1 });
    assert_eq!(imported.notes, [""; 0]);
}

#[test]
fn a_file_in_use_brings_its_drift_and_its_last_step() {
    let text = format!(
        "{OLD}\n\" RATE_LIMIT 3 30 1700000000\n\" WINDOW_SIZE 3\n\" DISALLOW_REUSE 56666664 56666666 56666665\n\
         \" TOTP_AUTH\n\" TIME_SKEW -2\n\" RESETTING_TIME_SKEW 1+2 3-4\n\" LAST0 192.0.2.1 1700000000\n12345678\n"
    );
    let imported = read(&text);
    assert_eq!(imported.kind, totp(30, -2, Some(56_666_666)));
    assert_eq!(imported.secret.expose(), OLD);
    assert_eq!(imported.notes, [""; 0]);
}

#[test]
fn a_clock_too_far_off_and_an_unknown_option_are_told() {
    let imported = read(&format!("{OLD}\n\" TIME_SKEW 20\n\" DISALLOW_REUSE\n\" FUTURE x\n\" TOTP_AUTH\n"));
    assert_eq!(
        imported.notes,
        [
            "the app's clock was 600 s off, more than mfad follows: set the phone's clock right",
            "the option in line 4 was not taken over: mfad does not know it"
        ]
    );
}

#[test]
fn a_counter_wins_over_time_as_it_does_in_the_module() {
    let both = read(&format!("{OLD}\n\" TOTP_AUTH\n\" HOTP_COUNTER 9\n"));
    assert!(matches!(both.kind, Kind::Hotp { counter: 9, .. }));
    let zero = read(&format!("{OLD}\n\" HOTP_COUNTER 0\n\" TOTP_AUTH\n\" DISALLOW_REUSE\n"));
    assert_eq!(zero.kind, totp(30, 0, None));
}

#[test]
fn nothing_after_a_line_that_is_no_scratch_code_is_taken() {
    let imported =
        read(&format!("{OLD}\n\" TOTP_AUTH\n\" DISALLOW_REUSE\n12345678\n\n87654321\n0123\n11111111\n"));
    assert_eq!(exposed(&imported.scratch), ["12345678", "87654321"]);
    assert_eq!(imported.notes, ["line 7 is no scratch code: it and the rest were not taken over"]);
}

#[test]
fn what_cannot_be_taken_over_is_refused_with_its_line() {
    for (text, line, reason) in [
        (String::new(), 1, Reason::NoSecret),
        ("short\n\" TOTP_AUTH\n".to_owned(), 1, Reason::ShortSecret(24)),
        ("not base 32!\n\" TOTP_AUTH\n".to_owned(), 1, Reason::NotBase32),
        (format!("{OLD}\n12345678\n"), 1, Reason::NoKind),
        (format!("{OLD}\n\" TOTP_AUTH\n\" STEP_SIZE 5\n"), 3, Reason::Step(5)),
        (format!("{OLD}\n\" STEP_SIZE x\n\" TOTP_AUTH\n"), 2, Reason::NotANumber("STEP_SIZE")),
        (format!("{OLD}\n\" TOTP_AUTH\n\" TIME_SKEW 9999999999\n"), 3, Reason::NotANumber("TIME_SKEW")),
        (format!("{OLD}\n\" HOTP_COUNTER -1\n"), 2, Reason::NotANumber("HOTP_COUNTER")),
    ] {
        let refusal = parse(&text, Some("ada")).unwrap_err();
        assert_eq!(
            (refusal.place.line, refusal.reason, refusal.user.as_deref()),
            (line, reason, Some("ada")),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in any::<String>(), options in "(\" [A-Z_]{1,12} ?[-0-9 ]{0,24}\r?\n){0,5}") {
        let _ = parse(&text, None);
        let _ = parse(&format!("{OLD}\n{options}{text}"), None);
    }
}
