//! Goes through the whole audit and looks for breaks in its chain.

use protocol::manage::{AuditBreak, EventLine};
use rusqlite::{Connection, Row};

use super::chain::{Ring, mark};
use super::reader;
use crate::audit::chain::{self, Link, Mark, Place};
use crate::vault::{AuditKeyId, Vault};

/// Breaks that are listed; more are counted.
const LISTED: usize = 20;

/// What was found.
#[derive(Debug, Default)]
pub struct Verified {
    /// Events that are there.
    pub events: u64,
    /// The place behind the last event that was forgotten on purpose.
    pub begin: Option<Place>,
    /// The place behind the last event.
    pub head: Option<Place>,
    /// The first breaks.
    pub breaks: Vec<AuditBreak>,
    /// How many there are.
    pub count: u64,
    /// Whether a place that was noted down before is in the chain; none if it lies before its beginning.
    pub known: Option<Known>,
}

/// Whether the chain goes through a place that was noted down before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It does.
    There,
    /// It does not: the audit is another one, or an older copy.
    NotThere,
}

/// Walks from the beginning to the end. In one read transaction: what is added meanwhile is not looked at.
pub(super) fn verify(
    connection: &Connection,
    vault: &Vault,
    known: Option<&str>,
) -> rusqlite::Result<Verified> {
    let snapshot = connection.unchecked_transaction()?;
    let ring = Ring::load(&snapshot, vault)?;
    let begin = mark(&snapshot, Mark::Anchor, &ring)?;
    let head = mark(&snapshot, Mark::Head, &ring)?;
    let mut walk = Walk::from(begin, known, &ring);
    if begin.is_none() {
        walk.broken(0, 0, "the mark of where the audit begins is gone or forged");
    }
    let mut select = snapshot.prepare("SELECT * FROM event ORDER BY id")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        walk.step(row);
    }
    walk.end(head);
    Ok(Verified { begin, head, ..walk.found })
}

struct Walk<'r> {
    ring: &'r Ring<'r>,
    known: Option<&'r str>,
    /// Where the walk is; none where nobody knows what comes before.
    at: Option<Place>,
    /// The number of the last row, or of the place that the audit begins behind.
    last: i64,
    found: Verified,
}

impl<'r> Walk<'r> {
    fn from(begin: Option<Place>, known: Option<&'r str>, ring: &'r Ring<'r>) -> Self {
        let mut walk = Walk {
            ring,
            known,
            at: begin,
            last: begin.map_or(0, |place| place.id),
            found: Verified::default(),
        };
        if let (Some(known), Some(begin)) = (known, begin) {
            let id = known.split_once('-').and_then(|(id, _)| id.parse::<i64>().ok());
            walk.found.known = id.filter(|id| *id >= begin.id).map(|_| Known::NotThere);
            walk.compare(begin);
        }
        walk
    }

    fn step(&mut self, row: &Row<'_>) {
        self.found.events += 1;
        let id = row.get("id").unwrap_or(0);
        if id <= self.last {
            return self.broken(id, id, "it stands before the beginning: somebody put it there");
        }
        // Without a known beginning the first row is one.
        if id > self.last + 1 && (self.at.is_some() || self.last > 0) {
            self.broken(self.last + 1, id - 1, "missing: somebody took it away");
            self.at = None;
        }
        self.last = id;
        let Ok(link) = row.get::<_, Link>("link") else {
            self.at = None;
            return self.broken(id, id, "it has no link: somebody put it there");
        };
        if let Some(wrong) = self.wrong(row, &link) {
            self.broken(id, id, wrong);
        }
        // What follows is judged by the link as it stands, so that one change is one break.
        self.at = Some(Place { id, link });
        self.compare(Place { id, link });
    }

    /// What is wrong with a row, if anything is.
    fn wrong(&self, row: &Row<'_>, link: &Link) -> Option<&'static str> {
        let changed = "changed or moved: it is not what mfad wrote there";
        let (Ok(event), Ok(by)) = (reader::event(row), row.get::<_, AuditKeyId>("linked_by")) else {
            return Some(changed);
        };
        let Some(key) = self.ring.key(by) else {
            return Some("it was linked by a key that is not known: put its line back into the key file");
        };
        // Behind a gap nobody can tell whether it is what was there; the gap is reported.
        let before = self.at?.link;
        let is_right = |event: &EventLine| chain::link(key, &before, event) == *link;
        (!is_right(&event)).then_some(changed)
    }

    fn end(&mut self, head: Option<Place>) {
        match head {
            None => self.broken(self.last, self.last, "the mark behind the last event is gone or forged"),
            Some(head) if head.id > self.last => {
                self.broken(self.last + 1, head.id, "missing: the end was cut off");
            }
            Some(head) if head.id < self.last => {
                self.broken(head.id + 1, self.last, "behind the end: somebody put it there");
            }
            Some(head) if self.at.is_some_and(|at| at.link != head.link) => {
                self.broken(head.id, head.id, "the last event is not the one that mfad wrote last");
            }
            Some(_) => {}
        }
    }

    fn compare(&mut self, place: Place) {
        if self.known == Some(place.shown().as_str()) {
            self.found.known = Some(Known::There);
        }
    }

    fn broken(&mut self, first: i64, last: i64, text: &str) {
        self.found.count += 1;
        if self.found.breaks.len() < LISTED {
            self.found.breaks.push(AuditBreak { first, last, text: text.to_owned() });
        }
    }
}
