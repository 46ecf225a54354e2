//! Seals secrets: XChaCha20-Poly1305, whose nonces are long enough to be random.
//!
//! A sealed secret is `version(1) key id(4) nonce(24) ciphertext tag(16)`. Version, key id and place are authenticated
//! with it, so nothing of it can be changed and nothing can be moved.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::{Key, Vault};
use crate::factor::sealed::{Freshness, Place, SealKeys, Sealed, Tampered};

/// Of the format.
const VERSION: u8 = 1;

/// Bytes of a key's id.
const ID_BYTES: usize = 4;

/// Bytes of version and key id.
const HEADER_BYTES: usize = 1 + ID_BYTES;

/// Bytes of a nonce.
const NONCE_BYTES: usize = 24;

/// What seals, and the name that it writes on what it sealed.
pub(super) struct SealKey {
    header: [u8; HEADER_BYTES],
    key: Key,
}

impl SealKey {
    /// `id` is derived as the keys are; its first four bytes are written in the clear.
    pub(super) fn new(id: &Key, key: Key) -> Self {
        let mut header = [VERSION; HEADER_BYTES];
        header[1..].copy_from_slice(&id[..ID_BYTES]);
        SealKey { header, key }
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.key).into())
    }

    /// What is authenticated and not encrypted. Each part has its length: no two places have the same bytes.
    fn associated(&self, place: &Place<'_>) -> Vec<u8> {
        let mut bytes = self.header.to_vec();
        for part in [place.user, place.factor.as_str()] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes
    }
}

impl SealKeys for Vault {
    fn seal(&self, place: &Place<'_>, plain: &[u8], nonce: [u8; NONCE_BYTES]) -> Sealed {
        let key = &self.current.seal;
        let payload = Payload { msg: plain, aad: &key.associated(place) };
        let sealed = key.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("a secret is shorter than 256 GiB");
        Sealed::from_bytes(&[&key.header[..], &nonce, &sealed].concat())
    }

    fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Tampered> {
        let bytes = sealed.bytes().ok_or(Tampered::Altered)?;
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(Tampered::Altered)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(Tampered::Altered)?;
        if header[0] != VERSION {
            return Err(Tampered::Altered);
        }
        let mut failure = Tampered::UnknownKey;
        // All that have the id: four bytes can be the same by chance.
        for key in self.all().map(|keys| &keys.seal).filter(|key| key.header == *header) {
            let payload = Payload { msg: sealed, aad: &key.associated(place) };
            match key.cipher().decrypt(&XNonce::from(*nonce), payload) {
                Ok(plain) => return Ok(Zeroizing::new(plain)),
                Err(_) => failure = Tampered::Altered,
            }
        }
        Err(failure)
    }

    fn is_current(&self, sealed: &Sealed) -> Freshness {
        match sealed.bytes() {
            Some(bytes) if bytes.starts_with(&self.current.seal.header) => Freshness::Current,
            _ => Freshness::Old,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::FactorId;

    fn id(text: &str) -> FactorId {
        FactorId::parse(text).unwrap()
    }

    fn sealed_by(vault: &Vault) -> Sealed {
        vault.seal(&Place { user: "ada", factor: &id("totp-1") }, b"a secret of 20 bytes", [9; NONCE_BYTES])
    }

    fn open(vault: &Vault, user: &str, factor: &str, sealed: &Sealed) -> Result<Vec<u8>, Tampered> {
        vault.open(&Place { user, factor: &id(factor) }, sealed).map(|plain| plain.to_vec())
    }

    #[test]
    fn what_is_sealed_opens_and_shows_nothing() {
        let vault = Vault::from_master(&[1; 32]);
        let sealed = sealed_by(&vault);
        assert_eq!(open(&vault, "ada", "totp-1", &sealed).unwrap(), b"a secret of 20 bytes");
        let bytes = sealed.bytes().unwrap();
        assert_eq!(bytes.len(), HEADER_BYTES + NONCE_BYTES + 20 + 16);
        assert!(!bytes.windows(6).any(|window| window == b"secret"));
        let empty = vault.seal(&Place { user: "", factor: &id("totp-1") }, b"", [0; NONCE_BYTES]);
        assert_eq!(open(&vault, "", "totp-1", &empty).unwrap(), b"");
    }

    #[test]
    fn a_sealed_secret_that_is_moved_to_another_user_or_factor_does_not_open() {
        let vault = Vault::from_master(&[1; 32]);
        let sealed = sealed_by(&vault);
        for (user, factor) in [("bob", "totp-1"), ("ada", "totp-2"), ("", "totp-1"), ("adat", "otp-1")] {
            assert_eq!(open(&vault, user, factor, &sealed), Err(Tampered::Altered), "{user} {factor}");
        }
    }

    #[test]
    fn a_sealed_secret_with_any_byte_flipped_or_cut_off_does_not_open() {
        let vault = Vault::from_master(&[1; 32]);
        let bytes = sealed_by(&vault).bytes().unwrap();
        for place in 0..bytes.len() {
            for flip in [1u8, 0x80, 0xff] {
                let mut altered = bytes.clone();
                altered[place] ^= flip;
                let expected =
                    if (1..HEADER_BYTES).contains(&place) { Tampered::UnknownKey } else { Tampered::Altered };
                assert_eq!(open(&vault, "ada", "totp-1", &Sealed::from_bytes(&altered)), Err(expected));
            }
            assert!(open(&vault, "ada", "totp-1", &Sealed::from_bytes(&bytes[..place])).is_err());
        }
        let longer = Sealed::from_bytes(&[&bytes[..], &[0]].concat());
        assert_eq!(open(&vault, "ada", "totp-1", &longer), Err(Tampered::Altered));
        let no_base_64 = serde_json::from_str::<Sealed>("\"AQ=\"").unwrap();
        assert_eq!(open(&vault, "ada", "totp-1", &no_base_64), Err(Tampered::Altered));
    }

    #[test]
    fn an_old_key_still_opens_and_says_that_it_is_old() {
        let before = Vault::from_master(&[1; 32]);
        let after = Vault::from_masters(&[2; 32], &[[3; 32], [1; 32]]);
        let old = sealed_by(&before);
        assert_eq!((before.is_current(&old), after.is_current(&old)), (Freshness::Current, Freshness::Old));
        assert_eq!(open(&after, "ada", "totp-1", &old).unwrap(), b"a secret of 20 bytes");
        assert_eq!(after.is_current(&sealed_by(&after)), Freshness::Current);
        let without = Vault::from_master(&[2; 32]);
        assert_eq!(open(&without, "ada", "totp-1", &old), Err(Tampered::UnknownKey));
        assert_eq!(open(&before, "ada", "totp-1", &sealed_by(&after)), Err(Tampered::UnknownKey));
    }
}
