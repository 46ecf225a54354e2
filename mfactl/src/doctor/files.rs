//! Files and sockets: whose they are, who may write to them, and whether the module is one.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::finding::{Finding, Id, Severity};
use super::host::Host;
use super::pam::modules::{self, OURS};
use super::pam::{Entry, Handler, Place};
use super::services::Service;

/// Where the module looks for mfad unless its line says otherwise.
const LOGIN_SOCKET: &str = "/run/mfad/io.mfad.Login";

/// Group's and others' write bits.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Group's and others' bits.
const OPEN_TO_OTHERS: u32 = 0o077;

/// The directories that libpam looks for modules in.
#[derive(Debug, Clone)]
pub struct Modules {
    host: Host,
    directories: Vec<PathBuf>,
}

impl Modules {
    /// Those of a host.
    pub fn of(host: &Host) -> Self {
        let mut directories = Vec::new();
        for library in ["/usr/lib", "/lib"].map(Path::new) {
            let triplets = host.names_in(library).into_iter().filter(|name| name.contains("-linux-gnu"));
            directories.extend(triplets.map(|triplet| library.join(triplet).join("security")));
        }
        let others = ["/usr/lib64/security", "/lib64/security", "/usr/lib/security", "/lib/security"];
        directories.extend(others.map(PathBuf::from));
        directories.retain(|directory| host.exists(directory));
        Modules { host: host.clone(), directories }
    }

    /// Where a module is.
    pub fn find(&self, path: &str) -> Option<PathBuf> {
        let path = path.replace("$ISA/", "");
        if path.starts_with('/') {
            return Some(PathBuf::from(path)).filter(|path| self.host.exists(path));
        }
        self.directories.iter().map(|directory| directory.join(&path)).find(|path| self.host.exists(path))
    }

    /// Whether it cannot be loaded; where there are no modules at all, as in a tree of configuration, nobody knows.
    pub fn is_missing(&self, path: &str) -> bool {
        !self.directories.is_empty() && self.find(path).is_none()
    }
}

/// Looks at all of them.
pub fn findings(host: &Host, services: &[Service], modules: &Modules) -> Vec<Finding> {
    let mut findings = configuration(host);
    let mut files = BTreeSet::new();
    let mut sockets = BTreeSet::new();
    for service in services {
        for entry in service.stacks.iter().flatten().flat_map(|stack| &stack.entries) {
            files.insert(entry.place.file.clone());
            if let Handler::Module { path, arguments } = &entry.handler
                && modules::name(path) == OURS
            {
                findings.extend(module(host, modules, path, &entry.place, &service.name));
                findings.extend(arguments_of(entry, arguments, &service.name));
                let socket = arguments.iter().find_map(|it| it.strip_prefix("socket="));
                sockets.insert(socket.unwrap_or(LOGIN_SOCKET).to_owned());
            }
        }
    }
    files.extend(["/etc/pam.d", "/etc/ssh/sshd_config", "/etc/sudoers"].map(PathBuf::from));
    findings.extend(files.iter().filter_map(|file| writable(host, file, Severity::Critical)));
    if host.is_running() {
        findings.extend(sockets.iter().filter_map(|path| socket(host, Path::new(path))));
    }
    findings
}

fn configuration(host: &Host) -> Vec<Finding> {
    let mut findings = Vec::new();
    let fragments = Path::new("/etc/mfad/conf.d");
    let names = host.names_in(fragments).into_iter().map(|name| fragments.join(name));
    let files = names.chain(["/etc/mfad", "/etc/mfad/mfad.toml"].map(PathBuf::from));
    findings.extend(files.filter_map(|file| writable(host, &file, Severity::High)));
    for (path, what) in [("/etc/mfad/key", "The key that seals the secrets"), ("/var/lib/mfad", "The state")]
    {
        let path = Path::new(path);
        let mode = host.metadata(path).map_or(0, |found| found.mode() & 0o777);
        if mode & OPEN_TO_OTHERS != 0 {
            let fact = format!("{what} has mode {mode:04o}");
            let right = if path.ends_with("key") { "0400" } else { "0700" };
            let finding = Finding::new(Severity::High, Id::KeyMode, fact).in_file(path);
            let meets = "Others than root and mfad may read what makes codes, and make codes themselves";
            findings.push(finding.meets(meets).remedy(format!("chmod {right} {}", path.display())));
        }
    }
    findings
}

/// Root's, and writable by root alone.
fn writable(host: &Host, file: &Path, severity: Severity) -> Option<Finding> {
    let found = host.metadata(file)?;
    let fact = not_roots_alone(&found)?;
    let remedy = format!("chown root {0} && chmod go-w {0}", file.display());
    let meets =
        "Whoever may write there can take the second factor out of every login, or mfad does not start";
    Some(Finding::new(severity, Id::FileMode, fact).in_file(file).meets(meets).remedy(remedy))
}

