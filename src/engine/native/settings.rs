//! What an operator can set about the native engine.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

/// The table `[engine]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NativeSettings {
    /// Name or path of the OCI runtime. runc and crun are known to work; crun refuses hosts with cgroup v1.
    pub runtime: String,
    /// First user id on the host that sandboxes may have; each takes 262,144 from here on. The default is the start of
    /// the range that systemd sets aside for containers.
    pub uid_base: u32,
    /// Addresses of the sandboxes: a network of which each session gets 32. The last 32 are Boatyard's own.
    pub subnet: Subnet,
    /// Whether sandboxes reach the internet. They never reach private networks, this host or other sessions.
    pub internet: bool,
    /// Name servers of sandboxes with internet: the only private addresses that they may reach, on port 53.
    pub dns: Vec<IpAddr>,
    /// How many sandboxes are made at the same time; more wait. Each keeps about one processor busy.
    pub concurrent_creations: usize,
}

impl Default for NativeSettings {
    fn default() -> Self {
        NativeSettings {
            runtime: "runc".into(),
            uid_base: 1 << 28,
            subnet: Subnet { address: Ipv4Addr::new(100, 96, 0, 0), prefix: 16 },
            internet: false,
            dns: Vec::new(),
            concurrent_creations: std::thread::available_parallelism().map_or(2, |n| n.get().max(2)),
        }
    }
}

/// An IPv4 network, written `100.96.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet {
    /// Its first address.
    pub address: Ipv4Addr,
    /// Length of its prefix in bits, from 8 to 26: there is room for one session and for Boatyard's own link.
    pub prefix: u8,
}

impl Subnet {
    /// Number of its addresses.
    pub fn size(&self) -> u32 {
        1 << (32 - self.prefix)
    }

    /// The address `n` from the end, the last being 1.
    pub fn from_end(&self, n: u32) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.address) + self.size() - n)
    }

    /// Whether `a` lies in it.
    pub fn contains(&self, a: Ipv4Addr) -> bool {
        u32::from(a) & !(self.size() - 1) == u32::from(self.address)
    }
}

impl TryFrom<String> for Subnet {
    type Error = String;

    fn try_from(s: String) -> Result<Self, String> {
        let bad = || format!("{s:?} is no network such as 100.96.0.0/16 with a prefix from 8 to 26");
        let (address, prefix) = s.split_once('/').ok_or_else(bad)?;
        let address: Ipv4Addr = address.parse().map_err(|_| bad())?;
        let prefix: u8 = prefix.parse().map_err(|_| bad())?;
        if !(8..=26).contains(&prefix) {
            return Err(bad());
        }
        let net = Subnet { address, prefix };
        if !net.contains(address) || u32::from(address) & (net.size() - 1) != 0 {
            return Err(format!("{s:?} has bits set after its prefix"));
        }
        Ok(net)
    }
}

impl From<Subnet> for String {
    fn from(s: Subnet) -> String {
        format!("{}/{}", s.address, s.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_are_checked() {
        let net = Subnet::try_from("100.96.0.0/16".to_owned()).unwrap();
        assert_eq!(net, NativeSettings::default().subnet);
        assert_eq!(net.from_end(1), Ipv4Addr::new(100, 96, 255, 255));
        assert!(net.contains(Ipv4Addr::new(100, 96, 3, 4)) && !net.contains(Ipv4Addr::new(100, 97, 0, 0)));
        for bad in ["100.96.0.0", "100.96.0.1/16", "100.96.0.0/30", "x/16", "100.96.0.0/99"] {
            assert!(Subnet::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(toml::from_str::<NativeSettings>("runtime = 'crun'\n").is_ok());
        assert!(toml::from_str::<NativeSettings>("runtimes = 'crun'\n").is_err());
    }
}
