//! Against servers of this machine that answer for real.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// A server that gives the same answer to everybody; its origin.
async fn server(answer: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let n = stream.read(&mut head).await.unwrap_or(0);
            let path = String::from_utf8_lossy(&head[..n]).split(' ').nth(1).unwrap_or_default().to_owned();
            let _ = stream.write_all(answer(&path).as_bytes()).await;
        }
    });
    origin
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn fetcher(allowed: &[&str]) -> Fetcher {
    Fetcher::new(allowed.iter().map(|a| a.parse().unwrap()).collect())
}

#[tokio::test]
async fn only_what_is_listed_is_asked() {
    let origin = server(|path| {
        if path == "/f" { ok("services:") } else { "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into() }
    })
    .await;
    let url = format!("{origin}/f#fragment");
    let (asked, text) = fetcher(&[&origin]).fetch(&url).await.unwrap();
    assert_eq!((asked.fragment(), &text[..]), (None, &b"services:"[..]));
    let gone = fetcher(&[&origin]).fetch(&format!("{origin}/g")).await.unwrap_err();
    assert!(matches!(&gone, FetchError::Answered(_, s) if s.contains("404")), "{gone}");
    assert!(matches!(fetcher(&[]).fetch(&url).await, Err(FetchError::Off)));
    assert!(matches!(fetcher(&["example.org"]).fetch(&url).await, Err(FetchError::NotListed(..))));
    for bad in ["file:///etc/passwd", "http://me:pw@127.0.0.1/x", "gopher://x", "https://"] {
        assert!(matches!(fetcher(&[&origin]).fetch(bad).await, Err(FetchError::Address(_))), "{bad}");
    }
}

#[tokio::test]
async fn a_host_without_a_public_address_is_not_asked() {
    for host in ["localhost", "127.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1"] {
        let refused = fetcher(&[host]).fetch(&format!("https://{host}/f")).await.unwrap_err();
        assert!(matches!(refused, FetchError::NotPublic(_)), "{host}: {refused}");
    }
    // Other ways to write an address are the same address.
    let refused = fetcher(&["127.0.0.1"]).fetch("https://2130706433/f").await.unwrap_err();
    assert!(matches!(refused, FetchError::NotPublic(_)), "{refused}");
}

#[tokio::test]
async fn a_redirect_leads_to_what_is_listed_only() {
    let target = server(|_| ok("services:")).await;
    let to = format!("{target}/f");
    let origin = server(move |path| match path {
        "/there" => format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"),
        _ => "HTTP/1.1 301 Moved\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n".into(),
    })
    .await;
    let both = fetcher(&[&origin, &target]);
    assert_eq!(&both.fetch(&format!("{origin}/there")).await.unwrap().1[..], b"services:");
    assert!(matches!(both.fetch(&format!("{origin}/circle")).await, Err(FetchError::Circle(_))));
    let one = fetcher(&[&origin]).fetch(&format!("{origin}/there")).await.unwrap_err();
    assert!(matches!(one, FetchError::NotListed(..)), "{one}");
}

#[tokio::test]
async fn size_and_silence_are_bounded() {
    let origin = server(|_| ok(&"x".repeat(MOST + 1))).await;
    assert!(matches!(fetcher(&[&origin]).fetch(&format!("{origin}/f")).await, Err(FetchError::TooLarge)));
    // What has no length ends somewhere, too.
    let endless = server(|_| format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(3 * MOST))).await;
    assert!(matches!(fetcher(&[&endless]).fetch(&format!("{endless}/f")).await, Err(FetchError::TooLarge)));
    let nobody = fetcher(&["http://127.0.0.1:1"]).fetch("http://127.0.0.1:1/f").await.unwrap_err();
    assert!(matches!(&nobody, FetchError::Unreachable(_, why) if why.contains("refused")), "{nobody}");
    // One that takes the connection and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let fetching = fetcher(&[&url]);
    let late = fetching.fetch(&url).await.unwrap_err();
    assert!(matches!(late, FetchError::Late(_)), "{late}");
}

const MOST: usize = crate::stack::MOST_BYTES;
