//! Packet filters, static: no rule is added or removed when sandboxes come and go.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr},
};

use anyhow::{Context, Result};
use nftables::{
    batch::Batch,
    expr::{CT, Expression, Meta, MetaKey, NamedExpression, Payload, PayloadField, Prefix, SetItem},
    helper::{self, NftablesError},
    schema::{Chain, FlushObject, NfCmd, NfListObject, Nftables, Rule, Table},
    stmt::{Accept, Match, Operator, Reject, RejectType, Statement},
    types::{NfChainPolicy, NfChainType, NfFamily, NfHook, RejectCode},
};

use super::settings::Subnet;

/// Networks of the world that are not the internet: what is here may trust whoever can reach it.
const NOT_THE_INTERNET: &[(Ipv4Addr, u8, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "carriers' private, and all sessions"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local, with the clouds' metadata services"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignments"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarks of inner networks"),
    (Ipv4Addr::new(224, 0, 0, 0), 3, "multicast, reserved and broadcast"),
];

/// Name of the table in the yard.
pub(crate) const YARD_TABLE: &str = "boatyard";

fn meta(key: MetaKey) -> Expression<'static> {
    Expression::Named(NamedExpression::Meta(Meta { key }))
}

fn field(protocol: &'static str, field: &'static str) -> Expression<'static> {
    let field = PayloadField { protocol: protocol.into(), field: field.into() };
    Expression::Named(NamedExpression::Payload(Payload::PayloadField(field)))
}

fn text(s: impl Into<Cow<'static, str>>) -> Expression<'static> {
    Expression::String(s.into())
}

fn prefix(address: Ipv4Addr, len: u8) -> Expression<'static> {
    let addr = Box::new(text(address.to_string()));
    Expression::Named(NamedExpression::Prefix(Prefix { addr, len: len.into() }))
}

fn set(items: impl IntoIterator<Item = Expression<'static>>) -> Expression<'static> {
    Expression::Named(NamedExpression::Set(items.into_iter().map(SetItem::Element).collect()))
}

fn is(left: Expression<'static>, right: Expression<'static>) -> Statement<'static> {
    Statement::Match(Match { left, right, op: Operator::EQ })
}

fn is_not(left: Expression<'static>, right: Expression<'static>) -> Statement<'static> {
    Statement::Match(Match { left, right, op: Operator::NEQ })
}

fn belongs_to_a_connection() -> Statement<'static> {
    let state = Expression::Named(NamedExpression::CT(CT { key: "state".into(), family: None, dir: None }));
    Statement::Match(Match {
        left: state,
        right: Expression::List(vec![text("established"), text("related")]),
        op: Operator::IN,
    })
}

fn accept() -> Statement<'static> {
    Statement::Accept(Some(Accept {}))
}

/// Refuses with an ICMP error: programs inside see it at once, instead of waiting for a time-out.
fn refuse() -> Statement<'static> {
    Statement::Reject(Some(Reject::new(Some(RejectType::ICMPX), Some(RejectCode::AdminProhibited))))
}

/// A table that is built anew in one transaction, whatever it held before.
struct TableBuilder {
    batch: Batch<'static>,
    family: NfFamily,
    table: Cow<'static, str>,
}

impl TableBuilder {
    fn new(family: NfFamily, name: impl Into<Cow<'static, str>>) -> TableBuilder {
        let table = name.into();
        let mut batch = Batch::new();
        let this = Table { family, name: table.clone(), handle: None };
        batch.add(NfListObject::Table(this.clone()));
        batch.add_cmd(NfCmd::Flush(FlushObject::Table(this)));
        TableBuilder { batch, family, table }
    }

    fn chain(&mut self, name: &'static str, kind: NfChainType, hook: NfHook, prio: i32, policy: NfChainPolicy) {
        self.batch.add(NfListObject::Chain(Chain {
            family: self.family,
            table: self.table.clone(),
            name: name.into(),
            _type: Some(kind),
            hook: Some(hook),
            prio: Some(prio),
            policy: Some(policy),
            ..Chain::default()
        }));
    }

    fn rule(&mut self, chain: &'static str, why: &'static str, expr: Vec<Statement<'static>>) {
        self.batch.add(NfListObject::Rule(Rule {
            family: self.family,
            table: self.table.clone(),
            chain: chain.into(),
            expr: expr.into(),
            handle: None,
            index: None,
            comment: Some(why.into()),
        }));
    }

    fn build(self) -> Nftables<'static> {
        self.batch.to_nftables()
    }
}

