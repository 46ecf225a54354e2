//! Shared secrets as people and programs write them, to the one form that mfad takes: base 32, upper case, no padding.

use data_encoding::{BASE32_NOPAD, HEXLOWER_PERMISSIVE};
use protocol::Secret;
use zeroize::Zeroizing;

use super::Reason;

/// Bits. 80 is what google-authenticator once made; RFC 4226 asks for 128, and half of that is out of reach today.
const FEWEST_BITS: usize = 80;

/// Bits. Longer keys are hashed by HMAC before use; none is seen in the wild.
const MOST_BITS: usize = 1024;

/// Reads base 32 in either case, with spaces, dashes and padding. Bits that do not fill a byte are dropped, as the
/// programs do that wrote them.
pub(super) fn from_base32(text: &str) -> Result<Secret, Reason> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut buffer, mut filled) = (0_u32, 0_u32);
    for c in text.trim_end_matches(['=', ' ', '\t']).bytes().filter(|c| !matches!(c, b' ' | b'\t' | b'-')) {
        let value = match c.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return Err(Reason::NotBase32),
        };
        buffer = buffer << 5 | u32::from(value);
        filled += 5;
        if filled >= 8 {
            filled -= 8;
            bytes.push((buffer >> filled & 0xff) as u8);
        }
    }
    from_bytes(&bytes)
}

/// Reads pairs of hexadecimal digits.
pub(super) fn from_hexadecimal(text: &str) -> Result<Secret, Reason> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| Reason::NotHexadecimal)?;
    from_bytes(&Zeroizing::new(bytes))
}

/// Takes the secret itself.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Secret, Reason> {
    match bytes.len().saturating_mul(8) {
        0 => Err(Reason::NoSecret),
        bits if bits < FEWEST_BITS => Err(Reason::ShortSecret(bits)),
        bits if bits > MOST_BITS => Err(Reason::LongSecret(bits)),
        _ => Ok(Secret::new(BASE32_NOPAD.encode(bytes))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn every_way_to_write_a_secret_means_the_same() {
        for text in [
            RFC,
            &RFC.to_lowercase(),
            "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
            "GEZDGNBVGY3TQOJQ-GEZDGNBVGY3TQOJQ",
        ] {
            assert_eq!(from_base32(text).unwrap().expose(), RFC, "{text}");
        }
        assert_eq!(from_hexadecimal("3132333435363738393031323334353637383930").unwrap().expose(), RFC);
        assert_eq!(from_base32("GEZDGNBVGY3TQOJQGE======").unwrap().expose(), "GEZDGNBVGY3TQOJQGE");
    }

    #[test]
    fn bits_beyond_the_last_byte_do_not_count() {
        assert_eq!(from_base32("GEZDGNBVGY3TQOJQGF").unwrap().expose(), "GEZDGNBVGY3TQOJQGE");
        assert_eq!(from_base32("GEZDGNBVGY3TQOJQG").unwrap().expose(), "GEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        assert_eq!(from_base32(""), Err(Reason::NoSecret));
        assert_eq!(from_base32("===="), Err(Reason::NoSecret));
        assert_eq!(from_base32("GEZDGNBVGY3TQOJ"), Err(Reason::ShortSecret(72)));
        assert_eq!(from_base32(&"A".repeat(1640)), Err(Reason::LongSecret(8200)));
        for bad in
            ["GEZDGNBVGY3TQOJ1", "GEZDGNBVGY3TQOJ0", "GEZD=GNBV", "ГЕЗД", "\0", "GEZDGNBVGY3TQOJQ\u{7f}"]
        {
            assert_eq!(from_base32(bad), Err(Reason::NotBase32), "{bad:?}");
        }
        for bad in ["123", "0x31323334353637383930", "31 32", "é"] {
            assert_eq!(from_hexadecimal(bad), Err(Reason::NotHexadecimal), "{bad:?}");
        }
        assert_eq!(from_hexadecimal("00"), Err(Reason::ShortSecret(8)));
    }
}
