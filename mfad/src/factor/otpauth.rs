//! The key of an app as text: base 32, and the URI that a QR code carries
//! (<https://github.com/google/google-authenticator/wiki/Key-Uri-Format>).

use std::fmt::Write as _;

use protocol::Secret;

use super::hotp::Hotp;
use super::totp::Totp;

/// What the app shows beside its codes.
#[derive(Debug, Clone, Copy)]
pub struct Label<'a> {
    /// The host, as the issuer.
    pub host: &'a str,
    /// The account name.
    pub user: &'a str,
}

/// The URI of an app that counts time.
pub fn totp(label: &Label<'_>, secret: &[u8], totp: &Totp) -> Secret {
    let own = format!("&period={}", totp.step.seconds());
    uri("totp", label, secret, &[totp.algorithm.name(), &totp.digits.count().to_string(), &own])
}

/// The URI of an app that counts uses.
pub fn hotp(label: &Label<'_>, secret: &[u8], hotp: &Hotp) -> Secret {
    let own = format!("&counter={}", hotp.counter());
    uri("hotp", label, secret, &[hotp.algorithm.name(), &hotp.digits.count().to_string(), &own])
}

fn uri(kind: &str, label: &Label<'_>, secret: &[u8], [algorithm, digits, own]: &[&str; 3]) -> Secret {
    let (host, user) = (encoded(label.host), encoded(label.user));
    let secret = base32(secret);
    // At its full size from the start: a text that grows leaves copies behind that nobody wipes.
    let mut uri = String::with_capacity(256 + 2 * host.len() + user.len() + secret.expose().len());
    let _ = write!(uri, "otpauth://{kind}/{host}:{user}?secret={}&issuer={host}", secret.expose());
    let _ = write!(uri, "&algorithm={algorithm}&digits={digits}{own}");
    Secret::new(uri)
}

/// A key as apps take it: base 32 (RFC 4648) without padding.
pub fn base32(secret: &[u8]) -> Secret {
    Secret::new(data_encoding::BASE32_NOPAD.encode(secret))
}

/// The same in groups of four, to be read and typed.
pub fn grouped(base32: &str) -> String {
    let letters: Vec<char> = base32.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// Percent-encoding (RFC 3986, 2.1) of everything that is not unreserved.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            other => {
                let _ = write!(encoded, "%{other:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::oath::{Algorithm, Digits};
    use crate::factor::sealed::Sealed;
    use crate::factor::totp::StepLength;

    #[test]
    fn a_uri_names_host_and_user_and_how_codes_are_made() {
        let label = Label { host: "web1.example.org", user: "EXAMPLE\\jörg" };
        let app =
            Totp::new(Sealed::from_bytes(b""), Algorithm::Sha256, Digits::SIX, StepLength::THIRTY_SECONDS);
        let uri = totp(&label, b"12345678901234567890", &app);
        assert_eq!(
            uri.expose(),
            "otpauth://totp/web1.example.org:EXAMPLE%5Cj%C3%B6rg?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=web1.example.org&algorithm=SHA256&digits=6&period=30"
        );
        let token = Hotp::new(Sealed::from_bytes(b""), Algorithm::Sha1, Digits::SIX, 7);
        assert!(
            hotp(&label, b"12345678901234567890", &token)
                .expose()
                .ends_with("&algorithm=SHA1&digits=6&counter=7")
        );
    }

    #[test]
    fn a_key_is_read_in_groups_of_four() {
        assert_eq!(grouped("GEZDGNBVGY"), "GEZD GNBV GY");
    }
}
