//! Redirects connections to a tunnel's aliases, by nftables, or by iptables where there is no `nft`.

use std::{fmt::Write, io, os::fd::AsRawFd, sync::Arc};

use boatyard_protocol::agent::{ExecRequest, Tunnel};
use tokio::net::TcpSocket;

use crate::{exec, reaper::Reaper};

/// Mark of the agent's own connections, which are not redirected.
const MARK: u32 = 0x626f_6174;

/// Gives a socket the mark.
///
/// # Errors
/// What setsockopt(2) says: EPERM without CAP_NET_ADMIN.
pub fn mark(socket: &TcpSocket) -> io::Result<()> {
    let (fd, mark) = (socket.as_raw_fd(), MARK);
    // SAFETY: setsockopt reads one integer of the length given.
    let done = unsafe {
        let value = std::ptr::from_ref(&mark).cast();
        libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_MARK, value, size_of::<u32>() as libc::socklen_t)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Installs the redirections in the sandbox's network namespace.
///
/// # Errors
/// When neither `nft` nor `iptables` is there or works.
pub async fn install(reaper: &Arc<Reaper>, tunnels: &[Tunnel]) -> io::Result<()> {
    let nft = run(reaper, &["nft", "-f", "-"], nft_rules(tunnels)).await;
    let Err(why) = nft else { return Ok(()) };
    tracing::info!("nft: {why}; trying iptables");
    for rule in iptables_rules(tunnels) {
        run(reaper, &rule.iter().map(String::as_str).collect::<Vec<_>>(), String::new()).await?;
    }
    Ok(())
}

async fn run(reaper: &Arc<Reaper>, command: &[&str], stdin: String) -> io::Result<()> {
    let request = ExecRequest {
        command: command.iter().map(|s| s.to_string()).collect(),
        stdin: Some(stdin),
        cwd: Some("/".into()),
        user: Some("root".into()),
        timeout_ms: 10_000,
        max_output: 4096,
        ..Default::default()
    };
    let done = exec::run(reaper, request).await?;
    match done.exit_code {
        0 => Ok(()),
        code => Err(io::Error::other(format!("{} ended with {code}: {}", command[0], done.stderr.trim()))),
    }
}

fn nft_rules(tunnels: &[Tunnel]) -> String {
    let mut rules = String::from(
        "table ip boatyard\ndelete table ip boatyard\ntable ip boatyard {\n  chain output {\n    \
         type nat hook output priority dstnat; policy accept;\n",
    );
    let _ = writeln!(rules, "    meta mark {MARK:#x} return");
    for tunnel in tunnels {
        for alias in &tunnel.aliases {
            let (ip, port, to) = (alias.ip(), alias.port(), tunnel.port);
            let _ = writeln!(rules, "    ip daddr {ip} tcp dport {port} redirect to :{to}");
        }
    }
    rules.push_str("  }\n}\n");
    rules
}

fn iptables_rules(tunnels: &[Tunnel]) -> Vec<Vec<String>> {
    let aliases = tunnels.iter().flat_map(|t| t.aliases.iter().map(|a| (*a, t.port)));
    aliases
        .map(|(alias, port)| {
            let rule = format!(
                "iptables -w 5 -t nat -I OUTPUT -d {} -p tcp --dport {} -m mark ! --mark {MARK:#x} -j REDIRECT --to-ports {port}",
                alias.ip(),
                alias.port()
            );
            rule.split(' ').map(str::to_owned).collect()
        })
        .collect()
}
