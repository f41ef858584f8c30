//! Who a browser is: a random id in a signed cookie.

use axum_extra::extract::cookie::{Cookie, SameSite, SignedCookieJar};

use super::App;
use crate::session::ClientId;

/// Days for which a browser is known.
const DAYS: i64 = 30;

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
