//! Which addresses are the public internet's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one of the public internet (IANA's special-purpose address registries): not this machine, not its
/// networks, not a cloud's metadata service, nor anything that leads there in disguise.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(a: Ipv4Addr) -> bool {
    let [first, second, third, _] = a.octets();
    let special = a.is_private()
        || a.is_loopback()
        || a.is_link_local()
        || a.is_documentation()
        || first == 0
        // Shared with carriers' customers, and by sandboxes here.
        || (first == 100 && second & 0xc0 == 64)
        || (first == 192 && second == 0 && third == 0)
        || (first == 192 && second == 88 && third == 99)
        || (first == 198 && second & 0xfe == 18)
        // Multicast, reserved, broadcast.
        || first >= 224;
    !special
}

fn is_public_v6(a: Ipv6Addr) -> bool {
    let s = a.segments();
    // Only 2000::/3 is given out: so neither loopback, mapped IPv4, NAT64, unique local, link-local nor multicast.
    let unicast = s[0] & 0xe000 == 0x2000;
    let special = (s[0] == 0x2001 && (s[1] < 0x0200 || s[1] == 0x0db8)) // Teredo and other protocols' own; documentation
        || s[0] == 0x2002 // 6to4 carries an IPv4 address
        || (s[0] == 0x3fff && s[1] < 0x1000);
    unicast && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_internets_own_are_public() {
        for public in ["1.1.1.1", "185.199.108.133", "100.63.0.1", "172.15.0.1", "2606:50c0:8000::153", "2a00::1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for not in [
            "0.0.0.0",
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.96.0.2",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
        ] {
            assert!(!is_public(not.parse().unwrap()), "{not}");
        }
    }
}
