//! Services of a Compose project, by the containers that the node's engine has.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::model::{Seen, ServiceState};
use crate::{
    course::{ImageRef, check::ProbeError},
    docker,
    session::{Node, ask_docker},
    stack::{Plan, Service},
};

/// A container of the project.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    state: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    ports: Option<Vec<docker::Port>>,
}

/// Looks at all services of a plan. `ended` is whether the command that makes them has.
///
/// # Errors
/// When the engine does not answer; it may sleep.
pub(super) async fn look(node: &Node, plan: &Plan, ended: bool) -> Result<Vec<Seen>, ProbeError> {
    let filters = serde_json::json!({ "label": [format!("com.docker.compose.project={}", plan.name)] }).to_string();
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("all", "1")
        .append_pair("filters", &filters)
        .finish();
    let containers = ask_docker(node, &format!("/containers/json?{query}")).await?.and_then(docker::list::<Container>);
    let containers = containers.unwrap_or_default();
    let images = ask_docker(node, docker::IMAGES).await?.and_then(docker::list::<docker::Image>).unwrap_or_default();
    let of = |service: &Service| {
        let mine = |c: &&Container| c.labels.get("com.docker.compose.service").is_some_and(|s| *s == service.name);
        let mine: Vec<_> = containers.iter().filter(mine).collect();
        if mine.is_empty() { without_container(service, &images, ended) } else { with_containers(service, &mine) }
    };
    Ok(plan.compose.services.iter().map(of).collect())
}

fn without_container(service: &Service, images: &[docker::Image], ended: bool) -> Seen {
    let wanted = service.image.as_ref().and_then(|i| i.parse::<ImageRef>().ok());
    let is_there = wanted.is_some_and(|w| images.iter().any(|i| i.names().any(|n| n == w)));
    match (is_there, service.build) {
        (true, _) => Seen::new(ServiceState::Waiting, "its image is there"),
        (false, _) if ended => Seen::new(ServiceState::Waiting, "was not started"),
        (false, true) => Seen::new(ServiceState::Building, "its image is being built"),
        (false, false) => Seen::new(ServiceState::Pulling, "its image is being pulled"),
    }
}

fn with_containers(service: &Service, all: &[&Container]) -> Seen {
    // What is worst says how the service is.
    let mut seen = all.iter().map(|c| state(&service.name, c)).max_by_key(|s| weight(s.state));
    let chosen = all.iter().flat_map(|c| c.ports.iter().flatten()).filter(|p| p.protocol == "tcp");
    let target = service.ports.first().map(|p| p.target);
    let chosen = chosen.filter(|p| Some(p.private_port) == target).find_map(|p| p.public_port);
    if let Some(seen) = &mut seen {
        seen.chosen = chosen;
        let run = all.iter().filter(|c| c.state == "running").count();
        if all.len() > 1 && seen.state != ServiceState::Failed {
            seen.words = format!("{run} of {} run", all.len());
        }
    }
    seen.unwrap_or_else(|| Seen::new(ServiceState::Waiting, "waits"))
}

fn state(name: &str, container: &Container) -> Seen {
    // Such as `Exited (1) 3 seconds ago` or `Up 2 minutes (unhealthy)`.
    let code = container.status.split(['(', ')']).nth(1).and_then(|c| c.parse::<i32>().ok());
    let logs = format!("`docker compose logs {name}` shows what it said");
    match container.state.as_str() {
        "running" if container.status.contains("health: starting") => {
            Seen::new(ServiceState::Starting, "runs; its health is not known yet")
        }
        "running" if container.status.contains("(unhealthy)") => {
            Seen::new(ServiceState::Failed, format!("runs, but its health check fails; {logs}"))
        }
        "running" => Seen::new(ServiceState::Running, "runs"),
        "created" => Seen::new(ServiceState::Created, "its container is made"),
        "paused" => Seen::new(ServiceState::Starting, "is paused"),
        "exited" if code == Some(0) => Seen::new(ServiceState::Done, "has ended, without an error"),
        "exited" | "dead" | "restarting" => {
            let how = code.map_or_else(|| "ended".to_owned(), |c| format!("ended with exit code {c}"));
            let again = if container.state == "restarting" { ", and is started again and again" } else { "" };
            Seen::new(ServiceState::Failed, format!("{how}{again}; {logs}"))
        }
        _ => Seen::new(ServiceState::Starting, "changes"),
    }
}

fn weight(state: ServiceState) -> u8 {
    match state {
        ServiceState::Done => 0,
        ServiceState::Running => 1,
        ServiceState::Starting => 2,
        ServiceState::Created => 3,
        ServiceState::Failed => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn container(state: &str, status: &str) -> Container {
        let port = json!([{"PrivatePort": 80, "PublicPort": 32768, "Type": "tcp"}]);
        serde_json::from_value(json!({"State": state, "Status": status, "Ports": port})).unwrap()
    }

    #[test]
    fn a_container_says_how_its_service_is() {
        for (s, status, is, words) in [
            ("running", "Up 2 seconds", ServiceState::Running, "runs"),
            ("running", "Up 2 seconds (health: starting)", ServiceState::Starting, "health"),
            ("running", "Up 2 minutes (unhealthy)", ServiceState::Failed, "health check fails"),
            ("exited", "Exited (0) 1 second ago", ServiceState::Done, "without an error"),
            ("exited", "Exited (137) 1 second ago", ServiceState::Failed, "137; `docker compose logs web`"),
            ("restarting", "Restarting (1) 3 seconds ago", ServiceState::Failed, "again and again"),
        ] {
            let seen = state("web", &container(s, status));
            assert_eq!(seen.state, is, "{status}");
            assert!(seen.words.contains(words), "{}", seen.words);
        }
    }

    #[test]
    fn several_containers_count_and_the_port_that_docker_chose_is_found() {
        let (up, down) = (container("running", "Up"), container("created", "Created"));
        let compose = crate::stack::Compose::read("services: {web: {image: x, ports: ['80']}}").unwrap();
        let seen = with_containers(&compose.services[0], &[&up, &down]);
        assert_eq!((seen.state, seen.words.as_str()), (ServiceState::Created, "1 of 2 run"));
        assert_eq!(seen.chosen, Some(32768));
    }
}
