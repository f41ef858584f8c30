//! Who is connected from outside, and how the ssh server is reached.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::SshSettings;
use crate::session::SessionId;

/// Most raw TCP connections of one session, beside those by ssh.
const MOST_FORWARDS: u32 = 256;

/// How the ssh server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Fingerprint of the host key, such as `SHA256:…`.
    pub fingerprint: String,
    /// The host key: algorithm and key.
    pub host_key: String,
}

impl Reached {
    /// The host key as a line of `known_hosts`.
    pub fn known_hosts(&self) -> String {
        match self.port {
            22 => format!("{} {}", self.host, self.host_key),
            port => format!("[{}]:{port} {}", self.host, self.host_key),
        }
    }
}

/// Counts connections from outside and ends them when what opened them is gone.
#[derive(Debug)]
pub struct Outside {
    ssh: Option<Reached>,
    connections: u32,
    per_session: u32,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: u32,
    sessions: HashMap<SessionId, OfSession>,
    /// What ends the connections that were made with a key, by its number.
    keys: HashMap<i64, HashMap<u64, CancellationToken>>,
    next: u64,
}

#[derive(Debug, Default)]
struct OfSession {
    ssh: u32,
    forwards: u32,
}

/// A connection that counts, as long as this lives.
#[derive(Debug)]
pub struct Place {
    outside: Arc<Outside>,
    session: SessionId,
    what: What,
}

#[derive(Debug)]
enum What {
    Ssh { key: Option<i64>, number: u64, ended: CancellationToken },
    Forward,
}

impl Outside {
    /// Nobody is connected yet. `ssh` tells how the ssh server is reached, where there is one.
    pub fn new(settings: &SshSettings, ssh: Option<Reached>) -> Outside {
        let (connections, per_session) = (settings.connections, settings.per_session);
        Outside { ssh, connections, per_session, counts: Mutex::default() }
    }

    /// How the ssh server is reached; none where there is none.
    pub fn ssh(&self) -> Option<&Reached> {
        self.ssh.as_ref()
    }

    /// A place for an ssh connection to a session, made with the key of this number or with a password; none where there
    /// are too many.
    pub fn connect(self: &Arc<Self>, session: SessionId, key: Option<i64>) -> Option<Place> {
        let mut counts = self.lock();
        if counts.connections >= self.connections {
            return None;
        }
        let of = counts.sessions.entry(session).or_default();
        if of.ssh >= self.per_session {
            return None;
        }
        of.ssh += 1;
        counts.connections += 1;
        counts.next += 1;
        let (number, ended) = (counts.next, CancellationToken::new());
        if let Some(key) = key {
            counts.keys.entry(key).or_default().insert(number, ended.clone());
        }
        Some(Place { outside: self.clone(), session, what: What::Ssh { key, number, ended } })
    }

    /// A place for a raw TCP connection to a session; none where it has too many.
    pub fn forward(self: &Arc<Self>, session: SessionId) -> Option<Place> {
        let mut counts = self.lock();
        let of = counts.sessions.entry(session).or_default();
        if of.forwards >= MOST_FORWARDS {
            return None;
        }
        of.forwards += 1;
        Some(Place { outside: self.clone(), session, what: What::Forward })
    }

    /// A key was removed: what was connected with it ends.
    pub fn key_removed(&self, key: i64) {
        for ended in self.lock().keys.get(&key).into_iter().flat_map(HashMap::values) {
            ended.cancel();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Resolves when what opened the connection is gone.
    pub async fn ended(&self) {
        match &self.what {
            What::Ssh { ended, .. } => ended.cancelled().await,
            What::Forward => std::future::pending().await,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.outside.lock();
        if let What::Ssh { key, number, .. } = &self.what {
            counts.connections -= 1;
            if let Some(key) = key
                && let Some(of) = counts.keys.get_mut(key)
            {
                of.remove(number);
                if of.is_empty() {
                    counts.keys.remove(key);
                }
            }
        }
        if let Some(of) = counts.sessions.get_mut(&self.session) {
            match self.what {
                What::Ssh { .. } => of.ssh -= 1,
                What::Forward => of.forwards -= 1,
            }
            if of.ssh + of.forwards == 0 {
                counts.sessions.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_come_back() {
        let settings = SshSettings { connections: 3, per_session: 2, ..SshSettings::default() };
        let outside = Arc::new(Outside::new(&settings, None));
        let (one, other) = (SessionId::random(), SessionId::random());
        let held = [outside.connect(one, None).unwrap(), outside.connect(one, Some(7)).unwrap()];
        assert!(outside.connect(one, None).is_none(), "as many as a session may have");
        let third = outside.connect(other, None).unwrap();
        assert!(outside.connect(SessionId::random(), None).is_none(), "as many as there may be");
        drop(outside.forward(one).unwrap());
        drop((held, third));
        let counts = outside.lock();
        assert_eq!((counts.connections, counts.keys.len()), (0, 0));
        assert!(counts.sessions.values().all(|of| of.ssh + of.forwards == 0), "{counts:?}");
    }

    #[test]
    fn a_removed_key_ends_what_was_made_with_it() {
        let outside = Arc::new(Outside::new(&SshSettings::default(), None));
        let session = SessionId::random();
        let place = |key| outside.connect(session, key).unwrap();
        let (with, also, without) = (place(Some(1)), place(Some(1)), place(None));
        outside.key_removed(1);
        let is_over = |place: &Place| matches!(&place.what, What::Ssh { ended, .. } if ended.is_cancelled());
        assert_eq!([&with, &also, &without].map(is_over), [true, true, false]);
    }
}
