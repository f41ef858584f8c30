use super::{super::ImageWanted, Verdict, listed, nearly};
use crate::{
    course::ImageRef,
    docker::{Container, Image},
};

/// Whether `image` has a name that is wanted.
pub(super) fn matches(wanted: &ImageWanted, image: &Image) -> bool {
    let (mut names, mut digests) = (image.names(), image.digests());
    if wanted.any_tag {
        return names.chain(digests).any(|name| name.same_repository(&wanted.image));
    }
    match wanted.image.digest() {
        Some(digest) => digests.any(|d| d.same_repository(&wanted.image) && d.digest() == Some(digest)),
        None => names.any(|name| name == wanted.image),
    }
}

/// There must be such an image.
pub(crate) fn present(wanted: &ImageWanted, images: &[Image]) -> Verdict {
    if images.iter().any(|image| matches(wanted, image)) {
        return Verdict::Passed;
    }
    Verdict::Failed(missing(wanted, images))
}

fn missing(wanted: &ImageWanted, images: &[Image]) -> String {
    let name = wanted.image.name();
    if let Some(digest) = wanted.image.digest() {
        return match images.iter().any(|i| i.names().chain(i.digests()).any(|n| n.same_repository(&wanted.image))) {
            true => format!("There is an image `{name}`, but its digest is another than `{digest}`."),
            false => format!("There is no image `{name}` yet."),
        };
    }
    let tag = wanted.image.tag().unwrap_or_default();
    let names: Vec<ImageRef> = images.iter().flat_map(Image::names).collect();
    let tags: Vec<&str> = names.iter().filter(|n| n.same_repository(&wanted.image)).filter_map(ImageRef::tag).collect();
    if !tags.is_empty() {
        let its = if tags.len() == 1 { "its tag is" } else { "its tags are" };
        return format!("There is an image `{name}`, but {its} {}; the lesson wants `{tag}`.", listed(tags));
    }
    // The same last part: the image is there, it only lacks the name with the registry (or has it too much).
    if let Some(other) = names.iter().find(|n| n.short_name() == wanted.image.short_name()) {
        return format!("There is an image `{other}`, but none named `{}` yet.", wanted.image);
    }
    if let Some(other) = names.iter().find(|n| nearly(&n.name(), &name)) {
        return format!("There is no image `{name}`, but one named `{other}`: is it a slip of the keyboard?");
    }
    match wanted.any_tag || tag == "latest" {
        true => format!("There is no image `{name}` yet."),
        false => format!("There is no image `{}` yet.", wanted.image),
    }
}

/// There must be no such image.
pub(crate) fn absent(wanted: &ImageWanted, images: &[Image], containers: &[Container]) -> Verdict {
    let Some(image) = images.iter().find(|image| matches(wanted, image)) else { return Verdict::Passed };
    let still = image
        .names()
        .find(|name| if wanted.any_tag { name.same_repository(&wanted.image) } else { *name == wanted.image })
        .unwrap_or_else(|| wanted.image.clone());
    let user = containers.iter().find(|container| !image.id.is_empty() && container.image_id == image.id);
    Verdict::Failed(match user {
        // Docker removes a name that is not the image's last one even while containers use the image.
        Some(container) if image.names().count() <= 1 => format!(
            "The image `{still}` is still here, and the container `{name}` needs it: remove the container first, with \
             `docker rm -f {name}`.",
            name = container.name()
        ),
        _ => format!("The image `{still}` is still here."),
    })
}
