//! What a proxy changes in the headers of requests and answers.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Version, header};

use super::{COOKIE, ERROR_HEADER, SeenHost, TOKEN_HEADER};

/// Headers of one connection, which end at a proxy (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Of an answer: what reaches beyond the application's own origin. How the host is reached is the server's affair, and
/// cookies can be cleared for the pages' host too.
const BEYOND: [HeaderName; 4] = [
    HeaderName::from_static("clear-site-data"),
    header::STRICT_TRANSPORT_SECURITY,
    header::ALT_SVC,
    HeaderName::from_static(ERROR_HEADER),
];

/// Name that the pages' own cookies begin with; `client.rs` in `web` names them.
const OWN_COOKIES: [&[u8]; 3] = [b"boatyard", b"__Host-boatyard", b"__Secure-boatyard"];

/// How a port is reached, and as what.
#[derive(Debug, Clone)]
pub struct Way {
    /// `http` or `https`, as browsers see it.
    pub scheme: &'static str,
    /// Host and TCP port as browsers see them.
    pub authority: String,
    /// The port of the application.
    pub port: u16,
    /// The host name that the application sees.
    pub seen: SeenHost,
    /// Who asks.
    pub peer: Option<IpAddr>,
}

impl Way {
    /// The host with its port that the application sees.
    pub fn host(&self) -> String {
        match self.seen {
            SeenHost::Original => self.authority.clone(),
            SeenHost::Localhost => format!("localhost:{}", self.port),
        }
    }
}

/// Makes the headers of a browser's request those of a request to the application.
pub fn for_application(headers: &mut HeaderMap, version: Version, way: &Way) {
    let said = headers.get_all(header::TE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    let trailers = said.map(str::trim).any(|t| t.eq_ignore_ascii_case("trailers"));
    strip(headers);
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        if version != Version::HTTP_2 {
            headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
        }
    }
    let mut set = |name: HeaderName, value: &str| match HeaderValue::from_str(value) {
        Ok(value) => drop(headers.insert(name, value)),
        Err(_) => drop(headers.remove(name)),
    };
    set(header::HOST, &way.host());
    set(HeaderName::from_static("x-forwarded-host"), &way.authority);
    set(HeaderName::from_static("x-forwarded-proto"), way.scheme);
    if let Some(peer) = way.peer {
        let name = HeaderName::from_static("x-forwarded-for");
        // Those before it are what whoever asks says of itself.
        let before = headers.get_all(&name).iter().filter_map(|v| v.to_str().ok());
        let all: Vec<_> = before.map(str::to_owned).chain([peer.to_canonical().to_string()]).collect();
        if let Ok(all) = HeaderValue::from_str(&all.join(", ")) {
            headers.insert(name, all);
        }
    }
    // An application that takes requests only from its own pages compares the two names.
    let own = format!("{}://{}", way.scheme, way.authority);
    if way.seen == SeenHost::Localhost
        && headers.get(header::ORIGIN).is_some_and(|o| o.as_bytes().eq_ignore_ascii_case(own.as_bytes()))
        && let Ok(seen) = HeaderValue::from_str(&format!("http://{}", way.host()))
    {
        headers.insert(header::ORIGIN, seen);
    }
    // What opens the port is none of the application's business, and neither are the pages' cookies.
    headers.remove(TOKEN_HEADER);
    if headers.contains_key(header::COOKIE) {
        let rest: Vec<&[u8]> = cookies(headers).filter(|c| !is_own(c)).collect();
        let rest = HeaderValue::from_bytes(&rest.join(&b"; "[..])).ok().filter(|v| !v.is_empty());
        headers.remove(header::COOKIE);
        if let Some(rest) = rest {
            headers.insert(header::COOKIE, rest);
        }
    }
}

