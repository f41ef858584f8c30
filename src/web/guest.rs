//! The cookie of someone who came through a share: which share it was, and a random id by which the browser is known.
//!
//! It is one for each session, signed, and opens that session as long as the share is there.

use axum_extra::extract::cookie::{Cookie, SameSite, SignedCookieJar};

use super::App;
use crate::{
    session::{GuestId, SessionId, ShareId},
    store::{SessionRow, now_ms},
};

/// How long a browser is known beyond the session's last possible end: long enough to read that it has ended.
const LONGER_MS: i64 = 3_600_000;

/// Name of the cookie; with TLS as that of `client`.
fn name(app: &App, session: SessionId) -> String {
    let prefix = if app.is_https() { "__Host-" } else { "" };
    format!("{prefix}boatyard-guest-{}", session.0.simple())
}

/// Through which share the browser came into a session, and who it is, as its cookie says. Whether the share is still
/// there is another question.
pub fn known(app: &App, jar: &SignedCookieJar, session: SessionId) -> Option<(ShareId, GuestId)> {
    let cookie = jar.get(&name(app, session))?;
    let (share, guest) = cookie.value().strip_prefix("guest.")?.split_once('.')?;
    Some((ShareId(share.parse().ok()?), GuestId(guest.parse().ok()?)))
}

/// Lets the browser in through a share. One that comes again is the same guest.
pub fn welcome(app: &App, jar: SignedCookieJar, session: &SessionRow, share: ShareId) -> SignedCookieJar {
    let again = known(app, &jar, session.id).filter(|(before, _)| *before == share).map(|(_, guest)| guest);
    let guest = again.unwrap_or_else(GuestId::random);
    let mut cookie = Cookie::new(name(app, session.id), format!("guest.{}.{}", share.0, guest.0));
    let extension = app.sessions.config().sessions.extension.as_millis() as i64;
    let last_end = session.expires_at + i64::from(session.extensions_left) * extension;
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(app.is_https());
    cookie.set_max_age(Some(time::Duration::milliseconds(last_end - now_ms() + LONGER_MS)));
    jar.add(cookie)
}
