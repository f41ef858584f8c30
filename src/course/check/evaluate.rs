use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, join_all};

use super::{
    Check, CheckResult, Kind, Probe, ProbeError,
    judge::{self, Verdict},
    snapshot::Snapshot,
};

/// The longest that an evaluation takes: a check that is not decided by then has not passed.
pub const TIME_LIMIT: Duration = Duration::from_secs(3);

/// Judges checks by what is there now: all at once, each fact asked for once, within [`TIME_LIMIT`].
///
/// The results are in the order of the checks. Dropping the future ends it cleanly.
pub async fn evaluate<P: Probe>(checks: &[Check], probe: &P) -> Vec<CheckResult> {
    evaluate_within(TIME_LIMIT, checks, probe).await
}

pub(super) async fn evaluate_within<P: Probe>(limit: Duration, checks: &[Check], probe: &P) -> Vec<CheckResult> {
    let snapshot = Snapshot::new(probe);
    join_all(checks.iter().map(|check| async {
        let verdict = tokio::time::timeout(limit, of(check, &snapshot)).await;
        let hint = match verdict {
            Ok(Verdict::Passed) => None,
            Ok(Verdict::Failed(hint)) => Some(hint),
            Ok(Verdict::Unknown(error)) => Some(format!("This cannot be looked at right now: {error}.")),
            Err(_) => Some("This cannot be looked at right now: there was no answer in time.".to_owned()),
        };
        CheckResult { title: check.title(), passed: hint.is_none(), hint }
    }))
    .await
}

/// The verdict on one check, with the author's hint where there is one.
fn of<'a, P: Probe>(check: &'a Check, snapshot: &'a Snapshot<'_, P>) -> BoxFuture<'a, Verdict> {
    async move {
        match (by_kind(check, snapshot).await, &check.hint) {
            (Ok(Verdict::Failed(_)), Some(hint)) => Verdict::Failed(hint.clone()),
            (Ok(verdict), _) => verdict,
            (Err(e), _) => Verdict::Unknown(e.to_string()),
        }
    }
    .boxed()
}

async fn by_kind<P: Probe>(check: &Check, snapshot: &Snapshot<'_, P>) -> Result<Verdict, ProbeError> {
    let node = check.node.as_str();
    Ok(match &check.kind {
        Kind::Image(wanted) => judge::image::present(wanted, &snapshot.images(node).await?),
        Kind::NoImage(wanted) => {
            let (images, containers) = tokio::join!(snapshot.images(node), snapshot.containers(node));
            judge::image::absent(wanted, &images?, &containers?)
        }
        Kind::Container(wanted) => {
            let (images, containers) = tokio::join!(snapshot.images(node), snapshot.containers(node));
            judge::container::present(wanted, &images?, &containers?)
        }
        Kind::File(wanted) => judge::file::present(wanted, node, snapshot.file(node, &wanted.path).await?.as_deref()),
        Kind::Port(port) => judge::net::listens(*port, node, &snapshot.listening(node).await?),
        Kind::Http(wanted) => match snapshot.http(node, wanted.port, &wanted.path).await {
            Err(ProbeError::NoAnswer(_)) => judge::net::no_answer(wanted, node),
            answer => judge::net::answers(wanted, &answer?),
        },
        Kind::Registry(wanted) => match snapshot.registry_digest(&wanted.repository, &wanted.tag).await? {
            Some(_) => Verdict::Passed,
            None => judge::registry::missing(wanted, &snapshot.registry_tags(&wanted.repository).await?),
        },
        Kind::SameDigest(sides) => judge::registry::same_digest(sides, snapshot).await?,
        Kind::All(checks) => {
            let verdicts = join_all(checks.iter().map(|check| of(check, snapshot))).await;
            verdicts.into_iter().find(|v| *v != Verdict::Passed).unwrap_or(Verdict::Passed)
        }
        Kind::Any(checks) => any(join_all(checks.iter().map(|check| of(check, snapshot))).await),
        Kind::Not(check) => match of(check, snapshot).await {
            Verdict::Passed => Verdict::Failed(format!("This still holds: {}.", check.title())),
            Verdict::Failed(_) => Verdict::Passed,
            unknown @ Verdict::Unknown(_) => unknown,
        },
    })
}

/// One is enough; otherwise all that would help is said.
fn any(verdicts: Vec<Verdict>) -> Verdict {
    let mut hints: Vec<String> = Vec::new();
    let mut unknown = None;
    for verdict in verdicts {
        match verdict {
            Verdict::Passed => return Verdict::Passed,
            Verdict::Failed(hint) if !hints.contains(&hint) => hints.push(hint),
            Verdict::Failed(_) => {}
            Verdict::Unknown(_) => unknown = Some(verdict),
        }
    }
    unknown.unwrap_or_else(|| Verdict::Failed(hints.join(" Or: ")))
}
