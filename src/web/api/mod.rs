//! The API, `/api/v1`: everything that the pages do. Described at `/api/v1/openapi.json`, which is made from the handlers.

mod described;
mod embedding;
pub mod events;
mod exec;
mod files;
mod health;
mod images;
mod lessons;
mod nodes;
mod outside;
mod port_tickets;
mod ports;
mod registry;
mod sessions;
mod shares;
mod stacks;
mod tcp;
mod terminals;
mod variables;
mod xray;

use axum::{Json, Router, routing::get};
pub use embedding::EMBEDDING;
pub use sessions::{NodeView, PortView, SessionView, page_path};
pub use tcp::END as TCP_END;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::App;

#[derive(OpenApi)]
#[openapi(
    info(title = "Boatyard", description = "Short-lived sessions, each a real Docker Engine, with terminals and lessons."),
    modifiers(&Ways),
    security(("token" = []), ("cookie" = []))
)]
struct Document;

struct Ways;

impl Modify for Ways {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let cookie = ApiKey::Cookie(ApiKeyValue::new("boatyard"));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    }
}

/// All routes of the API, with their descriptions.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health::healthz))
        .routes(routes!(embedding::embedding))
        .routes(routes!(images::list))
        .routes(routes!(sessions::create, sessions::list))
        .routes(routes!(sessions::templates))
        .routes(routes!(sessions::get, sessions::delete))
        .routes(routes!(sessions::extend))
        .routes(routes!(stacks::list))
        .routes(routes!(stacks::plan))
        .routes(routes!(stacks::deploy_again))
        .routes(routes!(nodes::add))
        .routes(routes!(nodes::remove))
        .routes(routes!(nodes::join_swarm))
        .routes(routes!(port_tickets::issue))
        .routes(routes!(ports::choices))
        .routes(routes!(ports::choose_host))
        .routes(routes!(ports::share))
        .routes(routes!(ports::revoke))
        .routes(routes!(events::events))
        .routes(routes!(shares::list, shares::make))
        .routes(routes!(shares::end))
        .routes(routes!(xray::xray))
        .routes(routes!(terminals::list))
        .routes(routes!(terminals::open, terminals::close))
        .routes(routes!(terminals::socket))
        .routes(routes!(exec::exec))
        .routes(routes!(registry::contents))
        .routes(routes!(registry::delete_repository))
        .routes(routes!(registry::delete_tag))
        .routes(routes!(outside::access))
        .routes(routes!(outside::add_key))
        .routes(routes!(outside::remove_key))
        .routes(routes!(outside::make_password))
        .routes(routes!(outside::make_forward_token))
        .routes(routes!(tcp::tcp))
        .routes(routes!(files::read, files::write, files::remove))
        .routes(routes!(files::list))
        .routes(routes!(files::make_folder))
        .routes(routes!(files::rename))
        .routes(routes!(files::tar))
        .routes(routes!(lessons::progress, lessons::set_position))
        .routes(routes!(lessons::check))
        .routes(routes!(lessons::answer))
        .routes(routes!(variables::get))
}

/// The OpenAPI document, as `boatyard openapi` prints it.
pub fn document() -> utoipa::openapi::OpenApi {
    router().split_for_parts().1
}

pub(super) fn document_route(document: utoipa::openapi::OpenApi) -> Router<App> {
    Router::new().route("/api/v1/openapi.json", get(move || async move { Json(document) }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn every_operation_has_an_id_of_its_own() {
        let document = serde_json::to_value(super::document()).unwrap();
        let mut seen = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for operation in operations.as_object().unwrap().values() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(seen.insert(id.to_owned()), "{path}: there is another `{id}`");
            }
        }
        assert!(seen.len() > 10, "{seen:?}");
    }
}
