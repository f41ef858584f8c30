//! What opens a session from outside of its page: ssh keys, one-time passwords, tokens of `boatyard forward`.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    session::Live,
    ssh::{PublicKey, Reached, secret},
    store::{KeyRefused, SecretKind, SshKeyRow, now_ms},
    web::{App, Problem, access::Access, problem::rfc3339},
};

/// Most keys of one session.
const MOST_KEYS: u32 = 20;
/// Longest name of a key that is kept, in letters.
const LONGEST_NAME: usize = 64;
/// How long a token of `boatyard forward` is good; it ends with its session before that.
const TOKEN_LASTS: Duration = Duration::from_secs(24 * 3600);

/// How a session is reached by ssh. A node's user name is `<public name of the session>-<node>`.
#[derive(Debug, Serialize, ToSchema)]
pub struct SshAccess {
    /// Host name of the ssh server.
    host: String,
    /// Its port.
    port: u16,
    /// Fingerprint of its host key, such as `SHA256:…`.
    fingerprint: String,
    /// The host key as a line of `known_hosts`.
    known_hosts: String,
    /// Public keys that open the session, in order of adding.
    keys: Vec<SshKey>,
    /// Most keys that it may have.
    most_keys: u32,
    /// Seconds for which a one-time password is good.
    password_seconds: u64,
}

/// A public key that opens a session by ssh.
#[derive(Debug, Serialize, ToSchema)]
pub struct SshKey {
    /// Its number.
    id: i64,
    /// What its owner calls it.
    name: String,
    /// Its kind, such as `ssh-ed25519`.
    algorithm: String,
    /// Its fingerprint, such as `SHA256:…`.
    fingerprint: String,
    /// When it was added (RFC 3339).
    added_at: String,
}

/// A key to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSshKey {
    /// A line as it stands in `~/.ssh/id_ed25519.pub`.
    key: String,
    /// What to call it; the line's comment where absent.
    #[serde(default)]
    name: Option<String>,
}

/// A one-time password. It is told this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct SshPassword {
    /// The password; dashes may be left out.
    password: String,
    /// Until when it is good (RFC 3339).
    expires_at: String,
}

/// What opens a session's ports for `boatyard forward`. It is told this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct ForwardToken {
    /// The session's id, a dot, and a token: value of `BOATYARD_SESSION`.
    session: String,
    /// Until when it is good (RFC 3339), as long as the session lives.
    expires_at: String,
}

/// Which key.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "`id` is read by `Access`")]
pub struct KeyPath {
    /// The session.
    id: String,
    /// Number of the key.
    key: i64,
}

/// How the session is reached by ssh.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/ssh", operation_id = "ssh_access", tag = "outside",
    params(("id" = crate::session::SessionId, Path)),
    responses((status = 200, body = SshAccess),
              (status = 404, body = Problem, description = "No such session, or the server has no ssh (`no-ssh`)")))]
pub async fn access(State(app): State<App>, Access(live): Access) -> Result<Json<SshAccess>, Problem> {
    let reached = ssh(&app)?;
    let keys = app.sessions.store().ssh_keys(live.id())?;
    Ok(Json(SshAccess {
        host: reached.host.clone(),
        port: reached.port,
        fingerprint: reached.fingerprint.clone(),
        known_hosts: reached.known_hosts(),
        keys: keys.into_iter().map(SshKey::of).collect(),
        most_keys: MOST_KEYS,
        password_seconds: app.sessions.config().ssh.password.as_secs(),
    }))
}

/// Adds a public key: who has its private key opens every node of the session by ssh, while the session lives.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/ssh/keys", operation_id = "add_ssh_key", tag = "outside",
    params(("id" = crate::session::SessionId, Path)), request_body = NewSshKey,
    responses((status = 201, body = SshKey), (status = 400, body = Problem, description = "It is no public key"),
              (status = 404, body = Problem),
              (status = 409, body = Problem, description = "The session has it, or as many as it may have")))]
