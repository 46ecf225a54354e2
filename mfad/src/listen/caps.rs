//! How many connections a uid may have. Root's logins never wait for others' connections.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Peer;

/// Connections of one unprivileged uid.
const OF_ONE: usize = 8;

/// Connections of all unprivileged uids together.
const OF_OTHERS: usize = 512;

/// Connections of root: logins that wait for a person.
const OF_ROOT: usize = 12_000;

/// Counts connections.
#[derive(Clone, Default)]
pub struct Caps {
    held: Arc<Mutex<HashMap<u32, usize>>>,
}

/// A connection's place; dropping it makes room.
pub struct Place {
    uid: u32,
    held: Arc<Mutex<HashMap<u32, usize>>>,
}

impl Caps {
    /// A place for this peer; none if it has its share.
    pub fn admit(&self, peer: Peer) -> Option<Place> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let own = held.get(&peer.uid).copied().unwrap_or(0);
        let others: usize = held.iter().filter(|(uid, _)| **uid != 0).map(|(_, count)| count).sum();
        let has_room = if peer.uid == 0 { own < OF_ROOT } else { own < OF_ONE && others < OF_OTHERS };
        if !has_room {
            return None;
        }
        *held.entry(peer.uid).or_default() += 1;
        Some(Place { uid: peer.uid, held: self.held.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.uid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_eight_places_and_root_has_its_own() {
        let caps = Caps::default();
        let user = Peer { uid: 1000 };
        let mut places: Vec<_> = (0..8).map(|_| caps.admit(user).unwrap()).collect();
        assert!(caps.admit(user).is_none());
        assert!(caps.admit(Peer { uid: 0 }).is_some());
        places.pop();
        assert!(caps.admit(user).is_some());
        let crowd: Vec<_> = (2000..3000).filter_map(|uid| caps.admit(Peer { uid })).collect();
        assert_eq!(crowd.len() + places.len(), OF_OTHERS);
        assert!(caps.admit(Peer { uid: 0 }).is_some());
    }
}
