//! Damaged configuration files: told, never guessed at, and never a door.

use std::fs;
use std::path::{Path, PathBuf};

use mfad_tests::binaries;
use mfad_tests::daemon::config_file;
use mfad_tests::host::path;
use mfad_tests::on_a_host;
use mfad_tests::process::run;
use mfad_tests::site::{Site, expect_inside};
use mfad_tests::sshd::Methods;

fn check(file: &Path) -> (i32, String) {
    let finished =
        run(binaries::mfad(), &["--config", &file.display().to_string(), "--check", "--allow-root"]);
    (finished.code, finished.out + &finished.err)
}

fn mutant(host: &mfad_tests::Host, text: &str) -> PathBuf {
    let file = path("mutants/mfad.toml");
    mfad_tests::namespace::directory(path("mutants"), 0o755);
    host.write(&file, text, 0o600);
    file
}

const STRICT: &str = "[login]\nrequire = \"always\"\nunenrolled = \"deny\"\ntries = 3\nno-address = \"deny\"\n\n\
                      [email]\ndigits = 6\nlifetime = \"5m\"\ntransport = \"sendmail\"\non-failure = \"deny\"\n";

/// Break it: skip unknown keys.
#[test]
fn every_mangled_key_and_value_is_refused_with_its_line() {
    on_a_host(|host| {
        assert_eq!(check(&mutant(host, STRICT)).0, 0, "the file itself is good");
        for (number, line) in STRICT.lines().enumerate().filter(|(_, line)| line.contains('=')) {
            let (key, value) = line.split_once(" = ").expect("a setting");
            for damaged in [
                format!("x{key} = {value}"),
                format!("{key} = \"nonsense\""),
                format!("{key} = -1"),
                format!("{key} {value}"),
            ] {
                let text = STRICT.replace(line, &damaged);
                let (code, said) = check(&mutant(host, &text));
                assert_ne!(code, 0, "{damaged:?} was taken");
                assert!(
                    said.contains(&(number + 1).to_string()),
                    "{damaged:?} is told with its line: {said}"
                );
            }
        }
    });
}

/// A file that was cut off somewhere is refused, or is a whole file by itself; the daemon's parser never fails over it.
#[test]
fn a_file_that_is_cut_off_anywhere_is_read_or_refused() {
    on_a_host(|host| {
        for end in 0..STRICT.len() {
            let (code, said) = check(&mutant(host, &STRICT[..end]));
            assert!(code == 0 || !said.is_empty(), "cut at {end}: exit {code} without a word");
            assert!((0..=2).contains(&code), "cut at {end}: exit {code}: {said}");
        }
    });
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    on_a_host(|host| {
        let file = mutant(host, STRICT);
        for mode in [0o666, 0o620, 0o602] {
            host.write(&file, STRICT, mode);
            assert_ne!(check(&file).0, 0, "mode {mode:o}");
        }
        host.write(&file, STRICT, 0o600);
        std::os::unix::fs::chown(&file, Some(host.person("bert").uid), None).expect("chown");
        assert_ne!(check(&file).0, 0, "of another user");
    });
}

#[test]
fn a_reload_of_a_damaged_file_keeps_the_last_good_one() {
    on_a_host(|host| {
        let site =
            Site::with(host, Methods::KeyboardInteractive, |settings| settings.login("require = \"always\""));
        let good = fs::read_to_string(config_file()).expect("the configuration");
        host.write(config_file(), &good.replace("require = \"always\"", "require = \"nevr\""), 0o600);
        site.mfad.reload();
        host.syslog().await_line(&["require"]);
        let mut terminal = site.anna_is_asked();
        terminal.type_line(&site.mail.await_mail(1).code());
        expect_inside(&mut terminal, &site.anna);
    });
}

/// Break it: let `Reload` answer before the files were read.
#[test]
fn an_administrator_who_reloads_is_told_whether_it_took_effect() {
    on_a_host(|host| {
        let site = Site::on(host);
        let good = fs::read_to_string(config_file()).expect("the configuration");
        host.write(config_file(), &good.replace("[login]", "[login]\nrequire = \"nevr\""), 0o600);
        let refused = site.mfad.control(&["config", "reload"]);
        assert_eq!(refused.code, 1, "{}", refused.out);
        assert!(refused.err.contains("the old one stays") && refused.err.contains("nevr"), "{}", refused.err);
        host.write(config_file(), &good.replace("[login]", "[login]\nrequire = \"never\""), 0o600);
        let done = site.mfad.control(&["config", "reload"]).expect_success("mfactl config reload");
        assert_eq!(done, "The configuration is in effect.\n");
        let mut terminal = site.sshd.connect(&site.anna);
        mfad_tests::site::give_password(&mut terminal);
        expect_inside(&mut terminal, &site.anna);
        let anna = site.mfad.control_as(&site.anna, &["config", "reload"]);
        assert_eq!(anna.code, 1, "anna is no administrator: {}", anna.out);
    });
}
