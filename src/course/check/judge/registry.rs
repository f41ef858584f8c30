use std::collections::HashSet;

use super::{
    super::{Probe, ProbeError, RepositoryTag, Side, snapshot::Snapshot},
    Verdict, listed,
};
use crate::course::ImageRef;

/// What is said when the registry has no such tag; `tags` are those that the repository has.
pub(crate) fn missing(wanted: &RepositoryTag, tags: &[String]) -> Verdict {
    let RepositoryTag { repository, tag } = wanted;
    Verdict::Failed(match tags {
        [] => format!("The registry has no `{repository}` yet."),
        [one] => format!("The registry has `{repository}`, but with the tag `{one}`; the lesson wants `{tag}`."),
        some => {
            format!("The registry has `{repository}`, but with the tags {}; the lesson wants `{tag}`.", listed(some))
        }
    })
}

/// All sides must be the same image: have a digest (or, on two nodes, an id) in common.
pub(crate) async fn same_digest<P: Probe>(sides: &[Side], snapshot: &Snapshot<'_, P>) -> Result<Verdict, ProbeError> {
    let mut first: Option<(String, HashSet<String>)> = None;
    for side in sides {
        let (name, digests) = match side {
            Side::Image { node, image } => {
                (format!("`{image}` on {node}"), image_digests(node, image, snapshot).await?)
            }
            Side::Registry(RepositoryTag { repository, tag }) => (
                format!("`{repository}:{tag}` in the registry"),
                snapshot.registry_digest(repository, tag).await?.into_iter().collect(),
            ),
        };
        if digests.is_empty() {
            return Ok(Verdict::Failed(format!("There is no {name} yet.")));
        }
        match &first {
            None => first = Some((name, digests)),
            Some((other, common)) if common.is_disjoint(&digests) => {
                return Ok(Verdict::Failed(format!("The {other} is another image than {name}: their digests differ.")));
            }
            Some(_) => {}
        }
    }
    Ok(Verdict::Passed)
}

/// All digests by which an image is known on a node, its id among them; empty when there is no such image.
async fn image_digests<P: Probe>(
    node: &str,
    wanted: &ImageRef,
    snapshot: &Snapshot<'_, P>,
) -> Result<HashSet<String>, ProbeError> {
    let images = snapshot.images(node).await?;
    let Some(image) = images.iter().find(|image| image.names().any(|name| name == *wanted)) else {
        return Ok(HashSet::new());
    };
    let mut digests: HashSet<String> = image.digests().filter_map(|d| d.digest().map(str::to_owned)).collect();
    digests.insert(image.id.clone());
    Ok(digests)
}
