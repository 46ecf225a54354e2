//! `mfactl doctor`: every way around the second factor, and every way to be locked out, as far as this host's files tell.
//! It changes nothing, and works while mfad is down.
//!
//! - [`finding`]: what is told.  [`host`]: where files are.
//! - [`pam`]: stacks, as libpam reads and runs them.  [`stacks`]: what is wrong with one.  [`services`]: which there are.
//! - [`sshd`]: what sshd says of itself.  [`ssh_logins`]: what is wrong with that.  [`ssh`]: both together.  [`sudo`]: where sudo asks nothing.
//! - [`files`]: modes, owners, the module.  [`system`]: clock, confinement, limits.  [`daemon`]: what mfad says.

pub mod daemon;
pub mod files;
pub mod finding;
pub mod host;
pub mod pam;
pub mod services;
pub mod ssh;
pub mod ssh_logins;
pub mod sshd;
pub mod stacks;
pub mod sudo;
pub mod system;

use std::path::Path;

use crate::Ending;
use crate::arguments::doctor::Examination;
use crate::failure::Failure;
use crate::output::Output;
use daemon::Needed;
use files::Modules;
use finding::{Finding, Id, Report, ServiceLine, Severity};
use host::Host;
use pam::Library;
use services::Service;
use ssh::Ssh;
use sshd::Program;
use stacks::Lines;

/// Examines the host, and tells what was found. [`Ending::Refused`] if something is critical or high.
///
/// # Errors
/// [`Failure::Output`].
pub fn carry_out(wanted: &Examination, socket: &Path, output: &mut Output) -> Result<Ending, Failure> {
    let host = wanted.root.as_deref().map_or_else(Host::running, Host::in_directory);
    let report = examine(&host, socket);
    let colour = output.colour();
    output.answer(&report, |report| finding::text(report, colour))?;
    let is_bad = report.worst().is_some_and(|worst| worst <= Severity::High);
    Ok(if is_bad { Ending::Refused } else { Ending::Done })
}

/// Examines a host.
pub fn examine(host: &Host, socket: &Path) -> Report {
    let library = Library::of_host(host);
    let modules = Modules::of(host);
    let services = services::of(&library);
    let is_used = services.iter().any(|service| service.lines().asking > 0);
    let ssh = Ssh::ask(host, Program::of_host(host).as_ref());
    let mut report = Report::default();
    for service in &services {
        let beforehand = ssh.beforehand(&service.name);
        let (line, findings) =
            services::judge(service, &library, beforehand, &|path| modules.is_missing(path));
        report.services.push(line);
        report.findings.extend(findings);
    }
    if is_used {
        report.findings.extend(ssh.findings(asks(&services, ssh.service()), system::lifetime(host)));
        report.findings.extend(limits(host, &services));
        report
            .findings
            .extend(sudo::findings(host).into_iter().filter(|_| asks(&services, "sudo").asking > 0));
        report.findings.extend(system::confinement(host));
    } else {
        report.findings.retain(|finding| finding.id != Id::ServiceWithout);
        report.findings.push(not_switched_on(&report.services));
    }
    report.findings.extend(files::findings(host, &services, &modules));
    report.findings.extend(system::clock(host));
    if host.is_running() {
        let needed = if is_used { Needed::Yes } else { Needed::No };
        report.findings.extend(daemon::findings(socket, needed));
        report.findings.extend(not_root());
    }
    report.settle();
    report
}

/// The services that ask for a code.
pub fn asking(host: &Host) -> Vec<String> {
    let services = services::of(&Library::of_host(host)).into_iter();
    services.filter(|service| service.lines().asking > 0).map(|service| service.name).collect()
}

fn asks(services: &[Service], name: &str) -> Lines {
    let none = Lines { asking: 0, splitting: 0 };
    services.iter().find(|service| service.name == name).map_or(none, Service::lines)
}

fn limits(host: &Host, services: &[Service]) -> Option<Finding> {
    let is_asked = asks(services, "login").asking > 0;
    system::login_timeout(host, system::lifetime(host)).filter(|_| is_asked)
}

fn not_switched_on(services: &[ServiceLine]) -> Finding {
    let fact = format!("none of {} services names pam_mfad.so: nobody is asked for a code", services.len());
    Finding::new(Severity::Info, Id::NotSwitchedOn, fact)
        .remedy("How to switch it on without locking yourself out is in the README")
}

fn not_root() -> Option<Finding> {
    let is_root = nix::unistd::Uid::effective().is_root();
    (!is_root).then(|| {
        Finding::new(Severity::Info, Id::NotRoot, "only root may read all that was to be looked at")
            .remedy("Run mfactl doctor as root")
    })
}
