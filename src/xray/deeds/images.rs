//! What happened to images and their layers.

use std::collections::{HashMap, HashSet};

use super::{Said, added, count, grouped, pruned, short, size};
use crate::{
    docker::Event,
    xray::model::{Image, Layer, NodePicture},
};

/// A picture's layers by id.
struct Layers<'a>(HashMap<&'a str, &'a Layer>);

impl<'a> Layers<'a> {
    fn of(picture: &'a NodePicture) -> Layers<'a> {
        Layers(picture.layers.iter().map(|l| (l.id.as_str(), l)).collect())
    }

    /// The layers of an image, the topmost first.
    fn stack(&self, image: &Image) -> Vec<&'a Layer> {
        let mut stack: Vec<&Layer> = Vec::new();
        let mut next = image.top.as_deref();
        while let Some(layer) = next.and_then(|id| self.0.get(id)).filter(|_| stack.len() < 200) {
            stack.push(layer);
            next = layer.parent.as_deref();
        }
        stack
    }
}

/// An image's name, or its short id where it has none.
fn name(image: &Image) -> String {
    image.names.first().cloned().unwrap_or_else(|| short(&image.id))
}

pub(super) fn tell(before: &NodePicture, after: &NodePicture, events: &[Event]) -> Vec<Said> {
    let (old_layers, layers) = (Layers::of(before), Layers::of(after));
    let mut said = Vec::new();
    let mut known: HashSet<&str> = old_layers.0.keys().copied().collect();
    // The first made is told first, as what is made later may lie on it.
    let mut new = added(&before.images, &after.images, |i| &i.id);
    new.sort_by_key(|i| (i.created, layers.stack(i).len()));
    for image in &new {
        let stack = layers.stack(image);
        let fresh: Vec<&Layer> = stack.iter().copied().filter(|l| !known.contains(l.id.as_str())).collect();
        said.push(arrived(image, &stack, &fresh, after, events));
        known.extend(fresh.iter().map(|l| l.id.as_str()));
    }
    said.extend(renamed(before, after, events));
    said.extend(gone(before, after, &old_layers, &layers, events));
    said.extend(nothing_new(before, after, events));
    said
}

fn arrived(image: &Image, stack: &[&Layer], fresh: &[&Layer], after: &NodePicture, events: &[Event]) -> Said {
    let there = stack.len() - fresh.len();
    let bytes = size(fresh.iter().map(|l| l.size).sum());
    let changed: Vec<String> = std::iter::once(image.id.clone()).chain(fresh.iter().map(|l| l.id.clone())).collect();
    let name = name(image);
    let already = match there {
        0 => String::new(),
        1 => ", 1 was already there".to_owned(),
        n => format!(", {n} were already there"),
    };
    let brought = format!("brought {name}: {}, {bytes}{already}", count(fresh.len(), "layer"));
    let of_image = |e: &&Event| e.kind == "image" && (e.id == image.id || image.names.iter().any(|n| same(n, &e.id)));
    let is = |action: &str| events.iter().filter(of_image).any(|e| e.action == action);
    if is("pull") {
        return Said::new("docker pull", brought, changed);
    }
    for (action, verb) in [("load", "docker load"), ("import", "docker import")] {
        if events.iter().any(|e| e.is("image", action)) {
            return Said::new(verb, brought, changed);
        }
    }
    if let Some(commit) = events.iter().find(|e| e.is("container", "commit")) {
        let words = format!("made {name} of {}: its writable layer is a layer of the image now, {bytes}", commit.name);
        return Said::new("docker commit", words, changed);
    }
    // Somebody else's image that came without a word of the engine, such as by BuildKit.
    if !image.built && !is("tag") {
        return Said::new("docker", brought, changed);
    }
    let base = base(image, stack, after);
    let named = if image.names.is_empty() { "an image without a name".to_owned() } else { image.names.join(", ") };
    let words = match (fresh.len(), base) {
        (0, Some(base)) => format!("added no layer on {base}, only settings: {named}"),
        (0, None) => format!("made {named} of layers that were all there"),
        (n, Some(base)) => format!("added {} on {base}, {bytes}: {named}", count(n, "layer")),
        (n, None) => format!("made {named} of {}, {bytes}{already}", count(n, "new layer")),
    };
    Said::new("docker build", words, changed)
}

