//! Networks. All sessions' bridges lie in a network namespace of Boatyard's own, the *yard*, so the host sees none of
//! them; rules in the yard keep sessions apart. The yard outlives the server, as the sandboxes do.

use std::{
    fs::{self, File},
    io,
    net::{IpAddr, Ipv4Addr},
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, anyhow};
use futures_util::TryStreamExt;
use netlink_packet_route::link::{InfoData, InfoVeth, LinkAttribute, LinkMessage};
use rtnetlink::{
    Handle, LinkBridge, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder, packet_route::link::LinkFlags,
};
use tokio::{sync::Mutex, task::spawn_blocking};

use super::{
    disk::is_mount_point,
    nft,
    record::{LINK_PREFIX, Place},
    rootfs::unmount_all,
    settings::NativeSettings,
    sys,
};
use crate::{
    engine::{NetworkSpec, SandboxId},
    paths::Paths,
};

/// The yard's end of the link to the host.
const UPLINK: &str = "uplink";

/// The yard, open.
#[derive(Debug)]
pub(super) struct Yard {
    handle: Handle,
    /// A bridge is removed with its last port: nobody may add one in between.
    bridges: Mutex<()>,
}

/// Keeps the yard open once it is.
#[derive(Debug)]
pub(super) struct YardKeeper {
    file: PathBuf,
    instance: String,
    open: Mutex<Option<Arc<Yard>>>,
}

impl YardKeeper {
    pub fn new(paths: &Paths) -> YardKeeper {
        YardKeeper { file: paths.run().join("netns"), instance: paths.instance().to_owned(), open: Mutex::new(None) }
    }

    /// The yard, made if there is none, with the rules that the settings ask for.
    pub async fn open(&self, settings: &NativeSettings) -> Result<Arc<Yard>> {
        let mut open = self.open.lock().await;
        if let Some(yard) = open.as_ref().filter(|_| is_mount_point(&self.file)) {
            return Ok(yard.clone());
        }
        let (file, subnet, dns) = (self.file.clone(), settings.subnet, settings.dns.clone());
        let uplink = settings.internet.then_some(UPLINK);
        spawn_blocking(move || {
            make_namespace(&file)?;
            in_namespace(&File::open(&file)?, move || {
                set_up_kernel()?;
                nft::apply(&nft::yard(subnet, uplink, &dns))
            })
        })
        .await??;
        let handle = connect(File::open(&self.file)?.into()).await?;
        set_up(&handle, "lo").await?;
        let yard = Arc::new(Yard { handle, bridges: Mutex::new(()) });
        self.set_uplink(&yard, settings).await.context("link to the internet")?;
        *open = Some(yard.clone());
        Ok(yard)
    }

    /// The yard, if there is one.
    pub async fn existing(&self) -> Result<Option<Arc<Yard>>> {
        let mut open = self.open.lock().await;
        if !is_mount_point(&self.file) {
            return Ok(None);
        }
        if let Some(yard) = open.as_ref() {
            return Ok(Some(yard.clone()));
        }
        // Not kept: its rules have not been looked at.
        let handle = connect(File::open(&self.file)?.into()).await?;
        open.take();
        Ok(Some(Arc::new(Yard { handle, bridges: Mutex::new(()) })))
    }

    /// Removes the yard with everything in it, and what belongs to it in the host's namespace.
    pub async fn remove(&self) -> Result<()> {
        let mut open = self.open.lock().await;
        open.take();
        self.remove_host_side().await?;
        unmount_all(&self.file)?;
        super::record::remove_file(&self.file)
    }

    fn host_link(&self) -> String {
        format!("by{}", self.instance)
    }

    fn host_table(&self) -> String {
        format!("boatyard_{}", self.instance)
    }

    async fn remove_host_side(&self) -> Result<()> {
        let host = connect(File::open("/proc/self/ns/net")?.into()).await?;
        // Without the link there is no table: the link is made first and removed last.
        if index(&host, &self.host_link()).await?.is_some() {
            let table = self.host_table();
            spawn_blocking(move || nft::remove(table)).await??;
            delete_link(&host, &self.host_link()).await?;
        }
        Ok(())
    }

    async fn set_uplink(&self, yard: &Yard, settings: &NativeSettings) -> Result<()> {
        if !settings.internet {
            return self.remove_host_side().await;
        }
        let host = connect(File::open("/proc/self/ns/net")?.into()).await?;
        let (ours, theirs) = (settings.subnet.from_end(3), settings.subnet.from_end(2));
        if index(&yard.handle, UPLINK).await?.is_none() || index(&host, &self.host_link()).await?.is_none() {
            let yard_ns = File::open(&self.file)?;
            let link = veth(&self.host_link(), UPLINK, yard_ns.as_raw_fd());
            nl(host.link().add(link.build()).execute().await, "adding the uplink")?;
        }
        let on_host = require(&host, &self.host_link()).await?;
        add_address(&host, on_host, theirs, 30).await?;
        set_up(&host, &self.host_link()).await?;
        let in_yard = require(&yard.handle, UPLINK).await?;
        add_address(&yard.handle, in_yard, ours, 30).await?;
        set_up(&yard.handle, UPLINK).await?;
        add_default_route(&yard.handle, theirs).await?;
        let way_back = RouteMessageBuilder::<Ipv4Addr>::new()
            .destination_prefix(settings.subnet.address, settings.subnet.prefix)
            .gateway(ours)
            .build();
        exists_is_fine(host.route().add(way_back).execute().await, "adding the way back")?;
        let (table, subnet, link) = (self.host_table(), settings.subnet, self.host_link());
        spawn_blocking(move || {
            nft::apply(&nft::host(table, subnet, &link))?;
            fs::write("/proc/sys/net/ipv4/ip_forward", "1").context("net.ipv4.ip_forward")
        })
        .await?
    }
}

