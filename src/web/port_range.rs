//! The range of TCP ports that serve published ports, where there is no wildcard DNS. What comes by them never meets the
//! pages or the API.

use std::net::{IpAddr, SocketAddr};

use anyhow::Context;
use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::Response,
    serve::ListenerExt,
};
use tokio::net::TcpListener;
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};

use super::{App, Problem, connections, pages::wants_html, problem};
use crate::{config::Config, ports::NoTcpPort};

impl From<NoTcpPort> for Problem {
    fn from(e: NoTcpPort) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "No address is left for this port", format!("{e}."))
    }
}

/// Listens on every TCP port of the range.
///
/// # Errors
/// When one is not free; the message names it.
pub async fn listen(config: &Config) -> anyhow::Result<Vec<TcpListener>> {
    let Some(range) = &config.ports.range else { return Ok(Vec::new()) };
    let ip: IpAddr = config.ports.address.unwrap_or(config.listen.ip());
    let mut listeners = Vec::new();
    for port in range.ports() {
        let at = SocketAddr::new(ip, port);
        let listener = TcpListener::bind(at).await;
        listeners.push(
            listener.with_context(|| {
                format!("{at} cannot be listened on; choose another `range` or `address` in [ports]")
            })?,
        );
    }
    Ok(listeners)
}

/// Serves on one of them until the server stops.
pub async fn serve(app: App, listener: TcpListener) {
    let Ok(at) = listener.local_addr() else { return };
    let shutdown = app.shutdown.clone();
    let router = Router::new()
        .fallback(answer)
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(TraceLayer::new_for_http().on_failure(()))
        .with_state((app, at.port()));
    connections::serve(listener.tap_io(super::without_delay), router, shutdown).await;
}

async fn answer(State((app, tcp)): State<(App, u16)>, request: Request) -> Response {
    match app.ports.at(tcp) {
        Some(place) => app.ports.serve(place, request).await,
        None => app.ports.nothing_here(wants_html(request.headers())),
    }
}
