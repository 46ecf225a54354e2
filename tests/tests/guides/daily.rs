//! The guides for every day: factors, policy, backups, the audit, packages.

use mfad_tests::app::App;
use mfad_tests::guide::Guide;
use mfad_tests::installed::{Installed, shell};
use mfad_tests::on_a_host;

use mfad_tests::visitors::key_of;

#[test]
fn the_guide_to_factors_enrols_loses_and_turns_the_key() {
    on_a_host(|host| {
        let mut house = Installed::on(host);
        let mut guide = Guide::open("factors.md");
        house.person("ada");
        // A step for each proof: none is taken twice.
        let (mut secret, mut step, mut mails) = (String::new(), -2, 0);
        App::await_early_step();
        house.play_with(&mut guide, "Enrol", &mut |mail, shown| {
            if secret.is_empty() {
                secret = key_of(shown);
            }
            if shown.trim_end().ends_with("The code that was sent (Enter: later):") {
                mails += 1;
                return mail.await_code(mails);
            }
            step += 1;
            App::with(&secret).code_in(step)
        });
        house.play(&mut guide, "The phone is lost");
        house.play(&mut guide, "A new key");
        guide.finish();
    });
}

#[test]
fn the_guide_to_policy_explains_a_login_and_tells_who_would_be_locked_out() {
    on_a_host(|host| {
        let mut house = Installed::on(host);
        let mut guide = Guide::open("policy.md");
        ["ada", "bob", "eve"].into_iter().for_each(|name| drop(house.person(name)));
        house.give_key("ada");
        shell(
            "root",
            "mfactl user enable ada; mfactl user email ada ada@example.org; mfactl user enable eve",
        )
        .expect_success("mfactl user");
        for section in ["Rules", "Why was I asked?", "Before you switch it on"] {
            house.play(&mut guide, section);
        }
        guide.finish();
    });
}

#[test]
fn the_guides_to_backups_the_audit_and_packages_do_what_they_say() {
    on_a_host(|host| {
        let mut house = Installed::on(host);
        let mut backup = Guide::open("backup.md");
        house.play(&mut backup, "Backup and restore");
        house.play(&mut backup, "What a restore does");
        backup.finish();
        house.mfad.await_end();
        house.mfad.start_again();
        let mut audit = Guide::open("audit.md");
        house.play(&mut audit, "Is it what mfad wrote?");
        audit.finish();
        let mut packages = Guide::open("packages.md");
        house.play(&mut packages, "Install");
        house.play(&mut packages, "Remove");
        packages.finish();
    });
}