impl Yard {
    /// Puts a sandbox, whose first process is `pid`, on its session's network.
    pub async fn attach(&self, place: &Place, network: &NetworkSpec, pid: i32) -> Result<()> {
        let ns = File::open(format!("/proc/{pid}/ns/net")).context("network namespace of the sandbox")?;
        {
            let _alone = self.bridges.lock().await;
            let bridge = self.bridge(network).await?;
            // One message: made, with its other end in the sandbox, on the bridge, and up.
            let link = veth(&place.link, "eth0", ns.as_raw_fd()).controller(bridge).up();
            nl(self.handle.link().add(link.build()).execute().await, "adding the sandbox's link")?;
        }
        let inside = connect(ns.into()).await?;
        let eth0 = require(&inside, "eth0").await?;
        add_address(&inside, eth0, network.address, network.prefix).await?;
        let up = |i| LinkUnspec::new_with_index(i).up().build();
        nl(inside.link().set(up(1)).execute().await, "lo")?;
        nl(inside.link().set(up(eth0)).execute().await, "eth0")?;
        add_default_route(&inside, network.gateway).await
    }

    async fn bridge(&self, network: &NetworkSpec) -> Result<u32> {
        let name = bridge_name(network.number);
        if let Some(i) = index(&self.handle, &name).await? {
            return Ok(i);
        }
        let bridge = LinkBridge::new(&name)
            // It is the only one of its network, so it need not wait to learn of loops.
            .forward_delay(0)
            .mcast_snooping(false)
            .nf_call_iptables(false)
            .build();
        nl(self.handle.link().add(bridge).execute().await, "adding the session's bridge")?;
        let i = require(&self.handle, &name).await?;
        add_address(&self.handle, i, network.gateway, network.prefix).await?;
        Ok(i)
    }

    /// Takes a sandbox's link away, and its session's bridge if it was the last one there.
    pub async fn detach(&self, place: &Place, network: Option<u16>) -> Result<()> {
        let _alone = self.bridges.lock().await;
        delete_link(&self.handle, &place.link).await?;
        let Some(network) = network else { return Ok(()) };
        let name = bridge_name(network);
        let Some(bridge) = index(&self.handle, &name).await? else { return Ok(()) };
        let links = self.links().await?;
        let used = links.iter().any(|l| l.attributes.contains(&LinkAttribute::Controller(bridge)));
        if used { Ok(()) } else { delete_link(&self.handle, &name).await }
    }

    async fn links(&self) -> Result<Vec<LinkMessage>> {
        nl(self.handle.link().get().execute().try_collect().await, "listing links")
    }

    /// The sandboxes that have a link here.
    pub async fn sandboxes(&self) -> Result<Vec<SandboxId>> {
        let names = self.links().await?.into_iter().filter_map(|l| {
            l.attributes.into_iter().find_map(|a| if let LinkAttribute::IfName(n) = a { Some(n) } else { None })
        });
        Ok(names.filter_map(|n| SandboxId::parse(&format!("sb-{}", n.strip_prefix(LINK_PREFIX)?))).collect())
    }

    /// Removes the bridges that nothing is on, which interrupted removals left.
    pub async fn sweep(&self) -> Result<()> {
        let _alone = self.bridges.lock().await;
        let links = self.links().await?;
        for l in &links {
            let name = l.attributes.iter().find_map(|a| if let LinkAttribute::IfName(n) = a { Some(n) } else { None });
            let used = links.iter().any(|p| p.attributes.contains(&LinkAttribute::Controller(l.header.index)));
            if let Some(name) = name.filter(|n| n.starts_with(BRIDGE_PREFIX) && !used) {
                delete_link(&self.handle, name).await?;
            }
        }
        Ok(())
    }
}

const BRIDGE_PREFIX: &str = "net";

fn bridge_name(network: u16) -> String {
    format!("{BRIDGE_PREFIX}{network}")
}

/// A pair of links, the peer already in another namespace.
fn veth(name: &str, peer: &str, peer_ns: i32) -> LinkMessageBuilder<LinkVeth> {
    let peer = LinkMessageBuilder::<LinkUnspec>::new().name(peer).setns_by_fd(peer_ns).build();
    LinkVeth::new(name, "peer").set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
}

