//! HTTP: pages and the API. It translates and nothing more; what happens is `session`'s affair.
//!
//! A request first meets [`host`], which sends what is addressed to a published port's own host name to `ports`, then
//! [`origin`], which refuses state changes from foreign pages but those that [`embed`] admits, then a route.

mod access;
pub mod admin;
pub mod api;
pub mod assets;
mod client;
mod connections;
mod embed;
mod guest;
mod host;
mod origin;
mod pages;
pub mod port_range;
mod problem;
mod rights;
mod security;
mod stacks;
mod upload;
pub mod view;

use std::sync::Arc;

use axum::{Router, extract::FromRef, middleware, serve::ListenerExt};
use axum_extra::extract::cookie::Key;
pub use pages::wants_html;
pub use problem::Problem;
use tokio_util::sync::CancellationToken;
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer, trace::TraceLayer};

use crate::{ports::Ports, registry::Registry, session::Sessions, ssh::Outside, stack::Finder, template::Template};

/// What the routes share. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The sessions.
    pub sessions: Sessions,
    /// Where they push to.
    pub registry: Arc<Registry>,
    /// Published ports.
    pub ports: Arc<Ports>,
    /// Stacks that links deploy.
    pub stacks: Arc<Finder>,
    /// Who is connected from outside, and how the ssh server is reached.
    pub outside: Arc<Outside>,
    /// The offline catalogue, for the pages.
    pub catalogue: Arc<Vec<view::CatalogueImage>>,
    key: Key,
    /// Signs who the browsers of pages elsewhere are.
    clients: Arc<[u8]>,
    /// What the API tells of itself to pages elsewhere; none where none are listed.
    cors: Option<CorsLayer>,
    shutdown: CancellationToken,
}

impl FromRef<App> for Key {
    fn from_ref(app: &App) -> Key {
        app.key.clone()
    }
}

impl App {
    /// The routes' state.
    ///
    /// # Errors
    /// When the store fails.
    pub fn new(
        sessions: Sessions,
        registry: Arc<Registry>,
        outside: Arc<Outside>,
        catalogue: Vec<view::CatalogueImage>,
        shutdown: CancellationToken,
    ) -> Result<App, crate::store::StoreError> {
        let key = Key::from(&sessions.store().secret("cookies")?);
        let ports = Arc::new(Ports::new(sessions.clone(), sessions.store().secret("ports")?));
        let stacks = Arc::new(stacks::find(sessions.config()));
        let clients = sessions.store().secret("clients")?.into();
        let cors = embed::layer(&sessions.config().sdk.origins);
        let catalogue = Arc::new(catalogue);
        Ok(App { sessions, registry, ports, stacks, outside, catalogue, key, clients, cors, shutdown })
    }

    /// What sessions can be started as.
    pub fn templates(&self) -> Vec<Template> {
        let config = self.sessions.config();
        Template::all(&config.templates, config.sessions.nodes)
    }

    /// A template by its name; one node without.
    ///
    /// # Errors
    /// 404 where there is none of that name.
    pub fn template(&self, name: Option<&str>) -> Result<Template, Problem> {
        let name = name.unwrap_or("one");
        let found = self.templates().into_iter().find(|t| t.name == name);
        found.ok_or_else(|| {
            Problem::not_found(format!("There is no template {name}; GET /api/v1/templates lists them."))
        })
    }

    /// Whether browsers reach the server over TLS.
    pub fn is_https(&self) -> bool {
        self.sessions.config().base_url().starts_with("https://")
    }
}

/// Everything that is served on the network.
pub fn router(app: App) -> Router {
    let (api, document) = api::router().split_for_parts();
    let pages = pages::router();
    Router::new()
        .merge(api)
        .merge(api::document_route(document))
        .merge(pages)
        .fallback(pages::not_found)
        .layer(middleware::from_fn(security::headers))
        .layer(middleware::from_fn_with_state(app.clone(), origin::check))
        .layer(middleware::from_fn(embed::subprotocol))
        .layer(middleware::from_fn(problem::in_api))
        // Outside of all that refuses, so that a listed page can read why.
        .layer(middleware::from_fn_with_state(app.clone(), embed::cors))
        // Outside of the page's own rules: a port's application sets its own headers and takes requests from anywhere.
        .layer(middleware::from_fn_with_state(app.clone(), host::dispatch))
        .layer(CatchPanicLayer::custom(problem::panicked))
        // What failed is logged where it failed, with its cause.
        .layer(TraceLayer::new_for_http().on_failure(()))
        .with_state(app)
}

/// Serves on `listener` until the shutdown token is cancelled, then lets requests under way finish; open WebSockets end
/// with the token.
pub async fn serve(app: App, listener: tokio::net::TcpListener) {
    let shutdown = app.shutdown.clone();
    connections::serve(listener.tap_io(without_delay), router(app), shutdown).await;
}

/// Sends what is written at once: an application's events, and what it says over a WebSocket, are small.
fn without_delay(stream: &mut tokio::net::TcpStream) {
    if let Err(e) = stream.set_nodelay(true) {
        tracing::debug!("a connection that sends late: {e}");
    }
}
