//! The front end's files, built by `npm run build` into `web/dist` and carried inside the binary.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{Embed, EmbeddedFile};

// A checkout whose front end was not built yet still compiles; `missing` then names what to do.
#[derive(Embed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Dist;

static MANIFEST: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    Dist::get("manifest.json").and_then(|file| serde_json::from_slice(&file.data).ok()).unwrap_or_default()
});

/// Where the entry `name` (`app.css`, `site.js`, `session.js`, `mark.svg`) is served, under a name that changes with
/// its content.
pub fn url(name: &str) -> String {
    format!("/assets/{}", MANIFEST.get(name).map_or(name, String::as_str))
}

/// What to tell an operator whose server has no front end inside; none where it has one.
pub fn missing() -> Option<&'static str> {
    MANIFEST
        .is_empty()
        .then_some("The front end is not built: run `npm ci && npm run build` in web/, then build the server.")
}

/// `GET /assets/{name}`: the file in the best encoding that the browser takes. Names change with their content, so a
/// browser may keep a file for good.
pub async fn serve(Path(name): Path<String>, request: HeaderMap) -> Response {
    // The compressed copies are encodings of a file and no files of their own.
    if name.ends_with(".br") || name.ends_with(".gz") || name == "manifest.json" {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Some((file, encoding)) = best(&name, &request) else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = answer(&name, file, encoding);
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, forever);
    response
}

/// `GET /sdk/{name}`: the SDK, for pages of any origin. Its address stays, so a browser asks now and then whether it is still
/// the same.
pub async fn serve_sdk(Path(name): Path<String>, request: HeaderMap) -> Response {
    let path = format!("sdk/{name}");
    let found = (name.ends_with(".js") || name.ends_with(".mjs")).then(|| best(&path, &request)).flatten();
    let Some((file, encoding)) = found else { return StatusCode::NOT_FOUND.into_response() };
    let tag = HeaderValue::from_str(&format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16])));
    let tag = tag.unwrap_or(HeaderValue::from_static("\"\""));
    let same = request.get_all(header::IF_NONE_MATCH).iter().any(|known| *known == tag);
    let mut response = if same { StatusCode::NOT_MODIFIED.into_response() } else { answer(&path, file, encoding) };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    // It is the same for everybody and says nothing of anybody.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    response
}

fn answer(name: &str, file: EmbeddedFile, encoding: Option<&'static str>) -> Response {
    let mime = match name.rsplit_once('.').map(|(_, suffix)| suffix) {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let mut response = Response::new(Body::from(file.data.into_owned()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn best(name: &str, request: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = request.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let encoded = [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(coding, _)| accepts(accepted, coding))
        .find_map(|(coding, suffix)| Some((Dist::get(&format!("{name}.{suffix}"))?, Some(coding))));
    encoded.or_else(|| Some((Dist::get(name)?, None)))
}

/// Whether an `Accept-Encoding` value takes `coding`.
fn accepts(value: &str, coding: &str) -> bool {
    value.split(',').any(|part| {
        let mut part = part.split(';').map(str::trim);
        let named = part.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let refused =
            part.filter_map(|p| p.strip_prefix("q=")).any(|q| q.parse::<f32>().is_ok_and(|quality| quality <= 0.0));
        named && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_counts_only_where_it_is_accepted() {
        assert!(accepts("gzip, deflate, br, zstd", "br"));
        assert!(accepts("gzip;q=0.5, br;q=1.0", "gzip"));
        assert!(!accepts("br;q=0, gzip", "br"));
        assert!(!accepts("", "gzip"));
        assert!(!accepts("brotli", "br"));
    }

    #[tokio::test]
    async fn what_is_no_file_is_not_found() {
        for name in ["../Cargo.toml", "manifest.json", "app.css.gz", "nothing.js"] {
            let response = serve(Path(name.into()), HeaderMap::new()).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{name}");
            let response = serve_sdk(Path(name.into()), HeaderMap::new()).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "sdk/{name}");
        }
    }
}
