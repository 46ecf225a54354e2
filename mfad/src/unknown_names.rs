//! Names in rules that this host does not know: users, groups, PAM services. A slip of the pen there makes a rule that
//! matches nobody. They are warnings and not faults, for a directory may be down while mfad starts, and one configuration
//! may serve many hosts. It may block: it runs beside the event loop.

use std::fs;

use nix::unistd::{Group, User};

use crate::config::{Config, Glob, Problem, Rule, RuleName, suggest};

const SERVICES: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];

/// A warning for each.
pub fn warnings(config: &Config) -> Vec<Problem> {
    config.rules.iter().flat_map(of_rule).collect()
}

fn of_rule(rule: &Rule) -> Vec<Problem> {
    let Some(place) = &rule.terms.rule else { return Vec::new() };
    let users = plain(&rule.when.users).filter(|name| matches!(User::from_name(name), Ok(None)));
    let groups = rule.when.groups.iter().filter(|name| matches!(Group::from_name(name), Ok(None)));
    let services = plain(&rule.when.services).filter(|name| !is_service(name));
    let mut found: Vec<Problem> = users
        .map(|name| {
            warning(place, "users", &format!("no user is called {name}"), &name, &names("/etc/passwd"))
        })
        .collect();
    found.extend(groups.map(|name| {
        warning(place, "groups", &format!("no group is called {name}"), name, &names("/etc/group"))
    }));
    found.extend(services.map(|name| {
        warning(place, "services", &format!("no PAM service is called {name}"), &name, &service_names())
    }));
    found
}

/// Names without wildcards.
fn plain(globs: &[Glob]) -> impl Iterator<Item = String> {
    globs.iter().filter(|glob| !glob.has_wildcards()).map(|glob| glob.text().to_owned())
}

fn is_service(name: &str) -> bool {
    SERVICES.iter().any(|directory| fs::exists(format!("{directory}/{name}")).unwrap_or(true))
}

fn warning(place: &RuleName, key: &str, message: &str, name: &str, known: &[String]) -> Problem {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let remedy = match suggest::nearest(name, &known) {
        Some(near) => format!("did you mean {near}?"),
        None => "correct it, unless it comes from a directory that does not answer now".to_owned(),
    };
    Problem {
        file: place.file.clone(),
        line: Some(place.line),
        column: None,
        key: Some(format!("rule.{key}")),
        message: format!("rule \"{place}\": {message}"),
        remedy,
        excerpt: None,
    }
}

/// The first fields of a file of the local name service.
fn names(file: &str) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| line.split(':').next()).map(str::to_owned).collect()
}

fn service_names() -> Vec<String> {
    let files = SERVICES.iter().filter_map(|directory| fs::read_dir(directory).ok()).flatten().flatten();
    files.filter_map(|file| file.file_name().into_string().ok()).collect()
}
