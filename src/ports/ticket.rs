//! Tickets and cookies of port hosts: signed, bound to one host name, and good for nothing else.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::store::now_ms;

/// How long a ticket is good for, in milliseconds.
const TICKET_MS: i64 = 60_000;

/// Issues and checks tickets and cookies.
pub struct Tickets {
    secret: Vec<u8>,
}

/// Who a ticket or a cookie lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// The owner of the session.
    Owner,
    /// Whoever has this link.
    Link(Uuid),
}

impl Tickets {
    /// `secret` signs them.
    pub fn new(secret: Vec<u8>) -> Tickets {
        Tickets { secret }
    }

    /// A ticket with which `bearer` comes in at `host`, for a minute.
    pub fn issue(&self, bearer: Bearer, host: &str) -> String {
        let until = now_ms() + TICKET_MS;
        format!("{}{until}.{}", prefix(bearer), self.sign("ticket", bearer, host, until))
    }

    /// Who comes in at `host` with `ticket` now, if anybody.
    pub fn accept(&self, host: &str, ticket: &str) -> Option<Bearer> {
        let (bearer, rest) = bearer_of(ticket)?;
        let (until, signature) = rest.split_once('.')?;
        let until = until.parse::<i64>().ok()?;
        (until > now_ms() && self.verify("ticket", bearer, host, until, signature)).then_some(bearer)
    }

    /// The cookie of `bearer` at `host`: good as long as the session lives, and the link.
    pub fn cookie(&self, bearer: Bearer, host: &str) -> String {
        format!("{}{}", prefix(bearer), self.sign("cookie", bearer, host, 0))
    }

    /// Who brings `value` as the cookie of `host`, if anybody.
    pub fn bearer(&self, host: &str, value: &str) -> Option<Bearer> {
        let (bearer, signature) = bearer_of(value)?;
        self.verify("cookie", bearer, host, 0, signature).then_some(bearer)
    }

    fn mac(&self, kind: &str, bearer: Bearer, host: &str, until: i64) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length (RFC 2104)");
        mac.update(format!("{}{kind}\n{host}\n{until}", prefix(bearer)).as_bytes());
        mac
    }

    fn sign(&self, kind: &str, bearer: Bearer, host: &str, until: i64) -> String {
        hex::encode(self.mac(kind, bearer, host, until).finalize().into_bytes())
    }

    fn verify(&self, kind: &str, bearer: Bearer, host: &str, until: i64, signature: &str) -> bool {
        hex::decode(signature).is_ok_and(|s| self.mac(kind, bearer, host, until).verify_slice(&s).is_ok())
    }
}

fn prefix(bearer: Bearer) -> String {
    match bearer {
        Bearer::Owner => String::new(),
        Bearer::Link(id) => format!("link-{}.", id.simple()),
    }
}

fn bearer_of(text: &str) -> Option<(Bearer, &str)> {
    let Some(rest) = text.strip_prefix("link-") else { return Some((Bearer::Owner, text)) };
    let (id, rest) = rest.split_once('.')?;
    Some((Bearer::Link(Uuid::try_parse(id).ok()?), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "8080-node1-abcdefghij.localhost";

    #[test]
    fn a_ticket_opens_its_own_host_only() {
        let t = Tickets::new(vec![7; 64]);
        let link = Bearer::Link(Uuid::new_v4());
        for bearer in [Bearer::Owner, link] {
            let ticket = t.issue(bearer, HOST);
            assert_eq!(t.accept(HOST, &ticket), Some(bearer));
            assert_eq!(t.accept("8081-node1-abcdefghij.localhost", &ticket), None);
            assert_eq!(Tickets::new(vec![8; 64]).accept(HOST, &ticket), None);
            let (_, signature) = ticket.rsplit_once('.').unwrap();
            let longer = format!("{}{}.{signature}", prefix(bearer), i64::MAX);
            assert_eq!(t.accept(HOST, &longer), None, "it cannot be prolonged");
            assert_eq!(t.bearer(HOST, signature), None, "a ticket is no cookie");
            assert_eq!(t.bearer("h", &t.cookie(bearer, "h")), Some(bearer));
            for nonsense in ["", ".", "1.", "x.y", "99999999999999999999.00", "link-", "link-x.1.00"] {
                assert_eq!(t.accept("h", nonsense), None);
                assert_eq!(t.bearer("h", nonsense), None);
            }
        }
    }

    #[test]
    fn a_link_s_bearer_is_neither_the_owner_nor_another_link_s() {
        let t = Tickets::new(vec![7; 64]);
        let cookie = t.cookie(Bearer::Link(Uuid::new_v4()), HOST);
        let (_, signature) = cookie.split_once('.').unwrap();
        assert_eq!(t.bearer(HOST, signature), None);
        assert_eq!(t.bearer(HOST, &format!("link-{}.{signature}", Uuid::new_v4().simple())), None);
    }
}
