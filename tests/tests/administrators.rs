//! The group of administrators: who is in it may do with mfactl what root may.

use mfad_tests::app::App;
use mfad_tests::daemon::{Mfad, Settings};
use mfad_tests::host::{Host, Person, path};
use mfad_tests::mail::MailServer;
use mfad_tests::on_a_host;
use mfad_tests::terminal::Terminal;

const GROUP: &str = "mfad-admin";

/// What only an administrator may ask; about Anna, or about mfad.
const ADMINISTRATION: [&[&str]; 19] = [
    &["users"],
    &["user", "show", "anna"],
    &["user", "disable", "anna"],
    &["user", "enable", "anna"],
    &["user", "email", "anna", "anna@example.net"],
    &["user", "unlock", "anna"],
    &["status", "--user", "anna"],
    &["history", "--user", "anna"],
    &["events", "--user", "anna"],
    &["prefer", "totp", "--user", "anna"],
    &["enrol", "hotp", "--user", "anna"],
    &["recovery", "new", "--user", "anna"],
    &["bypass", "issue", "anna", "--reason", "a lost telephone"],
    &["bypass", "revoke", "anna"],
    &["enrol-ticket", "issue", "anna"],
    &["config", "check"],
    &["test", "mail", "carla@example.org"],
    &["key", "rotate"],
    &["user", "reset", "anna"],
];

struct Office {
    _mail: MailServer,
    mfad: Mfad,
    anna: Person,
    carla: Person,
}

/// Anna has a factor; Carla will be an administrator, or not.
fn office(host: &Host) -> Office {
    let mail = MailServer::start();
    let mfad = Mfad::start(host, &Settings::smtp(&mail));
    let (anna, carla) = (host.person("anna"), host.person("carla"));
    mfad.enrol(&anna);
    App::enrol(&mfad, &anna);
    Office { _mail: mail, mfad, anna, carla }
}

/// To break it: let `manage::rank` not ask for the group.
#[test]
fn a_member_of_the_group_may_do_everything_and_takes_nobodys_word_but_the_kernels() {
    on_a_host(|host| {
        let Office { _mail, mfad, carla, .. } = office(host);
        host.group(GROUP, &[&carla]);
        let oath = path("users.oath");
        host.write(&oath, "HOTP anna - 3132333435363738393031323334353637383930\n", 0o644);
        for arguments in ADMINISTRATION {
            let done = mfad.control_as(&carla, arguments);
            done.expect_success(&format!("mfactl {}", arguments.join(" ")));
        }
        mfad.control_as(&carla, &["import", "oath", &oath.display().to_string(), "--yes"])
            .expect_success("mfactl import");
        assert_eq!(mfad.control_as(&carla, &["--json", "health"]).code, mfad.control(&["health"]).code);
        let by_carla = format!("by uid {}", carla.uid);
        let events = mfad.events();
        assert!(events.iter().any(|event| event.text.contains(&by_carla)), "{events:?}");
    });
}

/// To break it (I1): let `manage::rank` answer `Administrator`.
#[test]
fn who_is_not_in_the_group_any_more_has_their_own_account_alone() {
    on_a_host(|host| {
        let Office { _mail, mfad, anna, carla } = office(host);
        for members in [&[&anna][..], &[&anna, &carla], &[&anna]] {
            host.group(GROUP, members);
            let is_member = members.iter().any(|member| member.uid == carla.uid);
            assert_eq!(mfad.control_as(&carla, &["users"]).code == 0, is_member, "{members:?}");
        }
        let before = mfad.control(&["--json", "user", "show", "anna"]).expect_success("mfactl user show");
        for arguments in
            ADMINISTRATION.into_iter().chain([&["health"][..], &["remove", "totp-1", "--user", "anna"]])
        {
            let refused = mfad.control_as(&carla, arguments);
            assert_eq!(refused.code, 1, "mfactl {arguments:?}: {}{}", refused.out, refused.err);
            assert!(!refused.out.contains("example.org"), "{}", refused.out);
        }
        let after = mfad.control(&["--json", "user", "show", "anna"]).expect_success("mfactl user show");
        assert_eq!(after, before, "nothing was changed");
        mfad.control_as(&carla, &["status"]).expect_success("mfactl status");
        mfad.control_as(&carla, &["history"]).expect_success("mfactl history");
        mfad.control_as(&carla, &["enrol", "totp"]).expect_success("mfactl enrol");
    });
}

/// An administrator changes other people's factors without a proof, and their own as well: the rank is the proof.
#[test]
fn a_plain_person_is_asked_for_a_proof_where_an_administrator_is_not() {
    on_a_host(|host| {
        let Office { _mail, mfad, anna, .. } = office(host);
        assert_eq!(mfad.control_as(&anna, &["recovery", "new"]).code, 1, "nobody is there to prove anything");
        let program = mfad_tests::daemon::reachable(&mfad_tests::binaries::mfactl()).display().to_string();
        let mut terminal = Terminal::start_as(&anna, &[&program, "recovery", "new"]);
        terminal.expect("Prove who you are first.");
        drop(terminal);
        host.group(GROUP, &[&anna]);
        mfad.control_as(&anna, &["recovery", "new"]).expect_success("mfactl recovery new");
    });
}
