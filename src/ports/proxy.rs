//! Carrying a request to an application and its answer back: bodies are streamed, whatever their size, and upgraded
//! connections such as WebSockets become byte streams.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version, header, uri::PathAndQuery},
    response::Response,
};
use hyper::{
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    client::conn::http2,
    ext::Protocol,
    upgrade::OnUpgrade,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::{
    headers::{self, Way},
    node::NodePorts,
    pool::{Many, One, builder},
    range::InUse,
};
use crate::{
    agent::{AgentError, RawStream},
    session::Node,
};

/// Buffer of each direction of an upgraded connection.
const BUFFER: usize = 16 << 10;
/// How much an application may send over HTTP/2 before it is read, for one stream and for a connection.
const WINDOWS: (u32, u32) = (1 << 20, 4 << 20);

/// What a request holds until its answer, or the stream that it became, has ended.
#[expect(dead_code, reason = "places are held, not read")]
pub struct Held {
    /// Its place among the node's streams.
    pub place: OwnedSemaphorePermit,
    /// The TCP port that it came by, where it came by one of a range.
    pub tcp: Option<InUse>,
    /// What ends it early: the link that opened the port is revoked.
    pub until: Option<CancellationToken>,
}

/// Why there is no answer of the application's.
#[derive(Debug)]
pub enum NoAnswer {
    /// Nothing listens, or the sandbox does not answer.
    Unreached(AgentError),
    /// What listens broke off, or does not speak HTTP.
    Failed(hyper::Error),
    /// The node has left, or the link by which the request came was revoked, meanwhile.
    Over,
}

impl From<AgentError> for NoAnswer {
    fn from(e: AgentError) -> NoAnswer {
        NoAnswer::Unreached(e)
    }
}

impl From<hyper::Error> for NoAnswer {
    fn from(e: hyper::Error) -> NoAnswer {
        NoAnswer::Failed(e)
    }
}

/// Forwards a request to the application that `way` names.
///
/// # Errors
/// [`NoAnswer`].
pub async fn forward(
    node: &Arc<Node>,
    ports: &Arc<NodePorts>,
    way: &Way,
    held: Held,
    request: Request,
) -> Result<Response, NoAnswer> {
    let until = held.until.clone();
    // Where the browser opens a WebSocket over HTTP/2, the answer that switches is plain 200 (RFC 8441, section 5).
    let tunnel = is_tunnel(&request);
    let exchange = Exchange { node: node.clone(), ports: ports.clone(), port: way.port, held };
    let answer = async {
        let (request, browser) = prepare(request, way);
        match browser {
            Some(browser) => exchange.upgraded(request, browser).await,
            None if request.version() == Version::HTTP_2 => exchange.multiplexed(request).await,
            None => exchange.plain(request).await,
        }
    };
    let revoked = async {
        match until {
            Some(until) => until.cancelled().await,
            None => std::future::pending().await,
        }
    };
    let mut answer = tokio::select! {
        answer = answer => answer?,
        () = revoked => return Err(NoAnswer::Over),
        () = node.over() => return Err(NoAnswer::Over),
    };
    let switched = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
    let upgrade = answer.headers().get(header::UPGRADE).cloned().filter(|_| switched);
    headers::for_browser(answer.headers_mut(), way);
    if switched && tunnel {
        *answer.status_mut() = StatusCode::OK;
        answer.headers_mut().remove(header::SEC_WEBSOCKET_ACCEPT);
    } else if let Some(upgrade) = upgrade {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        answer.headers_mut().insert(header::UPGRADE, upgrade);
    }
    Ok(answer)
}

/// Whether a request opens a WebSocket over HTTP/2 (RFC 8441).
pub fn is_tunnel(request: &Request) -> bool {
    *request.method() == Method::CONNECT
        && request.extensions().get::<Protocol>().is_some_and(|p| p.as_str() == "websocket")
}

/// Whether the other end closed the connection before it said anything: what listens there is only Docker, and the
/// program behind it not up yet.
pub fn is_not_there_yet(e: &hyper::Error) -> bool {
    let reset = std::error::Error::source(e)
        .and_then(|s| s.downcast_ref::<std::io::Error>())
        .is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionReset);
    e.is_incomplete_message() || e.is_canceled() || reset
}

