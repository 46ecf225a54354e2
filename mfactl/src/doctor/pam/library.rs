//! A service's file with what it includes, as libpam puts it together (`_pam_init_handlers` and `_pam_parse_conf_file` in
//! libpam/pam_handlers.c; for `@include`, Debian's patch 031_pam_include).

use std::path::{Path, PathBuf};

use super::control::Directive;
use super::text::{self, Ending, Reading, Tokens};
use super::{Broken, Control, Entry, Handler, Place, Stack};
use crate::doctor::host::Host;

/// Files within files, at the most (`PAM_SUBSTACK_MAX_LEVEL`).
const DEEPEST: usize = 16;

/// Whose libpam it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Debian's and its children's: `@include`, includes from /etc/pam.d alone, jumps do not count in pam_setcred.
    Debian,
    /// Everybody else's.
    Upstream,
}

/// The libpam of a host.
#[derive(Debug, Clone)]
pub struct Library {
    host: Host,
    /// Whose.
    pub dialect: Dialect,
    /// How it reads lines.
    pub reading: Reading,
    /// Where services are looked for; the first counts.
    directories: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Auth,
    Other,
}

/// What is being read.
#[derive(Clone, Copy)]
struct Scope {
    /// Which lines count; at the top every one does.
    wanted: Option<Kind>,
    depth: usize,
    level: usize,
}

impl Library {
    /// That of this host.
    pub fn of_host(host: &Host) -> Self {
        let dialect =
            if host.exists(Path::new("/etc/debian_version")) { Dialect::Debian } else { Dialect::Upstream };
        let directories = ["/etc/pam.d", "/usr/lib/pam.d"].map(PathBuf::from).to_vec();
        Library { host: host.clone(), dialect, reading: Reading::Buffered, directories }
    }

    /// One that looks for services in this directory alone, as `pam_start_confdir` does.
    pub fn of_directory(directory: &Path, dialect: Dialect, reading: Reading) -> Self {
        Library { host: Host::running(), dialect, reading, directories: vec![directory.to_owned()] }
    }

    /// The same with the other reader of lines.
    pub fn reading(&self, reading: Reading) -> Self {
        Library { reading, ..self.clone() }
    }

    /// The stack of this service; that of `other` if it has no `auth` line.
    ///
    /// # Errors
    /// [`Broken`] if libpam refuses every call.
    pub fn service(&self, name: &str) -> Result<Stack, Broken> {
        let top = Scope { wanted: None, depth: 0, level: 0 };
        let mut stack = Stack::default();
        let mut other = Stack::default();
        let own = self.find(name, &self.directories);
        if let Some(path) = &own {
            self.file(path, top, &mut stack)?;
        }
        let fallback = self.find("other", &self.directories);
        if let Some(path) = &fallback {
            self.file(path, top, &mut other)?;
        }
        if own.is_none() && fallback.is_none() {
            return Err(Broken::NoFile);
        }
        if name == "other" {
            // Both times its lines go to the stack of last resort.
            stack.entries.append(&mut other.entries);
        }
        Ok(if stack.entries.is_empty() { other } else { stack })
    }

    /// The file that a service is read from.
    pub fn file_of(&self, name: &str) -> Option<PathBuf> {
        self.find(name, &self.directories)
    }

    /// The names of all services that have a file.
    pub fn services(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.directories.iter().flat_map(|directory| self.host.names_in(directory)).collect();
        names.sort();
        names.dedup();
        names
    }

    fn find(&self, name: &str, directories: &[PathBuf]) -> Option<PathBuf> {
        if name.starts_with('/') {
            return Some(PathBuf::from(name)).filter(|path| self.host.exists(path));
        }
        directories.iter().map(|directory| directory.join(name)).find(|path| self.host.exists(path))
    }

    fn included(&self, name: &str) -> Option<PathBuf> {
        match self.dialect {
            Dialect::Debian => self.find(name, &[PathBuf::from("/etc/pam.d")]),
            Dialect::Upstream => self.find(name, &self.directories),
        }
    }