/// Makes the headers of an application's answer those of an answer to the browser.
pub fn for_browser(headers: &mut HeaderMap, way: &Way) {
    strip(headers);
    for name in BEYOND {
        headers.remove(name);
    }
    for name in [header::LOCATION, header::CONTENT_LOCATION] {
        if let Some(moved) = headers.get(&name).and_then(|v| v.to_str().ok()).and_then(|to| through(to, way))
            && let Ok(moved) = HeaderValue::from_str(&moved)
        {
            headers.insert(name, moved);
        }
    }
    if headers.contains_key(header::SET_COOKIE) {
        let set: Vec<_> = headers.get_all(header::SET_COOKIE).iter().filter_map(own_host_only).collect();
        headers.remove(header::SET_COOKIE);
        for cookie in set {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

/// An absolute address of the application as the browser reaches it; `None` where it is another's. On the browser's
/// machine, `localhost` is not the application.
fn through(to: &str, way: &Way) -> Option<String> {
    let rest = to.strip_prefix("http://").or_else(|| to.strip_prefix("https://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let local = |name: &str| host.strip_prefix(name).is_some_and(|p| p == format!(":{}", way.port));
    let own = host.eq_ignore_ascii_case(&way.authority) || local("localhost") || local("127.0.0.1");
    own.then(|| format!("{}://{}{path}", way.scheme, way.authority))
}

/// A cookie that an application sets, for its own host alone; `None` where it goes by the name of one of the pages'.
fn own_host_only(cookie: &HeaderValue) -> Option<HeaderValue> {
    let mut parts = cookie.as_bytes().split(|b| *b == b';');
    let pair = parts.next().unwrap_or_default();
    // Browsers send a cookie without a name as its value alone, which may look like another with one.
    let nameless = pair.trim_ascii().strip_prefix(b"=").unwrap_or(pair);
    if is_own(pair) || is_own(nameless) {
        return None;
    }
    let mut kept = pair.to_vec();
    for attribute in parts {
        let name = attribute.split(|b| *b == b'=').next().unwrap_or_default();
        if !name.trim_ascii().eq_ignore_ascii_case(b"domain") {
            kept.push(b';');
            kept.extend_from_slice(attribute);
        }
    }
    HeaderValue::from_bytes(&kept).ok()
}

/// Whether a cookie, `name=value`, goes by the name of one of Boatyard's own.
fn is_own(cookie: &[u8]) -> bool {
    let cookie = cookie.trim_ascii_start();
    OWN_COOKIES.iter().any(|name| cookie.get(..name.len()).is_some_and(|c| c.eq_ignore_ascii_case(name)))
}

fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .filter_map(|n| n.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// The cookies that a request brings, each `name=value` (RFC 6265, section 5.4; HTTP/2 may bring them apart).
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|v| v.as_bytes().split(|b| *b == b';'))
        .map(|c| c.trim_ascii())
        .filter(|c| !c.is_empty())
}

/// The values of a request's cookies of one name.
pub fn cookie_values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    cookies(headers)
        .filter_map(|c| std::str::from_utf8(c).ok()?.split_once('='))
        .filter_map(move |(key, value)| (key == name).then_some(value))
}

/// Name of the cookie that opens a port: ports of the server share a host, and so its cookies.
pub fn cookie_name(tcp: Option<u16>) -> String {
    tcp.map_or_else(|| COOKIE.to_owned(), |tcp| format!("{COOKIE}-{tcp}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(seen: SeenHost) -> Way {
        Way {
            scheme: "https",
            authority: "8080-node1-abcdefghij.lab.example.org".into(),
            port: 8080,
            seen,
            peer: Some([192, 0, 2, 7].into()),
        }
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| (k.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(v.as_bytes()).unwrap()))
            .collect()
    }

    #[test]
    fn the_application_sees_its_own_cookies_only() {
        let mut h = headers(&[
            ("cookie", "a=1; boatyard-port=secret; b=ü"),
            ("cookie", "__Host-boatyard=me; boatyard-port-20001=x"),
            ("cookie", "boatyard=me"),
            (TOKEN_HEADER, "secret"),
            ("connection", "keep-alive, x-hop"),
            ("x-hop", "1"),
            ("x-forwarded-for", "10.0.0.1"),
        ]);
        for_application(&mut h, Version::HTTP_11, &way(SeenHost::Original));
        assert_eq!(h[header::COOKIE].as_bytes(), "a=1; b=ü".as_bytes());
        assert_eq!(h[header::HOST], "8080-node1-abcdefghij.lab.example.org");
        assert_eq!(
            (&h["x-forwarded-proto"], &h["x-forwarded-for"]),
            (&"https".parse().unwrap(), &"10.0.0.1, 192.0.2.7".parse().unwrap())
        );
        assert!(!h.contains_key(TOKEN_HEADER) && !h.contains_key("x-hop") && !h.contains_key(header::CONNECTION));
    }

    #[test]
    fn the_application_may_think_itself_local() {
        let own = "https://8080-node1-abcdefghij.lab.example.org";
        for (origin, seen, becomes) in [
            (own, SeenHost::Localhost, "http://localhost:8080"),
            (own, SeenHost::Original, own),
            ("https://evil.example.com", SeenHost::Localhost, "https://evil.example.com"),
            ("null", SeenHost::Localhost, "null"),
        ] {
            let mut h = headers(&[("host", "whatever"), ("origin", origin), ("te", "trailers")]);
            for_application(&mut h, Version::HTTP_2, &way(seen));
            assert_eq!(h[header::ORIGIN], becomes);
            assert_eq!(h[header::TE], "trailers");
            assert_eq!(h["x-forwarded-host"], "8080-node1-abcdefghij.lab.example.org");
            let local = seen == SeenHost::Localhost;
            assert_eq!(h[header::HOST], if local { "localhost:8080" } else { "8080-node1-abcdefghij.lab.example.org" });
        }
    }

    #[test]
    fn redirects_of_the_application_lead_through_the_proxy() {
        let own = "https://8080-node1-abcdefghij.lab.example.org";
        for (to, becomes) in [
            ("/login", "/login".to_owned()),
            ("http://localhost:8080/login?a=http://x", format!("{own}/login?a=http://x")),
            ("http://127.0.0.1:8080", own.to_owned()),
            ("http://8080-node1-abcdefghij.lab.example.org/x", format!("{own}/x")),
            ("http://localhost:80801/", "http://localhost:80801/".to_owned()),
            ("http://localhost:3000/", "http://localhost:3000/".to_owned()),
            ("http://localhost:8080.evil.example.com/", "http://localhost:8080.evil.example.com/".to_owned()),
            ("https://example.com/", "https://example.com/".to_owned()),
        ] {
            let mut h = headers(&[("location", to)]);
            for_browser(&mut h, &way(SeenHost::Original));
            assert_eq!(h[header::LOCATION], becomes);
        }
    }

    #[test]
    fn an_application_sets_cookies_of_its_own_host_only() {
        for (set, kept) in [
            ("a=1; Path=/; Domain=lab.example.org; HttpOnly", Some("a=1; Path=/; HttpOnly")),
            ("a=1; domain =x", Some("a=1")),
            ("a=boatyard", Some("a=boatyard")),
            ("boatyard=evil; Path=/", None),
            (" Boatyard-port=evil", None),
            ("__Host-boatyard=evil; Secure", None),
            ("=boatyard=evil", None),
            ("boatyard", None),
        ] {
            let mut h = headers(&[
                ("set-cookie", set),
                ("set-cookie", "b=2"),
                ("clear-site-data", "\"*\""),
                (ERROR_HEADER, "x"),
            ]);
            for_browser(&mut h, &way(SeenHost::Original));
            let set: Vec<_> = h.get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap()).collect();
            assert_eq!(set, kept.into_iter().chain(["b=2"]).collect::<Vec<_>>());
            assert_eq!(h.len(), set.len(), "what reaches beyond is gone: {h:?}");
        }
    }
}
