//! Mail addresses: read once, valid ever after. What a courier gets is always one of these.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An address that a mail can be sent to: one recipient, no display name. The domain is in its ASCII form (RFC 5890);
/// the local part may be UTF-8, which then needs a relay with SMTPUTF8 (RFC 6531).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// Why a text is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no `@`, or nothing on one side of it.
    #[error("an address has the form name@domain")]
    Form,
    /// Longer than RFC 5321 4.5.3.1 allows: 64 octets before the `@`, 254 in all.
    #[error("the address is too long")]
    Length,
    /// A space, a control character, a quote or a bracket; a dot or a dash where none may be.
    #[error("the part before the @ has a character that mfad does not send to")]
    LocalPart,
    /// Not a domain name, also after its conversion to ASCII.
    #[error("the part after the @ is not a domain name")]
    Domain,
}

impl EmailAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// [`AddressError`]. Quoted local parts and address literals are valid in RFC 5321, and refused here.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Form)?;
        if local.is_empty() || domain.is_empty() {
            return Err(AddressError::Form);
        }
        if !is_local_part(local) {
            return Err(AddressError::LocalPart);
        }
        let domain = self::domain(domain)?;
        if local.len() > 64 || local.len() + 1 + domain.len() > 254 {
            return Err(AddressError::Length);
        }
        Ok(EmailAddress(format!("{local}@{domain}")))
    }

    /// The address as it goes into an envelope.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// What a person may be shown before a factor passed: `a***@example.org`. ASCII always.
    pub fn masked(&self) -> String {
        let first = self.0.chars().next().filter(char::is_ascii_graphic).unwrap_or('?');
        format!("{first}***@{}", self.domain())
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        EmailAddress::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> String {
        address.0
    }
}

/// A mail domain in its ASCII form, in lower case.
pub(crate) fn domain(text: &str) -> Result<String, AddressError> {
    let domain = idna::domain_to_ascii_strict(text).map_err(|_| AddressError::Domain)?;
    if is_domain(&domain) { Ok(domain) } else { Err(AddressError::Domain) }
}

fn is_local_part(local: &str) -> bool {
    let forbidden = |c: char| c.is_control() || c.is_whitespace() || r#""(),:;<>@[\]"#.contains(c);
    !local.starts_with(['.', '-'])
        && !local.ends_with('.')
        && !local.contains("..")
        && !local.chars().any(forbidden)
        && protocol::text::printable(local) == local
}

fn is_domain(domain: &str) -> bool {
    domain.len() <= 253
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_people_write_them() {
        for (text, canonical) in [
            ("ada@example.org", "ada@example.org"),
            ("ada+login@Example.ORG", "ada+login@example.org"),
            ("ada@localhost", "ada@localhost"),
            ("jörg@bücher.example", "jörg@xn--bcher-kva.example"),
            ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
        ] {
            assert_eq!(EmailAddress::parse(text).map(String::from).as_deref(), Ok(canonical));
        }
    }

    #[test]
    fn what_could_be_a_second_recipient_an_option_or_a_header_is_refused() {
        for (text, error) in [
            ("ada", AddressError::Form),
            ("@example.org", AddressError::Form),
            ("ada@", AddressError::Form),
            ("-oQ/tmp@example.org", AddressError::LocalPart),
            ("a,b@example.org", AddressError::LocalPart),
            ("a b@example.org", AddressError::LocalPart),
            ("a\r\nBcc: x@example.org", AddressError::LocalPart),
            ("a@b@example.org", AddressError::LocalPart),
            ("\"a\"@example.org", AddressError::LocalPart),
            (".a@example.org", AddressError::LocalPart),
            ("a..b@example.org", AddressError::LocalPart),
            ("a\u{202e}b@example.org", AddressError::LocalPart),
            ("ada@[192.0.2.1]", AddressError::Domain),
            ("ada@exa mple.org", AddressError::Domain),
            ("ada@-example.org", AddressError::Domain),
            ("ada@example..org", AddressError::Domain),
            ("ada@example.org\n", AddressError::Domain),
        ] {
            assert_eq!(EmailAddress::parse(text), Err(error), "{text:?}");
        }
        let long = format!("{}@example.org", "a".repeat(65));
        assert_eq!(EmailAddress::parse(&long), Err(AddressError::Length));
    }

    #[test]
    fn a_masked_address_shows_one_letter_and_the_domain() {
        assert_eq!(EmailAddress::parse("ada@example.org").unwrap().masked(), "a***@example.org");
        assert_eq!(
            EmailAddress::parse("jörg@bücher.example").unwrap().masked(),
            "j***@xn--bcher-kva.example"
        );
        assert_eq!(EmailAddress::parse("用户@example.org").unwrap().masked(), "?***@example.org");
    }
}
