//! `[email] self-enrol-domains`: the mail domains in which people may choose an address by themselves.

use crate::address::{self, EmailAddress};

use super::problem::{Problem, Problems};
use super::tree::Node;
use super::values::{self, text};

/// Domains, in their ASCII form and in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainPattern {
    /// This one, and none below it: `example.org`.
    Exact(String),
    /// All below this one, and not itself: `*.example.org`.
    Below(String),
}

impl DomainPattern {
    /// Whether this address is in one of the domains.
    pub fn covers(&self, address: &EmailAddress) -> bool {
        let domain = address.domain();
        match self {
            DomainPattern::Exact(exact) => domain == exact,
            DomainPattern::Below(parent) => domain
                .strip_suffix(parent.as_str())
                .is_some_and(|below| below.len() > 1 && below.ends_with('.')),
        }
    }
}

pub(super) fn read_all(node: &Node) -> Result<Vec<DomainPattern>, Problems> {
    values::list(node, read)
}

fn read(node: &Node) -> Result<DomainPattern, Problem> {
    let text = text(node)?;
    let (name, make): (_, fn(String) -> DomainPattern) = match text.strip_prefix("*.") {
        Some(parent) => (parent, DomainPattern::Below),
        None => (text, DomainPattern::Exact),
    };
    let remedy = "write \"example.org\", or \"*.example.org\" for all below it";
    address::domain(name).map(make).map_err(|error| node.problem(error.to_string(), remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_a_domain_or_what_is_below_it_and_no_look_alike() {
        let below = DomainPattern::Below("example.org".to_owned());
        let exact = DomainPattern::Exact("example.org".to_owned());
        for (address, is_exact, is_below) in [
            ("a@example.org", true, false),
            ("a@Example.ORG", true, false),
            ("a@mx.example.org", false, true),
            ("a@b.mx.example.org", false, true),
            ("a@badexample.org", false, false),
            ("a@example.org.evil.net", false, false),
        ] {
            let address = EmailAddress::parse(address).unwrap();
            assert_eq!((exact.covers(&address), below.covers(&address)), (is_exact, is_below), "{address}");
        }
    }
}
