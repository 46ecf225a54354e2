//! The throw-away host itself: what it promises to the stories, and to the machine.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use mfad_tests::broken_mail::{BrokenMailServer, Fault};
use mfad_tests::certificates::Certificates;
use mfad_tests::host::{free_port, path};
use mfad_tests::mail::{MailServer, PYTHON};
use mfad_tests::on_a_host;
use mfad_tests::postfix::Postfix;
use mfad_tests::process::run;
use mfad_tests::site::{expect_inside, give_password};
use mfad_tests::sshd::{Methods, Sshd};
use mfad_tests::terminal::Terminal;
use mfad_tests::tmux::Pane;
use mfad_tests::wait::{PATIENCE, until};

#[test]
fn a_story_leaves_no_trace_on_the_machine() {
    let files = ["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/pam.d/sshd", "/etc/sudoers"];
    let state = || files.map(|file| fs::metadata(file).ok().map(|is| (is.ino(), is.mtime_nsec(), is.len())));
    let (before, run_before) = (state(), names("/run"));
    on_a_host(|host| {
        host.person("anna");
        host.root();
        host.write(path("file"), "text", 0o600);
        host.write("/etc/mfad-harness", "text", 0o600);
    });
    assert_eq!(state(), before);
    assert_eq!(names("/run"), run_before);
    assert!(!fs::exists("/etc/mfad-harness").expect("/etc"));
}

/// What the story below kills.
#[test]
#[ignore = "started by a_story_that_is_killed_leaves_no_process_behind"]
fn a_host_that_waits_for_its_end() {
    on_a_host(|host| {
        let _postfix = Postfix::start(host);
        let _sshd = Sshd::start(host, Methods::KeyboardInteractive);
        let _mail = MailServer::start();
        let _terminal = Terminal::start(&["sh"]);
        let _pane = Pane::start(&["sh"]);
        let namespace = fs::read_link("/proc/thread-self/ns/mnt").expect("the namespace");
        fs::write("/proc/self/fd/1", format!("{}\n", namespace.display())).expect("standard output");
        std::thread::sleep(PATIENCE);
    });
}

/// Break it: start servers without a guardian, or let a terminal's program inherit the master side and ignored signals.
#[test]
fn a_story_that_is_killed_leaves_no_process_behind() {
    let itself = std::env::current_exe().expect("this test");
    let mut story = Command::new("env")
        .arg("--ignore-signal=HUP")
        .arg(itself)
        .args(["--exact", "a_host_that_waits_for_its_end", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("another run of this test");
    let lines = BufReader::new(story.stdout.take().expect("its output")).lines();
    let namespace = lines.map_while(Result::ok).find(|line| line.starts_with("mnt:[")).expect("a namespace");
    let servers = processes_in(&namespace);
    assert!(servers.len() > 5, "servers run");
    story.kill().expect("SIGKILL");
    story.wait().expect("its end");
    // The kernel may give the namespace's number to the next story, so it is these processes that must be gone.
    until("the last process of the host to end", || {
        processes_in(&namespace).is_disjoint(&servers).then_some(())
    });
}

fn processes_in(namespace: &str) -> BTreeSet<PathBuf> {
    let processes = fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path());
    let is_inside = |process: &PathBuf| {
        fs::read_link(process.join("ns/mnt")).is_ok_and(|link| link.as_os_str() == namespace)
    };
    processes.filter(is_inside).collect()
}

fn names(directory: &str) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> =
        fs::read_dir(directory).expect("a directory").flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    names
}

#[test]
fn what_programs_log_can_be_read() {
    on_a_host(|host| {
        run("logger", &["-t", "somebody", "something happened"]).expect_success("logger");
        host.syslog().await_line(&["somebody", "something happened"]);
    });
}

#[test]
fn a_person_at_a_terminal_can_type_and_hang_up() {
    on_a_host(|host| {
        let anna = host.person("anna");
        let mut terminal =
            Terminal::start_as(&anna, &["sh", "-c", "tty; id -un; read line; echo \"got $line\"; cat"]);
        terminal.expect("/dev/pts/");
        terminal.expect("anna");
        terminal.type_line("a line");
        terminal.expect("got a line");
        // The shell is the first process of its kind, which no interrupt ends: cat has to be there to get it.
        terminal.type_line("more");
        terminal.expect("more\r\nmore");
        terminal.press("\x03");
        let (status, _) = terminal.await_end();
        assert!(!status.success());
    });
}

/// Without our module: what goes wrong in other stories is not the host's fault.
#[test]
fn sshd_lets_people_in_by_password_and_by_key() {
    on_a_host(|host| {
        let anna = host.person("anna");
        for methods in [Methods::KeyboardInteractive, Methods::KeyThenKeyboardInteractive, Methods::Password]
        {
            let sshd = Sshd::start(host, methods);
            let pam = "auth required pam_unix.so nodelay\naccount required pam_unix.so\nsession required pam_permit.so\n";
            host.write("/etc/pam.d/sshd", pam, 0o644);
            let mut terminal = sshd.connect(&anna);
            give_password(&mut terminal);
            expect_inside(&mut terminal, &anna);
        }
    });
}

#[test]
fn postfix_takes_mail_by_smtp_and_by_its_own_sendmail() {
    on_a_host(|host| {
        let anna = host.person("anna");
        let postfix = Postfix::start(host);
        let message = "To: anna@example.org\nSubject: one\n\n123456\n";
        host.write(path("message"), message, 0o644);
        let command = format!("sendmail -t -i < {}", path("message").display());
        run("sh", &["-c", &command]).expect_success("sendmail");
        let mail = postfix.await_mail(&anna, 1);
        assert_eq!((mail.subject.as_str(), mail.code().as_str()), ("one", "123456"));
        send(&postfix.url(), "two");
        postfix.await_mail(&anna, 2);
    });
}

#[test]
fn a_mail_server_can_go_and_another_come_on_the_same_port() {
    on_a_host(|_| {
        let port = free_port();
        let broken = BrokenMailServer::start_on(port, Fault::DropsInData);
        assert_ne!(send(&format!("smtp://127.0.0.1:{port}"), "lost").code, 0);
        drop(broken);
        let real = MailServer::start_on(port, &[]);
        assert_eq!(send(&real.url(), "kept").code, 0);
        assert_eq!(real.await_mail(1).subject, "kept");
        drop(real);
        let authority = Certificates::create("relay");
        let (certificate, key) =
            (authority.certificate.display().to_string(), authority.key.display().to_string());
        MailServer::start_on(port, &["--tls", "implicit", "--cert", &certificate, "--key", &key]);
        let trusted = authority.authority.display().to_string();
        run("openssl", &["verify", "-CAfile", &trusted, &certificate]).expect_success("openssl verify");
    });
}

fn send(url: &str, subject: &str) -> mfad_tests::process::Finished {
    let port = url.rsplit(':').next().expect("a port");
    let script = "import smtplib, sys\n\
                  client = smtplib.SMTP('127.0.0.1', int(sys.argv[1]), timeout=10)\n\
                  client.sendmail('root@example.org', ['anna@example.org'], f'Subject: {sys.argv[2]}\\n\\n123456\\n')\n";
    run(PYTHON, &["-c", script, port, subject])
}
