//! The PAM services that somebody can log in by, and what each of them needs.

use super::finding::{Finding, Id, ServiceLine, Severity, State};
use super::pam::library::Library;
use super::pam::text::Reading;
use super::pam::{Broken, Stack};
use super::stacks::{self, Beforehand, Judge, Lines};

/// Where somebody stands who uses a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// Somewhere else.
    Remote,
    /// At the machine.
    Local,
    /// Inside already.
    Inside,
}

const SERVICES: &[(&str, Door)] = &[
    ("sshd", Door::Remote),
    ("cockpit", Door::Remote),
    ("xrdp-sesman", Door::Remote),
    ("vsftpd", Door::Remote),
    ("proftpd", Door::Remote),
    ("dropbear", Door::Remote),
    ("remote", Door::Remote),
    ("rlogin", Door::Remote),
    ("webmin", Door::Remote),
    ("login", Door::Local),
    ("gdm-password", Door::Local),
    ("gdm-fingerprint", Door::Local),
    ("gdm-smartcard", Door::Local),
    ("gdm3", Door::Local),
    ("lightdm", Door::Local),
    ("sddm", Door::Local),
    ("lxdm", Door::Local),
    ("xdm", Door::Local),
    ("kde", Door::Local),
    ("greetd", Door::Local),
    ("ly", Door::Local),
    ("su", Door::Inside),
    ("su-l", Door::Inside),
    ("sudo", Door::Inside),
    ("sudo-i", Door::Inside),
    ("doas", Door::Inside),
    ("polkit-1", Door::Inside),
];

/// A service as libpam sees it, by both readers of lines.
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its stacks: one, or two that differ.
    pub stacks: Result<Vec<Stack>, Broken>,
}

impl Service {
    /// Our lines in it.
    pub fn lines(&self) -> Lines {
        let none = Lines { asking: 0, splitting: 0 };
        let each = self.stacks.iter().flatten().map(|stack| stacks::lines(stack, &self.name));
        each.max_by_key(|lines| (lines.asking, lines.splitting)).unwrap_or(none)
    }

    fn is_ours(&self) -> bool {
        self.lines() != Lines { asking: 0, splitting: 0 }
    }
}

/// The services that somebody can log in by, and those that name our module.
pub fn of(library: &Library) -> Vec<Service> {
    let known = |name: &String| SERVICES.iter().any(|(service, _)| service == name);
    let names = library.services().into_iter().filter(|name| !is_part(name) && !is_left_over(name));
    let all = names.map(|name| service(library, name));
    all.filter(|service| known(&service.name) || service.is_ours()).collect()
}

/// Whether it is for other files to include: Debian's name for such.
fn is_part(name: &str) -> bool {
    name.starts_with("common-")
}

/// Whether it is what an editor, dpkg, rpm or pam-auth-update put aside. No program calls itself so.
fn is_left_over(name: &str) -> bool {
    let aside =
        [".pam-old", ".dpkg-old", ".dpkg-dist", ".dpkg-new", ".rpmnew", ".rpmsave", ".rpmorig", ".bak", "~"];
    aside.iter().any(|end| name.ends_with(end))
}

fn service(library: &Library, name: String) -> Service {
    let read = |reading| library.reading(reading).service(&name);
    let stacks = match (read(Reading::Buffered), read(Reading::Unbounded)) {
        (Ok(old), Ok(new)) if old == new => Ok(vec![old]),
        (Ok(old), Ok(new)) => Ok(vec![old, new]),
        (Err(broken), _) | (_, Err(broken)) => Err(broken),
    };
    Service { name, stacks }
}

/// Judges a service.
pub fn judge(
    service: &Service,
    library: &Library,
    beforehand: Beforehand,
    missing: &dyn Fn(&str) -> bool,
) -> (ServiceLine, Vec<Finding>) {
    let line = |state| ServiceLine { service: service.name.clone(), state };
    let stacks = match &service.stacks {
        Ok(stacks) => stacks,
        Err(broken) => return (line(State::Broken), vec![refused(service, broken)]),
    };
    if service.lines().asking == 0 {
        return (line(State::Without), without(service, library).into_iter().collect());
    }
    let judge = Judge { service: &service.name, dialect: library.dialect, beforehand, missing };
    let mut findings = Vec::new();
    let mut state = State::Proved;
    let asks = |stack: &&Stack| stacks::lines(stack, &service.name).asking > 0;
    for stack in stacks.iter().filter(asks) {
        let (judged, found) = judge.judge(stack);
        findings.extend(found);
        state = if judged == State::Proved { state } else { judged };
    }
    if stacks.len() > 1 {
        let is_lost = !stacks.iter().all(|stack| asks(&stack));
        findings.push(if is_lost { lost(service, library) } else { readers_differ(service, library) });
        state = if is_lost { State::Flawed } else { state };
    }
    (line(state), findings)
}

fn refused(service: &Service, broken: &Broken) -> Finding {
    let (fact, meets) = match broken {
        Broken::Undefined(_) => (broken.to_string(), "Who can log in by this service, nobody can tell"),
        _ => (format!("libpam refuses {}: {broken}", service.name), "Nobody can log in by this service"),
    };
    Finding::new(Severity::High, Id::StackBroken, fact)
        .service(&service.name)
        .meets(meets)
        .remedy("Correct the file: pam.conf(5)")
}

fn without(service: &Service, library: &Library) -> Option<Finding> {
    let (_, door) = SERVICES.iter().find(|(name, _)| *name == service.name)?;
    let (severity, who) = match door {
        Door::Remote => (Severity::Medium, "Whoever knows a password gets in from outside without a code"),
        Door::Local => {
            (Severity::Low, "Whoever stands at the machine and knows a password gets in without a code")
        }
        Door::Inside => {
            (Severity::Low, "Whoever is inside and knows a password becomes somebody else without a code")
        }
    };
    let finding =
        Finding::new(severity, Id::ServiceWithout, format!("{} does not name pam_mfad.so", service.name));
    let finding = finding.service(&service.name).meets(who);
    let finding = finding.remedy("If it shall ask for a code: add the line after the password, as for sshd");
    Some(match library.file_of(&service.name) {
        Some(file) => finding.in_file(&file),
        None => finding,
    })
}

fn lost(service: &Service, library: &Library) -> Finding {
    let fact = "pam_mfad.so is part of a line that goes on over an empty one, or is longer than 1023 bytes";
    let finding = Finding::new(Severity::Critical, Id::LostByReader, fact).meets(
        "Linux-PAM 1.7 and its predecessors read it in two ways, and one of them does not see pam_mfad.so",
    );
    in_own_file(finding, service, library)
}

fn readers_differ(service: &Service, library: &Library) -> Finding {
    let fact = "a line that goes on over an empty one, or is longer than 1023 bytes, is read in two ways";
    let finding = Finding::new(Severity::Low, Id::ReadersDiffer, fact).meets(
        "Linux-PAM 1.7 makes another stack of this file than its predecessors: an update changes who gets in",
    );
    in_own_file(finding, service, library)
}

fn in_own_file(finding: Finding, service: &Service, library: &Library) -> Finding {
    let finding =
        finding.service(&service.name).remedy("Write each line whole, without a backslash at its end");
    match library.file_of(&service.name) {
        Some(file) => finding.in_file(&file),
        None => finding,
    }
}
