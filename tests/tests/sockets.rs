//! Who may speak to whom: strangers on mfad's sockets, and strangers in mfad's place.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Stdio;

use mfad_tests::binaries;
use mfad_tests::daemon::{LOGIN_SOCKET, MANAGE_SOCKET};
use mfad_tests::host::{FirstFactor, Host, Person};
use mfad_tests::mail::PYTHON;
use mfad_tests::on_a_host;
use mfad_tests::process::{Family, Running, bare};
use mfad_tests::race::{PAM_SUCCESS, Race, SERVICE};
use mfad_tests::site::{Site, expect_inside, expect_outside, give_password};

/// Sends bytes to a socket as somebody, and returns what comes back.
fn call(person: &Person, socket: &str, bytes: &[u8]) -> String {
    let id = person.uid.to_string();
    // The script may lie where only root can read it.
    let script = fs::read_to_string(binaries::source("clients/call.py")).expect("the script");
    let mut client = bare("setpriv")
        .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--", PYTHON, "-c", &script, socket])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the client");
    client.stdin.take().expect("its input").write_all(bytes).expect("the bytes");
    String::from_utf8_lossy(&client.wait_with_output().expect("its output").stdout).into_owned()
}

fn begin(user: &str) -> Vec<u8> {
    let attempt = format!(
        "{{\"user\":\"{user}\",\"service\":\"locker\",\"tty\":null,\"remote_host\":null,\"remote_user\":null,\
         \"ssh_connection\":null,\"ssh_auth_info\":null}}"
    );
    let parameters = format!("{{\"protocol\":{},\"attempt\":{attempt}}}", protocol::VERSION);
    format!("{{\"method\":\"io.mfad.Login.Begin\",\"parameters\":{parameters}}}\0").into_bytes()
}

/// Break it: believe the name in the message.
#[test]
fn a_plain_user_may_log_in_only_as_themselves() {
    on_a_host(|host| {
        let site = Site::on(host);
        let bert = host.person("bert");
        let own = call(&site.anna, LOGIN_SOCKET, &begin("anna"));
        assert!(own.contains("\"step\""), "{own}");
        let foreign = call(&bert, LOGIN_SOCKET, &begin("anna"));
        assert!(foreign.contains("PermissionDenied"), "{foreign}");
        let foreign = call(&bert, LOGIN_SOCKET, &begin("nobody-here"));
        assert!(foreign.contains("PermissionDenied"), "names cannot be tried out: {foreign}");
        assert_eq!(site.mail.count(), 0);
    });
}

#[test]
fn a_plain_user_may_manage_nothing_of_others() {
    on_a_host(|host| {
        let site = Site::on(host);
        let bert = host.person("bert");
        for refused in [
            &["user", "show", "anna"][..],
            &["user", "disable", "anna"],
            &["user", "enable", "anna"],
            &["user", "unlock", "anna"],
            &["user", "email", "anna", "bert@example.org"],
            &["users"],
            &["events", "--user", "anna"],
            &["history", "--user", "anna"],
            &["config", "check"],
            &["test", "mail", "bert@example.org"],
        ] {
            let finished = site.mfad.control_as(&bert, refused);
            assert_eq!(finished.code, 1, "mfactl {refused:?}: {}{}", finished.out, finished.err);
        }
        let own = site.mfad.control_as(&bert, &["history", "--json"]).expect_success("mfactl history");
        assert!(!own.contains("anna"), "{own}");
        let hers = site.mfad.control_as(&site.anna, &["history"]).expect_success("mfactl history");
        assert!(hers.contains("second factor switched on"), "{hers}");
        assert_eq!(site.mail.count(), 0);
        drop(site.anna_is_asked());
        assert!(site.mail.await_mail(1).to.contains("anna@"), "nothing was changed");
    });
}

/// The switch and the address are an administrator's.
#[test]
fn a_plain_user_may_not_switch_their_own_second_factor_off() {
    on_a_host(|host| {
        let site = Site::on(host);
        let refused = [
            &["user", "disable", "anna"][..],
            &["user", "email", "anna", "a@example.net"],
            &["user", "unlock", "anna"],
        ];
        for arguments in refused {
            assert_eq!(site.mfad.control_as(&site.anna, arguments).code, 1, "mfactl {arguments:?}");
        }
    });
}

