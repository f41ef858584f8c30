//! Host names of published ports.

use crate::session::{NodeName, PublicName};

/// What a port's host name says: `<port>-<node>-<public name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortHost {
    /// The port, from 1.
    pub port: u16,
    /// The node.
    pub node: NodeName,
    /// The session's public name.
    pub session: PublicName,
}

impl PortHost {
    /// Reads a host name below `domain`; `None` if it is no port's.
    pub fn parse(host: &str, domain: &str) -> Option<PortHost> {
        let label = host.strip_suffix(domain)?.strip_suffix('.')?;
        let mut parts = label.split('-');
        let (port, node, session) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || port.starts_with('0') || !port.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some(PortHost { port: port.parse().ok()?, node: NodeName::parse(node)?, session: PublicName::parse(session)? })
    }

    /// The host name below `domain`.
    pub fn name(&self, domain: &str) -> String {
        format!("{}-{}-{}.{domain}", self.port, self.node, self.session)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_reads_back(port in 1u16.., node in "[a-z][a-z0-9]{0,15}") {
            let h = PortHost { port, node: NodeName::parse(&node).unwrap(), session: PublicName::random() };
            prop_assert_eq!(PortHost::parse(&h.name("lab.example.org"), "lab.example.org"), Some(h));
        }

        #[test]
        fn any_text_is_read_without_panic(host in ".*") {
            let _ = PortHost::parse(&host, "localhost");
        }
    }

    #[test]
    fn other_names_are_no_ports() {
        for host in [
            "localhost",
            "8080-node1-abcdefghij.example.org",
            "0-node1-abcdefghij.localhost",
            "080-node1-abcdefghij.localhost",
            "99999-node1-abcdefghij.localhost",
            "8080-node1-short.localhost",
            "8080-node-1-abcdefghij.localhost",
            "x.8080-node1-abcdefghij.localhost",
            "8080-node1-abcdefghijlocalhost",
        ] {
            assert_eq!(PortHost::parse(host, "localhost"), None, "{host}");
        }
    }
}
