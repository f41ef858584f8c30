//! Listening sockets as /proc/net shows them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses and ports of the TCP sockets that listen in this network namespace.
pub fn listening() -> Vec<(IpAddr, u16)> {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let mut found = parse(&read("/proc/self/net/tcp"));
    found.extend(parse(&read("/proc/self/net/tcp6")));
    found
}

fn parse(table: &str) -> Vec<(IpAddr, u16)> {
    let socket = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (local, _, state) = (fields.next()?, fields.next()?, fields.next()?);
        let (ip, port) = local.split_once(':')?;
        (state == "0A").then_some((address(ip)?, u16::from_str_radix(port, 16).ok()?))
    };
    table.lines().filter_map(socket).collect()
}

/// An address in hexadecimal digits: words of 32 bits as this processor keeps them.
fn address(digits: &str) -> Option<IpAddr> {
    let word = |i: usize| {
        let word = u32::from_str_radix(digits.get(8 * i..8 * (i + 1))?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    match digits.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let all: Vec<u8> = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
            Some(Ipv6Addr::from(<[u8; 16]>::try_from(all).ok()?).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn tables_are_parsed() {
        let table = "  sl  local_address rem_address   st\n\
            0: 0100007F:1F90 00000000:0000 0A 0\n\
            1: 00000000:0050 00000000:0000 0A 0\n\
            2: 0100007F:0051 0100007F:9999 01 0\n\
            3: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 0\n\
            4: 0000000000000000FFFF00000100007F:1F92 00000000000000000000000000000000:0000 0A 0\n";
        let expected = [("127.0.0.1", 8080), ("0.0.0.0", 80), ("::1", 8081), ("::ffff:127.0.0.1", 8082)];
        assert_eq!(parse(table), expected.map(|(ip, port)| (ip.parse().unwrap(), port)));
        assert_eq!(parse("garbage\n0: : : 0A\nx zz:zz y 0A\n0: 00:00 0 0A"), []);
    }
}
