//! Addresses of sessions and their nodes: each session's network is a /27 of the engine's subnet.

use std::net::Ipv4Addr;

use crate::engine::{IDS_PER_SANDBOX, NetworkSpec, native::NativeSettings};

/// Addresses of one session's network.
const SIZE: u32 = 32;

/// How many sandboxes and networks can be numbered at one time.
pub(super) fn capacity(engine: &NativeSettings) -> u32 {
    // The engine keeps the subnet's last network for itself.
    let networks = engine.subnet.size() / SIZE - 1;
    let ranges = (i32::MAX as u32 - engine.uid_base) / IDS_PER_SANDBOX;
    networks.min(ranges)
}

/// Address of a session's `node`-th node, counted from 0, on network `number`.
pub(super) fn node(engine: &NativeSettings, number: u16, node: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(engine.subnet.address) + u32::from(number) * SIZE + 2 + node)
}

/// The place of `address` on network `number`.
pub(super) fn network(engine: &NativeSettings, number: u16, address: Ipv4Addr) -> NetworkSpec {
    let gateway = Ipv4Addr::from(u32::from(engine.subnet.address) + u32::from(number) * SIZE + 1);
    NetworkSpec { number, address, gateway, prefix: 27 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_do_not_touch() {
        let e = NativeSettings::default();
        assert_eq!(node(&e, 0, 0), Ipv4Addr::new(100, 96, 0, 2));
        assert_eq!(node(&e, 9, 4), Ipv4Addr::new(100, 96, 1, 38));
        assert_eq!(network(&e, 9, node(&e, 9, 4)).gateway, Ipv4Addr::new(100, 96, 1, 33));
        assert_eq!(capacity(&e), 2047);
    }
}
