//! A private view of the machine for the calling thread and everything it starts.
//!
//! The kernel drops the view with its last process, so there is nothing to clean up. What stays shared: the network
//! (ports are picked, never fixed), process ids, and every directory that is not named here.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::{Mode, SFlag, makedev, mknod, umask};

/// Where a story keeps its files: on a tmpfs that nobody else sees, every directory above owned by root.
pub const BASE: &str = "/run/mfad-test";

/// Moves the calling thread into a private view.
///
/// # Panics
/// If the process is not root's, or may not mount.
pub fn enter() {
    assert!(
        nix::unistd::geteuid().is_root(),
        "this needs root: it starts sshd, sudo and login on private copies of /etc and /run; run it with sudo"
    );
    unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace of our own (is CAP_SYS_ADMIN missing?)");
    umask(Mode::from_bits_truncate(0o022));
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .expect("making mounts private");
    tmpfs("/run", "mode=755");
    directory(BASE, 0o755);
    private_etc();
    private_dev();
    private_var();
}

/// Mounts an empty tmpfs over a directory.
///
/// # Panics
/// If the kernel refuses.
pub fn tmpfs(at: impl AsRef<Path>, options: &str) {
    let at = at.as_ref();
    mount(Some("tmpfs"), at, Some("tmpfs"), MsFlags::empty(), Some(options))
        .unwrap_or_else(|error| panic!("a tmpfs on {}: {error}", at.display()));
}

/// Shows a directory, or a file, at a second place.
///
/// # Panics
/// If the kernel refuses.
pub fn bind(from: impl AsRef<Path>, at: impl AsRef<Path>) {
    let (from, at) = (from.as_ref(), at.as_ref());
    mount(Some(from), at, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
        .unwrap_or_else(|error| panic!("{} at {}: {error}", from.display(), at.display()));
}

/// Makes a mounted directory read-only.
///
/// # Panics
/// If the kernel refuses.
pub fn read_only(at: impl AsRef<Path>) {
    remount(at.as_ref(), MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY);
}

/// Makes a mounted directory writable again.
///
/// # Panics
/// If the kernel refuses.
pub fn writable(at: impl AsRef<Path>) {
    remount(at.as_ref(), MsFlags::MS_REMOUNT);
}

fn remount(at: &Path, flags: MsFlags) {
    mount(None::<&str>, at, None::<&str>, flags, None::<&str>)
        .unwrap_or_else(|error| panic!("remounting {}: {error}", at.display()));
}

/// Creates a directory with this mode; parents that are missing are open to all readers.
///
/// # Panics
/// If it cannot be created.
pub fn directory(path: impl AsRef<Path>, mode: u32) {
    let path = path.as_ref();
    fs::create_dir_all(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
        .unwrap_or_else(|error| panic!("creating {}: {error}", path.display()));
}

fn private_etc() {
    let copy = format!("{BASE}/etc");
    let copied = Command::new("cp").args(["-a", "/etc", &copy]).status().expect("cp");
    assert!(copied.success(), "copying /etc");
    bind(&copy, "/etc");
}

/// The few nodes that login programs need, terminals of our own, and room for `/dev/log`.
fn private_dev() {
    let dev = format!("{BASE}/dev");
    directory(&dev, 0o755);
    tmpfs(&dev, "mode=755");
    for (name, minor) in [("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)] {
        node(&format!("{dev}/{name}"), 1, minor);
    }
    node(&format!("{dev}/tty"), 5, 0);
    directory(format!("{dev}/pts"), 0o755);
    directory(format!("{dev}/shm"), 0o1777);
    let terminals = format!("{dev}/pts");
    mount(
        Some("devpts"),
        terminals.as_str(),
        Some("devpts"),
        MsFlags::empty(),
        Some("newinstance,ptmxmode=0666,mode=0620,gid=5"),
    )
    .expect("terminals of our own");
    for (name, target) in [
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
    ] {
        symlink(target, format!("{dev}/{name}")).expect("a link in /dev");
    }
    bind(&dev, "/dev");
}

fn node(path: &str, major: u64, minor: u64) {
    mknod(path, SFlag::S_IFCHR, Mode::empty(), makedev(major, minor)).expect("a node in /dev");
    fs::set_permissions(path, fs::Permissions::from_mode(0o666)).expect("its mode");
}

/// Where login programs and mail servers keep records; missing ones belong to packages that are not installed.
fn private_var() {
    for (path, mode) in [
        ("/var/log", "mode=755"),
        ("/var/spool", "mode=755"),
        ("/var/lib/postfix", "mode=755"),
        ("/var/lib/sudo", "mode=700"),
    ] {
        if Path::new(path).is_dir() {
            tmpfs(path, mode);
        }
    }
    if let Ok(Some(postfix)) = nix::unistd::User::from_name("postfix")
        && Path::new("/var/lib/postfix").is_dir()
    {
        nix::unistd::chown("/var/lib/postfix", Some(postfix.uid), None).expect("chown /var/lib/postfix");
    }
}
