//! Services of a stack, by the tasks of the swarm.

use serde::Deserialize;
use serde_json::{Value, json};

use super::model::{Seen, ServiceState};
use crate::{
    course::check::ProbeError,
    docker,
    session::{Node, ask_docker},
    stack::Plan,
};

/// A service of [`look`]'s answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    #[serde(rename = "ID")]
    id: String,
    #[serde(default)]
    spec: Value,
}

/// A task of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Task {
    #[serde(default, rename = "ServiceID")]
    service_id: String,
    #[serde(default)]
    desired_state: String,
    #[serde(default)]
    status: TaskStatus,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TaskStatus {
    #[serde(default)]
    timestamp: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    err: String,
}

/// Looks at all services of a plan, from a manager.
///
/// # Errors
/// When the engine does not answer.
pub(super) async fn look(manager: &Node, plan: &Plan) -> Result<Vec<Seen>, ProbeError> {
    let filters = json!({ "label": [format!("com.docker.stack.namespace={}", plan.name)] }).to_string();
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("filters", &filters).finish();
    let services = ask_docker(manager, &format!("/services?{query}")).await?.and_then(docker::list::<Service>);
    let tasks = ask_docker(manager, &format!("/tasks?{query}")).await?.and_then(docker::list::<Task>);
    let (services, tasks) = (services.unwrap_or_default(), tasks.unwrap_or_default());
    let of = |service: &crate::stack::Service| {
        let name = format!("{}_{}", plan.name, service.name);
        let Some(found) = services.iter().find(|s| s.spec["Name"] == name.as_str()) else {
            return Seen::new(ServiceState::Waiting, "waits");
        };
        let mine: Vec<_> = tasks.iter().filter(|t| t.service_id == found.id).collect();
        progress(&name, found, &mine)
    };
    Ok(plan.compose.services.iter().map(of).collect())
}

fn progress(name: &str, service: &Service, tasks: &[&Task]) -> Seen {
    let current: Vec<_> =
        tasks.iter().filter(|t| ["running", "ready", "complete"].contains(&t.desired_state.as_str())).collect();
    let in_state = |state: &str| current.iter().filter(|t| t.status.state == state).count();
    let replicas = service.spec["Mode"]["Replicated"]["Replicas"].as_u64();
    let wanted = replicas.and_then(|n| usize::try_from(n).ok()).unwrap_or(current.len());
    let (running, complete) = (in_state("running"), in_state("complete"));
    if wanted > 0 && running >= wanted {
        let words = if wanted == 1 { "runs".into() } else { format!("all {wanted} run") };
        return Seen::new(ServiceState::Running, words);
    }
    if wanted > 0 && running == 0 && complete >= wanted {
        return Seen::new(ServiceState::Done, "has ended, without an error");
    }
    let mut broken: Vec<_> =
        tasks.iter().filter(|t| ["failed", "rejected"].contains(&t.status.state.as_str())).collect();
    broken.sort_by(|a, b| b.status.timestamp.cmp(&a.status.timestamp));
    // One failure may be an accident that the swarm mends; it tries again and again.
    if let (Some(last), true) = (broken.first(), running == 0 && broken.len() > 1) {
        let words = format!("does not start; `docker service ps {name}` shows why");
        let error = Some(last.status.err.chars().take(600).collect::<String>()).filter(|e| !e.is_empty());
        return Seen { error, ..Seen::new(ServiceState::Failed, words) };
    }
    // A task that no node can take says why, too.
    let stuck = current.iter().find(|t| t.status.state == "pending" && !t.status.err.is_empty());
    if let Some(stuck) = stuck.filter(|_| running == 0) {
        return Seen::new(
            ServiceState::Starting,
            format!("waits for a node: {}", stuck.status.err.chars().take(200).collect::<String>()),
        );
    }
    let part = if wanted > 1 { format!("{running} of {wanted} run") } else { String::new() };
    let (state, words) = if in_state("preparing") > 0 {
        (ServiceState::Pulling, "its image is being pulled")
    } else if in_state("starting") + in_state("ready") > 0 {
        (ServiceState::Created, "its container is made")
    } else {
        (ServiceState::Starting, "is given to a node")
    };
    Seen::new(state, if part.is_empty() || running == 0 { words.to_owned() } else { part })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks(all: &[(&str, &str, &str)]) -> Vec<Task> {
        let task = |(desired, state, err): &(&str, &str, &str)| {
            let status = json!({"State": state, "Err": err, "Timestamp": "2026"});
            serde_json::from_value(json!({"ServiceID": "s", "DesiredState": desired, "Status": status})).unwrap()
        };
        all.iter().map(task).collect()
    }

    #[test]
    fn tasks_say_how_their_service_is() {
        let replicated = |n: u64| Service { id: "s".into(), spec: json!({"Mode": {"Replicated": {"Replicas": n}}}) };
        let global = Service { id: "s".into(), spec: json!({"Mode": {"Global": {}}}) };
        let rejected = ("shutdown", "rejected", "No such image: mongo:latest");
        for (service, all, state, words) in [
            (replicated(1), vec![("running", "preparing", "")], ServiceState::Pulling, "pulled"),
            (
                replicated(2),
                vec![("running", "running", ""), ("running", "preparing", "")],
                ServiceState::Pulling,
                "1 of 2 run",
            ),
            (replicated(1), vec![("running", "running", ""), rejected, rejected], ServiceState::Running, "runs"),
            (global.clone(), vec![("running", "running", ""); 3], ServiceState::Running, "all 3 run"),
            (global, vec![], ServiceState::Starting, "node"),
            (replicated(1), vec![("complete", "complete", "")], ServiceState::Done, "ended"),
            (replicated(1), vec![("running", "preparing", ""), rejected], ServiceState::Pulling, "pulled"),
            (replicated(1), vec![("running", "preparing", ""), rejected, rejected], ServiceState::Failed, "shop_web"),
            (replicated(1), vec![("running", "pending", "no suitable node")], ServiceState::Starting, "no suitable"),
        ] {
            let all = tasks(&all);
            let seen = progress("shop_web", &service, &all.iter().collect::<Vec<_>>());
            assert_eq!(seen.state, state, "{all:?}");
            assert!(seen.words.contains(words), "{}", seen.words);
            assert_eq!(seen.error.is_some(), state == ServiceState::Failed);
        }
    }
}
