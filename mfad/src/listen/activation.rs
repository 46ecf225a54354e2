//! Where the listening sockets come from: the service manager hands them over (sd_listen_fds(3)), and the names that they
//! are bound to tell which is which; or mfad binds them itself, with their mode from the first moment on.

use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use nix::sys::stat::{Mode, umask};

/// The two sockets.
pub struct Sockets {
    /// `io.mfad.Login`.
    pub login: UnixListener,
    /// `io.mfad.Manage`.
    pub manage: UnixListener,
}

/// Takes the sockets that the service manager passed, or binds them in `runtime`.
///
/// # Errors
/// A socket that cannot be bound, one of the two missing among those passed, or another mfad that listens there.
pub fn bind_or_take(runtime: &Path) -> io::Result<Sockets> {
    let mut passed = listenfd::ListenFd::from_env();
    if passed.len() == 0 {
        return Ok(Sockets {
            login: bind(runtime, protocol::login::INTERFACE)?,
            manage: bind(runtime, protocol::manage::INTERFACE)?,
        });
    }
    let mut listeners = Vec::new();
    for index in 0..passed.len() {
        listeners.extend(passed.take_unix_listener(index)?);
    }
    let mut take = |interface: &str| {
        let place = listeners.iter().position(|listener| is_bound_as(listener, interface));
        let missing = || io::Error::other(format!("the service manager passed no socket {interface}"));
        place.map(|index| listeners.swap_remove(index)).ok_or_else(missing)
    };
    Ok(Sockets { login: take(protocol::login::INTERFACE)?, manage: take(protocol::manage::INTERFACE)? })
}

fn is_bound_as(listener: &UnixListener, name: &str) -> bool {
    let address = listener.local_addr().ok();
    address.as_ref().and_then(|address| address.as_pathname()?.file_name()).is_some_and(|last| last == name)
}

fn bind(runtime: &Path, interface: &str) -> io::Result<UnixListener> {
    std::fs::DirBuilder::new().recursive(true).mode(0o755).create(runtime)?;
    let path = runtime.join(interface);
    remove_stale(&path)?;
    // The mode that bind() gives is 0777 without the mask: 0666. A chmod afterwards would leave a moment between.
    let before = umask(Mode::from_bits_truncate(0o111));
    let bound = UnixListener::bind(&path);
    umask(before);
    bound.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Removes the socket of an mfad that died; not of one that lives.
fn remove_stale(path: &Path) -> io::Result<()> {
    let metadata = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::other(format!("{} is there, and is not a socket", path.display())));
    }
    if UnixStream::connect(path).is_ok() {
        return Err(io::Error::other(format!("another mfad listens on {}", path.display())));
    }
    std::fs::remove_file(path)
}
