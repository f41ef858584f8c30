//! Who a browser is: a random id, kept in a signed cookie. For pages elsewhere, which have no cookie here, it is in a signed
//! token that they bring along; it counts their sessions and opens none.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, request::Parts},
    response::{IntoResponse, Response},
};
use axum_extra::extract::cookie::{Cookie, Key, SameSite, SignedCookieJar};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{App, embed::Elsewhere};
use crate::session::ClientId;

/// Days for which a browser is known.
const DAYS: i64 = 30;
/// Header in which a page elsewhere says who its browser is.
pub const CLIENT_HEADER: HeaderName = HeaderName::from_static("x-boatyard-client");

/// Name of the cookie. With TLS the prefix keeps other hosts of the same domain, such as those of published ports, from
/// setting it (RFC 6265bis, section 4.1.3.2).
fn name(app: &App) -> &'static str {
    if app.is_https() { "__Host-boatyard" } else { "boatyard" }
}

/// The browser's id, if it brought one that this server gave it.
pub fn known(app: &App, jar: &SignedCookieJar) -> Option<ClientId> {
    jar.get(name(app))?.value().parse().ok().map(ClientId)
}

/// The browser's id; a new one, with the cookie that keeps it, if it brought none.
pub fn known_or_new(app: &App, jar: SignedCookieJar) -> (ClientId, SignedCookieJar) {
    if let Some(id) = known(app, &jar) {
        return (id, jar);
    }
    let id = ClientId::random();
    let mut cookie = Cookie::new(name(app), id.0.to_string());
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(app.is_https());
    cookie.set_max_age(Some(time::Duration::days(DAYS)));
    (id, jar.add(cookie))
}

/// Who asks for something that is counted for each browser.
pub struct Caller {
    /// The browser.
    pub id: ClientId,
    /// Its cookies, with the one that keeps the id; none for a page elsewhere.
    jar: Option<SignedCookieJar>,
}

impl Caller {
    /// The token that a page elsewhere shall bring next time; none for whoever has a cookie.
    pub fn token(&self, app: &App) -> Option<String> {
        self.jar.is_none().then(|| token(&app.clients, self.id))
    }

    /// Adds to an answer what the browser shall keep.
    pub fn answer(self, answer: impl IntoResponse) -> Response {
        match self.jar {
            Some(jar) => (jar, answer).into_response(),
            None => answer.into_response(),
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Caller, Infallible> {
        if parts.extensions.get::<Elsewhere>().is_some() {
            let brought = parts.headers.get(CLIENT_HEADER).and_then(|v| v.to_str().ok());
            let known = brought.and_then(|t| of_token(&app.clients, t));
            return Ok(Caller { id: known.unwrap_or_else(ClientId::random), jar: None });
        }
        let jar = SignedCookieJar::<Key>::from_request_parts(parts, app).await?;
        let (id, jar) = known_or_new(app, jar);
        Ok(Caller { id, jar: Some(jar) })
    }
}

fn mac(secret: &[u8], id: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length (RFC 2104)");
    mac.update(id.as_bytes());
    mac
}

fn token(secret: &[u8], id: ClientId) -> String {
    let id = id.0.to_string();
    let signature = hex::encode(mac(secret, &id).finalize().into_bytes());
    format!("{id}.{signature}")
}

fn of_token(secret: &[u8], token: &str) -> Option<ClientId> {
    let (id, signature) = token.split_once('.')?;
    mac(secret, id).verify_slice(&hex::decode(signature).ok()?).ok()?;
    id.parse().ok().map(ClientId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_browser_and_cannot_be_made_up() {
        let (id, other) = (ClientId::random(), ClientId::random());
        let good = token(b"secret", id);
        assert_eq!(of_token(b"secret", &good), Some(id));
        assert_eq!(of_token(b"another", &good), None);
        let (_, signature) = good.split_once('.').unwrap();
        for bad in
            [format!("{}.{signature}", other.0), format!("{}.", id.0), id.0.to_string(), ".".into(), "x.y".into()]
        {
            assert_eq!(of_token(b"secret", &bad), None, "{bad}");
        }
    }
}
