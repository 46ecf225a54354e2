//! The file of a backup: encrypted in parts, so that nothing has to be whole in memory.
//!
//! `mfad backup 1 LF`, 16 bytes of salt, 19 bytes of nonce, 16 bytes that tell a right passphrase from a wrong one; then
//! parts of 64 KiB and a tag of 16 bytes each, the last one shorter or empty. Argon2id (RFC 9106, the second recommended
//! choice: 64 MiB, 3 passes, 4 lanes) makes the key; XChaCha20-Poly1305 in STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015) seals
//! the parts, so that none can be changed, moved, left out or cut off.

use std::io::{self, Read, Write};

use aead_stream::{DecryptorBE32, EncryptorBE32};
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{Key, XChaCha20Poly1305};
use protocol::Secret;
use zeroize::{Zeroize, Zeroizing};

const MAGIC: &[u8] = b"mfad backup 1\n";
const SALT: usize = 16;
const NONCE: usize = 19;
const CHECK: usize = 16;
const KEY: usize = 32;

/// Bytes of a part.
pub(super) const PART: usize = 64 * 1024;

/// Bytes that a part grows by.
const TAG: usize = 16;

/// Kibibytes, passes and lanes of Argon2id. Part of the format.
const COST: (u32, u32, u32) = (64 * 1024, 3, 4);

/// Why a file is no backup that can be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum CipherError {
    /// It is something else.
    #[error("it is no backup of mfad, or one of a later version")]
    NoBackup,
    /// It was encrypted by another passphrase or key file.
    #[error("the passphrase or key file is another one than it was made with")]
    WrongPassphrase,
    /// Some of it is not what was written.
    #[error("it is damaged: it was changed or cut off. Take another copy")]
    Damaged,
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Encrypts what is written to it. A file without [`Sealer::finish`] is damaged.
pub(super) struct Sealer<W> {
    to: W,
    stream: EncryptorBE32<XChaCha20Poly1305>,
    part: Zeroizing<Vec<u8>>,
}

impl<W: Write> Sealer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// The file's, or that of the kernel's random generator.
    pub(super) fn begin(mut to: W, secret: &Secret) -> io::Result<Self> {
        let mut header = [0; SALT + NONCE];
        getrandom::fill(&mut header).map_err(io::Error::other)?;
        let (salt, nonce) = header.split_at(SALT);
        let keys = Keys::derive(secret, salt);
        for bytes in [MAGIC, &header, keys.check()] {
            to.write_all(bytes)?;
        }
        let stream = EncryptorBE32::new(keys.key(), nonce.try_into().map_err(io::Error::other)?);
        Ok(Sealer { to, stream, part: Zeroizing::new(Vec::with_capacity(PART + TAG)) })
    }

    /// Adds to it.
    ///
    /// # Errors
    /// The file's.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PART - self.part.len()));
            self.part.extend_from_slice(now);
            bytes = later;
            if self.part.len() == PART {
                self.stream.encrypt_next_in_place(MAGIC, &mut *self.part).map_err(too_long)?;
                self.to.write_all(&self.part)?;
                self.part.zeroize();
            }
        }
        Ok(())
    }

    /// Ends it, and gives the file back.
    ///
    /// # Errors
    /// The file's.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.stream.encrypt_last_in_place(MAGIC, &mut *self.part).map_err(too_long)?;
        self.to.write_all(&self.part)?;
        Ok(self.to)
    }
}

/// Decrypts a file, and hands each part to `each`. All of them are sound only if this ends well.
///
/// # Errors
/// [`CipherError`], or what `each` fails with.
pub(super) fn open<E: From<CipherError>>(
    mut from: impl Read,
    secret: &Secret,
    mut each: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut stream = Some(begin(&mut from, secret)?);
    let mut part = read_part(&mut from)?;
    loop {
        // Whether a part is the last one is known when nothing follows.
        let next = if part.len() == PART + TAG { read_part(&mut from)? } else { Vec::new() };
        let is_last = next.is_empty();
        let opened = match (stream.as_mut(), is_last) {
            (Some(stream), false) => stream.decrypt_next_in_place(MAGIC, &mut part),
            (Some(_), true) => match stream.take() {
                Some(last) => last.decrypt_last_in_place(MAGIC, &mut part),
                None => return Ok(()),
            },
            (None, _) => return Ok(()),
        };
        opened.map_err(|_| CipherError::Damaged)?;
        each(&part)?;
        part.zeroize();
        if is_last {
            return Ok(());
        }
        part = next;
    }
}

