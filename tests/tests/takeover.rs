//! People who come from pam_google_authenticator, all at once: their telephones go on as they are.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;

use mfad_tests::app::App;
use mfad_tests::daemon::Settings;
use mfad_tests::host::{Host, Person};
use mfad_tests::on_a_host;
use mfad_tests::process::{bare, run};
use mfad_tests::site::{CODE_PROMPT, Site, expect_inside, expect_outside, give_password};
use mfad_tests::sshd::Methods;
use mfad_tests::terminal::Terminal;
use serde_json::Value;

const ALL: [&str; 4] = ["--json", "import", "google-authenticator", "--all"];

/// Lets the real program make somebody's file, as themselves.
fn google_authenticator(person: &Person, manner: &[&str]) {
    let id = person.uid.to_string();
    let mut command = bare("setpriv");
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--", "google-authenticator"]);
    command.args(manner).args(["-f", "-q", "-C", "-r", "3", "-R", "30"]).env("HOME", &person.home);
    let made = command.output().expect("google-authenticator");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn file(person: &Person) -> PathBuf {
    person.home.join(".google_authenticator")
}

fn lines(person: &Person) -> Vec<String> {
    let text = fs::read_to_string(file(person)).expect("the state file");
    text.lines().map(str::to_owned).collect()
}

/// Everything that could be seen of a change: bytes, owner, mode, and the time of the last one.
fn state(person: &Person) -> (Vec<u8>, u32, u32, i64, i64, u64) {
    let is = fs::metadata(file(person)).expect("the state file");
    let bytes = fs::read(file(person)).expect("the state file");
    (bytes, is.uid(), is.mode(), is.mtime(), is.mtime_nsec(), is.ino())
}

/// Users of the old module: Tina's app counts time, Carl's counts uses, Eve put a link to Tina's file into her home, and Dora
/// has none.
struct Town {
    site: Site,
    tina: Person,
    carl: Person,
    eve: Person,
    dora: Person,
}

fn town(host: &Host) -> Town {
    let site = Site::with(host, Methods::KeyboardInteractive, |settings: Settings| {
        settings.login("require = \"always\"")
    });
    let [tina, carl, eve, dora] = ["tina", "carl", "eve", "dora"].map(|name| host.person(name));
    google_authenticator(&tina, &["-t", "-d", "-w", "3"]);
    google_authenticator(&carl, &["-c", "-w", "3"]);
    symlink(file(&tina), file(&eve)).expect("a link");
    Town { site, tina, carl, eve, dora }
}

/// Somebody at a prompt whose first and only round this is.
fn at_the_prompt(site: &Site, person: &Person) -> Terminal {
    let mut terminal = site.sshd.connect_with(person, &["-o", "NumberOfPasswordPrompts=1"]);
    give_password(&mut terminal);
    terminal
}

fn is_locked_out(site: &Site, person: &Person) {
    expect_outside(&mut at_the_prompt(site, person));
}

fn enters_by(site: &Site, person: &Person, code: &str) {
    let mut terminal = at_the_prompt(site, person);
    terminal.expect(CODE_PROMPT);
    terminal.type_line(code);
    expect_inside(&mut terminal, person);
}

/// What became of somebody's file, by mfactl's report.
fn fate(report: &str, person: &Person) -> Option<String> {
    let report: Value = serde_json::from_str(report).expect("JSON");
    let entries = report["entries"].as_array().expect("entries");
    let own = entries.iter().find(|entry| entry["user"] == person.name.as_str())?;
    own["fate"].as_str().map(str::to_owned)
}

/// To break it, take away two guards at once: follow links and take what others own (`homes`), or take a dry run for a
/// real one (`rules::import` and `manage::import`).
#[test]
fn the_files_of_all_homes_are_taken_over_after_a_dry_run_and_stay_as_they_are() {
    on_a_host(|host| {
        let Town { site, tina, carl, eve, dora } = town(host);
        let before = [&tina, &carl].map(state);
        for arguments in [&ALL[..], &[ALL.as_slice(), &["--yes"]].concat()] {
            if arguments.len() > ALL.len() {
                is_locked_out(&site, &tina);
            }
            let told = site.mfad.control(arguments);
            assert_eq!(told.code, 1, "one cannot be taken over: {}", told.err);
            let fates = [&tina, &carl, &eve, &dora].map(|person| fate(&told.out, person));
            let fates = fates.each_ref().map(Option::as_deref);
            assert_eq!(fates, [Some("taken"), Some("taken"), Some("refused"), None]);
            assert!(!told.out.contains(&lines(&tina)[0]), "no secret is shown");
        }
        let mut counting = App::token(&lines(&carl)[0]);
        // The program shows the first code itself, and counts on from there.
        let used: u32 = lines(&carl)
            .iter()
            .find_map(|line| line.strip_prefix("\" HOTP_COUNTER ")?.parse().ok())
            .expect("a counter");
        (0..used).for_each(|_| drop(counting.code()));
        enters_by(&site, &carl, &counting.code());
        enters_by(&site, &tina, &App::with(&lines(&tina)[0]).code_in(0));
        enters_by(&site, &tina, lines(&tina).last().expect("a scratch code"));
        is_locked_out(&site, &eve);
        is_locked_out(&site, &dora);
        assert_eq!([&tina, &carl].map(state), before, "the originals are untouched");
        let again = site.mfad.control(&[ALL.as_slice(), &["--yes"]].concat()).out;
        assert_eq!(fate(&again, &tina).as_deref(), Some("there"), "and it can be repeated");
        run("cmp", &[&file(&tina).display().to_string(), &file(&eve).display().to_string()])
            .expect_success("the link is there still");
    });
}
