//! One TCP connection as one WebSocket.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
    time::{interval, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderValue, StatusCode, header},
    },
};

use super::place::{Place, Target};
use crate::web::api::TCP_END;

/// How long a connection to the server may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often the server is asked whether it is there: proxies close what is silent for a minute.
const PING: Duration = Duration::from_secs(25);
/// Bytes that one message carries at most.
const PIECE: usize = 32 << 10;
/// Connections at one time.
const MOST: usize = 128;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why there is no connection; the message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Nothing listens there now.
    #[error("{0}")]
    Nothing(String),
    /// It cannot be now, but may be later.
    #[error("{0}")]
    Now(String),
    /// It will never be.
    #[error("{0}")]
    Ever(String),
}

/// Accepts connections until the session is over.
pub async fn serve(place: Arc<Place>, target: Target, listener: TcpListener) -> Refusal {
    let places = Arc::new(Semaphore::new(MOST));
    let over = Arc::new(tokio::sync::Mutex::new(None));
    let ended = Arc::new(Notify::new());
    loop {
        let Ok(held) = places.clone().acquire_owned().await else { return Refusal::Now("it ended".into()) };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ended.notified() => {
                return over.lock().await.take().unwrap_or(Refusal::Now("it ended".into()));
            }
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(e) => {
                eprintln!("boatyard: accepting a connection: {e}");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let (place, target, over, ended) = (place.clone(), target.clone(), over.clone(), ended.clone());
        tokio::spawn(async move {
            let _held = held;
            let _ = stream.set_nodelay(true);
            match connect(&place, &target).await {
                Ok(socket) => relay(stream, socket).await,
                Err(e @ Refusal::Ever(_)) => {
                    *over.lock().await = Some(e);
                    ended.notify_one();
                }
                Err(e) => eprintln!("boatyard: {e}"),
            }
        });
    }
}

/// Opens a connection to a node's port.
///
/// # Errors
/// [`Refusal`].
pub async fn connect(place: &Place, target: &Target) -> Result<Socket, Refusal> {
    let url = place.url(target);
    let host = url.split('/').nth(2).unwrap_or_default().to_owned();
    let unreachable = |e: &dyn std::fmt::Display| {
        Refusal::Now(format!("the server at {host} cannot be reached ({e}); is its address right?"))
    };
    let mut request = url.into_client_request().map_err(|e| unreachable(&e))?;
    let bearer = format!("Bearer {}", place.token);
    let bearer = HeaderValue::from_str(&bearer).map_err(|_| Refusal::Ever("the token is none; copy it anew".into()))?;
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    match timeout(PATIENCE, tokio_tungstenite::connect_async_with_config(request, None, true)).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(answer))) => {
            Err(refusal(answer.status(), answer.body().as_deref().unwrap_or_default(), target))
        }
        Ok(Err(e)) => Err(unreachable(&e)),
        Err(_) => Err(unreachable(&"it does not answer")),
    }
}

fn refusal(status: StatusCode, body: &[u8], target: &Target) -> Refusal {
    #[derive(Deserialize)]
    struct Said {
        detail: Option<String>,
    }
    let said = serde_json::from_slice::<Said>(body).ok().and_then(|s| s.detail);
    let or = |usual: &str| said.clone().unwrap_or_else(|| usual.to_owned());
    match status {
        StatusCode::BAD_GATEWAY if said.is_some() => {
            Refusal::Nothing(or(&format!("Nothing listens on port {} of {}.", target.port, target.node)))
        }
        StatusCode::NOT_FOUND => {
            Refusal::Ever(or("there is no such session, or the token does not open it; copy it anew from its page"))
        }
        StatusCode::GONE => Refusal::Ever(or("the session has ended; start a new one")),
        StatusCode::TOO_MANY_REQUESTS => Refusal::Now(or("there are too many connections; close some")),
        _ => Refusal::Now(format!("the server answered {status}; is --server the address of its pages?")),
    }
}

/// Carries bytes both ways until both sides have ended, or one is gone.
async fn relay(stream: TcpStream, socket: Socket) {
    let (mut read, mut write) = stream.into_split();
    let (mut to_server, mut from_server) = socket.split();
    let server_ended = Notify::new();
    let up = async {
        let mut buf = vec![0; PIECE];
        let mut ping = interval(PING);
        ping.tick().await;
        let mut reading = true;
        loop {
            let message = tokio::select! {
                read = read.read(&mut buf), if reading => match read {
                    Ok(0) => {
                        reading = false;
                        Message::Text(TCP_END.into())
                    }
                    Ok(n) => Message::Binary(bytes::Bytes::copy_from_slice(&buf[..n])),
                    Err(_) => return,
                },
                () = server_ended.notified(), if !reading => return,
                _ = ping.tick() => Message::Ping(bytes::Bytes::new()),
            };
            if to_server.send(message).await.is_err() {
                return;
            }
        }
    };
    let down = async {
        while let Some(Ok(message)) = from_server.next().await {
            let goes_on = match message {
                Message::Binary(bytes) => write.write_all(&bytes).await.is_ok(),
                Message::Text(text) if text.as_str() == TCP_END => {
                    let _ = write.shutdown().await;
                    server_ended.notify_one();
                    true
                }
                Message::Close(_) => false,
                _ => true,
            };
            if !goes_on {
                return;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
    let _ = to_server.send(Message::Close(None)).await;
}
