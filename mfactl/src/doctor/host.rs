//! The files of a host, or of an image of one that lies in a directory.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};

/// Links that are followed on the way to one file, at the most.
const MOST_LINKS: usize = 32;

/// A host, by where its root directory is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    root: PathBuf,
}

impl Host {
    /// The host that this runs on.
    pub fn running() -> Self {
        Host { root: PathBuf::from("/") }
    }

    /// The one in this directory.
    pub fn in_directory(root: &Path) -> Self {
        Host { root: root.to_owned() }
    }

    /// Whether it is the one that this runs on.
    pub fn is_running(&self) -> bool {
        self.root == Path::new("/")
    }

    /// Its root directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a file of it is here. Absolute links lead to its files, not to those of the host that this runs on.
    pub fn path(&self, path: &Path) -> PathBuf {
        let below = path.strip_prefix("/").unwrap_or(path);
        if self.is_running() {
            return Path::new("/").join(below);
        }
        let mut links = 0;
        let mut found = PathBuf::new();
        let mut ahead: Vec<PathBuf> = vec![below.to_owned()];
        while let Some(next) = ahead.pop() {
            let mut components = next.components();
            let Some(component) = components.next() else { continue };
            ahead.push(components.as_path().to_owned());
            match component {
                Component::RootDir => found.clear(),
                Component::ParentDir => drop(found.pop()),
                Component::Normal(name) => match fs::read_link(self.root.join(&found).join(name)) {
                    Ok(target) if links < MOST_LINKS => {
                        links += 1;
                        ahead.push(target);
                    }
                    _ => found.push(name),
                },
                Component::CurDir | Component::Prefix(_) => {}
            }
        }
        self.root.join(found)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As of [`fs::read`].
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(self.path(path))
    }

    /// Reads a file as text; what is no UTF-8 is replaced. None if it cannot be read.
    pub fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        self.read(path.as_ref()).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether something is there.
    pub fn exists(&self, path: &Path) -> bool {
        self.path(path).exists()
    }

    /// What is there; links are followed.
    pub fn metadata(&self, path: &Path) -> Option<Metadata> {
        fs::metadata(self.path(path)).ok()
    }

    /// The names in a directory, sorted; none if it cannot be read.
    pub fn names_in(&self, directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }
}
