//! The host of a story: its thread, its people, its PAM stacks.

use std::cell::Cell;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use crate::binaries;
use crate::daemon::reachable_as;
use crate::namespace::{self, BASE};
use crate::process::{explain, run};
use crate::syslog::Syslog;

/// The password of everybody on a throw-away host.
pub const PASSWORD: &str = "correct horse";

const PASSWORD_HASH: &str =
    "$6$mfadtests$c65eXyi.LheDWPiBeUOTB.LiZynDFbo6.N0KiizQwsSF/FincNSlSQtfkxJ2X1aWfLW8ZwEAIGVuSVl6jAW0T/";

/// A machine as far as a story can see.
pub struct Host {
    syslog: Syslog,
    next_uid: Cell<u32>,
}

/// Somebody with an account and [`PASSWORD`].
#[derive(Debug, Clone)]
pub struct Person {
    /// The account's name.
    pub name: String,
    /// The uid, and the gid of a group of the same name.
    pub uid: u32,
    /// The home directory.
    pub home: PathBuf,
}

impl Person {
    /// The address that stories give this person.
    pub fn address(&self) -> String {
        format!("{}@example.org", self.name)
    }
}

/// Whose stack it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Debian and Ubuntu: the password is checked by an included file.
    Debian,
    /// Fedora and RHEL: it is checked in the stack itself.
    Fedora,
}

/// What stands before our module in a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstFactor {
    /// A password, checked by `pam_unix`.
    Password,
    /// Nothing: the program has checked a key.
    Elsewhere,
}

/// Runs a story on a host of its own.
///
/// # Panics
/// If the story does, or if the process is not root's.
pub fn on_a_host(story: impl FnOnce(&Host) + Send) {
    // The name of the test, so that a failure is told under it.
    let name = thread::current().name().unwrap_or("story").to_owned();
    let ended = thread::scope(|scope| {
        let thread = thread::Builder::new().name(name).spawn_scoped(scope, || story(&Host::new()));
        thread.expect("a thread").join()
    });
    if let Err(panic) = ended {
        resume_unwind(panic);
    }
}

impl Host {
    fn new() -> Self {
        namespace::enter();
        let host = Host { syslog: Syslog::listen(), next_uid: Cell::new(61_000) };
        namespace::directory("/run/home/root", 0o700);
        namespace::directory("/run/sshd", 0o755);
        host.edit("/etc/passwd", |text| move_home_of_root(&text));
        run("cp", &["-a", "/etc/pam.d", &path("stock-pam.d").display().to_string()]).expect_success("cp");
        for service in ["sshd", "sudo", "su", "su-l", "login"] {
            host.stack(service, FirstFactor::Password);
        }
        host.write("/etc/sudoers", "Defaults !lecture, timestamp_timeout=0\nALL ALL=(ALL:ALL) ALL\n", 0o440);
        host
    }

