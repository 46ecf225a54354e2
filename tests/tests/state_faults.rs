//! A state directory that is full, read-only or damaged: nobody enters, and it heals by itself.

use std::fs;
use std::path::Path;

use mfad_tests::daemon::{Mfad, Settings, state_directory};
use mfad_tests::host::{Host, Person};
use mfad_tests::mail::{MailDirectory, PYTHON};
use mfad_tests::namespace;
use mfad_tests::on_a_host;
use mfad_tests::process::run;
use mfad_tests::race::{PAM_SUCCESS, Race};

struct Cast {
    mfad: Mfad,
    anna: Person,
    directory: MailDirectory,
}

fn cast(host: &Host) -> Cast {
    let directory = MailDirectory::create();
    namespace::directory(state_directory(), 0o700);
    let settings = Settings::maildir(&directory).email("per-user = { \"1m\" = 1000 }");
    let mfad = Mfad::start(host, &settings);
    let anna = host.person("anna");
    mfad.enrol(&anna);
    Cast { mfad, anna, directory }
}

impl Cast {
    /// Anna answers with the code that was mailed last, if she is asked at all.
    fn code_of_login(&self, host: &Host) -> i32 {
        let mut race = Race::begin(host, &self.anna, 1);
        if race.await_prompts() > 0 {
            let last = self.directory.count("anna").max(1);
            race.answer(&[self.directory.await_mail("anna", last).code()]);
        } else {
            race.answer(&["000000".to_owned()]);
        }
        race.outcomes()[0].code
    }

    fn is_refused(&self, host: &Host) {
        assert_ne!(self.code_of_login(host), PAM_SUCCESS, "nobody may enter");
    }

    fn heals(&self, host: &Host) {
        assert_eq!(self.code_of_login(host), PAM_SUCCESS, "{}", self.mfad.log());
    }
}

/// Break it: answer before the commit has succeeded.
#[test]
fn nobody_enters_while_the_disk_is_full() {
    on_a_host(|host| {
        namespace::directory(state_directory(), 0o700);
        namespace::tmpfs(state_directory(), "mode=700,size=1m");
        let cast = cast(host);
        let filler = state_directory().join("filler");
        fill(&filler);
        // What fits into pages that SQLite has already may still be committed; spending more must fail in the end.
        let refused = (0..200).any(|_| cast.code_of_login(host) != PAM_SUCCESS || fill(&filler));
        assert!(refused, "a full disk was never noticed");
        host.syslog().await_line(&["full"]);
        cast.is_refused(host);
        fs::remove_file(filler).expect("room");
        cast.heals(host);
    });
}

/// Takes what is left of the disk, block by block; never the answer to a question.
fn fill(filler: &Path) -> bool {
    use std::io::Write;
    let mut file = fs::OpenOptions::new().create(true).append(true).open(filler).expect("the filler");
    while file.write_all(&[0; 4096]).is_ok() {}
    false
}

#[test]
fn nobody_enters_while_the_disk_is_read_only() {
    on_a_host(|host| {
        namespace::directory(state_directory(), 0o700);
        namespace::tmpfs(state_directory(), "mode=700");
        let mut cast = cast(host);
        cast.mfad.kill();
        namespace::read_only(state_directory());
        let mut race = Race::begin(host, &cast.anna, 1);
        assert_eq!(race.await_prompts(), 0, "nobody is asked");
        race.answer(&["000000".to_owned()]);
        assert_ne!(race.outcomes()[0].code, PAM_SUCCESS);
        namespace::writable(state_directory());
        cast.mfad.start_again();
        cast.heals(host);
    });
}

/// Break it: treat an account that cannot be read as one that is not there.
#[test]
fn a_damaged_account_is_refused_and_the_others_are_not() {
    on_a_host(|host| {
        let cast = cast(host);
        let bert = host.person("bert");
        cast.mfad.enrol(&bert);
        damage("anna");
        cast.is_refused(host);
        let mut race = Race::begin(host, &bert, 1);
        assert_eq!(race.await_prompts(), 1);
        race.answer(&[cast.directory.await_mail("bert", 1).code()]);
        assert_eq!(race.outcomes()[0].code, PAM_SUCCESS);
        host.syslog().await_line(&["anna"]);
    });
}

/// Cuts the account's body in the middle, in whichever table it is kept.
fn damage(user: &str) {
    let script = "import sqlite3, sys, glob
changed = 0
for file in glob.glob(sys.argv[1] + '/*.db') + glob.glob(sys.argv[1] + '/*.sqlite*'):
    if file.endswith(('-wal', '-shm')): continue
    db = sqlite3.connect(file, timeout=20)
    for (table,) in db.execute(\"select name from sqlite_master where type = 'table'\").fetchall():
        columns = [row[1] for row in db.execute(f'pragma table_info({table})')]
        if 'body' in columns and 'user' in columns:
            changed += db.execute(f'update {table} set body = substr(body, 1, length(body) / 2) where user = ?', (sys.argv[2],)).rowcount
    db.commit()
assert changed == 1, changed
";
    let directory = state_directory().display().to_string();
    run(PYTHON, &["-c", script, &directory, user]).expect_success("damaging an account");
}
