//! One GET over a connection of its own.

use std::{
    io,
    sync::{Arc, LazyLock},
};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Empty};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};
use url::Url;

use crate::stack::MOST_BYTES;

/// What a server answered.
pub(super) enum Answer {
    /// The file.
    File(Bytes),
    /// More than a file may have.
    TooLarge,
    /// That it is elsewhere.
    Elsewhere(String),
    /// Anything else: its status.
    Other(String),
}

/// Trusts the authorities that this host trusts.
static TLS: LazyLock<io::Result<TlsConnector>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
});

/// Asks for `url` over `stream`, which leads to its host.
pub(super) async fn get(stream: TcpStream, url: &Url) -> io::Result<Answer> {
    if url.scheme() == "http" {
        return ask(stream, url).await;
    }
    let tls = TLS.as_ref().map_err(|e| io::Error::other(e.to_string()))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    ask(tls.connect(name, stream).await?, url).await
}

async fn ask(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, url: &Url) -> io::Result<Answer> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // Ends with the sender, when this function does.
    tokio::spawn(connection);
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let host = match (url.host_str().unwrap_or_default(), url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    };
    let request = Request::get(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, concat!("boatyard/", env!("CARGO_PKG_VERSION")))
        .header(header::ACCEPT, "application/yaml, text/plain, */*")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let answer = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = answer.status();
    if status.is_redirection() {
        let to = answer.headers().get(header::LOCATION).and_then(|l| l.to_str().ok());
        return Ok(to.map_or_else(|| Answer::Other(status.to_string()), |to| Answer::Elsewhere(to.to_owned())));
    }
    if status != hyper::StatusCode::OK {
        return Ok(Answer::Other(status.to_string()));
    }
    let mut body = answer.into_body();
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(io::Error::other)?.into_data() {
            if bytes.len() + data.len() > MOST_BYTES {
                return Ok(Answer::TooLarge);
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(Answer::File(bytes.freeze()))
}
