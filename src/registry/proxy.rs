//! The authorising proxy: a session pushes only into its own namespace, and pulls only that and the catalogue.
//!
//! It speaks the OCI Distribution Specification 1.1; errors have the specification's form.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use serde_json::json;
use tokio::{
    sync::{Notify, broadcast},
    time::{Instant, timeout},
};

use super::{
    answer::{base, error, json_answer, pass, refusal, unavailable},
    client::{Body, RegistryClient, full},
    gate::Gate,
    names::{Endpoint, Name, Rest, outward, session_prefix},
    quota::{DEADLINE, Quota},
    storage::Storage,
    upload::Upload,
};
use crate::session::PublicName;

/// Longest answer that is read whole, to put the client's own names into it.
const MAX_REWRITTEN: usize = 1 << 20;
/// Longest wait for the registry's answer when it has all of a request.
const ANSWER: Duration = Duration::from_secs(120);

/// The proxy.
pub struct Proxy {
    registry: RegistryClient,
    upstream: Option<RegistryClient>,
    storage: Storage,
    quota: Arc<Quota>,
    signals: Signals,
}

/// What goes between the proxy and the rest of the registry.
pub struct Signals {
    /// Told the session whose repositories have changed.
    pub pushes: broadcast::Sender<PublicName>,
    /// Told when something was removed.
    pub removed: Arc<Notify>,
    /// Whoever writes goes through it.
    pub gate: Arc<Gate>,
}

impl Proxy {
    pub fn new(
        registry: RegistryClient,
        upstream: Option<RegistryClient>,
        storage: Storage,
        quota: Arc<Quota>,
        signals: Signals,
    ) -> Proxy {
        Proxy { registry, upstream, storage, quota, signals }
    }

    /// Answers a request to the session's own registry, `registry.lab:5000`.
    pub async fn session(&self, session: &PublicName, request: Request<Incoming>) -> Response<Body> {
        match Endpoint::parse(request.uri().path()) {
            None => error(StatusCode::NOT_FOUND, "NAME_INVALID", "This is no address of a registry."),
            Some(Endpoint::Base) => base(),
            Some(Endpoint::Catalog) => {
                let session = session.clone();
                json_answer(json!({ "repositories": self.storage.blocking(move |s| s.of_session(&session)).await }))
            }
            Some(Endpoint::Repository { name, rest }) if reads(request.method()) => {
                self.read(session, &name, &rest, &request).await
            }
            Some(Endpoint::Repository { name, rest }) => self.write(session, &name, &rest, request).await,
        }
    }

