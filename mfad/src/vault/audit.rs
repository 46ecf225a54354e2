//! The keys that chain the audit. One is derived from each master key; a row tells which one made its link. Before a master
//! key leaves the key file, its audit key is sealed by the one in use, so that old links can be proved for ever and no
//! new one can be made by a key that may be known.

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::{KEY_BYTES, Key, Vault, mac};
use crate::factor::FactorId;
use crate::factor::sealed::{Freshness, Place, SealKeys, Sealed};

/// Tells one audit key from another: the first bytes of the id of its master key.
pub type AuditKeyId = [u8; 4];

/// What makes the links of the audit.
pub struct AuditKey {
    id: AuditKeyId,
    key: Key,
}

impl AuditKey {
    pub(super) fn new(id: &Key, key: Key) -> Self {
        let mut short = AuditKeyId::default();
        short.copy_from_slice(&id[..4]);
        AuditKey { id: short, key }
    }

    /// Its name.
    pub fn id(&self) -> AuditKeyId {
        self.id
    }

    /// HMAC-SHA-256 of these parts; no two lists of parts are the same to it.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.key, parts)
    }
}

impl Vault {
    /// The one that makes links now.
    pub fn audit_key(&self) -> &AuditKey {
        &self.current.audit
    }

    /// Those of all keys in the key file.
    pub fn audit_keys(&self) -> impl Iterator<Item = &AuditKey> {
        self.all().map(|keys| &keys.audit)
    }

    /// Seals an audit key by the master key in use.
    pub fn wrap(&self, audit: &AuditKey, nonce: [u8; 24]) -> Sealed {
        self.seal(&place(&name(audit.id)), audit.key.as_slice(), nonce)
    }

    /// Opens what [`Vault::wrap`] made; none if it was made by no key at hand, or for another.
    pub fn unwrap(&self, id: AuditKeyId, sealed: &Sealed) -> Option<AuditKey> {
        let plain = self.open(&place(&name(id)), sealed).ok()?;
        let key: [u8; KEY_BYTES] = plain.as_slice().try_into().ok()?;
        Some(AuditKey { id, key: Zeroizing::new(key) })
    }

    /// Whether the master key in use sealed it.
    pub fn is_wrapped_freshly(&self, sealed: &Sealed) -> Freshness {
        self.is_current(sealed)
    }
}

/// Nobody has an empty name: no secret of a person can be put in its place.
fn place(name: &FactorId) -> Place<'_> {
    Place { user: "", factor: name }
}

fn name(id: AuditKeyId) -> FactorId {
    FactorId::parse(&format!("audit-{}", HEXLOWER.encode(&id)))
        .unwrap_or_else(|| unreachable!("a sound name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_audit_key_opens_under_the_new_master_key_alone_and_under_its_own_name() {
        let both = Vault::from_masters(&[2; 32], &[[1; 32]]);
        let old = both.audit_keys().nth(1).unwrap();
        let sealed = both.wrap(old, [3; 24]);
        let new = Vault::from_master(&[2; 32]);
        let opened = new.unwrap(old.id(), &sealed).unwrap();
        assert_eq!(opened.mac(&[b"x"]), Vault::from_master(&[1; 32]).audit_key().mac(&[b"x"]));
        assert!(new.unwrap([0; 4], &sealed).is_none());
        assert!(Vault::from_master(&[1; 32]).unwrap(old.id(), &sealed).is_none());
    }
}
