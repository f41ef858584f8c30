//! `boatyard-agent`: PID 1 of every sandbox, and all that the server does inside one.
//!
//! It also runs as an ordinary process: then it leaves out what only PID 1 may do.

mod app;
mod dial;
mod docker;
mod events;
mod exec;
mod files;
mod ports;
mod process;
mod reaper;
mod sandbox;
mod shutdown;
mod splice;
mod streams;
mod terminal;
mod users;
mod web;

use std::{os::fd::FromRawFd, os::unix::net::UnixListener as StdListener, process::ExitCode, sync::Arc, time::Instant};

use anyhow::{Context, bail, ensure};
use app::App;
use boatyard_protocol::agent::{AgentConfig, CONFIG_ENV, LISTEN_FD};
use tokio::{
    net::UnixListener,
    signal::unix::{SignalKind, signal},
};

fn main() -> ExitCode {
    let started = Instant::now();
    let args: Vec<String> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    match args.get(1).map(String::as_str) {
        Some("activate") => return docker::activate(&args[2..]),
        Some(users::BECOME) => return users::become_user(&args[2..]),
        Some("--version") => {
            println!("boatyard-agent {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    tracing_subscriber::fmt().with_ansi(false).with_target(false).with_writer(std::io::stderr).init();
    match start(&args, started) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            tracing::error!("{e:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(args: &[String], started: Instant) -> anyhow::Result<()> {
    let first = std::process::id() == 1;
    let config = std::env::var(CONFIG_ENV).with_context(|| format!("{CONFIG_ENV} is not set"))?;
    let config: AgentConfig = serde_json::from_str(&config).with_context(|| format!("{CONFIG_ENV} is not valid"))?;
    sandbox::tunnels::check(&config)?;
    if let Some(user) = &config.user {
        users::choose(user);
    }
    let listener = match args.get(1..) {
        None | Some([]) => inherited_listener()?,
        Some([flag, path]) if flag == "--listen" => StdListener::bind(path).with_context(|| path.clone())?,
        _ => bail!("usage: boatyard-agent [--listen SOCKET]; without it the socket is descriptor {LISTEN_FD}"),
    };
    listener.set_nonblocking(true)?;
    // The C library's name service cannot be used from a static binary; with these set, nothing asks it.
    let login = users::Login::root();
    // SAFETY: no other thread has been started yet.
    unsafe {
        std::env::set_var("HOME", &login.home);
        std::env::set_var("SHELL", &login.shell);
        std::env::set_var("PATH", users::PATH);
        std::env::remove_var("LISTEN_FDS");
        // One arena, and memory given back early: a sandbox pays for each page.
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 256 << 10);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 128 << 10);
        libc::umask(0o022);
    }
    if first {
        sandbox::boot::prepare();
        sandbox::names::write(&config);
        sandbox::home::prepare();
        sandbox::containers::write_settings(&config);
    }
    if let Some(cpus) = config.cpus {
        sandbox::boot::confine(cpus);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(8)
        .thread_stack_size(256 << 10)
        .build()?;
    runtime.block_on(run(config, listener, started, first))
}

/// The socket that the engine opened for this agent, outside the sandbox.
fn inherited_listener() -> anyhow::Result<StdListener> {
    ensure!(std::env::var("LISTEN_FDS").is_ok_and(|n| n == "1"), "no socket was passed: LISTEN_FDS is not 1");
    let mut listening: libc::c_int = 0;
    let mut len = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: getsockopt writes one integer of the length given; fcntl takes plain integers.
    let ok = unsafe {
        let value = std::ptr::from_mut(&mut listening).cast();
        libc::fcntl(LISTEN_FD, libc::F_SETFD, libc::FD_CLOEXEC);
        libc::getsockopt(LISTEN_FD, libc::SOL_SOCKET, libc::SO_ACCEPTCONN, value, &mut len) == 0
    };
    ensure!(ok && listening == 1, "descriptor {LISTEN_FD} is no listening socket");
    // SAFETY: the descriptor was passed for this use and nothing else here owns it.
    Ok(unsafe { StdListener::from_raw_fd(LISTEN_FD) })
}

async fn run(config: AgentConfig, listener: StdListener, started: Instant, first: bool) -> anyhow::Result<()> {
    let listener = UnixListener::from_std(listener)?;
    let reaper = Arc::new(reaper::Reaper::default());
    let mut children = signal(SignalKind::child())?;
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn({
        let reaper = reaper.clone();
        async move {
            while children.recv().await.is_some() {
                reaper.reap();
            }
        }
    });

    let events = events::Hub::default();
    let terminals = terminal::Terminals::new(reaper.clone(), events.clone());
    for (id, open) in config.terminals.iter().take(16) {
        if let Err(e) = terminals.open(id, open) {
            tracing::error!("opening the terminal {id}: {e}");
        }
    }
    let docker = docker::Docker::new(&config, reaper.clone(), events.clone());
    let ports = ports::Ports::new(&config, events.clone());
    tokio::spawn(docker.clone().supervise());
    tokio::spawn(ports.clone().watch());
    let shutdown = tokio_util::sync::CancellationToken::new();
    let streams = streams::Streams::default();
    let app = Arc::new(App {
        config,
        started,
        reaper,
        events,
        terminals,
        docker,
        ports,
        streams,
        shutdown: shutdown.clone(),
    });

    sandbox::tunnels::open(&app);
    sandbox::offline::open(&app.config);
    if first {
        sandbox::ssh::open(&app);
        // Mounting waits for the kernel and starts a thread: never in the way of the first prompt.
        tokio::task::spawn_blocking(|| {
            if let Err(e) = sandbox::proc::install() {
                tracing::warn!("/proc shows the host's memory and load: {e}");
            }
        });
    }

    let server = axum::serve(listener, web::router(app.clone()));
    tokio::spawn(async move {
        if let Err(e) = server.await {
            tracing::error!("serving ended: {e}");
        }
    });
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
        () = shutdown.cancelled() => {}
    }
    shutdown::run(&app, first).await;
    Ok(())
}
