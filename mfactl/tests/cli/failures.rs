//! What is said, and how it ends, when no answer comes.

use std::os::unix::net::UnixListener;

use protocol::call::Fault;
use protocol::manage::{HelloReply, REFUSED};

use crate::daemon::{Directory, Scene, ended, failure, mfactl, refusal, reply, run, run_from_the_start};

const LOG: &str = "Look at its log: journalctl -u mfad";
const UNREADABLE: &str = "mfad's answer cannot be read. Are mfad and mfactl of one release? After an update: systemctl restart mfad\n";

#[test]
fn a_refusal_is_told_as_mfad_put_it() {
    let sentence = "there is no account zoe. Check the name: getent passwd zoe";
    for words in [&["user", "enable", "zoe"][..], &["user", "show", "zoe", "--json"], &["events"]] {
        run(words, [refusal(sentence)]).ended(1, "", &format!("{sentence}\n"));
    }
}

#[test]
fn a_refusal_of_the_greeting_is_told_too() {
    let busy = failure(REFUSED, "you have 8 connections open. Close one");
    run_from_the_start(&["health"], [busy]).ended(1, "", "you have 8 connections open. Close one\n");
}

#[test]
fn a_fault_is_told_with_a_remedy() {
    let said = |fault: Fault| run(&["health"], [failure(fault.name(), &fault.to_string())]);
    said(Fault::PermissionDenied).ended(
        1,
        "",
        "mfad does not let you ask that. Ask as root, or become a member of the group mfad-admin\n",
    );
    said(Fault::MethodNotFound).ended(
        1,
        "",
        "this mfad cannot do that. Is it older than mfactl? After an update: systemctl restart mfad\n",
    );
}

#[test]
fn another_version_of_the_protocol_is_explained() {
    let explained = "mfad and this mfactl 0.1.0 (protocol 1) do not speak the same version of the protocol. \
                     Install both from one release, then: systemctl restart mfad\n";
    let fault = Fault::UnsupportedVersion;
    run_from_the_start(&["health"], [failure(fault.name(), &fault.to_string())]).ended(1, "", explained);
    let newer = HelloReply { protocol: protocol::VERSION + 1, release: "9.0".into() };
    run_from_the_start(&["health"], [reply(&newer)]).ended(1, "", explained);
}

#[test]
fn a_missing_socket_is_told_by_its_path() {
    let directory = Directory::new();
    let socket = directory.socket();
    let path = socket.display();
    let output = mfactl(&socket).arg("health").output().unwrap();
    let expected = format!("mfad does not answer on {path} (no such file). Start it: systemctl start mfad\n");
    ended(&output, vec![]).ended(3, "", &expected);
}

#[test]
fn a_socket_that_nobody_listens_on_is_told_apart() {
    let directory = Directory::new();
    let socket = directory.socket();
    drop(UnixListener::bind(&socket).unwrap());
    let path = socket.display();
    let output = mfactl(&socket).args(["users", "--json"]).output().unwrap();
    let expected =
        format!("mfad does not answer on {path} (nothing listens there). Start it: systemctl start mfad\n");
    ended(&output, vec![]).ended(3, "", &expected);
}

#[test]
fn a_daemon_that_hangs_up_is_told() {
    let expected = format!("mfad ended the connection before its answer was complete. {LOG}\n");
    run_from_the_start(&["health"], [Scene::HangsUp]).ended(3, "", &expected);
    run(&["health"], [Scene::HangsUp]).ended(3, "", &expected);
    run(&["events", "--follow"], [Scene::HangsUp]).ended(3, "", &expected);
}

#[test]
fn what_is_no_reply_is_told_as_unreadable() {
    let unreadable: [&[u8]; 7] = [
        b"\0",
        b"hello\0",
        b"{\"parameters\":{}}\0",
        b"{\"parameters\":{\"change\":\"maybe\",\"warning\":null}}\0",
        b"{\"parameters\":{\"change\":\"changed\",\"warning\":null,\"more\":1}}\0",
        b"{\"parameters\":{\"change\":\"changed\",\"warning\":null},\"continues\":true}\0",
        b"\xff\xfe\0",
    ];
    for bytes in unreadable {
        run(&["user", "enable", "ada"], [Scene::Says(bytes.to_vec())]).ended(3, "", UNREADABLE);
    }
}

#[test]
fn an_endless_reply_is_cut_off() {
    let endless = vec![b' '; protocol::frame::LIMIT + 1];
    run(&["health"], [Scene::Says(endless)]).ended(3, "", UNREADABLE);
}

#[test]
fn a_request_that_fits_no_frame_is_not_sent() {
    let long = "x".repeat(protocol::frame::LIMIT);
    let run = run(&["user", "email", "ada", &long], []);
    run.ended(1, "", "the request is longer than the 64 KiB that mfad takes. Shorten the arguments\n");
    assert!(run.asked.is_empty());
}
