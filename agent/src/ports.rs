//! Which TCP ports listen in the sandbox, read from /proc/net while someone wants to know.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use boatyard_protocol::agent::{AgentConfig, ListeningPort};
use tokio::sync::Notify;

use crate::events::Hub;

/// How often the ports are compared.
const EVERY: Duration = Duration::from_millis(500);
/// Ports of the Docker Engine itself: swarm management and gossip.
const DOCKERS: [u16; 2] = [2377, 7946];

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
        let hidden = config.tunnels.iter().map(|t| t.port).chain(DOCKERS).collect();
        Self { hidden: Arc::new(hidden), events, wake: Arc::default() }
    }

    /// What listens now.
    pub fn now(&self) -> Vec<ListeningPort> {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let ports = listening(&read("/proc/self/net/tcp"), &read("/proc/self/net/tcp6"));
        let ports: Vec<_> = ports.into_iter().filter(|p| !self.hidden.contains(&p.port)).collect();
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

/// Ports in state LISTEN, in ascending order.
fn listening(tcp: &str, tcp6: &str) -> Vec<ListeningPort> {
    let mut found: BTreeMap<u16, bool> = BTreeMap::new();
    for line in tcp.lines().chain(tcp6.lines()).skip(1) {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (Some(local), Some(_), Some("0A")) = (fields.next(), fields.next(), fields.next()) else { continue };
        let Some((address, port)) = local.split_once(':') else { continue };
        let Ok(port) = u16::from_str_radix(port, 16) else { continue };
        // Little-endian words: 127.x.y.z ends in 7F; ::1, and a mapped 127.x.y.z.
        let loopback = match address.len() {
            8 => address.ends_with("7F"),
            _ => {
                address == "00000000000000000000000001000000"
                    || (address.starts_with("0000000000000000FFFF0000") && address.ends_with("7F"))
            }
        };
        let only = found.entry(port).or_insert(true);
        *only &= loopback;
    }
    found.into_iter().map(|(port, loopback)| ListeningPort { port, loopback }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_from_proc() {
        let tcp = "  sl  local_address rem_address   st\n\
            0: 0100007F:1F90 00000000:0000 0A 0\n\
            1: 00000000:0050 00000000:0000 0A 0\n\
            2: 0100007F:0051 0100007F:9999 01 0\n";
        let tcp6 = "  sl  local_address remote_address st\n\
            0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0\n\
            1: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 0\n";
        let port = |port, loopback| ListeningPort { port, loopback };
        assert_eq!(listening(tcp, tcp6), [port(80, false), port(8080, false), port(8081, true)]);
        assert_eq!(listening("garbage", ": : 0A\nx zz:zz y 0A"), []);
    }
}
