//! Which files are read, and whether they may be trusted: only root and the daemon's own user may have written them.

use std::fs::{self, DirEntry, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::libc::{ELOOP, ENXIO, O_NOFOLLOW, O_NONBLOCK};

use super::Presence;
use super::problem::{Problem, Problems};
use super::tree::Source;

/// Bytes. A real file has some thousand; more is a mistake, and must not fill the memory.
const LONGEST_FILE: u64 = 1 << 20;

/// The main file and the drop-ins beside it, in the order in which they count.
pub(super) fn read_all(main: &Path, presence: Presence) -> Result<Vec<Arc<Source>>, Problems> {
    let mut sources = Vec::new();
    let mut problems = Vec::new();
    match read_main(main, presence) {
        Ok(source) => sources.extend(source),
        Err(problem) => problems.push(problem),
    }
    match drop_ins(&directory_of(main).join("conf.d")) {
        Ok(paths) => {
            for path in paths {
                match read(&path) {
                    Ok(source) => sources.push(source),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        Err(problem) => problems.push(problem),
    }
    if problems.is_empty() { Ok(sources) } else { Err(Problems(problems)) }
}

fn read_main(main: &Path, presence: Presence) -> Result<Option<Arc<Source>>, Problem> {
    // Who may remove the file could bring the defaults back.
    let directory = directory_of(main);
    if let Some(metadata) = if_there(directory, fs::metadata(directory))? {
        check_directory(directory, &metadata, Sticky::Suffices)?;
    }
    let source = read_if_there(main)?;
    if source.is_none() && presence == Presence::Required {
        let remedy = "name a file that exists, or leave --config out";
        return Err(Problem::with_file(main, "the file does not exist", remedy));
    }
    Ok(source)
}

fn directory_of(main: &Path) -> &Path {
    match main.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The files that the shell would name for `conf.d/*.toml`, sorted by their bytes.
fn drop_ins(directory: &Path) -> Result<Vec<PathBuf>, Problem> {
    let metadata = if_there(directory, fs::symlink_metadata(directory))?;
    let Some(metadata) = metadata else { return Ok(Vec::new()) };
    check_directory(directory, &metadata, Sticky::IsNotEnough)?;
    let entries: io::Result<Vec<DirEntry>> = fs::read_dir(directory).and_then(Iterator::collect);
    let entries = entries.map_err(|error| unreadable(directory, &error))?;
    let mut paths: Vec<PathBuf> = entries.into_iter().filter(is_drop_in).map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn is_drop_in(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    name.as_bytes().ends_with(b".toml") && !name.as_bytes().starts_with(b".")
}

fn read(path: &Path) -> Result<Arc<Source>, Problem> {
    let vanished = || Problem::with_file(path, "the file vanished while it was read", "try again");
    read_if_there(path)?.ok_or_else(vanished)
}

fn read_if_there(path: &Path) -> Result<Option<Arc<Source>>, Problem> {
    // Neither waits for the writer of a pipe, nor follows a link.
    let opened = OpenOptions::new().read(true).custom_flags(O_NONBLOCK | O_NOFOLLOW).open(path);
    let Some(file) = if_there(path, opened)? else { return Ok(None) };
    check_file(path, &file)?;
    let mut bytes = Vec::new();
    file.take(LONGEST_FILE + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > LONGEST_FILE {
        let remedy = "a configuration is a few kilobytes: put the right file there";
        return Err(Problem::with_file(path, "the file is longer than 1 MiB", remedy));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let message = format!("the file is not UTF-8 (byte {})", error.utf8_error().valid_up_to());
        Problem::with_file(path, message, "save it as UTF-8")
    })?;
    Ok(Some(Arc::new(Source::new(path.to_owned(), text))))
}

fn if_there<T>(path: &Path, result: io::Result<T>) -> Result<Option<T>, Problem> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let (message, remedy) = match error.raw_os_error() {
        Some(ELOOP) => ("it is a symbolic link".to_owned(), "put the file itself there"),
        Some(ENXIO) => ("it is not a regular file".to_owned(), "put a regular file there"),
        _ => (format!("it cannot be read: {error}"), "let the user that mfad runs as read it"),
    };
    Problem::with_file(path, message, remedy)
}

fn check_file(path: &Path, file: &File) -> Result<(), Problem> {
    let metadata = file.metadata().map_err(|error| unreadable(path, &error))?;
    if !metadata.is_file() {
        return Err(Problem::with_file(path, "it is not a regular file", "put a regular file there"));
    }
    check_owner(path, &metadata)?;
    check_mode(path, &metadata)
}

/// Whether the sticky bit is as good as not being writable by others: they can add names, and not take any away.
#[derive(PartialEq)]
enum Sticky {
    Suffices,
    IsNotEnough,
}

fn check_directory(path: &Path, metadata: &Metadata, sticky: Sticky) -> Result<(), Problem> {
    const STICKY_BIT: u32 = 0o1000;
    let remedy = "put the directory itself there";
    if metadata.is_symlink() {
        return Err(Problem::with_file(path, "it is a symbolic link", remedy));
    }
    if !metadata.is_dir() {
        return Err(Problem::with_file(path, "it is not a directory", remedy));
    }
    check_owner(path, metadata)?;
    if sticky == Sticky::Suffices && metadata.mode() & STICKY_BIT != 0 {
        return Ok(());
    }
    check_mode(path, metadata)
}

fn check_owner(path: &Path, metadata: &Metadata) -> Result<(), Problem> {
    let owner = metadata.uid();
    if owner == 0 || owner == nix::unistd::geteuid().as_raw() {
        return Ok(());
    }
    let message = format!("it belongs to uid {owner}, who could change it");
    Err(Problem::with_file(path, message, format!("chown root {}", path.display())))
}

fn check_mode(path: &Path, metadata: &Metadata) -> Result<(), Problem> {
    let mode = metadata.mode() & 0o7777;
    if mode & 0o022 == 0 {
        return Ok(());
    }
    let message = format!("others than its owner may write to it (mode {mode:04o})");
    Err(Problem::with_file(path, message, format!("chmod go-w {}", path.display())))
}
