//! The guide for movers, with the real pam_google_authenticator and the real pam_oath before it.

use std::fs;

use mfad_tests::app::App;
use mfad_tests::guide::Guide;
use mfad_tests::host::Host;
use mfad_tests::installed::{Installed, modules, shell, terminal};
use mfad_tests::on_a_host;
use mfad_tests::site::{CODE_PROMPT, give_password};

use mfad_tests::visitors::{gets_in, gets_in_by_one_code, key_of};

/// People of the old modules: Ada has a state file of pam_google_authenticator, Bert a token in the users file of
/// pam_oath, Cleo is Duo's, whose module stands for itself by one that lets everybody pass.
fn people_of_old_modules(house: &Installed<'_>) -> [App; 2] {
    ["ada", "bert", "cleo"].into_iter().for_each(|name| drop(house.person(name)));
    shell("ada", "google-authenticator -t -d -w 3 -f -q -C -r 3 -R 30")
        .expect_success("google-authenticator");
    let state = fs::read_to_string("/home/ada/.google_authenticator").expect("the state file");
    // The vector of RFC 4226.
    house.host.write("/etc/users.oath", "HOTP bert - 3132333435363738393031323334353637383930\n", 0o600);
    fs::copy(modules().join("pam_permit.so"), modules().join("pam_duo.so")).expect("in the place of Duo's");
    let sshd = "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n\
                AuthenticationMethods keyboard-interactive:pam\nLoginGraceTime 300\n";
    house.host.write("/etc/ssh/sshd_config.d/10-before.conf", sshd, 0o644);
    let app = App::with(state.lines().next().expect("a key"));
    [app, App::token("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
}

/// The stack from before, with a line behind the password.
fn ask_by(host: &Host, line: &str) {
    let before = fs::read_to_string("/etc/pam.d/sshd").expect("the stack");
    let after = before.replace("@include common-auth\n", &format!("@include common-auth\nauth {line}\n"));
    assert!(after.contains(line), "{before}");
    host.write("/etc/pam.d/sshd", &after, 0o644);
}

fn allowed(house: &Installed<'_>, person: &str) -> usize {
    let events = house.mfad.events().into_iter();
    events.filter(|event| event.user.as_deref() == Some(person) && event.kind == "login-allowed").count()
}

#[test]
fn the_guide_for_movers_takes_apps_and_tokens_over_while_the_old_modules_still_ask_the_others() {
    on_a_host(|host| {
        let mut house = Installed::on(host);
        let [ada, mut bert] = people_of_old_modules(&house);
        house.restart_sshd();
        let mut guide = Guide::open("moving.md");
        house.play(&mut guide, "Keep a way back");

        ask_by(host, "required pam_google_authenticator.so nullok");
        App::await_fresh_step();
        let (used, next) = (ada.code_in(0), ada.code_in(1));
        assert!(gets_in_by_one_code("ada", &used), "by the old module");
        house.play(&mut guide, "From google-authenticator");
        house.play(&mut guide, "Both, side by side");
        let mut client = terminal("ada", "ssh ada@host");
        give_password(&mut client);
        client.expect(CODE_PROMPT);
        client.type_line(&used);
        client.expect("used already");
        drop(client);
        assert!(gets_in_by_one_code("ada", &next), "the app that was taken over");
        assert_eq!(allowed(&house, "ada"), 1, "by mfad");
        assert!(gets_in("cleo", None), "neither module has anything of her");

        host.stock_stacks();
        ask_by(host, "requisite pam_oath.so usersfile=/etc/users.oath");
        assert!(gets_in_by_one_code("bert", &bert.code()), "by the old module");
        house.play(&mut guide, "From pam_oath");
        assert!(gets_in_by_one_code("bert", &bert.code()), "the token that was taken over");
        assert_eq!(allowed(&house, "bert"), 1, "by mfad");
        assert!(!gets_in("cleo", None), "pam_oath does not know her");

        let mut secret = String::new();
        house.play_with(&mut guide, "From Duo", &mut |_, shown| {
            secret = key_of(shown);
            App::with(&secret).code_in(-1)
        });
        assert!(gets_in_by_one_code("cleo", &App::with(&secret).code_in(0)), "her new app");
        house.play(&mut guide, "Leave the old module");
        assert!(gets_in_by_one_code("bert", &bert.code()), "mfad alone");
        assert!(!gets_in("cleo", Some("000000")), "a wrong code");
        house.play(&mut guide, "Back");
        guide.finish();
    });
}
