//! `import`: what mfad is asked, what is told, and that files are left as they were.

use std::path::PathBuf;

use protocol::manage::*;

use crate::daemon::{Directory, Scene, refusal, reply, run};

const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// A file in a directory of the test's own.
fn file(directory: &Directory, text: &str) -> PathBuf {
    let path = directory.socket().with_file_name("import");
    std::fs::write(&path, text).unwrap();
    path
}

fn answers(change: Change) -> Scene {
    reply(&ImportFactorReply { change })
}

fn trimmed(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).collect()
}

#[test]
fn uris_are_judged_by_the_parser_and_by_mfad_and_nothing_is_changed() {
    let directory = Directory::new();
    let uris = format!(
        "otpauth://totp/Site:ada?secret={KEY}&algorithm=SHA256&digits=8&period=60\n\
         otpauth://hotp/bob?secret={KEY}&counter=7\n\
         otpauth://totp/eve?secret={KEY}&algorithm=MD5\n\
         zoe otpauth://totp/?secret={KEY}\n"
    );
    let path = file(&directory, &uris);
    let scenes =
        [answers(Change::Changed), answers(Change::Unchanged), refusal("there is no user zoe. Check it")];
    let run = run(&["import", "otpauth", path.to_str().unwrap()], scenes);
    let expected = [
        "USER  WHAT                             TAKEN",
        "ada   TOTP, SHA-256, 8 digits, 60 s    yes",
        "bob   HOTP, SHA-1, 6 digits, counter 7 no: the person has the same key already",
        "eve   -                                no: line 3: MD5 codes are not known to mfad. Enrol the person anew",
        "zoe   TOTP, SHA-1, 6 digits, 30 s      no: there is no user zoe. Check it",
    ];
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(
        trimmed(&run.stdout).into_iter().map(squeezed).collect::<Vec<_>>(),
        expected.map(squeezed).to_vec()
    );
    let sum = "A dry run: nothing was changed. 1 would be taken over, 3 not. To do it, add --yes.\n";
    assert_eq!((run.stderr.as_str(), run.code), (sum, 1));
    assert_eq!(
        run.asked[0],
        format!(
            r#"{{"method":"io.mfad.Manage.ImportFactor","parameters":{{"user":"ada","factor":"totp","secret":"{KEY}","algorithm":"SHA256","digits":8,"step":60,"counter":null,"drift":0,"last_step":null,"scratch":[],"run":"dry"}}}}"#
        )
    );
    assert!(
        run.asked[1].contains(r#""factor":"hotp""#) && run.asked[1].contains(r#""step":null,"counter":7"#)
    );
    assert_eq!(run.asked.len(), 3);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), uris);
    assert!(!run.stdout.contains(KEY));
}

#[test]
fn with_yes_a_state_file_is_taken_over_with_its_scratch_codes() {
    let directory = Directory::new();
    let state = format!("{KEY}\n\" RATE_LIMIT 3 30\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n12345678\n87654321\n");
    let path = file(&directory, &state);
    let words = &["import", "google-authenticator", path.to_str().unwrap(), "--user", "ada", "--yes"];
    let run = run(words, [answers(Change::Changed)]);
    assert_eq!(
        trimmed(&run.stdout).last(),
        Some(&"ada   TOTP, SHA-1, 6 digits, 30 s, 2 scratch codes  yes"),
        "{}",
        run.stdout
    );
    assert_eq!(run.stderr, "1 taken over, 0 not. The files were not touched.\n");
    assert_eq!(run.code, 0);
    assert!(run.asked[0].contains(r#""scratch":["12345678","87654321"],"run":"real""#), "{}", run.asked[0]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), state);
}

#[test]
fn mfad_hears_how_far_the_clock_is_off_and_which_code_was_used_last() {
    let directory = Directory::new();
    let far = "yes; the app's clock was 90 s off, more than mfad follows: set the phone's clock right";
    for (skew, told, asked) in [
        ("-2", "yes", r#""drift":-2,"last_step":56666666,"#),
        ("3", far, r#""drift":null,"last_step":56666666,"#),
    ] {
        let state =
            format!("{KEY}\n\" TIME_SKEW {skew}\n\" DISALLOW_REUSE 56666666 56666665\n\" TOTP_AUTH\n");
        let path = file(&directory, &state);
        let words = &["import", "google-authenticator", path.to_str().unwrap(), "--user", "ada"];
        let run = run(words, [answers(Change::Changed)]);
        assert!(trimmed(&run.stdout)[1].ends_with(told), "{}", run.stdout);
        assert!(run.asked[0].contains(asked), "{}", run.asked[0]);
    }
}

#[test]
fn a_users_file_as_json_is_a_report() {
    let directory = Directory::new();
    let path = file(&directory, "HOTP/T30/6 ada - 3132333435363738393031323334353637383930\n");
    let run = run(&["import", "oath", path.to_str().unwrap(), "--json"], [answers(Change::Changed)]);
    run.ended(
        0,
        "{\"run\":\"dry\",\"entries\":[{\"user\":\"ada\",\"what\":\"TOTP, SHA-1, 6 digits, 30 s\",\
         \"fate\":\"taken\",\"detail\":\"yes\"}]}\n",
        "",
    );
}

#[test]
fn what_was_taken_over_before_mfad_died_is_told() {
    let directory = Directory::new();
    let path = file(
        &directory,
        "HOTP ada - 3132333435363738393031323334353637383930\nHOTP bob - 3132333435363738393031323334353637383930\n",
    );
    let run =
        run(&["import", "oath", path.to_str().unwrap(), "--yes"], [answers(Change::Changed), Scene::HangsUp]);
    assert_eq!(run.code, 3);
    assert_eq!(trimmed(&run.stdout).len(), 2, "{}", run.stdout);
    assert!(run.stderr.starts_with("1 taken over, 0 not."), "{}", run.stderr);
    assert!(run.stderr.contains("mfad ended the connection"), "{}", run.stderr);
}

#[test]
fn a_file_without_entries_and_a_file_that_is_not_there_are_told_apart() {
    let directory = Directory::new();
    let path = file(&directory, "# nobody\n\n");
    run(&["import", "oath", path.to_str().unwrap()], []).ended(0, "", "Nothing to import was found.\n");
    run(&["import", "oath", "/nonexistent/users"], []).ended(
        1,
        "",
        "/nonexistent/users cannot be read: No such file or directory (os error 2). \
         Check the path, and whether you may read it\n",
    );
    run(&["import", "google-authenticator", "--user", "no-such-person"], []).ended(
        1,
        "",
        "there is no user no-such-person. Check the name: getent passwd no-such-person\n",
    );
}
