use super::{
    super::{ContainerState, ContainerWanted, ImageWanted, PublishedPort},
    Verdict, image, listed, nearly,
};
use crate::{
    course::ImageRef,
    docker::{Container, Image},
};

/// There must be one container that is all of what is wanted.
pub(crate) fn present(wanted: &ContainerWanted, images: &[Image], containers: &[Container]) -> Verdict {
    // What a container is not, as a hint, by how near it comes: the best one is what the student works on.
    let mut nearest: Option<(u8, String)> = None;
    for container in containers {
        let Some((met, hint)) = shortfall(wanted, container, images) else { return Verdict::Passed };
        if nearest.as_ref().is_none_or(|(most, _)| met > *most) {
            nearest = Some((met, hint));
        }
    }
    match nearest {
        Some((met, hint)) if met > 0 => Verdict::Failed(hint),
        _ => Verdict::Failed(nothing(wanted, containers)),
    }
}

/// What `container` lacks first, and how much of what is wanted it has; `None` when it has all.
fn shortfall(wanted: &ContainerWanted, container: &Container, images: &[Image]) -> Option<(u8, String)> {
    let name = container.name();
    let name_is = wanted.name.as_ref().map(|wanted| wanted == name);
    let image_is = wanted.image.as_ref().map(|wanted| made_from(wanted, container, images));
    let state_is = wanted.state == ContainerState::Any || container.state == wanted.state.as_str();
    let port_is = wanted.port.map(|port| publishes(port, container));
    // A name or an image makes it the container that is meant; state and port alone do not.
    let identity = u8::from(name_is == Some(true)) * 4 + u8::from(image_is == Some(true)) * 4;
    let unnamed = wanted.name.is_none() && wanted.image.is_none();
    let met = match identity > 0 || unnamed {
        true => identity + u8::from(state_is) * 2 + u8::from(port_is == Some(true)) + u8::from(unnamed),
        false => 0,
    };
    let made = |container: &Container| match container.image.parse::<ImageRef>() {
        Ok(image) => format!("`{image}`"),
        Err(_) => "an image that has lost its name".to_owned(),
    };
    if image_is == Some(false) {
        let image = wanted.image.as_ref().map(|i| i.image.to_string()).unwrap_or_default();
        let hint = format!("The container `{name}` was made from {}; the lesson wants `{image}`.", made(container));
        return Some((met, hint));
    }
    if name_is == Some(false) {
        let called = wanted.name.as_deref().unwrap_or_default();
        // Whether it is the one that is meant, wrongly named, or another one, cannot be known.
        let hint = format!(
            "There is no container `{called}` yet (`--name {called}`). The one named `{name}` is from {}, too.",
            made(container)
        );
        return Some((met, hint));
    }
    if !state_is {
        return Some((met, state(wanted.state, container)));
    }
    if port_is == Some(false) {
        return wanted.port.map(|port| (met, unpublished(port, container)));
    }
    None
}

fn state(wanted: ContainerState, container: &Container) -> String {
    let name = container.name();
    let now = match container.status.is_empty() {
        true => container.state.clone(),
        false => format!("{}: {}", container.state, container.status),
    };
    let help = match (wanted, container.state.as_str()) {
        (ContainerState::Running, "exited" | "dead" | "restarting") => {
            format!(" `docker logs {name}` tells why.")
        }
        (ContainerState::Running, "created") => format!(" `docker start {name}` starts it."),
        (ContainerState::Running, "paused") => format!(" `docker unpause {name}` lets it go on."),
        (ContainerState::Exited, "running") => format!(" `docker stop {name}` stops it."),
        _ => String::new(),
    };
    format!("The container `{name}` is there, but it is not {} ({now}).{help}", wanted.as_str())
}

fn unpublished(wanted: PublishedPort, container: &Container) -> String {
    let name = container.name();
    let option = option(wanted);
    let published = container.published();
    if published.is_empty() {
        return format!("The container `{name}` publishes no port; the lesson wants {option}.");
    }
    let ports = listed(published.iter().map(|(host, inner)| format!("-p {host}:{inner}")));
    format!("The container `{name}` publishes {ports}; the lesson wants {option}.")
}

fn option(port: PublishedPort) -> String {
    match port.container {
        Some(inner) => format!("`-p {}:{inner}`", port.host),
        None => format!("port {} of the node", port.host),
    }
}

/// No container comes near.
fn nothing(wanted: &ContainerWanted, containers: &[Container]) -> String {
    let what = match (&wanted.name, &wanted.image) {
        (Some(name), _) => format!("no container `{name}`"),
        (None, Some(image)) => format!("no container from `{}`", image.image),
        (None, None) => "no container".to_owned(),
    };
    let slip = wanted.name.as_ref().and_then(|name| containers.iter().find(|c| nearly(c.name(), name)));
    match slip {
        Some(other) => format!("There is {what}, but one named `{}`: is it a slip of the keyboard?", other.name()),
        None => format!("There is {what} yet."),
    }
}

fn publishes(wanted: PublishedPort, container: &Container) -> bool {
    let fits = |(host, inner): &(u16, u16)| *host == wanted.host && wanted.container.is_none_or(|c| c == *inner);
    container.published().iter().any(fits)
}

/// Whether the container was made from the wanted image, by the name under which it was asked for. Only where Docker
/// does not tell that name any more, the image that has the wanted name now counts.
fn made_from(wanted: &ImageWanted, container: &Container, images: &[Image]) -> bool {
    // Docker then shows the id, whole or its first twelve digits.
    let id = container.image_id.strip_prefix("sha256:").unwrap_or(&container.image_id);
    let by_id =
        container.image.starts_with("sha256:") || container.image.len() >= 12 && id.starts_with(&container.image);
    match container.image.parse::<ImageRef>() {
        Ok(name) if !by_id => match wanted.any_tag {
            true => name.same_repository(&wanted.image),
            false => name == wanted.image,
        },
        _ => images.iter().any(|i| i.id == container.image_id && image::matches(wanted, i)),
    }
}
