//! Serves HTTP/1.1 and HTTP/2 on a listener. `axum::serve` leaves a client that connects and says nothing, or not all of
//! a request's head, to hold its connection for ever; here such a client is cut off.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo, serve::Listener};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How long clients are waited for.
#[derive(Clone, Copy)]
struct Patience {
    /// For a request's head, and on an idle connection.
    head: Duration,
    /// For requests under way once the server is told to stop.
    last_requests: Duration,
}

const PATIENCE: Patience = Patience { head: Duration::from_secs(60), last_requests: Duration::from_secs(5) };

/// Serves until `shutdown` is cancelled, then lets requests under way finish for a few seconds; what a connection was
/// upgraded to (WebSockets) must end by itself. Requests carry the peer's address as [`ConnectInfo`].
pub(super) async fn serve<L>(listener: L, router: Router, shutdown: CancellationToken)
where
    L: Listener,
    L::Addr: Clone + Sync,
{
    serve_for(PATIENCE, listener, router, shutdown).await;
}

async fn serve_for<L>(patience: Patience, mut listener: L, router: Router, shutdown: CancellationToken)
where
    L: Listener,
    L::Addr: Clone + Sync,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(patience.head);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(patience.head).enable_connect_protocol();
    let graceful = GracefulShutdown::new();
    loop {
        let (stream, peer) = tokio::select! {
            connection = listener.accept() => connection,
            () = shutdown.cancelled() => break,
        };
        let router = router.clone();
        let spoke = Arc::new(AtomicBool::new(false));
        let service = service_fn({
            let spoke = Arc::clone(&spoke);
            move |mut request: Request<Incoming>| {
                spoke.store(true, Ordering::Relaxed);
                request.extensions_mut().insert(ConnectInfo(peer.clone()));
                let answer = router.clone().oneshot(request.map(Body::new));
                async { Ok::<_, Infallible>(answer.await.unwrap_or_else(|e| match e {})) }
            }
        });
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            tokio::pin!(connection);
            // The head's time limit only begins once the first bytes tell the version of HTTP.
            if timeout(patience.head, &mut connection).await.is_err() && spoke.load(Ordering::Relaxed) {
                let _ = connection.await;
            }
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        // A connection that says nothing, or a download that nobody reads, must not keep the server from stopping.
        () = sleep(patience.last_requests) => {}
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    const SHORT: Patience = Patience { head: Duration::from_millis(200), last_requests: Duration::from_millis(300) };

    async fn server() -> (CancellationToken, std::net::SocketAddr, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let slow = get(|| async {
            sleep(4 * SHORT.head).await;
            "late"
        });
        let router = Router::new().route("/slow", slow);
        let shutdown = CancellationToken::new();
        (shutdown.clone(), address, tokio::spawn(serve_for(SHORT, listener, router, shutdown)))
    }

    /// What a client gets who says `said` and then waits.
    async fn client(address: std::net::SocketAddr, said: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut got = Vec::new();
        stream.read_to_end(&mut got).await.unwrap();
        String::from_utf8(got).unwrap()
    }

    #[tokio::test]
    async fn who_does_not_finish_a_request_is_cut_off() {
        let (shutdown, address, _) = server().await;
        for said in ["", "P", "PRI * HTTP/2.0\r\n", "GET /slow HTTP/1.1\r\nHost: x\r\n"] {
            let got = timeout(Duration::from_secs(10), client(address, said)).await.expect("an end");
            assert!(!got.contains("200 OK"), "{said:?}: {got:?}");
        }
        let got = client(address, "GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(got.ends_with("late"), "an answer may take long: {got:?}");
        let got = timeout(Duration::from_secs(10), client(address, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        assert!(got.expect("an end of the idle connection").ends_with("late"));
        shutdown.cancel();
    }

    #[tokio::test]
    async fn a_stop_waits_for_nobody_for_long() {
        let (shutdown, address, serving) = server().await;
        let silent = TcpStream::connect(address).await.unwrap();
        let slow = tokio::spawn(client(address, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
        sleep(Duration::from_millis(50)).await;
        shutdown.cancel();
        timeout(Duration::from_secs(10), serving).await.expect("an end").unwrap();
        assert!(!slow.is_finished(), "the stop did not wait for it");
        drop(silent);
    }
}