    /// Writes a file of root's, whole, with this mode.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>, text: &str, mode: u32) {
        let path = path.as_ref();
        fs::write(path, text)
            .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
            .unwrap_or_else(|error| panic!("writing {}: {error}", path.display()));
    }

    /// Adds an account that can log in with [`PASSWORD`], and its home.
    ///
    /// # Panics
    /// If a file cannot be written.
    pub fn person(&self, name: &str) -> Person {
        let uid = self.next_uid.replace(self.next_uid.get() + 1);
        let home = PathBuf::from(format!("/run/home/{name}"));
        append("/etc/passwd", &format!("{name}:x:{uid}:{uid}::{}:/bin/sh\n", home.display()));
        append("/etc/shadow", &format!("{name}:{PASSWORD_HASH}:20000:0:99999:7:::\n"));
        append("/etc/group", &format!("{name}:x:{uid}:\n"));
        namespace::directory(&home, 0o700);
        chown(&home, Some(uid), Some(uid)).expect("the home's owner");
        Person { name: name.to_owned(), uid, home }
    }

    /// Makes a group of these people, and of nobody else.
    ///
    /// # Panics
    /// If `/etc/group` cannot be written.
    pub fn group(&self, name: &str, members: &[&Person]) {
        let gid = self.next_uid.replace(self.next_uid.get() + 1);
        let members: Vec<&str> = members.iter().map(|person| person.name.as_str()).collect();
        self.edit("/etc/group", |text| {
            let others = text.lines().filter(|line| !line.starts_with(&format!("{name}:")));
            let group = format!("{name}:x:{gid}:{}", members.join(","));
            others.chain([group.as_str()]).map(|line| format!("{line}\n")).collect()
        });
    }

    /// Puts the stacks of the machine in the place of those that stories usually have.
    ///
    /// # Panics
    /// If they cannot be copied.
    pub fn stock_stacks(&self) {
        fs::remove_dir_all("/etc/pam.d").expect("the stacks of this host");
        run("cp", &["-a", &path("stock-pam.d").display().to_string(), "/etc/pam.d"]).expect_success("cp");
    }

    /// Gives root [`PASSWORD`].
    ///
    /// # Panics
    /// If `/etc/shadow` cannot be written.
    pub fn root(&self) -> Person {
        self.edit("/etc/shadow", |text| {
            let others = text.lines().filter(|line| !line.starts_with("root:"));
            let root = format!("root:{PASSWORD_HASH}:20000:0:99999:7:::");
            others.chain([root.as_str()]).map(|line| format!("{line}\n")).collect()
        });
        Person { name: "root".to_owned(), uid: 0, home: "/run/home/root".into() }
    }

    /// Writes the stack of a PAM service: the documented one, with the module that was built.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn stack(&self, service: &str, first: FirstFactor) {
        self.stack_with(service, first, "");
    }

    /// As [`Host::stack`], with arguments for the module.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn stack_with(&self, service: &str, first: FirstFactor, arguments: &str) {
        let password = "auth [success=1 default=ignore] pam_unix.so nodelay\nauth requisite pam_deny.so\n";
        let before = if first == FirstFactor::Password { password } else { "" };
        let module = module();
        let text = format!(
            "{before}auth required {} {arguments}\nauth required pam_permit.so\n\
             account required pam_unix.so\npassword required pam_deny.so\nsession required pam_permit.so\n",
            module.display()
        );
        self.write(format!("/etc/pam.d/{service}"), &text, 0o644);
    }

    /// Writes the stack for programs that ask once: the lines of docs/guide/append.md, as they stand there; those for Debian
    /// around its own for the password.
    ///
    /// # Panics
    /// If it cannot be written, or the guide has no such lines.
    pub fn stack_for_one_prompt(&self, service: &str, distribution: Distribution) {
        // A copy that programs of plain users can load.
        let module = "/run/pam_mfad.so";
        fs::copy(binaries::module(), module).expect("the module for everybody");
        let guide = fs::read_to_string(binaries::source("../docs/guide/append.md")).expect("the guide");
        let (block, length) = match distribution {
            Distribution::Debian => (0, 3),
            Distribution::Fedora => (1, 5),
        };
        let blocks = guide.split("\n\n").filter(|block| block.contains("pam_mfad.so append=split"));
        let lines: Vec<&str> = blocks.skip(block).flat_map(str::lines).map(str::trim).take(length).collect();
        assert!(lines[0].ends_with("append=split"), "{lines:?}");
        let common = "auth [success=1 default=ignore] pam_unix.so nullok nodelay\nauth requisite pam_deny.so\n\
                      auth required pam_permit.so\n";
        self.write("/etc/pam.d/common-auth", common, 0o644);
        let text = format!(
            "{}\naccount required pam_unix.so\npassword required pam_deny.so\nsession required pam_permit.so\n",
            lines.join("\n").replace("pam_mfad.so", module)
        );
        self.write(format!("/etc/pam.d/{service}"), &text, 0o644);
    }

    /// Gives somebody another password than [`PASSWORD`].
    ///
    /// # Panics
    /// If openssl fails, or `/etc/shadow` cannot be written.
    pub fn set_password(&self, person: &Person, password: &str) {
        let hash = run("openssl", &["passwd", "-6", password]).expect_success("openssl passwd");
        let start = format!("{}:", person.name);
        self.edit("/etc/shadow", |text| {
            let others = text.lines().filter(|line| !line.starts_with(&start));
            let changed = format!("{start}{}:20000:0:99999:7:::", hash.trim());
            others.chain([changed.as_str()]).map(|line| format!("{line}\n")).collect()
        });
    }

    /// What was logged through `/dev/log`.
    pub fn syslog(&self) -> &Syslog {
        &self.syslog
    }

    /// Changes a file.
    ///
    /// # Panics
    /// If it cannot be read or written.
    pub fn edit(&self, path: &str, change: impl FnOnce(String) -> String) {
        let before = fs::read_to_string(path).unwrap_or_else(|error| panic!("reading {path}: {error}"));
        fs::write(path, change(before)).unwrap_or_else(|error| panic!("writing {path}: {error}"));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if thread::panicking() {
            explain("/dev/log", &self.syslog.lines().join("\n"));
        }
    }
}

/// The module that was built, where everybody may load it, under the name that it is installed by.
///
/// # Panics
/// If it cannot be shown there.
pub fn module() -> PathBuf {
    reachable_as(&binaries::module(), "pam_mfad.so")
}

/// A path below the story's private directory.
pub fn path(relative: &str) -> PathBuf {
    Path::new(BASE).join(relative)
}

/// A TCP port of loopback that nobody listens on, outside the range from which the kernel picks on its own.
///
/// # Panics
/// If there is none.
pub fn free_port() -> u16 {
    let seed = u32::try_from(nix::unistd::gettid().as_raw()).expect("a thread id");
    let candidates =
        (0..5000).map(|step| 10_000 + (seed.wrapping_mul(7919).wrapping_add(step * 13)) % 20_000);
    candidates
        .filter_map(|port| u16::try_from(port).ok())
        .filter(|port| !ALREADY_PICKED.with_borrow(|picked| picked.contains(port)))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .inspect(|port| ALREADY_PICKED.with_borrow_mut(|picked| picked.push(*port)))
        .expect("a free port")
}

thread_local! {
    static ALREADY_PICKED: std::cell::RefCell<Vec<u16>> = const { std::cell::RefCell::new(Vec::new()) };
}

fn append(path: &str, line: &str) {
    OpenOptions::new()
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .unwrap_or_else(|error| panic!("adding to {path}: {error}"));
}

/// So that clients that root starts read nothing of the machine's.
fn move_home_of_root(passwd: &str) -> String {
    let moved = passwd.lines().map(|line| match line.split(':').collect::<Vec<_>>()[..] {
        ["root", x, uid, gid, gecos, _, shell] => {
            format!("root:{x}:{uid}:{gid}:{gecos}:/run/home/root:{shell}\n")
        }
        _ => format!("{line}\n"),
    });
    moved.collect()
}
