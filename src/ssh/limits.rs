//! How much the ssh server takes from whom: connections in all and per session, those that have not signed in yet, and
//! failures of one network address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Connections that have not signed in: in all, and of one network address (a class often shares one).
const MOST_STRANGERS: u32 = 128;
const MOST_STRANGERS_OF_ONE: u32 = 40;
/// Failed sign-ins that an address has in stock, and how soon one comes back.
const FAILURES: f64 = 40.0;
const FORGIVEN: Duration = Duration::from_secs(3);
/// Addresses that are remembered.
const MOST_ADDRESSES: usize = 4096;

/// The counts. Cheap to clone.
#[derive(Clone, Default)]
pub struct Limits {
    inner: Arc<Mutex<Counts>>,
}

#[derive(Default)]
struct Counts {
    strangers: u32,
    addresses: HashMap<IpAddr, OfAddress>,
}

struct OfAddress {
    strangers: u32,
    failures: f64,
    since: Instant,
}

impl OfAddress {
    /// Failures now: forgiven one by one, not bit by bit.
    fn failures(&self, now: Instant) -> f64 {
        self.left(now).ceil()
    }

    fn left(&self, now: Instant) -> f64 {
        let forgiven = now.saturating_duration_since(self.since).as_secs_f64() / FORGIVEN.as_secs_f64();
        (self.failures - forgiven).max(0.0)
    }
}

/// The place of a connection that has not signed in yet; given back when it is dropped.
pub struct Stranger {
    limits: Limits,
    address: IpAddr,
}

impl Limits {
    /// A place for a new connection; none when there are too many, or its address failed too often.
    pub fn stranger(&self, address: IpAddr) -> Option<Stranger> {
        let address = network_of(address);
        let now = Instant::now();
        let mut counts = self.lock();
        if counts.strangers >= MOST_STRANGERS {
            return None;
        }
        if counts.addresses.len() >= MOST_ADDRESSES && !counts.addresses.contains_key(&address) {
            counts.addresses.retain(|_, a| a.strangers > 0 || a.failures(now) > 0.0);
            if counts.addresses.len() >= MOST_ADDRESSES {
                return None;
            }
        }
        let of =
            counts.addresses.entry(address).or_insert_with(|| OfAddress { strangers: 0, failures: 0.0, since: now });
        if of.strangers >= MOST_STRANGERS_OF_ONE || of.failures(now) >= FAILURES {
            return None;
        }
        of.strangers += 1;
        counts.strangers += 1;
        Some(Stranger { limits: self.clone(), address })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stranger {
    /// A sign-in failed.
    pub fn failed(&self) {
        let now = Instant::now();
        if let Some(of) = self.limits.lock().addresses.get_mut(&self.address) {
            of.failures = of.left(now) + 1.0;
            of.since = now;
        }
    }

    /// Whether its address has failed too often meanwhile.
    pub fn is_tiresome(&self) -> bool {
        self.limits.lock().addresses.get(&self.address).is_some_and(|of| of.failures(Instant::now()) >= FAILURES)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut counts = self.limits.lock();
        counts.strangers -= 1;
        let now = Instant::now();
        if let Some(of) = counts.addresses.get_mut(&self.address) {
            of.strangers -= 1;
            if of.strangers == 0 && of.failures(now) == 0.0 {
                counts.addresses.remove(&self.address);
            }
        }
    }
}

/// Who has one IPv6 address usually has its whole network of 64 bits.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_fails_too_often_waits_and_others_do_not() {
        let limits = Limits::default();
        let (bad, good) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let stranger = limits.stranger(bad).unwrap();
        for _ in 0..FAILURES as u32 {
            assert!(!stranger.is_tiresome());
            stranger.failed();
        }
        assert!(stranger.is_tiresome());
        drop(stranger);
        assert!(limits.stranger(bad).is_none());
        assert!(limits.stranger(good).is_some());
        assert_eq!(limits.lock().addresses.len(), 1, "who did nothing is not remembered");
        // As if a minute had passed.
        limits.lock().addresses.get_mut(&bad).unwrap().failures -= 20.0;
        assert!(limits.stranger(bad).is_some());
    }

    #[test]
    fn one_address_takes_only_a_part_of_the_places() {
        let limits = Limits::default();
        let one = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]);
        let held: Vec<_> = (0..MOST_STRANGERS_OF_ONE as u16).map(|n| limits.stranger(one(n)).unwrap()).collect();
        assert!(limits.stranger(one(99)).is_none(), "an IPv6 network counts as one");
        assert!(limits.stranger(IpAddr::from([192, 0, 2, 1])).is_some());
        drop(held);
        assert!(limits.stranger(one(99)).is_some());
    }
}