#[test]
fn bytes_that_are_no_call_hurt_nobody() {
    on_a_host(|host| {
        let site = Site::on(host);
        let endless = vec![b'x'; 100 * 1024];
        let garbage: [&[u8]; 7] = [
            b"garbage\0",
            b"\0\0\0",
            b"{\"method\":\"io.mfad.Login.Begin\",\"parameters\":{\"surprise\":1}}\0",
            b"{\"method\":\"io.mfad.Login.Nothing\"}\0",
            b"\xff\xfe\0",
            b"{\"method\":",
            &endless,
        ];
        for bytes in garbage {
            for socket in [LOGIN_SOCKET, MANAGE_SOCKET] {
                let answer = call(&site.anna, socket, bytes);
                assert!(!answer.contains("\"step\""), "{answer}");
            }
        }
        let mut terminal = site.anna_is_asked();
        terminal.type_line(&site.mail.await_mail(1).code());
        expect_inside(&mut terminal, &site.anna);
    });
}

/// Break it: count root's connections together with everybody's.
#[test]
fn a_plain_user_who_holds_many_connections_keeps_nobody_out() {
    on_a_host(|host| {
        let site = Site::on(host);
        let bert = host.person("bert");
        let hold = "import socket, sys, time\n\
                    held = [socket.socket(socket.AF_UNIX) for _ in range(400)]\n\
                    [one.connect(sys.argv[1]) for one in held]\n\
                    print('holding', flush=True)\n\
                    time.sleep(600)\n";
        let id = bert.uid.to_string();
        let arguments =
            ["--reuid", &id, "--regid", &id, "--clear-groups", "--", PYTHON, "-c", hold, LOGIN_SOCKET];
        let mut crowd = Running::start("crowd", Family::Whole, "setpriv", &arguments);
        crowd.await_output("holding");
        let mut terminal = site.anna_is_asked();
        terminal.type_line(&site.mail.await_mail(1).code());
        expect_inside(&mut terminal, &site.anna);
    });
}

fn is_refused(host: &Host, site: &Site) {
    let mut terminal = site.sshd.connect_with(&site.anna, &["-o", "NumberOfPasswordPrompts=1"]);
    give_password(&mut terminal);
    expect_outside(&mut terminal);
    let mut race = Race::begin(host, &site.anna, 1);
    assert_eq!(race.await_prompts(), 0, "nobody is asked");
    race.answer(&[String::new()]);
    assert_ne!(race.outcomes()[0].code, PAM_SUCCESS);
}

/// Break it: do not look at the peer's uid.
#[test]
fn the_module_does_not_believe_a_server_of_another_user() {
    on_a_host(|host| {
        let mut site = Site::on(host);
        site.mfad.terminate();
        let bert = host.person("bert");
        chown("/run/mfad", Some(bert.uid), None).expect("chown");
        let _liar = liar(&bert, LOGIN_SOCKET);
        chown("/run/mfad", Some(0), None).expect("chown");
        is_refused(host, &site);
        host.syslog().await_line(&["pam_mfad"]);
    });
}

/// Break it: do not look at the directories.
#[test]
fn the_module_does_not_believe_a_socket_in_a_directory_that_others_can_write() {
    on_a_host(|host| {
        let site = Site::on(host);
        let open = |mode| fs::set_permissions("/run/mfad", fs::Permissions::from_mode(mode)).expect("chmod");
        for mode in [0o777, 0o775, 0o1777] {
            open(mode);
            is_refused(host, &site);
        }
        open(0o755);
        let mut terminal = site.anna_is_asked();
        terminal.type_line(&site.mail.await_mail(1).code());
        expect_inside(&mut terminal, &site.anna);
    });
}

#[test]
fn the_module_does_not_believe_a_server_below_tmp() {
    on_a_host(|host| {
        let site = Site::on(host);
        mfad_tests::namespace::directory("/run/tmp", 0o1777);
        let root = host.root();
        let _liar = liar(&root, "/run/tmp/socket");
        for service in ["sshd", SERVICE] {
            host.stack_with(service, FirstFactor::Password, "socket=/run/tmp/socket");
        }
        let mut terminal = site.sshd.connect_with(&site.anna, &["-o", "NumberOfPasswordPrompts=1"]);
        give_password(&mut terminal);
        expect_outside(&mut terminal);
    });
}

fn liar(person: &Person, socket: &str) -> Running {
    drop(fs::remove_file(socket));
    let id = person.uid.to_string();
    let script = fs::read_to_string(binaries::source("servers/liar.py")).expect("the script");
    let arguments = ["--reuid", &id, "--regid", &id, "--clear-groups", "--", PYTHON, "-c", &script, socket];
    let mut liar = Running::start("liar", Family::Whole, "setpriv", &arguments);
    liar.await_output("listening");
    liar
}
