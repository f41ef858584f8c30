use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

use super::{HttpAnswer, Probe, ProbeError};
use crate::docker::{self, CONTAINERS, Container, IMAGES, Image};

/// Bytes of a file that a check looks at.
const FILE_MAX: usize = 256 * 1024;

type Answer<T> = Result<T, ProbeError>;

/// The beginning of a file; none where there is no file.
type Content = Option<Arc<[u8]>>;

/// A session as it is during one evaluation: whatever is asked is asked once, when it is first needed.
pub(super) struct Snapshot<'a, P> {
    probe: &'a P,
    images: Memo<String, Answer<Arc<[Image]>>>,
    containers: Memo<String, Answer<Arc<[Container]>>>,
    files: Memo<(String, String), Answer<Content>>,
    ports: Memo<String, Answer<Arc<[u16]>>>,
    http: Memo<(String, u16, String), Answer<HttpAnswer>>,
    digests: Memo<(String, String), Answer<Option<String>>>,
    tags: Memo<String, Answer<Arc<[String]>>>,
}

impl<'a, P: Probe> Snapshot<'a, P> {
    pub fn new(probe: &'a P) -> Snapshot<'a, P> {
        let (images, containers, files) = Default::default();
        let (ports, http, digests, tags) = Default::default();
        Snapshot { probe, images, containers, files, ports, http, digests, tags }
    }

    pub async fn images(&self, node: &str) -> Answer<Arc<[Image]>> {
        let ask = async { list(self.probe.docker(node, IMAGES).await).map(Arc::from) };
        self.images.get(node.to_owned(), ask).await
    }

    pub async fn containers(&self, node: &str) -> Answer<Arc<[Container]>> {
        let ask = async { list(self.probe.docker(node, CONTAINERS).await).map(Arc::from) };
        self.containers.get(node.to_owned(), ask).await
    }

    pub async fn file(&self, node: &str, path: &str) -> Answer<Content> {
        let ask = async { Ok(self.probe.read_file(node, path, FILE_MAX).await?.map(Arc::from)) };
        self.files.get((node.to_owned(), path.to_owned()), ask).await
    }

    pub async fn listening(&self, node: &str) -> Answer<Arc<[u16]>> {
        let ask = async { self.probe.listening(node).await.map(Arc::from) };
        self.ports.get(node.to_owned(), ask).await
    }

    pub async fn http(&self, node: &str, port: u16, path: &str) -> Answer<HttpAnswer> {
        self.http.get((node.to_owned(), port, path.to_owned()), self.probe.http_get(node, port, path)).await
    }

    pub async fn registry_digest(&self, repository: &str, tag: &str) -> Answer<Option<String>> {
        let key = (repository.to_owned(), tag.to_owned());
        self.digests.get(key, self.probe.registry_digest(repository, tag)).await
    }

    pub async fn registry_tags(&self, repository: &str) -> Answer<Arc<[String]>> {
        let ask = async { self.probe.registry_tags(repository).await.map(Arc::from) };
        self.tags.get(repository.to_owned(), ask).await
    }
}

/// Reads a list from an answer of the engine.
fn list<T: for<'de> serde::Deserialize<'de>>(answer: Answer<Option<serde_json::Value>>) -> Answer<Vec<T>> {
    match answer {
        Ok(answer) => answer
            .and_then(docker::list)
            .ok_or_else(|| ProbeError::Other("the Docker Engine answered something that is no list".to_owned())),
        Err(ProbeError::DockerDown) => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

/// Answers by key. Several that ask for the same at once wait for one answer.
struct Memo<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Memo<K, V> {
        Memo(Mutex::new(HashMap::new()))
    }
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    async fn get(&self, key: K, ask: impl Future<Output = V>) -> V {
        let cell = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
        cell.get_or_init(|| ask).await.clone()
    }
}