    /// Answers a request to the mirror of the catalogue, which can only be read.
    pub async fn catalogue(&self, request: Request<Incoming>) -> Response<Body> {
        if !reads(request.method()) {
            return error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "The catalogue can only be read.");
        }
        match Endpoint::parse(request.uri().path()) {
            None | Some(Endpoint::Catalog) => {
                error(StatusCode::NOT_FOUND, "NAME_INVALID", "This is no address of the catalogue.")
            }
            Some(Endpoint::Base) => base(),
            Some(Endpoint::Repository { name, rest }) => {
                let found = self.get(&request, &name.of_catalogue(), &rest).await;
                match (&self.upstream, &found) {
                    (Some(upstream), Ok(answer)) if answer.status() == StatusCode::NOT_FOUND => {
                        pass(upstream.send(get(&request, name.as_str(), &rest)).await)
                    }
                    _ => self.outward(found, "catalogue/").await,
                }
            }
        }
    }

    async fn read(
        &self,
        session: &PublicName,
        name: &Name,
        rest: &Rest,
        request: &Request<Incoming>,
    ) -> Response<Body> {
        let own = name.of_session(session);
        let found = self.get(request, &own, rest).await;
        if !found.as_ref().is_ok_and(|a| a.status() == StatusCode::NOT_FOUND) {
            return self.outward(found, &session_prefix(session)).await;
        }
        // A layer that the catalogue has need not be sent: before a client sends one, it asks whether it is there.
        if let (Rest::Blob(digest), &Method::HEAD) = (rest, request.method())
            && let Some(from) = self.in_catalogue(digest).await
            // Who has stored as much as he may can still read it, below.
            && self.quota.admit(session, &self.storage, makes(name, rest)).await.is_ok()
        {
            let _within = self.signals.gate.enter().await;
            if self.registry.mount_blob(&own, digest, &from).await.unwrap_or(false) {
                let again = self.get(request, &own, rest).await;
                return self.outward(again, &session_prefix(session)).await;
            }
        }
        match self.get(request, &name.of_catalogue(), rest).await {
            Ok(answer) if answer.status() == StatusCode::NOT_FOUND => {
                self.outward(found, &session_prefix(session)).await
            }
            answer => self.outward(answer, "catalogue/").await,
        }
    }

    async fn write(
        &self,
        session: &PublicName,
        name: &Name,
        rest: &Rest,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let possible = match rest {
            Rest::Tags | Rest::Referrers(_) => false,
            Rest::Manifest(_) => matches!(*request.method(), Method::PUT | Method::DELETE),
            Rest::Blob(_) => *request.method() == Method::DELETE,
            Rest::Upload(_) => matches!(*request.method(), Method::POST | Method::PATCH | Method::PUT | Method::DELETE),
        };
        if !possible {
            return error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "This cannot be done here.");
        }
        let removes = request.method() == Method::DELETE;
        // What is removed makes room, so it is never refused.
        let room = if removes { 0 } else { makes(name, rest) };
        let used = match self.quota.admit(session, &self.storage, room).await {
            Ok(used) => used,
            Err(_) if removes => Default::default(),
            Err(why) => return refusal(why),
        };
        let own = name.of_session(session);
        let (_within, leave) = self.signals.gate.enter().await;
        let query = {
            let (given, session) = (request.uri().query().map(str::to_owned), session.clone());
            self.storage.blocking(move |s| own_query(given.as_deref(), &session, |r, d| s.holds(r, d))).await
        };
        let (parts, body) = request.into_parts();
        let mut inner = Request::builder().method(parts.method).uri(format!("/v2/{own}/{}{query}", rest.path()));
        for key in [header::CONTENT_LENGTH, header::CONTENT_RANGE] {
            if let Some(value) = parts.headers.get(&key) {
                inner = inner.header(key, value);
            }
        }
        match parts.headers.get(header::CONTENT_TYPE) {
            Some(value) if matches!(rest, Rest::Manifest(_)) => inner = inner.header(header::CONTENT_TYPE, value),
            // The registry would take the parameters of an upload, `from` among them, from the body of a form.
            _ => inner = inner.header(header::CONTENT_TYPE, "application/octet-stream"),
        }
        let deadline = Instant::now() + DEADLINE;
        let upload = Upload { quota: self.quota.clone(), storage: self.storage.clone(), used, leave, deadline };
        let (body, ended) = upload.counted(body);
        let Ok(inner) = inner.body(body) else {
            return error(StatusCode::BAD_REQUEST, "UNSUPPORTED", "This is no request to a registry.");
        };
        // The body ends by its deadline; what follows is the registry's own work.
        let answer = timeout(DEADLINE + ANSWER, self.registry.send(inner)).await.unwrap_or_else(|e| Err(e.into()));
        if let Some(why) = ended.why() {
            if let Rest::Upload(id) = rest {
                let id = id.clone();
                self.storage.blocking(move |s| s.drop_upload(&own, &id)).await;
            }
            return refusal(why);
        }
        if removes {
            self.storage.set_dirty();
            self.signals.removed.notify_one();
        }
        let changed = matches!(rest, Rest::Manifest(_)) && answer.as_ref().is_ok_and(|a| a.status().is_success());
        let answer = self.outward(answer, &session_prefix(session)).await;
        if changed {
            // Nobody listening is fine.
            let _ = self.signals.pushes.send(session.clone());
        }
        answer
    }

    async fn in_catalogue(&self, digest: &str) -> Option<String> {
        let digest = digest.to_owned();
        self.storage.blocking(move |s| s.in_catalogue(&digest)).await
    }

    async fn get(
        &self,
        request: &Request<Incoming>,
        repository: &str,
        rest: &Rest,
    ) -> anyhow::Result<Response<Incoming>> {
        self.registry.send(get(request, repository, rest)).await
    }

    /// The registry's answer with the client's own names for things.
    async fn outward(&self, answer: anyhow::Result<Response<Incoming>>, prefix: &str) -> Response<Body> {
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(e) => return unavailable(&e),
        };
        for key in [header::LOCATION, header::LINK] {
            let value = answer.headers().get(&key).and_then(|v| v.to_str().ok()).map(|v| outward(v, prefix));
            if let Some(value) = value.and_then(|v| HeaderValue::from_str(&v).ok()) {
                answer.headers_mut().insert(key, value);
            }
        }
        // Tag lists and errors tell names.
        let type_is = |t: &str| {
            answer.headers().get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(t.as_bytes()))
        };
        if !type_is("application/json") {
            return pass(Ok(answer));
        }
        let (mut parts, body) = answer.into_parts();
        match Limited::new(body, MAX_REWRITTEN).collect().await {
            Ok(body) => {
                let text = String::from_utf8_lossy(&body.to_bytes()).replace(prefix, "");
                if !text.is_empty() {
                    parts.headers.insert(header::CONTENT_LENGTH, text.len().into());
                }
                Response::from_parts(parts, full(text))
            }
            Err(e) => unavailable(&anyhow::anyhow!(e)),
        }
    }
}

