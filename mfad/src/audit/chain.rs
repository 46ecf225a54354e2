//! The audit as a chain: each event is bound to the one before it by a keyed digest, its link. Whoever can write to the
//! database, and has not got the key, cannot change, move, insert or take away an event without a break in the chain.
//! Pure: where links and marks are kept is the store's business.

use data_encoding::HEXLOWER;
use protocol::manage::EventLine;

use crate::vault::{AuditKey, AuditKeyId};

/// What binds an event to all events before it.
pub type Link = [u8; 32];

/// Before the first event.
pub const ORIGIN: Link = [0; 32];

/// Hexadecimal digits of a link that are shown.
const SHOWN: usize = 16;

/// A place in the chain: behind an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The event's number; 0 before the first.
    pub id: i64,
    /// Its link.
    pub link: Link,
}

/// What a mark in the database stands for. Neither can be taken for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The place behind the last event: without it the end could be cut off.
    Head,
    /// The place behind the last event that was forgotten on purpose: the chain begins there.
    Anchor,
}

impl Mark {
    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Mark::Head => "audit-head",
            Mark::Anchor => "audit-anchor",
        }
    }
}

impl Place {
    /// Before the first event.
    pub const START: Place = Place { id: 0, link: ORIGIN };

    /// As people note it down, and compare it later.
    pub fn shown(&self) -> String {
        let link = HEXLOWER.encode(&self.link);
        format!("{}-{}", self.id, link.get(..SHOWN).unwrap_or_default())
    }

    /// The place as a mark that only the key can make.
    pub fn mark(&self, mark: Mark, key: &AuditKey) -> String {
        let seal = key.mac(&[mark.name().as_bytes(), &self.id.to_be_bytes(), &self.link]);
        let [by, link, seal] = [&key.id()[..], &self.link, &seal].map(|bytes| HEXLOWER.encode(bytes));
        format!("{} {by} {link} {seal}", self.id)
    }

    /// Reads a mark; none if no key at hand made it.
    pub fn read<'k>(
        text: &str,
        mark: Mark,
        key: impl FnOnce(AuditKeyId) -> Option<&'k AuditKey>,
    ) -> Option<Self> {
        let mut words = text.split(' ');
        let id = words.next()?.parse().ok()?;
        let by = HEXLOWER.decode(words.next()?.as_bytes()).ok()?.try_into().ok()?;
        let link = HEXLOWER.decode(words.next()?.as_bytes()).ok()?.try_into().ok()?;
        let place = Place { id, link };
        // The whole text is compared: one place is written in one way.
        (place.mark(mark, key(by)?) == text).then_some(place)
    }
}

/// The link of an event that comes after `before`.
pub fn link(key: &AuditKey, before: &Link, event: &EventLine) -> Link {
    let EventLine { id, at, kind, priority, user, uid, service, source, reference, text } = event;
    let uid = uid.map(|uid| uid.to_string());
    let optional = [user, &uid, service, source, reference].map(|field| tagged(field.as_deref()));
    let [user, uid, service, source, reference] = &optional;
    key.mac(&[
        b"event",
        before,
        &id.to_be_bytes(),
        &at.to_be_bytes(),
        kind.as_bytes(),
        priority.as_bytes(),
        user,
        uid,
        service,
        source,
        reference,
        text.as_bytes(),
    ])
}

/// Nothing and an empty text are not the same.
fn tagged(field: Option<&str>) -> Vec<u8> {
    field.map_or_else(Vec::new, |text| [b"=", text.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Vault;

    fn event() -> EventLine {
        EventLine {
            id: 7,
            at: 1,
            kind: "login-allowed".into(),
            priority: "info".into(),
            user: Some("ada".into()),
            uid: Some(1),
            service: Some("sshd".into()),
            source: None,
            reference: None,
            text: "let in".into(),
        }
    }

    #[test]
    fn a_link_depends_on_the_key_the_link_before_and_every_field() {
        let vault = Vault::from_master(&[1; 32]);
        let link = |event: &EventLine| link(vault.audit_key(), &ORIGIN, event);
        let altered: [fn(&mut EventLine); 11] = [
            |event| event.id += 1,
            |event| event.at += 1,
            |event| event.kind.push('x'),
            |event| event.priority.push('x'),
            |event| event.user = None,
            |event| event.uid = None,
            |event| event.service = Some("ssh".into()),
            |event| event.source = Some(String::new()),
            |event| event.reference = Some("x".into()),
            |event| event.text.push('x'),
            |event| (event.source, event.service) = (event.service.take(), None),
        ];
        for (number, alter) in altered.into_iter().enumerate() {
            let mut other = event();
            alter(&mut other);
            assert_ne!(link(&other), link(&event()), "{number}");
        }
        assert_ne!(super::link(vault.audit_key(), &[1; 32], &event()), link(&event()));
        assert_ne!(super::link(Vault::from_master(&[2; 32]).audit_key(), &ORIGIN, &event()), link(&event()));
    }

    #[test]
    fn a_mark_is_read_as_what_it_was_made_for_and_only_unchanged() {
        let vault = Vault::from_master(&[1; 32]);
        let key = |id| vault.audit_keys().find(|key| key.id() == id);
        let place = Place { id: 12, link: [9; 32] };
        let text = place.mark(Mark::Head, vault.audit_key());
        assert_eq!(Place::read(&text, Mark::Head, key), Some(place));
        assert_eq!(Place::read(&text, Mark::Anchor, key), None);
        for at in 0..text.len() {
            let mut altered = text.clone().into_bytes();
            altered[at] = if altered[at] == b'1' { b'2' } else { b'1' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(Place::read(&altered, Mark::Head, key), None, "{altered}");
        }
        for text in ["", "12", "+12 x", &text[..text.len() - 1], &format!("{text} ")] {
            assert_eq!(Place::read(text, Mark::Head, key), None, "{text}");
        }
        assert_eq!(place.shown(), "12-0909090909090909");
    }
}
