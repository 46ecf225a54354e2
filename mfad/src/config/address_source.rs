//! `[email] address`: where a person's address comes from.

use std::path::PathBuf;

use crate::address::EmailAddress;

use super::problem::Problem;
use super::tree::Node;
use super::values::{absolute, text};
use super::variables;

/// One place to look for an address; the first that answers wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressSource {
    /// What the person or an administrator told mfad.
    Account,
    /// A file with lines `user: address`. Absolute; it need not exist yet.
    Map(PathBuf),
    /// The user record of systemd (`userdbctl user NAME`).
    Userdb,
    /// A text in which `$USER` becomes the name of the user, and `$$` a dollar; see [`variables::expand`].
    Pattern(String),
}

const REMEDY: &str =
    "write \"account\", \"map:/etc/mfad/addresses\", \"userdb\" or \"pattern:$USER@example.com\"";

pub(super) fn defaults() -> Vec<AddressSource> {
    vec![AddressSource::Account, AddressSource::Map("/etc/mfad/addresses".into()), AddressSource::Userdb]
}

pub(super) fn read(node: &Node) -> Result<AddressSource, Problem> {
    let text = text(node)?;
    match (text, text.split_once(':')) {
        ("account", _) => Ok(AddressSource::Account),
        ("userdb", _) => Ok(AddressSource::Userdb),
        (_, Some(("map", path))) => Ok(AddressSource::Map(absolute(node, path)?)),
        (_, Some(("pattern", pattern))) => check_pattern(node, pattern),
        _ => Err(node.problem("this is no source of addresses", REMEDY)),
    }
}

fn check_pattern(node: &Node, pattern: &str) -> Result<AddressSource, Problem> {
    // Two names that give the same address: then everybody's codes would go to one mailbox.
    let address_of = |user| variables::expand(pattern, |name| (name == "USER").then_some(user));
    let (one, other) = match (address_of("user"), address_of("other")) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(error), _) | (_, Err(error)) => {
            return Err(node.problem(error.to_string(), "the only variable of a pattern is $USER"));
        }
    };
    if one == other {
        let message = "the pattern gives everybody the same address";
        return Err(node.problem(message, "write $USER where the name of the user belongs"));
    }
    EmailAddress::parse(&one)
        .map_err(|error| node.problem(error.to_string(), "write it as in \"pattern:$USER@example.com\""))?;
    Ok(AddressSource::Pattern(pattern.to_owned()))
}