/// The rules of the yard, where all sessions' bridges meet. `uplink` is the link to the host's network, if sandboxes
/// may reach the internet.
pub(super) fn yard(subnet: Subnet, uplink: Option<&'static str>, dns: &[IpAddr]) -> Nftables<'static> {
    let mut t = TableBuilder::new(NfFamily::INet, YARD_TABLE);
    t.chain("input", NfChainType::Filter, NfHook::Input, 0, NfChainPolicy::Drop);
    t.rule("input", "answers to the yard itself", vec![belongs_to_a_connection(), accept()]);
    t.rule(
        "input",
        "a session may ping its gateway, which is how people look whether a network is up",
        vec![is(field("icmp", "type"), text("echo-request")), accept()],
    );
    t.rule("input", "nothing listens in the yard", vec![refuse()]);
    t.chain("forward", NfChainType::Filter, NfHook::Forward, 0, NfChainPolicy::Drop);
    t.rule("forward", "answers to what was let through", vec![belongs_to_a_connection(), accept()]);
    t.rule(
        "forward",
        "sessions do not reach each other",
        vec![is(field("ip", "daddr"), prefix(subnet.address, subnet.prefix)), refuse()],
    );
    let Some(uplink) = uplink else {
        t.rule("forward", "offline: there is nothing else to reach", vec![refuse()]);
        return t.build();
    };
    let servers: Vec<_> = dns.iter().filter(|a| a.is_ipv4()).map(|a| text(a.to_string())).collect();
    if !servers.is_empty() {
        for protocol in ["udp", "tcp"] {
            t.rule(
                "forward",
                "the configured name servers may have private addresses",
                vec![
                    is(field("ip", "daddr"), set(servers.clone())),
                    is(field(protocol, "dport"), Expression::Number(53)),
                    is(meta(MetaKey::Oifname), text(uplink)),
                    accept(),
                ],
            );
        }
    }
    let closed = NOT_THE_INTERNET.iter().map(|(address, len, _)| prefix(*address, *len));
    t.rule(
        "forward",
        "private networks, the host's own among them, and the metadata address",
        vec![is(field("ip", "daddr"), set(closed)), refuse()],
    );
    t.rule(
        "forward",
        "no source address but a session's own leaves the yard",
        vec![is_not(field("ip", "saddr"), prefix(subnet.address, subnet.prefix)), refuse()],
    );
    t.rule("forward", "the internet", vec![is(meta(MetaKey::Oifname), text(uplink)), accept()]);
    t.rule("forward", "everything else", vec![refuse()]);
    t.build()
}

/// The rules in the host's own namespace, there only when sandboxes may reach the internet. `link` is the host's end
/// of the uplink.
pub(super) fn host(table: String, subnet: Subnet, link: &str) -> Nftables<'static> {
    let link = link.to_owned();
    let mut t = TableBuilder::new(NfFamily::INet, table);
    let from = || is(meta(MetaKey::Iifname), text(link.clone()));
    // Before the usual filters at 0, so that what those accept (ssh, the server's own page) is refused here first.
    t.chain("input", NfChainType::Filter, NfHook::Input, -10, NfChainPolicy::Accept);
    t.rule("input", "sessions do not reach the host, by whichever of its addresses", vec![from(), refuse()]);
    t.chain("forward", NfChainType::Filter, NfHook::Forward, -10, NfChainPolicy::Accept);
    t.rule(
        "forward",
        "nobody opens connections into the sessions",
        vec![is(meta(MetaKey::Oifname), text(link.clone())), belongs_to_a_connection(), accept()],
    );
    t.rule(
        "forward",
        "nobody opens connections into the sessions",
        vec![is(meta(MetaKey::Oifname), text(link.clone())), refuse()],
    );
    t.chain("postrouting", NfChainType::NAT, NfHook::Postrouting, 100, NfChainPolicy::Accept);
    t.rule(
        "postrouting",
        "the world sees the host's address, since it knows no way to a session's",
        vec![
            is(field("ip", "saddr"), prefix(subnet.address, subnet.prefix)),
            is_not(meta(MetaKey::Oifname), text(link.clone())),
            Statement::Masquerade(None),
        ],
    );
    t.build()
}

/// Applies rules in the network namespace of this thread.
pub(crate) fn apply(rules: &Nftables<'_>) -> Result<()> {
    explain(helper::apply_ruleset(rules))
}

/// Removes a table from the network namespace of this thread; none there is fine.
pub(super) fn remove(name: String) -> Result<()> {
    let table = Table { family: NfFamily::INet, name: name.into(), handle: None };
    let mut batch = Batch::new();
    // Added first, since removing what is not there is an error.
    batch.add(NfListObject::Table(table.clone()));
    batch.delete(NfListObject::Table(table));
    apply(&batch.to_nftables())
}

fn explain(r: Result<(), NftablesError>) -> Result<()> {
    match r {
        Err(NftablesError::NftFailed { stdout, stderr, .. }) => {
            anyhow::bail!("nft refused the rules (why is on standard error) {}{}", stdout.trim(), stderr.trim())
        }
        r => r.context("nft (apt-get install nftables)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_says_why() {
        let subnet = Subnet { address: Ipv4Addr::new(100, 96, 0, 0), prefix: 16 };
        for rules in [yard(subnet, None, &[]), yard(subnet, Some("uplink"), &[]), host("x".into(), subnet, "y")] {
            let json = serde_json::to_value(&rules).unwrap();
            for rule in json["nftables"].as_array().unwrap().iter().filter_map(|o| o["add"].get("rule")) {
                assert!(rule["comment"].is_string(), "{rule}");
            }
        }
    }

    #[test]
    fn an_offline_yard_lets_nothing_out() {
        let subnet = Subnet { address: Ipv4Addr::new(100, 96, 0, 0), prefix: 16 };
        let json = serde_json::to_string(&yard(subnet, None, &["10.0.0.1".parse().unwrap()])).unwrap();
        assert!(!json.contains("oifname") && !json.contains("10.0.0.1"));
    }
}