/// Name of the image that this one was built on: the one with the most layers below it.
fn base<'a>(image: &Image, stack: &[&Layer], after: &'a NodePicture) -> Option<&'a str> {
    let depth = |top: &str| stack.iter().rev().position(|l| l.id == top);
    let below = after.images.iter().filter(|i| i.id != image.id && !i.names.is_empty());
    let below = below.filter_map(|i| {
        let depth = depth(i.top.as_deref()?)?;
        // Of two on the same layers the older is what the younger was made of.
        (depth + 1 < stack.len() || i.created < image.created).then_some((depth, i))
    });
    below
        .max_by_key(|(depth, i)| (*depth, std::cmp::Reverse(i.created)))
        .and_then(|(_, i)| i.names.first())
        .map(String::as_str)
}

fn renamed(before: &NodePicture, after: &NodePicture, events: &[Event]) -> Vec<Said> {
    let mut said = Vec::new();
    let had = |image: &Image, name: &String| image.names.contains(name);
    for image in &after.images {
        let Some(old) = before.images.iter().find(|i| i.id == image.id) else { continue };
        let added: Vec<_> = image.names.iter().filter(|n| !had(old, n)).cloned().collect();
        if !added.is_empty() {
            let of = old.names.first().cloned().unwrap_or_else(|| short(&image.id));
            let pulled = events.iter().any(|e| e.is("image", "pull") && added.iter().any(|n| same(n, &e.id)));
            let (verb, words) = match pulled {
                true => ("docker pull", format!("brought {} of layers that were all there", added.join(", "))),
                false => ("docker tag", format!("named {of} also {}; no layer was copied", added.join(", "))),
            };
            said.push(Said::new(verb, words, vec![image.id.clone()]));
        }
        for lost in old.names.iter().filter(|n| !had(image, n)) {
            let words = match after.images.iter().find(|i| had(i, lost)) {
                Some(new) if image.names.is_empty() => {
                    format!("{lost} names {} now; the image before it lost its name and stays", short(&new.id))
                }
                Some(new) => format!("{lost} names {} now", short(&new.id)),
                None => {
                    said.push(Said::new(
                        "docker rmi",
                        format_args!("took the name {lost} away; the image stays"),
                        vec![image.id.clone()],
                    ));
                    continue;
                }
            };
            said.push(Said { verb: lost.clone(), words, changed: vec![image.id.clone()] });
        }
    }
    said
}

fn gone(before: &NodePicture, after: &NodePicture, old: &Layers, new: &Layers, events: &[Event]) -> Vec<Said> {
    let gone = added(&after.images, &before.images, |i| &i.id);
    let verb = if pruned(events, "image") { "docker image prune" } else { "docker rmi" };
    grouped(
        gone,
        |i| name(i),
        |images, names| {
            let mut layers: HashSet<&str> = HashSet::new();
            for image in images {
                layers.extend(old.stack(image).iter().map(|l| l.id.as_str()));
            }
            let stay = layers.iter().filter(|l| new.0.contains_key(**l)).count();
            let gone = layers.len() - stay;
            let stays = match stay {
                0 => String::new(),
                1 => ", 1 stays because another image has it".to_owned(),
                n => format!(", {n} stay because other images have them"),
            };
            let bytes: u64 =
                layers.iter().filter(|l| !new.0.contains_key(**l)).filter_map(|l| old.0.get(*l)).map(|l| l.size).sum();
            Said::new(
                verb,
                format_args!("removed {names}: {} gone, {}{stays}", count(gone, "layer"), size(bytes)),
                Vec::new(),
            )
        },
    )
}

/// Commands that changed nothing, which is worth a word: a pull of what is there, a build from the cache.
fn nothing_new(before: &NodePicture, after: &NodePicture, events: &[Event]) -> Vec<Said> {
    if before.images != after.images {
        return Vec::new();
    }
    let mut said: Vec<Said> = Vec::new();
    for event in events.iter().filter(|e| e.kind == "image") {
        let found = after.images.iter().find(|i| i.id == event.id || i.names.iter().any(|n| same(n, &event.id)));
        let Some(image) = found else { continue };
        let one = match event.action.as_str() {
            "pull" => Said::new(
                "docker pull",
                format_args!("found {} up to date: no layer came", name(image)),
                vec![image.id.clone()],
            ),
            "tag" if image.built => Said::new(
                "docker build",
                format_args!("took every layer of {} from the cache: nothing changed", event.name),
                vec![image.id.clone()],
            ),
            _ => continue,
        };
        if !said.contains(&one) {
            said.push(one);
        }
    }
    said
}

/// Whether an image's name is the one of an event, which leaves `:latest` away at times.
fn same(name: &str, event: &str) -> bool {
    name == event || name.strip_suffix(":latest") == Some(event)
}
