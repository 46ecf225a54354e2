//! Whether a socket can only be mfad's: nobody but root can have put it where it is. A login program that runs as
//! root tells it whom it lets in, and believes its verdict.

use std::fs::{FileType, symlink_metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use crate::outcome::Failure;

/// Group's and others' write bits. The sticky bit does not help: whoever may create files may create a socket.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// What lies at a path, as far as trust goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inode {
    kind: Kind,
    owner: u32,
    mode: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    Socket,
    Other,
}

impl From<FileType> for Kind {
    fn from(found: FileType) -> Self {
        match found {
            found if found.is_dir() => Kind::Directory,
            found if found.is_socket() => Kind::Socket,
            _ => Kind::Other,
        }
    }
}

/// What lies at `path` itself; a link is not followed.
///
/// # Errors
/// lstat(2)'s.
pub(crate) fn lstat(path: &Path) -> io::Result<Inode> {
    symlink_metadata(path).map(|found| Inode {
        kind: found.file_type().into(),
        owner: found.uid(),
        mode: found.mode(),
    })
}

/// Checks every directory on the way from the root, then the socket. `path` is absolute.
///
/// # Errors
/// [`Failure::Foreign`] for the first that could be another's; [`Failure::Unreachable`] if one does not exist.
pub(crate) fn check(path: &Path, lstat: impl Fn(&Path) -> io::Result<Inode>) -> Result<(), Failure> {
    let way: Vec<&Path> = path.ancestors().collect();
    for place in way.into_iter().rev() {
        let inode =
            lstat(place).map_err(|error| Failure::Unreachable(format!("{}: {error}", place.display())))?;
        let fault = match inode {
            Inode { kind: Kind::Directory, .. } if place == path => "a directory, not a socket",
            Inode { kind: Kind::Directory, mode, .. } if mode & WRITABLE_BY_OTHERS != 0 => {
                "writable by others"
            }
            Inode { kind: Kind::Other, .. } => "neither a directory nor a socket (a symbolic link?)",
            Inode { kind: Kind::Socket, .. } if place != path => "a socket, not a directory",
            Inode { owner, .. } if owner != 0 => "not owned by root",
            _ => continue,
        };
        return Err(Failure::Foreign(format!("{} is {fault}", place.display())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECTORY: Inode = Inode { kind: Kind::Directory, owner: 0, mode: 0o040_755 };
    const SOCKET: Inode = Inode { kind: Kind::Socket, owner: 0, mode: 0o140_666 };

    fn judge(root: Inode, run: Inode, mfad: Inode, socket: Inode) -> Result<(), Failure> {
        check(Path::new("/run/mfad/io.mfad.Login"), |path| match path.to_str().unwrap() {
            "/" => Ok(root),
            "/run" => Ok(run),
            "/run/mfad" => Ok(mfad),
            "/run/mfad/io.mfad.Login" => Ok(socket),
            other => panic!("{other} is not on the way"),
        })
    }

    #[test]
    fn a_socket_in_roots_directories_is_trusted() {
        judge(DIRECTORY, DIRECTORY, Inode { mode: 0o040_700, ..DIRECTORY }, SOCKET).unwrap();
    }

    #[test]
    fn one_directory_that_is_not_roots_alone_is_enough_to_refuse() {
        let bad = [
            Inode { owner: 1000, ..DIRECTORY },
            Inode { mode: 0o040_775, ..DIRECTORY },
            Inode { mode: 0o040_757, ..DIRECTORY },
            Inode { mode: 0o041_777, ..DIRECTORY },
            Inode { kind: Kind::Other, mode: 0o120_777, ..DIRECTORY },
            SOCKET,
        ];
        for wrong in bad {
            for [root, run, mfad] in
                [[wrong, DIRECTORY, DIRECTORY], [DIRECTORY, wrong, DIRECTORY], [DIRECTORY, DIRECTORY, wrong]]
            {
                let verdict = judge(root, run, mfad, SOCKET);
                assert!(matches!(verdict, Err(Failure::Foreign(_))), "{wrong:?}: {verdict:?}");
            }
        }
    }

    #[test]
    fn what_is_not_roots_socket_is_refused() {
        for wrong in [Inode { owner: 1000, ..SOCKET }, Inode { kind: Kind::Other, ..SOCKET }, DIRECTORY] {
            let verdict = judge(DIRECTORY, DIRECTORY, DIRECTORY, wrong);
            assert!(matches!(verdict, Err(Failure::Foreign(_))), "{wrong:?}: {verdict:?}");
        }
    }

    #[test]
    fn what_is_missing_is_unreachable_and_a_link_is_seen_as_one() {
        assert!(matches!(check(Path::new("/nowhere/at/all"), lstat), Err(Failure::Unreachable(_))));
        assert_eq!(lstat(Path::new("/proc/self")).unwrap().kind, Kind::Other);
    }
}
