//! What came into the registry.

use std::collections::HashSet;

use super::{Said, added, count};
use crate::xray::model::{Pushed, Registry};

/// What lies between two pictures of the registry. `by_docker` where the engine told of a push itself.
pub(in crate::xray) fn pushes(before: &Registry, after: &Registry, by_docker: bool) -> Vec<Said> {
    let mut there: HashSet<&str> = before.images.iter().flat_map(|i| &i.layers).map(|l| l.digest.as_str()).collect();
    let mut said = Vec::new();
    let verb = if by_docker { "docker push" } else { "A push" };
    for image in &after.images {
        let old = before.images.iter().find(|i| i.name == image.name);
        if old.is_some_and(|o| o.digest == image.digest) {
            continue;
        }
        let mut sent = 0;
        for layer in &image.layers {
            // The catalogue's layers are taken over from it without moving a byte.
            if there.insert(&layer.digest) && !layer.catalogue {
                sent += 1;
            }
        }
        said.push(pushed(verb, image, sent, old.is_some()));
    }
    for image in added(&after.images, &before.images, |i| &i.name) {
        said.push(Said::new("The registry", format_args!("has no {} any more", image.name), Vec::new()));
    }
    said.truncate(8);
    said
}

fn pushed(verb: &str, image: &Pushed, sent: usize, replaced: bool) -> Said {
    let there = match image.layers.len() - sent {
        0 => String::new(),
        1 => ", 1 was already there".to_owned(),
        n => format!(", {n} were already there"),
    };
    let replaced = if replaced { "; the tag means another image now" } else { "" };
    let sent = if sent == 0 { "no layer".to_owned() } else { count(sent, "layer") };
    let mut changed = vec![format!("registry:{}", image.name)];
    changed.extend(image.layers.iter().map(|l| format!("blob:{}", l.digest)));
    Said::new(verb, format_args!("sent {sent}{there}: {}{replaced}", image.name), changed)
}
