//! What is in the memory of mfad and mfactl stays there: no other user reads it, not even another process of their own, and
//! no core of it is written. Root can read it, of course.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;

use mfad_tests::binaries;
use mfad_tests::daemon::{MANAGE_SOCKET, Mfad, Settings, config_file, reachable, state_directory};
use mfad_tests::host::{Host, Person, path};
use mfad_tests::mail::MailDirectory;
use mfad_tests::on_a_host;
use mfad_tests::process::{Family, Finished, Running, run};
use mfad_tests::terminal::Terminal;
use mfad_tests::wait::until;
use nix::sys::signal::Signal;

/// mfad under a user of its own, as its unit starts it, in that user's home.
fn unprivileged(host: &Host) -> (Running, Person) {
    let owner = host.person("mfad-owner");
    let mut before = Mfad::start(host, &Settings::maildir(&MailDirectory::create()));
    before.terminate();
    let mut owned = vec![state_directory(), path("key"), "/run/mfad".into()];
    for directory in [state_directory(), "/run/mfad".into()] {
        owned.extend(fs::read_dir(directory).expect("a directory").flatten().map(|entry| entry.path()));
    }
    for path in owned {
        chown(&path, Some(owner.uid), Some(owner.uid)).expect("its owner");
    }
    fs::set_permissions(config_file(), fs::Permissions::from_mode(0o644)).expect("its mode");
    let program = reachable(&binaries::mfad()).display().to_string();
    let running = start(&owner, &[&program, "--config", &config_file().display().to_string()]);
    until("mfad to listen", || UnixStream::connect(MANAGE_SOCKET).ok());
    (running, owner)
}

/// A program of this user's, with no limit to the size of a core.
fn start(owner: &Person, program: &[&str]) -> Running {
    let (id, home) = (owner.uid.to_string(), owner.home.display().to_string());
    let as_owner = ["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups", "--pdeathsig", "KILL", "--"];
    let unlimited = ["--core=unlimited:unlimited", "--"];
    let arguments = [unlimited.as_slice(), &as_owner, &["env", "-C", &home], program].concat();
    Running::start("owned", Family::Alone, "prlimit", &arguments)
}

/// Another process of this user's, such as a hook or a mailer that mfad starts, reads a file of a process.
fn read_as(owner: &Person, pid: u32, file: &str) -> Finished {
    let (id, file) = (owner.uid.to_string(), format!("/proc/{pid}/{file}"));
    let reader = ["--reuid", &id, "--regid", &id, "--clear-groups", "--", "head", "-c", "1", &file];
    run("setpriv", &reader)
}

/// To break it (I7): leave `set_dumpable` out of `mfad::harden`.
#[test]
fn another_process_of_the_daemons_own_user_can_neither_read_nor_trace_it() {
    on_a_host(|host| {
        let (mfad, owner) = unprivileged(host);
        let open = start(&owner, &["sleep", "60"]);
        until("another program of this user's to be read", || {
            (read_as(&owner, open.pid(), "environ").code == 0).then_some(())
        });
        for file in ["environ", "maps", "mem", "auxv"] {
            let denied = read_as(&owner, mfad.pid(), file);
            assert!(denied.err.contains("Permission denied"), "{file}: {}", denied.err);
        }
        let (id, pid) = (owner.uid.to_string(), mfad.pid().to_string());
        let traced =
            run("setpriv", &["--reuid", &id, "--regid", &id, "--clear-groups", "--", "strace", "-p", &pid]);
        assert!(traced.err.contains("Operation not permitted"), "{}", traced.err);
    });
}

/// To break it (I7): leave both `set_dumpable` and `setrlimit` out of `mfad::harden`.
#[test]
fn a_daemon_that_crashes_writes_no_core_though_who_started_it_would_allow_one() {
    on_a_host(|host| {
        let (mut mfad, owner) = unprivileged(host);
        may_write_no_core(mfad.pid());
        assert!(!crashes_with_a_core(&mut mfad), "mfad left a core");
        assert_eq!(fs::read_dir(&owner.home).expect("its home").count(), 0);
        // Where cores go into the directory of the process, another program shows that one would have been written.
        let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").expect("the pattern");
        if !pattern.contains(['|', '/']) {
            let mut other = start(&owner, &["sleep", "60"]);
            // What runs before it has another directory, where this user may leave no core.
            let name = format!("/proc/{}/comm", other.pid());
            until("it to run", || fs::read_to_string(&name).is_ok_and(|it| it == "sleep\n").then_some(()));
            assert!(crashes_with_a_core(&mut other), "this machine writes no cores at all");
        }
    });
}

fn crashes_with_a_core(process: &mut Running) -> bool {
    process.signal(Signal::SIGABRT);
    process.await_end().core_dumped()
}

/// Ctrl-\ would leave the key of an app in a file. To break it (I7): leave `close_memory` out of `mfactl::run`.
#[test]
fn mfactl_with_a_key_on_its_screen_is_as_closed_as_the_daemon() {
    on_a_host(|host| {
        let _mfad = Mfad::start(host, &Settings::maildir(&MailDirectory::create()));
        let anna = host.person("anna");
        let program = reachable(&binaries::mfactl()).display().to_string();
        let mut terminal = Terminal::start_as(&anna, &[&program, "enrol", "totp"]);
        terminal.expect("(Enter: later): ");
        may_write_no_core(terminal.pid());
        let denied = read_as(&anna, terminal.pid(), "mem");
        assert!(denied.err.contains("Permission denied"), "{}{}", denied.out, denied.err);
    });
}

fn may_write_no_core(pid: u32) {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
}
