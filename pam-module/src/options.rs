//! The arguments of the PAM line. One that is unknown or malformed fails the login: a typo must not go unnoticed.

use std::ffi::CStr;
use std::path::PathBuf;
use std::time::Duration;

use crate::outcome::Failure;

/// Where systemd puts the socket.
const SOCKET: &str = "/run/mfad/io.mfad.Login";

/// How long the daemon may take in one login, in seconds.
const TIMEOUT: u64 = 30;

/// The room in `sockaddr_un`, without the final NUL (unix(7)).
const LONGEST_SOCKET_PATH: usize = 107;

/// How much goes to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Failures.
    Failures,
    /// Each step as well, without any answer.
    Steps,
}

/// What the line does. Where a program can ask only once, two lines share the work, one on each side of the password's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Asks for the second factor.
    Ask,
    /// Takes the code off the end of what was typed, so that the modules that follow see the password alone.
    Split,
    /// Has that code judged, and asks if there was none.
    Verify,
}

/// The arguments, checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// The daemon's socket: absolute, and short enough for `sockaddr_un`.
    pub(crate) socket: PathBuf,
    /// How long the daemon may take in one login, 1 s to 300 s. The person's typing does not count.
    pub(crate) timeout: Duration,
    /// How much goes to the log.
    pub(crate) detail: Detail,
    /// What the line does.
    pub(crate) part: Part,
}

impl Options {
    /// Reads `socket=PATH`, `timeout=SECONDS`, `append=split|verify` and `debug`, each at most once.
    pub(crate) fn parse(args: &[&CStr]) -> Result<Self, Failure> {
        let (mut socket, mut timeout, mut detail, mut part) = (None, None, None, None);
        for arg in args {
            let text = arg.to_str().map_err(|_| Failure::BadOption(arg.to_string_lossy().into_owned()))?;
            let fresh = match text.split_once('=') {
                Some(("socket", path)) => {
                    parse_socket(path).is_some_and(|path| socket.replace(path).is_none())
                }
                Some(("timeout", seconds)) => {
                    parse_timeout(seconds).is_some_and(|time| timeout.replace(time).is_none())
                }
                Some(("append", side)) => parse_part(side).is_some_and(|it| part.replace(it).is_none()),
                None if text == "debug" => detail.replace(Detail::Steps).is_none(),
                _ => false,
            };
            if !fresh {
                return Err(Failure::BadOption(text.to_owned()));
            }
        }
        Ok(Options {
            socket: socket.unwrap_or_else(|| PathBuf::from(SOCKET)),
            timeout: timeout.unwrap_or(Duration::from_secs(TIMEOUT)),
            detail: detail.unwrap_or(Detail::Failures),
            part: part.unwrap_or(Part::Ask),
        })
    }
}

fn parse_socket(path: &str) -> Option<PathBuf> {
    (path.starts_with('/') && !path.ends_with('/') && path.len() <= LONGEST_SOCKET_PATH)
        .then(|| PathBuf::from(path))
}

fn parse_timeout(seconds: &str) -> Option<Duration> {
    let digits = seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = seconds.parse().ok().filter(|seconds| digits && (1..=300).contains(seconds))?;
    Some(Duration::from_secs(seconds))
}

fn parse_part(side: &str) -> Option<Part> {
    match side {
        "split" => Some(Part::Split),
        "verify" => Some(Part::Verify),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    fn parse(args: &[&str]) -> Option<Options> {
        let owned: Vec<CString> = args.iter().map(|arg| CString::new(*arg).unwrap()).collect();
        Options::parse(&owned.iter().map(CString::as_c_str).collect::<Vec<_>>()).ok()
    }

    #[test]
    fn no_argument_means_the_defaults() {
        let options = parse(&[]).unwrap();
        assert_eq!(options.socket, PathBuf::from("/run/mfad/io.mfad.Login"));
        assert_eq!(options.timeout, Duration::from_secs(30));
        assert_eq!(options.detail, Detail::Failures);
        assert_eq!(options.part, Part::Ask);
    }

    #[test]
    fn each_argument_is_taken() {
        let options = parse(&["timeout=300", "debug", "socket=/run/a=b"]).unwrap();
        assert_eq!(options.socket, PathBuf::from("/run/a=b"));
        assert_eq!(options.timeout, Duration::from_secs(300));
        assert_eq!(options.detail, Detail::Steps);
        assert_eq!(parse(&["append=split"]).unwrap().part, Part::Split);
        assert_eq!(parse(&["debug", "append=verify"]).unwrap().part, Part::Verify);
    }

    #[test]
    fn what_is_unknown_malformed_or_said_twice_is_refused() {
        let long = format!("socket=/{}", "x".repeat(LONGEST_SOCKET_PATH));
        for arg in [
            "",
            "debug=1",
            "DEBUG",
            "nodebug",
            "socket",
            "socket=",
            "socket=run/mfad",
            "socket=/run/",
            &long,
            "timeout",
            "timeout=",
            "timeout=0",
            "timeout=301",
            "timeout=-1",
            "timeout=+5",
            "timeout=5s",
            "timeout= 5",
            "timeout=99999999999999999999",
            "url=https://x",
            "nullok",
            "append",
            "append=",
            "append=Split",
            "append=split,verify",
        ] {
            assert_eq!(parse(&[arg]), None, "{arg:?}");
        }
        for arg in ["debug", "timeout=5", "socket=/run/s", "append=split"] {
            assert_eq!(parse(&[arg, arg]), None, "{arg:?} twice");
        }
        assert_eq!(parse(&["append=split", "append=verify"]), None);
        assert!(Options::parse(&[c"socket=/\xff"]).is_err());
    }

    const PAGE: &str = include_str!("../../docs/man/pam_mfad.8");

    /// `NAME` or `NAME=VALUE`, with the argument's own name in the place of a value that a page can only describe.
    fn arguments_of_the_manual() -> Vec<String> {
        let section = PAGE.split("\n.Sh ").find(|section| section.starts_with("ARGUMENTS\n")).unwrap();
        let items = section.lines().filter_map(|line| line.strip_prefix(".It Cm "));
        items.map(|item| item.replace(" Ns = Ns Cm ", "=").replace(" Ns = Ns Ar ", "=")).collect()
    }

    /// Break it: take an argument out of pam_mfad(8), or let the parser take another one.
    #[test]
    fn every_argument_is_in_the_manual_and_every_one_of_the_manual_is_taken() {
        let told = arguments_of_the_manual();
        assert_eq!(told, ["append=split", "append=verify", "debug", "socket=path", "timeout=seconds"]);
        for argument in &told {
            let written = argument.replace("=path", "=/run/s").replace("=seconds", "=5");
            assert!(parse(&[&written]).is_some(), "{argument} is refused");
        }
        // The names that the parser compares with, by its own text.
        let parser = include_str!("options.rs").split("#[cfg(test)]").next().unwrap();
        let names = parser.split("Some((\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let flags = parser.split("text == \"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let names: Vec<&str> = names.chain(flags).collect();
        assert!(names.len() >= 4, "{names:?}");
        for name in names {
            let is_it = |it: &String| it == name || it.starts_with(&format!("{name}="));
            assert!(told.iter().any(is_it), "pam_mfad(8) does not tell of {name}");
        }
    }

    #[test]
    fn the_defaults_of_the_manual_are_those_of_the_module() {
        let defaults = Options::parse(&[]).unwrap();
        assert!(PAGE.contains(&format!("The default is\n.Pa {} .", defaults.socket.display())));
        assert!(PAGE.contains(&format!("The default is {}.", defaults.timeout.as_secs())));
    }
}