pub async fn add_key(
    State(app): State<App>,
    Access(live): Access,
    body: Result<Json<NewSshKey>, JsonRejection>,
) -> Result<(StatusCode, Json<SshKey>), Problem> {
    ssh(&app)?;
    let Json(new) = body.map_err(|e| Problem::bad_request(e.body_text()))?;
    let key = PublicKey::parse(&new.key).map_err(|e| Problem::bad_request(format!("{e}.")))?;
    let name = new.name.filter(|n| !n.trim().is_empty()).unwrap_or_else(|| key.comment().to_owned());
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    let name = if name.is_empty() { "no name".to_owned() } else { name };
    let conflict = |title: &str, detail: String| Problem::new(StatusCode::CONFLICT, title, detail);
    match app.sessions.store().add_ssh_key(live.id(), &key.line(), &name, MOST_KEYS)? {
        Ok(row) => Ok((StatusCode::CREATED, Json(SshKey::of(row)))),
        Err(KeyRefused::Known) => Err(conflict("Known already", "The session has this key already.".into())),
        Err(KeyRefused::TooMany) => {
            let detail = format!("A session has at most {MOST_KEYS} keys. Remove one first.");
            Err(conflict("Too many keys", detail))
        }
    }
}

/// Removes a key; connections that were made with it end.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}/ssh/keys/{key}", operation_id = "remove_ssh_key", tag = "outside",
    params(KeyPath), responses((status = 204), (status = 404, body = Problem)))]
pub async fn remove_key(
    State(app): State<App>,
    Access(live): Access,
    Path(at): Path<KeyPath>,
) -> Result<StatusCode, Problem> {
    if !app.sessions.store().remove_ssh_key(live.id(), at.key)? {
        return Err(Problem::not_found("This session has no such key."));
    }
    app.outside.key_removed(at.key);
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a one-time password: good for one sign-in by ssh, on any node of the session.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/ssh/password", operation_id = "make_ssh_password", tag = "outside",
    params(("id" = crate::session::SessionId, Path)),
    responses((status = 201, body = SshPassword), (status = 404, body = Problem)))]
pub async fn make_password(
    State(app): State<App>,
    Access(live): Access,
) -> Result<(StatusCode, Json<SshPassword>), Problem> {
    ssh(&app)?;
    let lasts = app.sessions.config().ssh.password;
    let (password, expires_at) = made(&app, &live, SecretKind::SshPassword, lasts)?;
    Ok((StatusCode::CREATED, Json(SshPassword { password, expires_at })))
}

/// Makes what opens the ports of the session's nodes, and nothing else, for `boatyard forward`.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/forward-token", operation_id = "make_forward_token", tag = "outside",
    params(("id" = crate::session::SessionId, Path)),
    responses((status = 201, body = ForwardToken), (status = 404, body = Problem)))]
pub async fn make_forward_token(
    State(app): State<App>,
    Access(live): Access,
) -> Result<(StatusCode, Json<ForwardToken>), Problem> {
    let (token, expires_at) = made(&app, &live, SecretKind::ForwardToken, TOKEN_LASTS)?;
    Ok((StatusCode::CREATED, Json(ForwardToken { session: format!("{}.{token}", live.id()), expires_at })))
}

fn made(app: &App, live: &Arc<Live>, kind: SecretKind, lasts: Duration) -> Result<(String, String), Problem> {
    let secret = secret::make(app.sessions.store(), live.id(), kind, lasts)?;
    Ok((secret, rfc3339(now_ms() + lasts.as_millis() as i64).unwrap_or_default()))
}

fn ssh(app: &App) -> Result<&Reached, Problem> {
    app.outside.ssh().ok_or_else(|| {
        Problem::not_found("This server has no ssh. Its operator can switch it on with `ssh.listen`.").code("no-ssh")
    })
}

impl SshKey {
    fn of(row: SshKeyRow) -> SshKey {
        let key = PublicKey::parse(&row.key);
        let (algorithm, fingerprint) = key.map(|k| (k.algorithm(), k.fingerprint())).unwrap_or_default();
        let added_at = rfc3339(row.added_at).unwrap_or_default();
        SshKey { id: row.id, name: row.name, algorithm, fingerprint, added_at }
    }
}