fn begin(from: &mut impl Read, secret: &Secret) -> Result<DecryptorBE32<XChaCha20Poly1305>, CipherError> {
    let mut header = [0; MAGIC.len() + SALT + NONCE + CHECK];
    from.read_exact(&mut header).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => CipherError::NoBackup,
        _ => CipherError::Io(error),
    })?;
    let rest = header.strip_prefix(MAGIC).ok_or(CipherError::NoBackup)?;
    let (salt, rest) = rest.split_at(SALT);
    let (nonce, check) = rest.split_at(NONCE);
    let keys = Keys::derive(secret, salt);
    if keys.check() != check {
        return Err(CipherError::WrongPassphrase);
    }
    let nonce = nonce.try_into().map_err(|_| CipherError::NoBackup)?;
    Ok(DecryptorBE32::new(keys.key(), nonce))
}

fn read_part(from: &mut impl Read) -> Result<Vec<u8>, CipherError> {
    let mut part = Vec::with_capacity(PART + TAG);
    from.take((PART + TAG) as u64).read_to_end(&mut part)?;
    Ok(part)
}

struct Keys(Zeroizing<[u8; KEY + CHECK]>);

impl Keys {
    fn derive(secret: &Secret, salt: &[u8]) -> Self {
        let (memory, passes, lanes) = COST;
        let mut keys = Zeroizing::new([0; KEY + CHECK]);
        let derived = Params::new(memory, passes, lanes, Some(KEY + CHECK)).and_then(|params| {
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
                secret.expose().as_bytes(),
                salt,
                keys.as_mut_slice(),
            )
        });
        derived.expect("the parameters are sound, and no passphrase is 4 GiB long");
        Keys(keys)
    }

    fn key(&self) -> &Key {
        self.0.first_chunk::<KEY>().expect("it is longer").into()
    }

    fn check(&self) -> &[u8] {
        &self.0[KEY..]
    }
}

fn too_long(_: chacha20poly1305::aead::Error) -> io::Error {
    io::Error::other("a backup has at most 256 TiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut sealer = Sealer::begin(Vec::new(), &secret("right")).unwrap();
        plain.chunks(7_000).for_each(|bytes| sealer.write(bytes).unwrap());
        sealer.finish().unwrap()
    }

    fn opened(file: &[u8], passphrase: &str) -> Result<Vec<u8>, CipherError> {
        let mut plain = Vec::new();
        open::<CipherError>(file, &secret(passphrase), |part| {
            plain.extend_from_slice(part);
            Ok(())
        })?;
        Ok(plain)
    }

    #[test]
    fn what_is_sealed_opens_at_every_length_and_shows_nothing() {
        for length in [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 9] {
            let plain: Vec<u8> = b"a secret. ".iter().copied().cycle().take(length).collect();
            let file = sealed(&plain);
            assert_eq!(opened(&file, "right").unwrap(), plain, "{length}");
            assert!(!file.windows(6).any(|window| window == b"secret"));
        }
    }

    #[test]
    fn a_wrong_passphrase_is_told_from_damage_and_from_another_file() {
        let file = sealed(b"a secret");
        assert!(matches!(opened(&file, "wrong"), Err(CipherError::WrongPassphrase)));
        for other in [&b""[..], b"SQLite format 3\0", &file[..40], &[0; 200]] {
            assert!(matches!(opened(other, "right"), Err(CipherError::NoBackup)));
        }
    }

    /// Break it: seal each part alone, without its place in the file.
    #[test]
    fn a_file_that_was_changed_cut_off_prolonged_or_put_together_anew_is_damaged() {
        let file = sealed(&[7; 2 * PART + 9]);
        let header = MAGIC.len() + SALT + NONCE + CHECK;
        let sealed_part = PART + TAG;
        let mut swapped = file.clone();
        swapped[header..header + 2 * sealed_part].rotate_left(sealed_part);
        let left_out = [&file[..header], &file[header + sealed_part..]].concat();
        let longer = [&file[..], b"x"].concat();
        let mut flipped = file.clone();
        flipped[header + 5] ^= 1;
        let mut of_nonce = file.clone();
        of_nonce[MAGIC.len() + SALT] ^= 1;
        let cut = [header, header + 9, header + sealed_part, header + 2 * sealed_part, file.len() - 1];
        let cut = cut.map(|length| file[..length].to_vec());
        for damaged in [swapped, left_out, longer, flipped, of_nonce].into_iter().chain(cut) {
            assert!(matches!(opened(&damaged, "right"), Err(CipherError::Damaged)), "{}", damaged.len());
        }
    }
}
