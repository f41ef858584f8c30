//! TCP ports of the server that serve published ports, for hosts without wildcard DNS: one origin each.
//!
//! They are allotted when someone opens a port, in turn, so that a number is handed on as late as can be: what a browser
//! keeps for an origin, such as its storage, stays with the number.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::PortHost;

/// How long nobody must have used a TCP port before another session may get it.
const QUIET: Duration = Duration::from_secs(600);

/// Why there is no TCP port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoTcpPort {
    /// The session has as many as it may have, all in use.
    #[error("This session has {0} ports open, as many as it may have at one time. Close the page of one and try again")]
    Session(usize),
    /// All are in use.
    #[error(
        "All {0} TCP ports of this server that open ports are in use. Try again later, or ask its operator for a longer \
         `range` in [ports]"
    )]
    All(usize),
}

/// Which published port each TCP port serves now.
pub struct Range {
    ports: RangeInclusive<u16>,
    per_session: usize,
    table: Mutex<Table>,
}

struct Table {
    allotted: BTreeMap<u16, Allotment>,
    /// Where the search for one that was never used goes on.
    next: u16,
}

struct Allotment {
    to: PortHost,
    used: Instant,
    /// Held by every request under way.
    open: InUse,
}

/// Held by a request under way: its TCP port is not handed on meanwhile.
pub type InUse = Arc<()>;

impl Range {
    /// All TCP ports of `ports`, of which a session gets `per_session` at one time.
    pub fn new(ports: RangeInclusive<u16>, per_session: usize) -> Range {
        let table = Table { allotted: BTreeMap::new(), next: *ports.start() };
        Range { ports, per_session, table: Mutex::new(table) }
    }

    /// The TCP port that serves `to` from now on. `is_there` says whether the node of a published port still is.
    ///
    /// # Errors
    /// When there is none left.
    pub fn allot(&self, to: &PortHost, is_there: impl Fn(&PortHost) -> bool) -> Result<u16, NoTcpPort> {
        let mut table = self.lock();
        if let Some((port, known)) = table.allotted.iter_mut().find(|(_, a)| a.to == *to) {
            known.used = Instant::now();
            return Ok(*port);
        }
        let mine = table.allotted.values().filter(|a| a.to.session == to.session && is_there(&a.to)).count();
        let port = if mine >= self.per_session {
            table.longest_unused(|a| a.to.session == to.session).ok_or(NoTcpPort::Session(mine))?
        } else {
            self.never_used(&table)
                .or_else(|| table.longest_unused(|a| !is_there(&a.to)))
                .or_else(|| table.longest_unused(|a| a.used.elapsed() > QUIET))
                .ok_or(NoTcpPort::All(self.ports.len()))?
        };
        table.next = port.checked_add(1).filter(|p| self.ports.contains(p)).unwrap_or(*self.ports.start());
        table.allotted.insert(port, Allotment { to: to.clone(), used: Instant::now(), open: Arc::default() });
        Ok(port)
    }

    /// What a TCP port serves now, for one request.
    pub fn at(&self, port: u16) -> Option<(PortHost, InUse)> {
        let table = self.lock();
        let allotment = table.allotted.get(&port)?;
        Some((allotment.to.clone(), allotment.open.clone()))
    }

    /// A TCP port is used by someone who may: strangers who knock keep none from being given to others.
    pub fn used(&self, port: u16) {
        if let Some(allotment) = self.lock().allotted.get_mut(&port) {
            allotment.used = Instant::now();
        }
    }

    fn never_used(&self, table: &Table) -> Option<u16> {
        (table.next..=*self.ports.end())
            .chain(*self.ports.start()..table.next)
            .find(|p| !table.allotted.contains_key(p))
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn longest_unused(&self, which: impl Fn(&Allotment) -> bool) -> Option<u16> {
        let free = self.allotted.iter().filter(|(_, a)| Arc::strong_count(&a.open) == 1 && which(a));
        free.min_by_key(|(_, a)| a.used).map(|(port, _)| *port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{NodeName, PublicName};

    fn port(session: &PublicName, port: u16) -> PortHost {
        PortHost { port, node: NodeName::nth(1), session: session.clone() }
    }

    #[test]
    fn they_are_given_in_turn_and_back() {
        let range = Range::new(100..=102, 3);
        let (one, two) = (PublicName::random(), PublicName::random());
        assert_eq!(range.allot(&port(&one, 80), |_| true), Ok(100));
        assert_eq!(range.allot(&port(&one, 81), |_| true), Ok(101));
        assert_eq!(range.allot(&port(&one, 80), |_| true), Ok(100), "the same for the same");
        assert_eq!(range.at(101).unwrap().0, port(&one, 81));
        assert!(range.at(102).is_none());
        assert_eq!(range.allot(&port(&two, 80), |_| true), Ok(102));
        assert_eq!(range.allot(&port(&two, 81), |_| true), Err(NoTcpPort::All(3)));
        // A request that is under way when its session ends still holds its own.
        let held = range.at(100).unwrap();
        assert_eq!(range.allot(&port(&two, 81), |p| p.session != one), Ok(101));
        assert_eq!(range.allot(&port(&two, 82), |p| p.session != one), Err(NoTcpPort::All(3)));
        drop(held);
        assert_eq!(range.allot(&port(&two, 82), |p| p.session != one), Ok(100));
    }

    #[test]
    fn a_session_takes_its_own_when_it_has_enough() {
        let range = Range::new(100..=109, 2);
        let me = PublicName::random();
        assert_eq!(range.allot(&port(&me, 1), |_| true), Ok(100));
        assert_eq!(range.allot(&port(&me, 2), |_| true), Ok(101));
        let held = range.at(100).unwrap();
        assert_eq!(range.allot(&port(&me, 3), |_| true), Ok(101), "that which nobody uses");
        let also = range.at(101).unwrap();
        assert_eq!(range.allot(&port(&me, 4), |_| true), Err(NoTcpPort::Session(2)));
        drop((held, also));
        assert_eq!(range.allot(&port(&PublicName::random(), 1), |_| true), Ok(102));
    }
}
