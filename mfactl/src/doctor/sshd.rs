//! What sshd would do: its configuration as `sshd -T` tells it, for everybody, for root, and for one login of each `Match`
//! block.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::host::Host;
use super::pam::Place;

/// Where sshd is, in the order that it is looked for.
const PROGRAMS: [&str; 3] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"];

/// Its configuration.
pub const CONFIGURATION: &str = "/etc/ssh/sshd_config";

/// Logins that are asked about, at the most: each is a run of sshd.
const MOST_LOGINS: usize = 24;

/// Files within files, at the most (`servconf.c`).
const DEEPEST: usize = 16;

/// The effective settings of one login, by lower-case name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Reads what `sshd -T` printed.
    pub fn read(text: &str) -> Self {
        let pair = |line: &str| {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        Settings(text.lines().filter(|line| !line.is_empty()).map(pair).collect())
    }

    /// The value of one.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether one is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value != "no" && value != "none")
    }
}

/// A login that sshd is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Its `Match` line, if it is an example for one.
    pub block: Option<Place>,
    /// "everybody", "root", or what the `Match` line says.
    pub whose: String,
    user: String,
    host: String,
    address: String,
    local_address: String,
    local_port: String,
}

impl Login {
    fn of(user: &str, whose: &str) -> Self {
        Login {
            block: None,
            whose: whose.to_owned(),
            user: user.to_owned(),
            host: "client.invalid".to_owned(),
            address: "192.0.2.1".to_owned(),
            local_address: "192.0.2.2".to_owned(),
            local_port: "22".to_owned(),
        }
    }

    fn specification(&self) -> String {
        let Login { user, host, address, local_address, local_port, .. } = self;
        format!("user={user},host={host},addr={address},laddr={local_address},lport={local_port}")
    }
}

/// A line of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub place: Place,
    /// Its keyword, in lower case.
    pub keyword: String,
    /// The rest.
    pub rest: String,
    /// The `Match` line above it.
    pub block: Option<Place>,
}

/// Reads the configuration with what it includes; only to tell where things stand, and which blocks there are.
pub fn configuration(host: &Host) -> Vec<Line> {
    let mut lines = Vec::new();
    read(host, Path::new(CONFIGURATION), None, 0, &mut lines);
    lines
}

fn read(host: &Host, file: &Path, mut block: Option<Place>, depth: usize, lines: &mut Vec<Line>) {
    for (number, text) in (1..).zip(host.text(file).unwrap_or_default().lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let place = Place { file: file.to_owned(), line: number };
        let (keyword, rest) = text.split_once([' ', '\t', '=']).unwrap_or((text, ""));
        let keyword = keyword.to_ascii_lowercase();
        if keyword == "match" {
            block = Some(place.clone());
        }
        if keyword == "include" && depth < DEEPEST {
            for name in rest.split_whitespace().flat_map(|pattern| expand(host, pattern)) {
                read(host, &name, block.clone(), depth + 1, lines);
            }
        }
        lines.push(Line { place, keyword, rest: rest.trim().to_owned(), block: block.clone() });
    }
}

/// The files of an `Include`: `*` in the last name, as distributions write it.
fn expand(host: &Host, pattern: &str) -> Vec<PathBuf> {
    let path = Path::new("/etc/ssh").join(pattern.trim_matches('"'));
    let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return Vec::new();
    };
    match name.split_once('*') {
        None => vec![path.clone()],
        Some((start, end)) => {
            let names = host.names_in(directory).into_iter();
            let fits = |name: &String| {
                name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
            };
            names.filter(fits).map(|name| directory.join(name)).collect()
        }
    }
}

/// The logins to ask about.
pub fn logins(host: &Host, lines: &[Line]) -> Vec<Login> {
    let mut logins = vec![Login::of("somebody", "everybody"), Login::of("root", "root")];
    let blocks = lines.iter().filter(|line| line.keyword == "match");
    logins.extend(blocks.filter_map(|line| example(host, line)).take(MOST_LOGINS));
    logins
}

/// A login that a `Match` line is about: the first name or address of each of its criteria that is not negated.
fn example(host: &Host, line: &Line) -> Option<Login> {
    let mut login = Login::of("somebody", &format!("Match {}", line.rest));
    login.block = Some(line.place.clone());
    let spaced = line.rest.replace('=', " ");
    let mut words = spaced.split_whitespace();
    while let Some(criterion) = words.next() {
        let criterion = criterion.to_ascii_lowercase();
        if matches!(criterion.as_str(), "all" | "invalid-user" | "final" | "canonical") {
            continue;
        }
        let patterns = words.next()?.trim_matches('"').to_owned();
        let first = patterns.split(',').find(|pattern| !pattern.starts_with('!'))?.replace(['*', '?'], "x");
        let address = || first.split('/').next().unwrap_or_default().to_owned();
        match criterion.as_str() {
            "user" => login.user = first,
            "group" => login.user = member(host, &first)?,
            "host" => login.host = first,
            "address" => login.address = address(),
            "localaddress" => login.local_address = address(),
            "localport" => login.local_port = first,
            _ => return None,
        }
    }
    Some(login)
}

/// Somebody of a group, by the files of the host.
fn member(host: &Host, group: &str) -> Option<String> {
    let groups = host.text("/etc/group")?;
    let line = groups.lines().find(|line| line.split(':').next() == Some(group))?;
    let mut fields = line.split(':').skip(2);
    let (id, members) = (fields.next()?, fields.next()?);
    if let Some(first) = members.split(',').find(|name| !name.is_empty()) {
        return Some(first.to_owned());
    }
    let people = host.text("/etc/passwd")?;
    let person = people.lines().find(|line| line.split(':').nth(3) == Some(id))?;
    person.split(':').next().map(str::to_owned)
}

/// How sshd is called.
#[derive(Debug, Clone)]
pub struct Program(Vec<OsString>);

impl Program {
    /// The sshd of a host; none if it has none. That of an image runs within it.
    pub fn of_host(host: &Host) -> Option<Self> {
        let program = PROGRAMS.into_iter().find(|path| host.exists(Path::new(path)))?;
        let way: Vec<OsString> =
            if host.is_running() { Vec::new() } else { vec!["/usr/sbin/chroot".into(), host.root().into()] };
        Some(Program(way.into_iter().chain([program.into()]).collect()))
    }

    /// Called by these words.
    pub fn of_words(words: impl IntoIterator<Item = OsString>) -> Self {
        Program(words.into_iter().collect())
    }

    /// Asks what holds for a login.
    ///
    /// # Errors
    /// What sshd said in the place of an answer.
    pub fn ask(&self, login: &Login) -> Result<Settings, String> {
        let (program, words) = self.0.split_first().ok_or("no program")?;
        let mut command = Command::new(program);
        command.args(words).args(["-T", "-C", &login.specification()]).env_clear().stdin(Stdio::null());
        match command.output() {
            Ok(output) if output.status.success() => {
                Ok(Settings::read(&String::from_utf8_lossy(&output.stdout)))
            }
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ")),
            Err(error) => Err(error.to_string()),
        }
    }
}
