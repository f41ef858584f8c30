//! Tickets and cookies of port hosts: signed, bound to one host name, and good for nothing else.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::store::now_ms;

/// How long a ticket is good for, in milliseconds.
const TICKET_MS: i64 = 60_000;

/// Issues and checks tickets and cookies.
pub struct Tickets {
    secret: Vec<u8>,
}

impl Tickets {
    /// `secret` signs them.
    pub fn new(secret: Vec<u8>) -> Tickets {
        Tickets { secret }
    }

    /// A ticket that opens `host`, for a minute.
    pub fn issue(&self, host: &str) -> String {
        let until = now_ms() + TICKET_MS;
        format!("{until}.{}", self.sign("ticket", host, until))
    }

    /// Whether `ticket` opens `host` now.
    pub fn accept(&self, host: &str, ticket: &str) -> bool {
        let Some((until, signature)) = ticket.split_once('.') else { return false };
        let Ok(until) = until.parse::<i64>() else { return false };
        until > now_ms() && self.verify("ticket", host, until, signature)
    }

    /// The cookie of `host`: good as long as its session lives.
    pub fn cookie(&self, host: &str) -> String {
        self.sign("cookie", host, 0)
    }

    /// Whether `value` is the cookie of `host`.
    pub fn is_cookie(&self, host: &str, value: &str) -> bool {
        self.verify("cookie", host, 0, value)
    }

    fn mac(&self, kind: &str, host: &str, until: i64) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length (RFC 2104)");
        mac.update(format!("{kind}\n{host}\n{until}").as_bytes());
        mac
    }

    fn sign(&self, kind: &str, host: &str, until: i64) -> String {
        hex::encode(self.mac(kind, host, until).finalize().into_bytes())
    }

    fn verify(&self, kind: &str, host: &str, until: i64, signature: &str) -> bool {
        hex::decode(signature).is_ok_and(|s| self.mac(kind, host, until).verify_slice(&s).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_opens_its_own_host_only() {
        let t = Tickets::new(vec![7; 64]);
        let ticket = t.issue("8080-node1-abcdefghij.localhost");
        assert!(t.accept("8080-node1-abcdefghij.localhost", &ticket));
        assert!(!t.accept("8081-node1-abcdefghij.localhost", &ticket));
        assert!(!Tickets::new(vec![8; 64]).accept("8080-node1-abcdefghij.localhost", &ticket));
        let (_, signature) = ticket.split_once('.').unwrap();
        assert!(
            !t.accept("8080-node1-abcdefghij.localhost", &format!("{}.{signature}", i64::MAX)),
            "it cannot be prolonged"
        );
        assert!(!t.is_cookie("8080-node1-abcdefghij.localhost", signature), "a ticket is no cookie");
        assert!(t.is_cookie("h", &t.cookie("h")));
        for nonsense in ["", ".", "1.", "x.y", "99999999999999999999.00"] {
            assert!(!t.accept("h", nonsense));
        }
    }
}