/// The request as the application gets it, and the browser's side of what it becomes where it asks for another protocol. Its
/// version is that in which the application is asked.
fn prepare(mut request: Request, way: &Way) -> (Request, Option<OnUpgrade>) {
    let upgrade = if is_tunnel(&request) {
        if let Ok(key) = HeaderValue::from_str(&tokio_tungstenite::tungstenite::handshake::client::generate_key()) {
            request.headers_mut().insert(header::SEC_WEBSOCKET_KEY, key);
        }
        Some(HeaderValue::from_static("websocket"))
    } else {
        // Nobody upgrades to HTTP/2 any more (RFC 9113, section 3.1), and what came after would be past the proxy.
        let h2c = |u: &HeaderValue| u.to_str().is_ok_and(|u| u.to_ascii_lowercase().contains("h2c"));
        let asked = request.headers().get(header::UPGRADE).cloned().filter(|u| !u.is_empty() && !h2c(u));
        asked.filter(|_| request.version() == Version::HTTP_11)
    };
    let tunnel = is_tunnel(&request);
    let browser = upgrade.is_some().then(|| hyper::upgrade::on(&mut request));
    if tunnel {
        // What follows is no body.
        *request.method_mut() = Method::GET;
        *request.body_mut() = Body::empty();
    }
    let version = match request.version() {
        Version::HTTP_2 if upgrade.is_none() && needs_http2(request.headers()) => Version::HTTP_2,
        _ => Version::HTTP_11,
    };
    headers::for_application(request.headers_mut(), version, way);
    if let Some(upgrade) = upgrade {
        request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        request.headers_mut().insert(header::UPGRADE, upgrade);
    }
    *request.version_mut() = version;
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    if version == Version::HTTP_2 {
        request.headers_mut().remove(header::HOST);
        let uri = Uri::builder().scheme("http").authority(way.host()).path_and_query(path);
        *request.uri_mut() = uri.build().unwrap_or_default();
    } else {
        // With a path, not with the absolute address of HTTP/2.
        *request.uri_mut() = Uri::from(path);
    }
    (request, browser)
}

/// What is spoken over HTTP/2 only: gRPC, and the streams of its kin. All else is asked for in HTTP/1.1, which every
/// application speaks.
fn needs_http2(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|t| t.to_str().ok()).unwrap_or_default();
    kind == "application/grpc"
        || ["application/grpc+", "application/grpc;", "application/connect+"].iter().any(|p| kind.starts_with(p))
}

struct Exchange {
    node: Arc<Node>,
    ports: Arc<NodePorts>,
    port: u16,
    held: Held,
}

