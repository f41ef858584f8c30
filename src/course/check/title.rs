//! Titles in words for checks whose author gave none.

use super::{Check, ContainerState, ContainerWanted, FileWanted, HttpWanted, ImageWanted, Kind, RepositoryTag, Side};
use crate::course::DEFAULT_NODE;

pub(super) fn of(check: &Check) -> String {
    let node = &check.node;
    let on = if node == DEFAULT_NODE { String::new() } else { format!(" on {node}") };
    match &check.kind {
        Kind::Image(wanted) => format!("There is an image {}{on}", image(wanted)),
        Kind::NoImage(wanted) => format!("The image {} is gone{}", image(wanted), on.replacen("on", "from", 1)),
        Kind::Container(wanted) => format!("{}{on}", container(wanted)),
        Kind::File(FileWanted { path, contains, .. }) => match contains.as_slice() {
            [text] if !text.contains('\n') => format!("The file `{path}`{on} contains `{text}`"),
            _ => format!("The file `{path}` is there{on}"),
        },
        Kind::Port(port) => format!("Something listens on port {port} of {node}"),
        Kind::Http(HttpWanted { port, path, contains, .. }) => {
            let place = if path == "/" { String::new() } else { format!(" on `{path}`") };
            match contains {
                Some(text) => format!("Port {port} of {node} answers{place} with `{text}`"),
                None => format!("Port {port} of {node} answers{place}"),
            }
        }
        Kind::Registry(RepositoryTag { repository, tag }) => format!("The registry has `{repository}:{tag}`"),
        Kind::SameDigest(sides) => {
            let sides: Vec<String> = sides.iter().map(side).collect();
            format!("{} are the same image", sides.join(" and "))
        }
        Kind::All(checks) => joined(checks, " and "),
        Kind::Any(checks) => joined(checks, " or "),
        Kind::Not(check) => format!("It does not hold any more: {}", lower(&check.title())),
    }
}

fn image(wanted: &ImageWanted) -> String {
    match wanted.any_tag {
        true => format!("`{}`", wanted.image.name()),
        false => format!("`{}`", wanted.image),
    }
}

fn container(wanted: &ContainerWanted) -> String {
    let mut title = match &wanted.name {
        Some(name) => format!("A container `{name}`"),
        None => "A container".to_owned(),
    };
    if let Some(wanted) = &wanted.image {
        title += &format!(" from {}", image(wanted));
    }
    title += match wanted.state {
        ContainerState::Any => " is there",
        ContainerState::Running => " runs",
        ContainerState::Exited => " has ended",
        ContainerState::Created => " is created, but not started",
        ContainerState::Paused => " is paused",
        ContainerState::Restarting => " is restarting",
        ContainerState::Dead => " is dead",
    };
    if let Some(port) = wanted.port {
        title += &format!(" and publishes port {}", port.host);
    }
    title
}

fn side(side: &Side) -> String {
    match side {
        Side::Image { node, image } if node == DEFAULT_NODE => format!("`{image}`"),
        Side::Image { node, image } => format!("`{image}` on {node}"),
        Side::Registry(RepositoryTag { repository, tag }) => format!("`{repository}:{tag}` in the registry"),
    }
}

fn joined(checks: &[Check], with: &str) -> String {
    let titles: Vec<String> =
        checks.iter().enumerate().map(|(i, c)| if i == 0 { c.title() } else { lower(&c.title()) }).collect();
    titles.join(with)
}

fn lower(title: &str) -> String {
    let mut chars = title.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