/// How many files and folders writing this may make in storage, at most.
fn makes(name: &Name, rest: &Rest) -> u64 {
    let folders = name.as_str().split('/').count() as u64;
    folders + if matches!(rest, Rest::Manifest(_)) { 13 } else { 8 }
}

fn reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// The same read, of another repository.
fn get(request: &Request<Incoming>, repository: &str, rest: &Rest) -> Request<Body> {
    let query = request.uri().query().filter(|_| matches!(rest, Rest::Tags | Rest::Upload(_)));
    let query = query.map(|q| format!("?{q}")).unwrap_or_default();
    let mut inner = Request::new(full(Bytes::new()));
    *inner.method_mut() = request.method().clone();
    if let Ok(uri) = format!("/v2/{repository}/{}{query}", rest.path()).parse() {
        *inner.uri_mut() = uri;
    }
    for key in [header::ACCEPT, header::RANGE, header::IF_NONE_MATCH] {
        for value in request.headers().get_all(&key) {
            inner.headers_mut().append(key.clone(), value.clone());
        }
    }
    inner
}

/// The query of an upload, made anew of what is allowed in it: the registry reads names and values that are escaped, or
/// stand twice, in its own way. A blob is mounted from the session's own repositories or from the catalogue, whatever
/// the client calls them; where neither `holds` it, the registry begins a plain upload.
fn own_query(query: Option<&str>, session: &PublicName, holds: impl Fn(&str, &str) -> bool) -> String {
    let given: Vec<_> = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect();
    let get = |key: &str| given.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_ref());
    let mut own = form_urlencoded::Serializer::new(String::new());
    for key in ["_state", "digest"] {
        if let Some(value) = get(key) {
            own.append_pair(key, value);
        }
    }
    if let (Some(digest), Some(name)) = (get("mount"), get("from").and_then(Name::parse)) {
        let from = [name.of_session(session), name.of_catalogue()].into_iter().find(|r| holds(r, digest));
        if let Some(from) = from {
            own.append_pair("mount", digest).append_pair("from", &from);
        }
    }
    let own = own.finish();
    if own.is_empty() { own } else { format!("?{own}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_mounted_from_the_own_namespace_or_the_catalogue() {
        let me = PublicName::parse("abcdefghij").unwrap();
        let there = ["sessions/abcdefghij/me/other", "catalogue/library/python", "sessions/zzzzzzzzzz/me/app"];
        for (query, wanted) in [
            ("mount=sha256:1&from=me/other", "?mount=sha256%3A1&from=sessions%2Fabcdefghij%2Fme%2Fother"),
            ("mount=sha256:1&from=library%2Fpython", "?mount=sha256%3A1&from=catalogue%2Flibrary%2Fpython"),
            ("mount=sha256:1&from=me/none", ""),
            ("mount=sha256:1&from=../x", ""),
            ("mount=sha256:1", ""),
            ("mount=sha256:1&fro%6d=sessions/zzzzzzzzzz/me/app", ""),
            ("mount=sha256:1&from=me/none&from=sessions/zzzzzzzzzz/me/app", ""),
            ("mount=sha256:1;from=sessions/zzzzzzzzzz/me/app", ""),
            ("digest=sha256:1&_state=abc", "?_state=abc&digest=sha256%3A1"),
            ("", ""),
        ] {
            assert_eq!(own_query(Some(query), &me, |r, _| there.contains(&r)), wanted, "{query}");
        }
    }
}
