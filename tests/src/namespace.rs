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

/// Shows a copy of a directory in its place: what is written there stays private.
///
/// # Panics
/// If it cannot be copied.
pub fn private_copy(of: &str) {
    let copy = format!("{BASE}/copies{of}");
    directory(Path::new(&copy).parent().expect("a parent"), 0o755);
    let copied = Command::new("cp").args(["-a", of, &copy]).status().expect("cp");
    assert!(copied.success(), "copying {of}");
    bind(&copy, of);
}

/// Shows what is in a directory in a new one in its place, which can have other entries beside it.
///
/// # Panics
/// If the kernel refuses.
pub fn open_to_more(at: &str) {
    let view = format!("{BASE}/views{at}");
    directory(&view, 0o755);
    for entry in fs::read_dir(at).expect("the directory").flatten() {
        let (from, to) = (entry.path(), Path::new(&view).join(entry.file_name()));
        let kind = entry.file_type().expect("its type");
        if kind.is_symlink() {
            symlink(fs::read_link(&from).expect("a link"), &to).expect("the same link");
            continue;
        }
        if kind.is_dir() {
            directory(&to, 0o755)
        } else {
            drop(fs::write(&to, ""))
        }
        bind(&from, &to);
    }
    bind(&view, at);
}

/// Takes away the right to write to the machine's own root file system, wherever nothing private lies above it.
///
/// # Panics
/// If the kernel refuses.
pub fn protect_the_machine() {
    // Of this mount alone: the file system itself is the machine's.
    remount(Path::new("/"), MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY);
}

/// Moves the calling thread to a network that has loopback alone: every port of it is free, and nobody else's.
///
/// # Panics
/// If the kernel refuses.
pub fn own_network() {
    unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace of our own");
    let up = "import fcntl, socket, struct\n\
              fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14x', b'lo', 0x41))";
    let raised = Command::new("/usr/bin/python3").args(["-c", up]).status().expect("python3");
    assert!(raised.success(), "loopback does not come up");
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
