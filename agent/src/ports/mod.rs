//! Which TCP ports listen in the sandbox, asked of the kernel while someone wants to know.

mod diag;
mod proc;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use boatyard_protocol::agent::{AgentConfig, ListeningPort};
use tokio::sync::Notify;

use crate::{events::Hub, sandbox::offline};

/// How often the ports are compared.
const EVERY: Duration = Duration::from_millis(500);
/// Ports of the Docker Engine itself: swarm management and gossip.
const DOCKERS: [u16; 2] = [2377, 7946];
/// Port of the logins between nodes.
const SSH: u16 = 22;

/// The watch over ports. Clones share it.
#[derive(Clone)]
pub struct Ports {
    hidden: Arc<BTreeSet<u16>>,
    events: Hub,
    wake: Arc<Notify>,
}

impl Ports {
    /// Watches all ports but the agent's own and Docker's.
    pub fn new(config: &AgentConfig, events: Hub) -> Self {
        let ssh = config.ssh.is_some().then_some(SSH);
        let hidden = config.tunnels.iter().map(|t| t.port).chain(DOCKERS).chain([offline::PORT]).chain(ssh).collect();
        Self { hidden: Arc::new(hidden), events, wake: Arc::default() }
    }

    /// What listens now.
    pub fn now(&self) -> Vec<ListeningPort> {
        // A kernel without sock_diag still has /proc.
        let sockets = diag::listening().unwrap_or_else(|_| proc::listening());
        let mut ports = merged(sockets);
        ports.retain(|p| !self.hidden.contains(&p.port));
        self.events.set_ports(ports.clone());
        ports
    }

    /// Someone listens to events now.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Compares while anyone listens.
    pub async fn watch(self) {
        loop {
            if !self.events.heard() {
                self.wake.notified().await;
            }
            self.now();
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// Each port once, in ascending order; on loopback only if no socket listens on another address.
fn merged(sockets: impl IntoIterator<Item = (IpAddr, u16)>) -> Vec<ListeningPort> {
    let mut found: BTreeMap<u16, bool> = BTreeMap::new();
    for (address, port) in sockets {
        *found.entry(port).or_insert(true) &= address.to_canonical().is_loopback();
    }
    found.into_iter().map(|(port, loopback)| ListeningPort { port, loopback }).collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_port_is_on_loopback_only_if_all_its_sockets_are() {
        let sockets = ["127.0.0.1", "::", "::1", "0.0.0.0", "::ffff:127.0.0.9"].map(|a| a.parse().unwrap());
        let found = merged(sockets.into_iter().zip([8080, 8080, 8081, 80, 82]));
        let port = |port, loopback| ListeningPort { port, loopback };
        assert_eq!(found, [port(80, false), port(82, true), port(8080, false), port(8081, true)]);
    }

    #[test]
    fn both_ways_of_asking_find_what_listens() {
        let sockets = ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0"].map(|a| TcpListener::bind(a).unwrap());
        // A connection is none that listens.
        let client = std::net::TcpStream::connect(sockets[0].local_addr().unwrap()).unwrap();
        for found in [diag::listening().unwrap(), proc::listening()] {
            for s in &sockets {
                let at = s.local_addr().unwrap();
                assert!(found.contains(&(at.ip(), at.port())), "{at} is not in {found:?}");
            }
            assert!(!found.iter().any(|(_, port)| *port == client.local_addr().unwrap().port()));
        }
    }
}