fn not_roots_alone(found: &Metadata) -> Option<String> {
    if found.uid() != 0 {
        return Some(format!("it belongs to uid {}", found.uid()));
    }
    let mode = found.mode() & 0o7777;
    (mode & WRITABLE_BY_OTHERS != 0)
        .then(|| format!("others than root may write there: its mode is {mode:04o}"))
}

/// As the module itself looks at it.
fn socket(host: &Host, path: &Path) -> Option<Finding> {
    let Some(found) = host.metadata(path) else {
        let fact = "there is no socket here, and the PAM lines name it";
        return Some(
            Finding::new(Severity::High, Id::SocketMissing, fact)
                .in_file(path)
                .meets("Everybody whose stack names pam_mfad.so is refused")
                .remedy("Start it: systemctl start mfad.socket"),
        );
    };
    let foreign = |path: &Path, fact: String| {
        Finding::new(Severity::High, Id::SocketForeign, fact)
            .in_file(path)
            .meets("pam_mfad.so does not trust it, and refuses everybody")
            .remedy("Find out who did it, then: systemctl restart mfad.socket")
    };
    if !found.file_type().is_socket() {
        return Some(foreign(path, "it is no socket".to_owned()));
    }
    if found.uid() != 0 {
        return Some(foreign(path, format!("it belongs to uid {}", found.uid())));
    }
    let above = path.ancestors().skip(1);
    let bad =
        above.filter_map(|directory| Some((directory, not_roots_alone(&host.metadata(directory)?)?))).next();
    if let Some((directory, fact)) = bad {
        return Some(foreign(directory, fact));
    }
    (found.mode() & 0o002 == 0).then(|| {
        let fact = format!("its mode is {:04o}, and not 0666", found.mode() & 0o777);
        Finding::new(Severity::Low, Id::SocketForeign, fact)
            .in_file(path)
            .meets("Screen lockers and other programs that do not run as root refuse their users")
            .remedy("Take SocketMode= out of the drop-ins of mfad.socket")
    })
}

fn module(host: &Host, modules: &Modules, path: &str, place: &Place, service: &str) -> Option<Finding> {
    if modules.is_missing(path) {
        return Some(
            Finding::new(
                Severity::High,
                Id::ModuleMissing,
                format!("there is no {path} where libpam looks for it"),
            )
            .at(place)
            .service(service)
            .meets("Everybody is refused by this service, root too")
            .remedy("Install libpam-mfad (or: make install), or take the line out"),
        );
    }
    let found = modules.find(path)?;
    let foreign = |fact: String| {
        Finding::new(Severity::Critical, Id::ModuleForeign, fact)
            .in_file(&found)
            .service(service)
            .meets("Whoever can change the module decides who logs in; one that cannot be loaded refuses everybody")
            .remedy("Install it anew from the package, and let root alone write there")
    };
    if let Some(fact) = host.metadata(&found).as_ref().and_then(not_roots_alone) {
        return Some(foreign(fact));
    }
    let kind = |path: &Path| host.read(path).ok().and_then(|bytes| machine(&bytes));
    let neighbour = modules.find("pam_permit.so").or_else(|| modules.find("pam_unix.so"));
    match (kind(&found), neighbour.and_then(|path| kind(&path))) {
        (None, _) => Some(foreign("it is no shared object".to_owned())),
        (Some(own), Some(others)) if own != others => {
            Some(foreign("it was built for another kind of machine than the modules beside it".to_owned()))
        }
        _ => None,
    }
}

/// Class, byte order and machine of an ELF file (elf(5)).
fn machine(bytes: &[u8]) -> Option<[u8; 4]> {
    let header = bytes.get(..20)?.strip_prefix(b"\x7fELF")?;
    Some([header[0], header[1], header[14], header[15]])
}

/// What the module takes is in pam-module/src/options.rs; it refuses everybody at anything else.
fn arguments_of(entry: &Entry, arguments: &[String], service: &str) -> Option<Finding> {
    let mut names = BTreeSet::new();
    let mut is_good = |argument: &String| {
        let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
        let is_known = match name {
            "socket" => value.starts_with('/') && !value.ends_with('/') && value.len() <= 107,
            "timeout" => {
                value.bytes().all(|byte| byte.is_ascii_digit())
                    && value.parse::<u64>().is_ok_and(|seconds| (1..=300).contains(&seconds))
            }
            "append" => matches!(value, "split" | "verify"),
            _ => argument.as_str() == "debug",
        };
        is_known && names.insert(name.to_owned())
    };
    let bad = arguments.iter().find(|argument| !is_good(argument));
    bad.map(|argument| {
        Finding::new(
            Severity::High,
            Id::ModuleArguments,
            format!("pam_mfad.so does not know the argument {argument:?}"),
        )
        .at(&entry.place)
        .service(service)
        .meets("Everybody is refused by this service")
        .remedy(
            "It takes socket=/PATH, timeout=1 to 300, append=split or append=verify, and debug, each once",
        )
    })
}
