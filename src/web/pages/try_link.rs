//! `/try`: links that start a session and deploy a stack in it. Looking starts nothing, so neither does a crawler nor the
//! preview of a link; the button does.

use std::net::SocketAddr;

use axum::{
    Form,
    extract::{ConnectInfo, Query, RawQuery, State, rejection::FormRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::cookie::SignedCookieJar;

use super::{in_words, problem_page, running};
use crate::{
    session::{CreateError, StartRequest},
    stack::Plan,
    store::Refused,
    template::Template,
    web::{
        App, Problem, api, client,
        stacks::{self, StackPlan, Wanted},
        view::{LimitPage, Nonce, Page, StackCard, TryErrorPage, TryListPage, TryPage},
    },
};

/// The badge: the same on light and on dark.
const BADGE: &str = include_str!("badge.svg");

/// What a link would do; without a stack, the list of those that have a name.
pub async fn show(State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    if !form_urlencoded::parse(query.as_bytes()).any(|(key, value)| key == "stack" && !value.is_empty()) {
        return list(&app);
    }
    let uri = format!("/try?{query}").parse().map_err(|_| Problem::bad_request("The link cannot be read."));
    let wanted = uri.and_then(|uri| {
        Query::<Wanted>::try_from_uri(&uri)
            .map_err(|e| Problem::bad_request(format!("The link cannot be read: {}.", e.body_text())))
    });
    let found = match wanted {
        Ok(Query(wanted)) => stacks::resolve(&app, &wanted, None).await,
        Err(e) => Err(e),
    };
    match found {
        Ok((plan, template)) => plan_page(&app, &plan, &template, None, StatusCode::OK),
        Err(e) => error_page(e, Some(format!("/try?{query}"))),
    }
}

/// The button: starts the session and leads to its page, which shows the rest.
pub async fn start(
    State(app): State<App>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    jar: SignedCookieJar,
    form: Result<Form<Wanted>, FormRejection>,
) -> Response {
    let wanted = match form {
        Ok(Form(wanted)) => wanted,
        Err(e) => return problem_page(Problem::bad_request(e.body_text())),
    };
    let (plan, template) = match stacks::resolve(&app, &wanted, None).await {
        Ok(found) => found,
        Err(e) => return error_page(e, Some(again(&wanted))),
    };
    let (owner, jar) = client::known_or_new(&app, jar);
    let request = StartRequest {
        owner,
        address: address.ip().to_string(),
        lesson: None,
        image: None,
        template: template.clone(),
    };
    let answer = match app.sessions.start(request).await {
        Ok(created) => {
            let row = created.live.row();
            match app.sessions.deploy(&created.live, plan).await {
                Ok(()) => Redirect::to(&api::page_path(row.id, row.lesson.as_ref())).into_response(),
                Err(e) => problem_page(e.into()),
            }
        }
        Err(CreateError::Refused(Refused::Client(_))) => LimitPage {
            nonce: Nonce::new(),
            limit: app.sessions.config().sessions.per_client as usize,
            sessions: running(&app, Some(owner)),
        }
        .respond(StatusCode::TOO_MANY_REQUESTS),
        Err(CreateError::Refused(Refused::Full { running, .. })) => {
            let notice =
                format!("All {running} places are taken just now. Try again in a moment, when a session has ended.");
            plan_page(&app, &plan, &template, Some(notice), StatusCode::SERVICE_UNAVAILABLE)
        }
        Err(e) => problem_page(e.into()),
    };
    (jar, answer).into_response()
}

/// `/try/badge.svg`.
pub async fn badge() -> Response {
    let mut answer = BADGE.into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    // Shown by pages of others.
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    answer
}

fn list(app: &App) -> Response {
    let card = |s: &std::sync::Arc<crate::stack::NamedStack>| {
        let unique = app.stacks.named().find(&s.name).is_some_and(|found| found.id() == s.id());
        let shortest = if unique { s.name.clone() } else { s.id() };
        let url = stacks::url_of(app, &shortest);
        StackCard {
            name: s.name.clone(),
            id: s.id(),
            title: s.title().to_owned(),
            summary: s.compose.summary.clone().unwrap_or_default(),
            services: s.compose.services.iter().map(|s| s.name.clone()).collect(),
            markdown: stacks::markdown(app, &url),
            href: format!("/try?stack={}", form_urlencoded::byte_serialize(shortest.as_bytes()).collect::<String>()),
        }
    };
    TryListPage {
        nonce: Nonce::new(),
        stacks: app.stacks.named().all().iter().map(card).collect(),
        hosts: app.sessions.config().try_links.hosts.iter().map(ToString::to_string).collect(),
    }
    .respond(StatusCode::OK)
}

fn plan_page(app: &App, plan: &Plan, template: &Template, notice: Option<String>, status: StatusCode) -> Response {
    TryPage {
        nonce: Nonce::new(),
        plan: StackPlan::of(app, plan, template),
        lasts: in_words(app.sessions.config().sessions.duration.as_millis() as i64),
        notice,
    }
    .respond(status)
}

/// `again` leads to the page of the same link: it helps where the cause is elsewhere and may pass.
fn error_page(p: Problem, again: Option<String>) -> Response {
    let status = StatusCode::from_u16(p.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let passes = status.is_server_error() || status == StatusCode::CONFLICT;
    TryErrorPage {
        nonce: Nonce::new(),
        status: p.status,
        title: p.title,
        detail: p.detail.unwrap_or_default(),
        again: again.filter(|_| passes),
    }
    .respond(status)
}

/// The link that a form came from, without the digest of what it showed.
fn again(wanted: &Wanted) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("stack", &wanted.stack);
    for (key, value) in [("template", &wanted.template), ("name", &wanted.name)] {
        if let Some(value) = value {
            query.append_pair(key, value);
        }
    }
    if let Some(swarm) = wanted.swarm {
        query.append_pair("swarm", if swarm { "1" } else { "0" });
    }
    format!("/try?{}", query.finish())
}
