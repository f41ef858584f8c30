//! What a request to a session needs: the one place that says so, for the API and for the pages.
//!
//! Whatever is not named here is the owner's alone. `docs/sharing.md` has the same as a table for people, and
//! `tests/sharing.rs` holds the server to it.

use axum::http::Method;

use crate::session::Right;

/// What guests may ask for, by method and route.
const GUESTS: &[(Right, &str, &[&str])] = &[
    (
        Right::Watch,
        "GET",
        &[
            "/s/{id}",
            "/s/{id}/{course}/{lesson}",
            "/api/v1/sessions/{id}",
            "/api/v1/sessions/{id}/events",
            "/api/v1/sessions/{id}/xray",
            "/api/v1/sessions/{id}/registry",
            "/api/v1/sessions/{id}/nodes/{node}/terminals",
            // What watchers send there is not passed on.
            "/api/v1/sessions/{id}/nodes/{node}/terminals/{terminal}/socket",
            "/api/v1/sessions/{id}/lessons/{course}/{lesson}/progress",
        ],
    ),
    (
        Right::Type,
        "GET",
        &[
            "/api/v1/sessions/{id}/nodes/{node}/files",
            "/api/v1/sessions/{id}/nodes/{node}/files/list",
            "/api/v1/sessions/{id}/nodes/{node}/files/tar",
            "/api/v1/sessions/{id}/nodes/{node}/variables/{variable}",
        ],
    ),
    (
        Right::Type,
        "PUT",
        &[
            "/api/v1/sessions/{id}/nodes/{node}/terminals/{terminal}",
            "/api/v1/sessions/{id}/nodes/{node}/files",
            "/api/v1/sessions/{id}/nodes/{node}/files/folder",
        ],
    ),
    (
        Right::Type,
        "POST",
        &[
            "/api/v1/sessions/{id}/nodes/{node}/files/move",
            "/api/v1/sessions/{id}/lessons/{course}/{lesson}/steps/{step}/check",
        ],
    ),
    (
        Right::Type,
        "DELETE",
        &["/api/v1/sessions/{id}/nodes/{node}/terminals/{terminal}", "/api/v1/sessions/{id}/nodes/{node}/files"],
    ),
];

/// The least right that a request needs; `route` is the pattern that its path fits.
pub fn needed(method: &Method, route: &str) -> Right {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let named = GUESTS.iter().find(|(_, m, routes)| *m == method && routes.contains(&route));
    named.map_or(Right::Own, |(right, ..)| *right)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The routes of `docs/sharing.md` with who may use them.
    fn documented() -> BTreeMap<(String, String), Right> {
        let lines = include_str!("../../docs/sharing.md").lines();
        let rows = lines.filter_map(|l| l.strip_prefix("| `")).filter_map(|l| {
            let (request, rest) = l.split_once('`')?;
            let (method, path) = request.split_once(' ')?;
            let may: Vec<bool> = rest.split('|').skip(1).take(3).map(|cell| cell.trim().starts_with("yes")).collect();
            let right = match may[..] {
                [true, true, true] => Right::Watch,
                [false, true, true] => Right::Type,
                [false, false, true] => Right::Own,
                _ => panic!("{request}: a right includes those before it"),
            };
            let path = match path {
                page if page.starts_with("/s/") => page.to_owned(),
                "/" => "/api/v1/sessions/{id}".into(),
                of_a_session => format!("/api/v1/sessions/{{id}}{of_a_session}"),
            };
            Some(((method.to_owned(), path), right))
        });
        rows.collect()
    }

    #[test]
    fn every_route_of_a_session_is_classified() {
        let documented = documented();
        let api = serde_json::to_value(crate::web::api::document()).unwrap();
        let mut seen = 0;
        for (path, operations) in api["paths"].as_object().unwrap() {
            for method in operations.as_object().unwrap().keys().map(|m| m.to_uppercase()) {
                if !path.starts_with("/api/v1/sessions/{id}") {
                    continue;
                }
                let right = documented.get(&(method.clone(), path.clone()));
                let right = right.unwrap_or_else(|| panic!("docs/sharing.md does not say who may {method} {path}"));
                assert_eq!(needed(&method.parse().unwrap(), path), *right, "{method} {path}");
                seen += 1;
            }
        }
        assert!(seen > 20, "{seen}");
        // And nothing is allowed that is documented otherwise, or not at all.
        for (right, method, routes) in GUESTS {
            for route in *routes {
                assert_eq!(documented.get(&((*method).into(), (*route).into())), Some(right), "{method} {route}");
            }
        }
    }

    #[test]
    fn what_nobody_named_is_the_owners() {
        assert_eq!(needed(&Method::GET, "/api/v1/sessions/{id}/new"), Right::Own);
        assert_eq!(needed(&Method::DELETE, "/api/v1/sessions/{id}"), Right::Own);
        assert_eq!(needed(&Method::PATCH, "/api/v1/sessions/{id}"), Right::Own);
        assert_eq!(needed(&Method::HEAD, "/api/v1/sessions/{id}"), Right::Watch);
    }
}