/// Makes a network namespace and keeps it by a mount on `file`.
fn make_namespace(file: &Path) -> Result<()> {
    if is_mount_point(file) {
        return Ok(());
    }
    File::create(file).with_context(|| format!("making {}", file.display()))?;
    // On a thread of its own: a namespace is a thread's, and this one would otherwise go on in it.
    let file = file.to_owned();
    std::thread::spawn(move || {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).context("making a network namespace")?;
        rustix::mount::mount_bind("/proc/thread-self/ns/net", &file)
            .with_context(|| format!("keeping the network namespace at {}", file.display()))
    })
    .join()
    .map_err(|_| anyhow!("the thread that makes the network namespace died"))?
}

/// Runs `f` on a thread in another network namespace.
pub(crate) fn in_namespace<T: Send + 'static>(
    ns: &(impl AsFd + ?Sized),
    f: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let ns = ns.as_fd().try_clone_to_owned()?;
    std::thread::spawn(move || {
        sys::enter_netns(ns).context("entering the network namespace")?;
        f()
    })
    .join()
    .map_err(|_| anyhow!("a thread in another network namespace died"))?
}

/// Kernel settings of the yard.
fn set_up_kernel() -> Result<()> {
    let sysctls = [
        // It forwards nothing that its rules do not let through; without forwarding it would not even refuse.
        ("ipv4/ip_forward", "1", true),
        // Refusals are answers that programs wait for: none is held back, however many there are.
        ("ipv4/icmp_ratelimit", "0", true),
        // A session cannot send with the address of another.
        ("ipv4/conf/all/rp_filter", "1", true),
        ("ipv4/conf/default/rp_filter", "1", true),
        // No advice about ways that its rules do not offer.
        ("ipv4/conf/all/send_redirects", "0", true),
        ("ipv4/conf/default/send_redirects", "0", true),
        // The yard itself has no address that its rules for IPv4 would not see.
        ("ipv6/conf/all/disable_ipv6", "1", false),
        ("ipv6/conf/default/disable_ipv6", "1", false),
        // Traffic inside one session is bridged, and no rule's business.
        ("bridge/bridge-nf-call-iptables", "0", false),
    ];
    for (name, value, needed) in sysctls {
        match fs::write(format!("/proc/sys/net/{name}"), value) {
            Err(e) if needed || e.kind() != io::ErrorKind::NotFound => {
                return Err(e).with_context(|| format!("setting net/{name} in the yard"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A netlink connection in a network namespace. A socket stays in the namespace in which it was made.
async fn connect(ns: OwnedFd) -> Result<Handle> {
    let runtime = tokio::runtime::Handle::current();
    let (connection, handle, _) = spawn_blocking(move || {
        in_namespace(&ns, move || {
            let _runtime = runtime.enter();
            rtnetlink::new_connection().context("opening netlink")
        })
    })
    .await??;
    tokio::spawn(connection);
    Ok(handle)
}

fn nl<T>(r: Result<T, rtnetlink::Error>, what: &'static str) -> Result<T> {
    r.map_err(|e| match code(&e) {
        Some(n) => anyhow::Error::from(io::Error::from_raw_os_error(n)),
        None => e.into(),
    })
    .context(what)
}

/// The system's error number in an answer.
fn code(e: &rtnetlink::Error) -> Option<i32> {
    if let rtnetlink::Error::NetlinkError(m) = e { m.code.map(|n| -n.get()) } else { None }
}

fn exists_is_fine(r: Result<(), rtnetlink::Error>, what: &'static str) -> Result<()> {
    match &r {
        Err(e) if code(e) == Some(libc::EEXIST) => Ok(()),
        _ => nl(r, what),
    }
}

async fn index(handle: &Handle, name: &str) -> Result<Option<u32>> {
    let got = handle.link().get().match_name(name).execute().try_next().await;
    match got {
        Err(e) if code(&e) == Some(libc::ENODEV) => Ok(None),
        got => Ok(nl(got, "looking for a link")?.map(|l| l.header.index)),
    }
}

async fn require(handle: &Handle, name: &str) -> Result<u32> {
    index(handle, name).await?.with_context(|| format!("link {name} is gone"))
}

async fn set_up(handle: &Handle, name: &str) -> Result<()> {
    let i = require(handle, name).await?;
    let link = LinkUnspec::new_with_index(i).up().build();
    debug_assert!(link.header.flags.contains(LinkFlags::Up));
    nl(handle.link().set(link).execute().await, "setting a link up")
}

async fn add_address(handle: &Handle, link: u32, address: Ipv4Addr, prefix: u8) -> Result<()> {
    let added = handle.address().add(link, IpAddr::V4(address), prefix).execute().await;
    exists_is_fine(added, "adding an address")
}

async fn add_default_route(handle: &Handle, gateway: Ipv4Addr) -> Result<()> {
    let route = RouteMessageBuilder::<Ipv4Addr>::new().gateway(gateway).build();
    exists_is_fine(handle.route().add(route).execute().await, "adding the default route")
}

async fn delete_link(handle: &Handle, name: &str) -> Result<()> {
    let Some(i) = index(handle, name).await? else { return Ok(()) };
    match handle.link().del(i).execute().await {
        Err(e) if code(&e) == Some(libc::ENODEV) => Ok(()),
        r => nl(r, "removing a link"),
    }
}