    fn file(&self, path: &Path, scope: Scope, stack: &mut Stack) -> Result<(), Broken> {
        let unfinished = || Broken::Unfinished(path.to_owned());
        if scope.depth >= DEEPEST {
            return Err(unfinished());
        }
        let content = self.host.read(path).map_err(|_| unfinished())?;
        let (lines, ending) = text::lines(&content, self.reading);
        for line in lines {
            let place = Place { file: path.to_owned(), line: line.number };
            self.line(&line.text, place, scope, stack)?;
        }
        if ending == Ending::Cut { Err(unfinished()) } else { Ok(()) }
    }

    fn line(&self, text: &[u8], place: Place, scope: Scope, stack: &mut Stack) -> Result<(), Broken> {
        let mut tokens = Tokens::of(text);
        let first = tokens.next();
        let word = first.as_deref().map(|word| word.strip_prefix(b"-").unwrap_or(word));
        if self.dialect == Dialect::Debian && word.is_some_and(|it| it.eq_ignore_ascii_case(b"@include")) {
            return self.at_include(tokens, place, scope, stack);
        }
        let known = word.and_then(kind);
        // A type that is none is taken for the one that is wanted, else for the most sensitive.
        let kind = known.or(scope.wanted).unwrap_or(Kind::Auth);
        let is_wanted = scope.wanted.is_none_or(|wanted| wanted == kind);
        if !is_wanted {
            return Ok(());
        }
        let entry = |control, handler| Entry { place: place.clone(), level: scope.level, control, handler };
        let added = match tokens.next().map(|token| Directive::read(&token)) {
            None => entry(Control::unreadable(), Handler::MustFail),
            Some(Directive::Call(control)) => match tokens.next() {
                Some(path) if known.is_some() => entry(*control, module(path, tokens)),
                _ => entry(*control, Handler::MustFail),
            },
            Some(directive @ (Directive::Include | Directive::Substack)) => {
                let is_substack = directive == Directive::Substack;
                if is_substack && kind == Kind::Auth {
                    stack.entries.push(entry(Control::unreadable(), Handler::Substack));
                }
                let inner = Scope {
                    wanted: Some(kind),
                    depth: scope.depth + 1,
                    level: scope.level + usize::from(is_substack),
                };
                if self.include(tokens.next(), inner, stack)? == Included::Whole {
                    return Ok(());
                }
                entry(Control::unreadable(), Handler::MustFail)
            }
        };
        if kind == Kind::Auth {
            stack.entries.push(added);
        }
        Ok(())
    }

    /// Debian's: at the top, lines of every type.
    fn at_include(
        &self,
        mut tokens: Tokens,
        place: Place,
        scope: Scope,
        stack: &mut Stack,
    ) -> Result<(), Broken> {
        let inner = Scope { depth: scope.depth + 1, ..scope };
        match (self.include(tokens.next(), inner, stack)?, scope.wanted) {
            (Included::Whole, _) | (Included::Not, Some(Kind::Other)) => Ok(()),
            (Included::Not, None) => Err(Broken::NoInclude(place)),
            // A refusal is put there whose control was never set: what becomes of it depends on what lay in its memory.
            (Included::Not, Some(Kind::Auth)) => Err(Broken::Undefined(place)),
        }
    }

    fn include(&self, name: Option<Vec<u8>>, scope: Scope, stack: &mut Stack) -> Result<Included, Broken> {
        let path = name.and_then(|name| self.included(&String::from_utf8_lossy(&name)));
        match path.map(|path| self.file(&path, scope, stack)) {
            Some(Ok(())) => Ok(Included::Whole),
            Some(Err(undefined @ Broken::Undefined(_))) => Err(undefined),
            Some(Err(_)) | None => Ok(Included::Not),
        }
    }
}

#[derive(PartialEq, Eq)]
enum Included {
    Whole,
    Not,
}

fn kind(word: &[u8]) -> Option<Kind> {
    let types = [b"auth".as_slice(), b"session", b"account", b"password"];
    let known = types.into_iter().position(|name| word.eq_ignore_ascii_case(name))?;
    Some(if known == 0 { Kind::Auth } else { Kind::Other })
}

fn module(path: Vec<u8>, arguments: Tokens) -> Handler {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Handler::Module { path: text(path), arguments: arguments.map(text).collect() }
}
