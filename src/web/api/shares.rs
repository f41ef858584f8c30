//! Sharing a session: links that let others watch, or type, until they are ended.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    session::{Live, NodeName, Person, Right, Share, ShareError, ShareId, ShareKind, Who},
    store::GuestRow,
    web::{App, Problem, access::Access, problem::rfc3339},
};

/// How a session shall be shared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewShare {
    /// What those who have the link may do.
    kind: ShareKind,
    /// What the owner calls it, such as "Class"; up to 60 characters.
    #[serde(default)]
    label: String,
}

/// A share of a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShareView {
    /// Its id.
    id: ShareId,
    /// What those who have its link may do.
    kind: ShareKind,
    /// What the owner calls it; empty where nobody said.
    label: String,
    /// When it was made (RFC 3339).
    made_at: String,
    /// Who came through it, in that order.
    guests: Vec<GuestView>,
}

/// Someone who came through a share.
#[derive(Debug, Serialize, ToSchema)]
pub struct GuestView {
    /// What they go by.
    name: String,
    /// Whether they are there now.
    here: bool,
    /// When they first came (RFC 3339).
    came_at: String,
}

/// A share that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeShare {
    /// The share.
    #[serde(flatten)]
    share: ShareView,
    /// Its link. It is told this once.
    url: String,
}

/// Someone whose page of the session is open.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonView {
    /// Number within the session: the owner's is 0.
    number: u32,
    /// What they go by, as they say themselves.
    name: String,
    /// What they may do.
    right: Right,
    /// The terminal in front of them; none where they look at something else.
    terminal: Option<TerminalAt>,
}

/// Which terminal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TerminalAt {
    /// The node.
    pub node: NodeName,
    /// The terminal's id.
    pub terminal: String,
}

impl PersonView {
    /// Who is there, as the API shows it.
    pub fn all(live: &Live) -> Vec<PersonView> {
        let view = |p: Person| PersonView {
            number: p.number,
            name: p.name,
            right: p.right,
            terminal: p.terminal.map(|(node, terminal)| TerminalAt { node, terminal }),
        };
        live.people().into_iter().map(view).collect()
    }
}

impl ShareView {
    fn of(share: &Share, guests: &[GuestRow], here: &[Person]) -> ShareView {
        let guest = |g: &GuestRow| GuestView {
            name: if g.name.is_empty() { format!("Guest {}", g.number) } else { g.name.clone() },
            here: here.iter().any(|p| p.who == Who::Guest(g.id)),
            came_at: rfc3339(g.came_at).unwrap_or_default(),
        };
        ShareView {
            id: share.row.id,
            kind: share.row.kind,
            label: share.row.label.clone(),
            made_at: rfc3339(share.row.made_at).unwrap_or_default(),
            guests: guests.iter().filter(|g| g.share == share.row.id).map(guest).collect(),
        }
    }
}

/// Which share of which session.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "`id` is read by `Access`")]
pub struct SharePath {
    /// The session.
    id: String,
    /// The share.
    share: ShareId,
}

/// The shares of a session, and who came through each.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/shares", operation_id = "list_shares", tag = "sharing",
    params(("id" = crate::session::SessionId, Path)),
    responses((status = 200, body = Vec<ShareView>), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn list(State(app): State<App>, Access(live): Access) -> Result<Json<Vec<ShareView>>, Problem> {
    let guests = app.sessions.store().guests(live.id())?;
    let here = live.people();
    Ok(Json(app.sessions.shares(&live)?.iter().map(|s| ShareView::of(s, &guests, &here)).collect()))
}

/// Shares a session: whoever opens the link in the answer may watch, or type, until the share is ended.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/shares", operation_id = "make_share", tag = "sharing",
    params(("id" = crate::session::SessionId, Path)), request_body = NewShare,
    responses((status = 201, body = MadeShare), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem, description = "The session has as many as it may have (`share-limit`)")))]
pub async fn make(
    State(app): State<App>,
    Access(live): Access,
    body: Result<Json<NewShare>, JsonRejection>,
) -> Result<(StatusCode, Json<MadeShare>), Problem> {
    let Json(new) = body.map_err(|e| Problem::bad_request(e.body_text()))?;
    let (share, secret) = app.sessions.make_share(&live, new.kind, &new.label).map_err(|e| match e {
        ShareError::TooMany => Problem::new(
            StatusCode::CONFLICT,
            "No further link",
            "This session has as many links as it may have. End one that is not needed any more.",
        )
        .code("share-limit"),
        ShareError::Store(e) => e.into(),
    })?;
    let url = format!("{}/s/{}/join/{secret}", app.sessions.config().base_url(), live.id());
    Ok((StatusCode::CREATED, Json(MadeShare { share: ShareView::of(&share, &[], &[]), url })))
}

/// Ends a share at once: its link opens nothing any more, and who came through it is sent away.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}/shares/{share}", operation_id = "end_share", tag = "sharing",
    params(SharePath),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn end(
    State(app): State<App>,
    Access(live): Access,
    Path(at): Path<SharePath>,
) -> Result<StatusCode, Problem> {
    match app.sessions.end_share(&live, at.share)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found("This session has no such link; it may have been ended already.")),
    }
}
