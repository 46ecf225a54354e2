//! Help, version, and command lines that are none.

use std::path::Path;

use crate::daemon::{Run, ended, mfactl};

fn run(words: &[&str]) -> Run {
    ended(&mfactl(Path::new("/nonexistent/mfad")).args(words).output().unwrap(), vec![])
}

#[test]
fn the_help_is_this() {
    run(&["--help"]).ended(
        0,
        "\
Ask mfad, the second factor of this host's logins

Usage: mfactl [OPTIONS] <COMMAND>

Commands:
  status        Show your own account: factors, codes left, locks
  history       Show what happened to your own account
  enrol         Add a factor: an app, a token, an address
  confirm       Confirm a new factor by its first code
  remove        Take a factor away
  prefer        Choose the factor that is asked for first
  recovery      Recovery codes, for the day that the other factors are lost
  devices       Remembered devices: shown by status, forgotten here
  user          Show or change one person's account
  users         List the accounts that mfad knows
  bypass        Codes that let somebody in without a factor of theirs
  enrol-ticket  Leave to enrol at a login
  import        Take over factors of other programs
  key           The key that seals the secrets
  explain       Tell what a login would meet, and which rule says so
  report        Tell who would be locked out
  setup         Set mfad up: mail, a first person, a trial, and only then switch it on
  doctor        Look for every way around the second factor, and every way to be locked out
  config        The configuration: checked, or put into effect
  test          Try a part of mfad
  events        Show what happened: logins, refusals, changes
  audit         The record of what happened, as a whole
  backup        Write an encrypted copy of the database, while mfad runs
  restore       Put a backup in the place of the database
  stats         Count logins by hour, outcome and factor
  metrics       Show mfad's counters as Prometheus reads them
  health        Show how mfad is
  help          Print this message or the help of the given subcommand(s)

Options:
      --socket <PATH>  The socket that mfad listens on [default: /run/mfad/io.mfad.Manage]
      --json           Print mfad's answers as JSON, one a line
  -h, --help           Print help
  -V, --version        Print version

Exit status: 0 done, 1 refused or not well, 2 wrong usage, 3 no answer from mfad.
",
        "",
    );
}

#[test]
fn the_help_of_events_is_this() {
    run(&["events", "--help"]).ended(
        0,
        "\
Show what happened: logins, refusals, changes

Usage: mfactl events [OPTIONS]

Options:
      --follow               Wait for more; starts with the last 10 unless told otherwise
      --user <USER>          Only this person's
      --kind <KIND>          Only of this kind: login-refused, code-wrong
      --service <SERVICE>    Only by this PAM service
      --source <SOURCE>      Only from this address, or local, or unknown
      --reference <LETTERS>  Only of the login whose reference begins so
      --since <TIME>         Not before this: 1h, 2d, 2026-11-05, 2026-11-05T14:00:00Z
      --last <N>             Only so many of the newest
      --socket <PATH>        The socket that mfad listens on [default: /run/mfad/io.mfad.Manage]
      --json                 Print mfad's answers as JSON, one a line
  -h, --help                 Print help
",
        "",
    );
}

#[test]
fn the_help_of_user_is_this() {
    run(&["user", "--help"]).ended(
        0,
        "\
Show or change one person's account

Usage: mfactl user [OPTIONS] <COMMAND>

Commands:
  enable   Switch the second factor on
  disable  Switch the second factor off
  show     Show the account: address, factors, locks, codes that are out
  unlock   Forget failures and locks
  reset    Forget every factor and every code; switch and address stay
  email    Set or clear the address that codes are mailed to
  help     Print this message or the help of the given subcommand(s)

Options:
      --socket <PATH>  The socket that mfad listens on [default: /run/mfad/io.mfad.Manage]
      --json           Print mfad's answers as JSON, one a line
  -h, --help           Print help
",
        "",
    );
}

#[test]
fn the_help_of_an_address_is_this() {
    run(&["user", "email", "--help"]).ended(
        0,
        "\
Set or clear the address that codes are mailed to

Usage: mfactl user email [OPTIONS] <USER> <ADDRESS|--clear>

Arguments:
  <USER>     The account name
  [ADDRESS]  The new address

Options:
      --clear          Keep no address in the account
      --socket <PATH>  The socket that mfad listens on [default: /run/mfad/io.mfad.Manage]
      --json           Print mfad's answers as JSON, one a line
  -h, --help           Print help
",
        "",
    );
}

#[test]
fn the_version_is_told() {
    run(&["--version"]).ended(0, concat!("mfactl ", env!("CARGO_PKG_VERSION"), "\n"), "");
}

#[test]
fn a_wrong_command_line_ends_with_two_before_mfad_is_asked() {
    let wrong: [&[&str]; 43] = [
        &[],
        &["user"],
        &["frobnicate"],
        &["user", "enable"],
        &["user", "enable", ""],
        &["user", "enable", "ada", "bob"],
        &["user", "email", "ada"],
        &["user", "email", "ada", ""],
        &["user", "email", "ada", "a@example.org", "--clear"],
        &["test", "mail"],
        &["events", "--since", "yesterday"],
        &["events", "--since", "2999-01-01"],
        &["events", "--last", "0"],
        &["events", "--last", "many"],
        &["config"],
        &["health", "--socket"],
        &["enrol"],
        &["enrol", ""],
        &["enrol", "totp", "--algorithm", "md5"],
        &["enrol", "totp", "--digits", "5"],
        &["enrol", "totp", "--step", "121"],
        &["remove"],
        &["prefer"],
        &["prefer", "totp-1", "--none"],
        &["recovery"],
        &["devices"],
        &["devices", "revoke"],
        &["devices", "revoke", "3", "--all"],
        &["doctor", "sshd"],
        &["explain"],
        &["explain", "ada", "--at", "noon"],
        &["report"],
        &["bypass", "issue", "ada"],
        &["bypass", "issue", "ada", "--reason", "x", "--uses", "0"],
        &["bypass", "issue", "ada", "--reason", "x", "--for", "soon"],
        &["enrol-ticket", "issue", "ada", "--for", "0s"],
        &["key"],
        &["import", "oath"],
        &["import", "google-authenticator"],
        &["import", "google-authenticator", "--all", "--user", "ada"],
        &["import", "google-authenticator", "--all", "/tmp/file"],
        &["audit"],
        &["audit", "verify", "--known", ""],
    ];
    for words in wrong {
        let run = run(words);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{words:?}");
        assert!(run.stderr.contains("Usage: mfactl") || run.stderr.contains("--help"), "{}", run.stderr);
    }
}

#[test]
fn a_wrong_time_is_told_with_the_right_ones() {
    let run = run(&["events", "--since", "yesterday"]);
    assert_eq!(
        run.stderr,
        "error: invalid value 'yesterday' for '--since <TIME>': write a span (1h, 2d), a date (2026-11-05), or a moment (2026-11-05T14:00:00Z)\n\nFor more information, try '--help'.\n"
    );
}
