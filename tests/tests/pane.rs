//! QR codes as a camera sees them: in a pane of a real tmux, with all that stands around them.

use mfad_tests::app::App;
use mfad_tests::binaries;
use mfad_tests::daemon::{Mfad, Settings};
use mfad_tests::host::PASSWORD;
use mfad_tests::mail::MailDirectory;
use mfad_tests::on_a_host;
use mfad_tests::scanner::{Colours, scan_screen};
use mfad_tests::sshd::{INSIDE, Methods, Sshd};
use mfad_tests::tmux::Pane;

fn secret_of(uri: &str) -> &str {
    let (_, after) = uri.split_once("secret=").expect("a secret");
    after.split('&').next().expect("its end")
}

/// To break it: draw without the quiet zone, or one module a character.
#[test]
fn a_key_is_read_off_a_pane_over_ssh_on_dark_and_on_light_ground_and_lets_in() {
    on_a_host(|host| {
        let settings = Settings::maildir(&MailDirectory::create())
            .login("require = \"always\"")
            .login("unenrolled = \"enrol\"")
            .login("enrol-ticket = \"none\"");
        let _mfad = Mfad::start(host, &settings);
        let (sshd, ben) = (Sshd::start(host, Methods::KeyboardInteractive), host.person("ben"));
        let command = sshd.command("ben", &[]);
        let pane = Pane::start(&command.iter().map(String::as_str).collect::<Vec<_>>());
        pane.expect("assword:");
        pane.type_line(PASSWORD);
        pane.expect("Verification code:");
        let uri = scan_screen(&pane.screen(), Colours::LightOnDark);
        assert!(uri.starts_with("otpauth://totp/"), "{uri}");
        pane.clear();
        pane.type_line("i");
        pane.expect("Verification code:");
        assert_eq!(scan_screen(&pane.screen(), Colours::DarkOnLight), uri, "the same key, on light ground");
        pane.clear();
        pane.type_line(&App::with(secret_of(&uri)).code_in(0));
        pane.expect("codes are saved:");
        pane.type_line("");
        pane.expect(&format!("{INSIDE}{}", ben.name));
    });
}

#[test]
fn mfactl_draws_a_key_that_is_read_off_a_pane() {
    for (ground, colours) in [(None, Colours::LightOnDark), (Some("--inverted"), Colours::DarkOnLight)] {
        on_a_host(|host| {
            let _mfad = Mfad::start(host, &Settings::maildir(&MailDirectory::create()));
            host.person("ben");
            let program = binaries::mfactl().display().to_string();
            let command = [program.as_str(), "enrol", "totp", "--user", "ben"];
            let pane = Pane::start(&command.into_iter().chain(ground).collect::<Vec<_>>());
            pane.expect("(Enter: later):");
            let uri = scan_screen(&pane.screen(), colours);
            pane.type_line(&App::with(secret_of(&uri)).code_in(0));
            pane.expect("is active.");
        });
    }
}
