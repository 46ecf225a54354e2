//! What the module leaves in the program after many logins: no descriptor, no thread, and no name but its six hooks.
//! One test in each process that counts: other tests open files as well.

#![allow(clippy::print_stderr)]

mod libpam;

use libpam::*;

fn count(directory: &str) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

#[test]
fn logins_leave_neither_descriptor_nor_thread() {
    let Some(daemon) = Daemon::start(|call| match call % 4 {
        0 => step("Hello", "Code: ", ""),
        1 => step("", "", "deny"),
        2 => Serve::Frame("garbage".into()),
        _ => Serve::Frame(r#"{"error":"io.mfad.UnknownLogin"}"#.into()),
    }) else {
        return eprintln!("skipped: only root can make a socket that the module trusts");
    };
    let login = |program: &mut Program| program.authenticate();
    let person = |style: i32, _: &str| if style <= 2 { Reply::text("1") } else { Reply::Null };
    let mut open = None;
    for round in 0..100 {
        let mut program = Program::start("sshd", "ann", &daemon.stack("timeout=5"), person);
        assert_ne!(login(&mut program), SUCCESS);
        drop(program);
        // The daemon's thread closes its end a little later than we ours.
        for _ in 0..100 {
            let now = (count("/proc/self/fd"), count("/proc/self/task"));
            let first = *open.get_or_insert(now);
            if now.0 <= first.0 && now.1 <= first.1 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let now = (count("/proc/self/fd"), count("/proc/self/task"));
        let first = open.unwrap_or(now);
        assert!(
            now.0 <= first.0 && now.1 <= first.1,
            "{now:?} after {round} logins, {first:?} after the first"
        );
    }
}