impl Exchange {
    async fn plain(self, mut request: Request) -> Result<Response, NoAnswer> {
        let repeatable =
            matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) && request.body().is_end_stream();
        if !repeatable {
            self.ports.pool.close(self.port);
        }
        while let Some(mut one) = repeatable.then(|| self.ports.pool.take(self.port)).flatten() {
            let again = copy(&request);
            match one.send(request).await {
                Ok(answer) => return Ok(self.carried(answer, Some(one))),
                // It was closed while it was kept.
                Err(e) if is_not_there_yet(e.error()) => request = again,
                Err(e) => return Err(e.into_error().into()),
            }
        }
        let mut one = One::over(self.node.agent().dial_port(self.port).await?).await?;
        let answer = one.send(request).await.map_err(|e| e.into_error())?;
        Ok(self.carried(answer, Some(one)))
    }

    async fn multiplexed(self, request: Request) -> Result<Response, NoAnswer> {
        let mut many = match self.ports.pool.shared(self.port) {
            Some(many) => many,
            None => {
                let stream = self.node.agent().dial_port(self.port).await?;
                let many = self.over_http2(stream).await?;
                self.ports.pool.share(self.port, &many);
                many
            }
        };
        let answer = many.send_request(request).await?;
        Ok(self.carried(answer, None))
    }

    async fn over_http2(&self, stream: RawStream) -> Result<Many, hyper::Error> {
        let (many, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(WINDOWS.0)
            .initial_connection_window_size(WINDOWS.1)
            .handshake(stream)
            .await?;
        self.spawn(async {
            let _ = connection.await;
        });
        Ok(many)
    }

    async fn upgraded(self, request: Request, browser: OnUpgrade) -> Result<Response, NoAnswer> {
        let stream = self.node.agent().dial_port(self.port).await?;
        let (mut sender, connection) = builder().handshake(stream).await?;
        self.spawn(async {
            let _ = connection.with_upgrades().await;
        });
        let mut answer = sender.send_request(request).await?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(self.carried(answer, None));
        }
        let application = hyper::upgrade::on(&mut answer);
        tokio::spawn(async move {
            if let (Ok(browser), Ok(application)) = tokio::join!(browser, application) {
                let (mut browser, mut application) = (TokioIo::new(browser), TokioIo::new(application));
                let revoked = async {
                    match &self.held.until {
                        Some(until) => until.cancelled().await,
                        None => std::future::pending().await,
                    }
                };
                // Either side ends it when it likes, and so do the end of the node and that of the link.
                tokio::select! {
                    _ = tokio::io::copy_bidirectional_with_sizes(&mut browser, &mut application, BUFFER, BUFFER) => {}
                    () = self.node.over() => {}
                    () = revoked => {}
                }
            }
        });
        Ok(answer.map(Body::new))
    }

    /// Runs a connection until it or the node ends.
    fn spawn(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let node = self.node.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = connection => {}
                () = node.over() => {}
            }
        });
    }

    fn carried(self, answer: Response<Incoming>, one: Option<One>) -> Response {
        answer.map(|body| Body::new(Carried::new(body, self, one)))
    }
}

/// A request without a body once more.
fn copy(request: &Request) -> Request {
    let mut again = Request::new(Body::empty());
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.version_mut() = request.version();
    *again.headers_mut() = request.headers().clone();
    again
}

/// The body of an application's answer. It moves its connection on, which is kept for the next request when it has ended.
struct Carried {
    body: Incoming,
    one: Option<One>,
    exchange: Exchange,
    /// The node ends, or the link by which the request came is revoked.
    over: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Carried {
    fn new(body: Incoming, exchange: Exchange, one: Option<One>) -> Carried {
        let (node, until) = (exchange.node.clone(), exchange.held.until.clone());
        let over = Box::pin(async move {
            match until {
                Some(until) => tokio::select! { () = node.over() => {}, () = until.cancelled() => {} },
                None => node.over().await,
            }
        });
        let mut carried = Carried { body, one, exchange, over };
        if carried.body.is_end_stream() {
            carried.ended();
        }
        carried
    }

    fn ended(&mut self) {
        if let Some(one) = self.one.take() {
            self.exchange.ports.pool.keep(self.exchange.port, one);
        }
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &mut self.one {
            Some(one) if polled.is_pending() => {
                one.move_on(cx);
                Pin::new(&mut self.body).poll_frame(cx)
            }
            _ => polled,
        }
    }
}

impl HttpBody for Carried {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.over.as_mut().poll(cx).is_ready() {
            self.one = None;
            return Poll::Ready(Some(Err("the port was closed".into())));
        }
        let frame = std::task::ready!(self.poll_body(cx));
        match &frame {
            Some(Err(_)) => self.one = None,
            Some(Ok(_)) if !self.body.is_end_stream() => {}
            _ => self.ended(),
        }
        Poll::Ready(frame.map(|f| f.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
