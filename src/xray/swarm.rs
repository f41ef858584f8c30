//! Reads a swarm from one of its managers.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    model::{Port, Service, Swarm, SwarmNode, Task},
    read::cut,
};
use crate::{
    course::check::ProbeError,
    session::{Node, ask_docker},
};

const MAX_NODES: usize = 30;
const MAX_SERVICES: usize = 60;
const MAX_TASKS: usize = 200;
/// `{"desired-state":{"running":true}}`
const WANTED: &str = "/tasks?filters=%7B%22desired-state%22%3A%7B%22running%22%3Atrue%7D%7D";

/// The swarm that the node manages; `None` where it manages none.
///
/// # Errors
/// When the engine does not answer.
pub(super) async fn read(node: &Node) -> Result<Option<Swarm>, ProbeError> {
    let info = ask_docker(node, "/info").await?.unwrap_or_default();
    if info["Swarm"]["ControlAvailable"] != true {
        return Ok(None);
    }
    let (nodes, services, tasks) =
        tokio::try_join!(ask_docker(node, "/nodes"), ask_docker(node, "/services"), ask_docker(node, WANTED))?;
    Ok(Some(picture(&nodes.unwrap_or_default(), &services.unwrap_or_default(), &tasks.unwrap_or_default())))
}

fn picture(nodes: &Value, services: &Value, tasks: &Value) -> Swarm {
    let mut tasks: Vec<Task> = entries(tasks).take(MAX_TASKS).map(task).collect();
    tasks.sort_by(|a, b| (&a.service, a.slot, &a.id).cmp(&(&b.service, b.slot, &b.id)));
    let mut running: HashMap<String, usize> = HashMap::new();
    for task in tasks.iter().filter(|t| t.state == "running") {
        *running.entry(task.service.clone()).or_default() += 1;
    }
    let service = |s: &Value| {
        let spec = &s["Spec"];
        let id = text(&s["ID"]);
        let image = text(&spec["TaskTemplate"]["ContainerSpec"]["Image"]);
        let ports = entries(&s["Endpoint"]["Ports"]).take(16).filter_map(|p| {
            Some(Port {
                container: p["TargetPort"].as_u64()?.try_into().ok()?,
                published: p["PublishedPort"].as_u64().and_then(|p| p.try_into().ok()),
                protocol: text(&p["Protocol"]),
            })
        });
        Service {
            running: running.get(&id).copied().unwrap_or_default(),
            name: text(&spec["Name"]),
            image: image.split('@').next().unwrap_or_default().to_owned(),
            replicas: spec["Mode"]["Replicated"]["Replicas"].as_u64(),
            ports: ports.collect(),
            id,
        }
    };
    let mut services: Vec<Service> = entries(services).take(MAX_SERVICES).map(service).collect();
    services.sort_by(|a, b| a.name.cmp(&b.name));
    let mut nodes: Vec<SwarmNode> = entries(nodes).take(MAX_NODES).map(swarm_node).collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    Swarm { nodes, services, tasks }
}

fn task(t: &Value) -> Task {
    Task {
        id: text(&t["ID"]),
        service: text(&t["ServiceID"]),
        slot: t["Slot"].as_u64(),
        node: t["NodeID"].as_str().filter(|n| !n.is_empty()).map(|n| cut(n, 60)),
        state: text(&t["Status"]["State"]),
    }
}

fn swarm_node(n: &Value) -> SwarmNode {
    SwarmNode {
        id: text(&n["ID"]),
        name: text(&n["Description"]["Hostname"]),
        role: text(&n["Spec"]["Role"]),
        leader: n["ManagerStatus"]["Leader"] == true,
        state: text(&n["Status"]["State"]),
        availability: text(&n["Spec"]["Availability"]),
    }
}

fn entries(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    cut(value.as_str().unwrap_or_default(), 120)
}
