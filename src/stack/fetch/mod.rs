//! Fetching a file from an address that a stranger wrote.
//!
//! Nobody may make this server ask what it alone can reach (CWE-918). So only listed origins are asked; a listed host must
//! have a public address, and the address that was looked at is the one that is connected to; redirects are followed within
//! the list only; no proxy of the environment is used; and size and time are bounded.

mod address;
mod http;
mod origin;

use std::{net::IpAddr, net::SocketAddr, time::Duration};

use bytes::Bytes;
pub use origin::Origin;
use tokio::{net::TcpStream, sync::Semaphore, time::timeout};
use url::{Host, Url};

use self::http::Answer;

/// Longest wait for the whole file, redirects and all.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most redirects.
const REDIRECTS: usize = 4;
/// Files that are fetched at the same time.
const AT_ONCE: usize = 4;
/// Longest address.
const LONGEST: usize = 2000;

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No origins are listed.
    #[error(
        "This Boatyard fetches no files from other servers. Its operator can list the hosts that it may ask as `hosts` in \
         `[try]` of the configuration."
    )]
    Off,
    /// It is no address.
    #[error("`{0}` is no address of a file; it begins with https://.")]
    Address(String),
    /// Its origin is not listed.
    #[error("This Boatyard fetches no files from {0}. It may ask {1}; its operator can list more.")]
    NotListed(String, String),
    /// It is in a network that is not public.
    #[error(
        "{0} has no public address, so it is not asked. Its operator can list it as a whole origin, with https:// or http:// before it."
    )]
    NotPublic(String),
    /// Its server was not reached.
    #[error("{0} cannot be reached from here: {1}.")]
    Unreachable(String, String),
    /// Its server did not answer in time.
    #[error("{0} does not answer within {time} seconds.", time = PATIENCE.as_secs())]
    Late(String),
    /// Its server answered something else than the file.
    #[error("{0} answers {1}. Is the address right, and open to everybody?")]
    Answered(String, String),
    /// It leads somewhere else again and again.
    #[error("{0} leads from one address to the next, without end.")]
    Circle(String),
    /// It is too large.
    #[error("The file is larger than {most} KiB, which no Compose file needs.", most = super::MOST_BYTES >> 10)]
    TooLarge,
}

/// Fetches files from the origins that an operator has listed.
pub struct Fetcher {
    allowed: Vec<Origin>,
    places: Semaphore,
}

impl Fetcher {
    /// Asks these origins and no other.
    pub fn new(allowed: Vec<Origin>) -> Fetcher {
        Fetcher { allowed, places: Semaphore::new(AT_ONCE) }
    }

    /// Fetches a file of at most [`super::MOST_BYTES`]; answers where it was asked for, too.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn fetch(&self, address: &str) -> Result<(Url, Bytes), FetchError> {
        let url = self.check(address)?;
        let host = shown(&url);
        let fetched = timeout(PATIENCE, async {
            let _place = self.places.acquire().await;
            self.follow(url.clone()).await
        });
        let bytes = fetched.await.map_err(|_| FetchError::Late(host))??;
        Ok((url, bytes))
    }

    fn check(&self, address: &str) -> Result<Url, FetchError> {
        if self.allowed.is_empty() {
            return Err(FetchError::Off);
        }
        let bad = || FetchError::Address(address.chars().take(80).collect());
        let mut url = Url::parse(address).ok().filter(|_| address.len() <= LONGEST).ok_or_else(bad)?;
        url.set_fragment(None);
        let is_plain = url.username().is_empty() && url.password().is_none();
        if !["http", "https"].contains(&url.scheme()) || url.host().is_none() || !is_plain {
            return Err(bad());
        }
        Ok(url)
    }

    async fn follow(&self, mut url: Url) -> Result<Bytes, FetchError> {
        for _ in 0..=REDIRECTS {
            let host = shown(&url);
            let stream = self.connect(&url).await?;
            let told = |e: std::io::Error| FetchError::Unreachable(host.clone(), said(&e));
            match http::get(stream, &url).await.map_err(told)? {
                Answer::File(bytes) => return Ok(bytes),
                Answer::TooLarge => return Err(FetchError::TooLarge),
                Answer::Elsewhere(to) => {
                    url = self.check(url.join(&to).map_err(|_| FetchError::Address(to))?.as_str())?
                }
                Answer::Other(status) => return Err(FetchError::Answered(host, status)),
            }
        }
        Err(FetchError::Circle(shown(&url)))
    }

    /// Connects to where an address leads, if that may be.
    async fn connect(&self, url: &Url) -> Result<TcpStream, FetchError> {
        let host = shown(url);
        let Some(origin) = self.allowed.iter().find(|o| o.has(url)) else {
            let listed = self.allowed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(FetchError::NotListed(format!("{}://{host}", url.scheme()), listed));
        };
        let port = url.port_or_known_default().unwrap_or(443);
        let told = |e: std::io::Error| FetchError::Unreachable(host.clone(), said(&e));
        let found: Vec<SocketAddr> = match url.host() {
            Some(Host::Ipv4(v4)) => vec![(IpAddr::V4(v4), port).into()],
            Some(Host::Ipv6(v6)) => vec![(IpAddr::V6(v6), port).into()],
            Some(Host::Domain(name)) => tokio::net::lookup_host((name, port)).await.map_err(told)?.collect(),
            None => Vec::new(),
        };
        let may: Vec<_> = found.into_iter().filter(|a| origin.local || address::is_public(a.ip())).collect();
        if may.is_empty() {
            return Err(FetchError::NotPublic(host));
        }
        TcpStream::connect(&may[..]).await.map_err(told)
    }
}

/// An address's host and port, as they are told.
fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// What a system says, without its number.
fn said(e: &std::io::Error) -> String {
    e.to_string().split(" (os error ").next().unwrap_or_default().chars().take(200).collect()
}

#[cfg(test)]
mod tests;
