//! Accepting connections, and ending them.

use std::{
    borrow::Cow,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use russh::{Disconnect, Preferred, SshId, compression, keys::HashAlg, server::Config};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{
    sync::{CancellationToken, WaitForCancellationFutureOwned},
    task::TaskTracker,
};
use tracing::{debug, warn};

use super::{
    Outside, Reached, SshSettings,
    connection::Connection,
    handler::{Client, WINDOW, methods},
    host_key, key,
    limits::Limits,
};
use crate::{paths::Paths, session::Sessions};

/// How long a client may take to sign in, and to say its first words.
const GRACE: Duration = Duration::from_secs(30);
const GREETING: Duration = Duration::from_secs(10);
/// How long every refused sign-in takes, whatever is wrong with it.
const REFUSAL: Duration = Duration::from_millis(400);
/// How long a client may take to hear why its connection ends.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// How often a client is asked whether it is there, and how many questions it may leave unanswered.
const KEEPALIVE: Duration = Duration::from_secs(30);
const UNANSWERED: usize = 3;
/// A client that takes nothing for so long is gone.
const STUCK: Duration = Duration::from_secs(600);
/// What a client hears that may come in, but not now.
const FULL: &str = "there are as many connections as there may be, of this session or in all; end some";
/// Tries of a sign-in in one connection.
const MOST_TRIES: usize = 6;

/// The ssh server, ready to serve.
pub struct SshServer {
    listener: TcpListener,
    config: Arc<Config>,
    reached: Reached,
}

impl SshServer {
    /// Opens the port and the host key; none where the operator gave no port.
    ///
    /// # Errors
    /// When the port is taken or the host key cannot be read; the message says what to do.
    pub async fn open(settings: &SshSettings, base_url: &str, paths: &Paths) -> anyhow::Result<Option<SshServer>> {
        let Some(listen) = settings.listen else { return Ok(None) };
        let listener = TcpListener::bind(listen).await.map_err(|e| {
            anyhow::anyhow!("{listen} cannot be listened on ({e}); choose another address with `ssh.listen`")
        })?;
        let host_key = host_key::load(&paths.ssh_host_key())?;
        let (host, port) = settings.reached_at(base_url, listener.local_addr()?);
        let reached = Reached {
            host,
            port,
            fingerprint: host_key.public_key().fingerprint(HashAlg::Sha256).to_string(),
            host_key: key::line(host_key.public_key()),
        };
        let config = Arc::new(Config {
            server_id: SshId::Standard(Cow::Borrowed("SSH-2.0-Boatyard")),
            methods: methods(),
            auth_rejection_time: REFUSAL,
            // The first request only asks which ways there are.
            auth_rejection_time_initial: Some(Duration::ZERO),
            keys: vec![host_key],
            window_size: WINDOW,
            max_auth_attempts: MOST_TRIES,
            inactivity_timeout: Some(STUCK),
            keepalive_interval: Some(KEEPALIVE),
            keepalive_max: UNANSWERED,
            nodelay: true,
            // What is compressed before it is trusted costs memory and time.
            preferred: Preferred { compression: Cow::Borrowed(&[compression::NONE]), ..Preferred::DEFAULT },
            ..Config::default()
        });
        Ok(Some(SshServer { listener, config, reached }))
    }

    /// How it is reached.
    pub fn reached(&self) -> &Reached {
        &self.reached
    }
}

/// Serves until `shutdown` is cancelled; then all connections end.
pub async fn serve(server: SshServer, sessions: Sessions, outside: Arc<Outside>, shutdown: CancellationToken) {
    let (limits, tasks) = (Limits::default(), TaskTracker::new());
    let idle = sessions.config().ssh.idle;
    loop {
        let accepted = tokio::select! {
            accepted = server.listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(e) => {
                warn!(error = %e, "accepting for ssh");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Too many: it is closed without a word.
        let Some(stranger) = limits.stranger(address.ip()) else { continue };
        let connection = Connection::new();
        let client = Client::new(sessions.clone(), outside.clone(), connection.clone(), stranger, address.ip());
        tasks.spawn(carry(server.config.clone(), stream, address, client, connection, idle, shutdown.clone()));
    }
    tasks.close();
    tasks.wait().await;
}

/// One connection, from its first byte to its end.
async fn carry(
    config: Arc<Config>,
    stream: TcpStream,
    address: SocketAddr,
    client: Client,
    connection: Arc<Connection>,
    idle: Duration,
    shutdown: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    let cut = CancellationToken::new();
    let _cut_at_last = cut.clone().drop_guard();
    let stream = Cuttable { stream, cut: Box::pin(cut.clone().cancelled_owned()) };
    let mut running = match timeout(GREETING, russh::server::run_stream(config, stream, client)).await {
        Ok(Ok(running)) => running,
        _ => return,
    };
    let handle = running.handle();
    let end = async {
        tokio::select! {
            () = connection.entered.notified() => {}
            () = sleep(GRACE) => return "",
            () = shutdown.cancelled() => return "the server stops",
        }
        let Some(who) = connection.signed_in() else { return FULL };
        let quiet = async {
            loop {
                match idle.checked_sub(connection.idle()) {
                    Some(left) if !left.is_zero() => sleep(left).await,
                    _ => return,
                }
            }
        };
        tokio::select! {
            () = who.node.over() => "the session has ended, or the node has left it",
            () = who.place.ended() => "the key was removed",
            () = quiet => "nothing was said for too long",
            () = shutdown.cancelled() => "the server stops",
        }
    };
    tokio::select! {
        ended = &mut running => {
            if let Err(e) = ended {
                debug!(%address, error = %e, "an ssh connection ended");
            }
        }
        why = end => {
            if !why.is_empty() {
                let said = handle.disconnect(Disconnect::ByApplication, why.into(), "en".into());
                let _ = timeout(LAST_WORDS, said).await;
                if timeout(LAST_WORDS, &mut running).await.is_ok() {
                    return;
                }
            }
            cut.cancel();
            let _ = timeout(LAST_WORDS, running).await;
        }
    }
}

/// A connection that can be cut from outside, whatever is under way in it.
struct Cuttable {
    stream: TcpStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Cuttable {
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Error> {
        self.cut.as_mut().poll(cx).map(|()| std::io::ErrorKind::ConnectionAborted.into())
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        match self.poll_cut(cx) {
            Poll::Ready(e) => Poll::Ready(Err(e)),
            Poll::Pending => Pin::new(&mut self.stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        match self.poll_cut(cx) {
            Poll::Ready(e) => Poll::Ready(Err(e)),
            Poll::Pending => Pin::new(&mut self.stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
