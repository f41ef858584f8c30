//! The registry as sessions see it: Debian's docker-registry behind the authorising proxy.

#![allow(missing_docs, reason = "a test")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use boatyard::{
    config::{RegistrySettings, Upstream},
    paths::Paths,
    registry::{
        Collected, Pace, Registry,
        client::{RegistryClient, full},
    },
    session::{PublicName, Services},
};
use bytes::Bytes;
use bytesize::ByteSize;
use http_body_util::BodyExt;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const A: &str = "aaaaaaaaaa";
const B: &str = "bbbbbbbbbb";

/// A running registry on a folder of its own.
struct Yard {
    folder: tempfile::TempDir,
    paths: Paths,
    registry: Arc<Registry>,
    stop: CancellationToken,
}

impl Yard {
    async fn start(settings: RegistrySettings) -> Yard {
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        let paths = Paths::new(folder.path());
        let stop = CancellationToken::new();
        let registry = Arc::new(Registry::start(&paths, &settings, stop.clone()).await.unwrap());
        Yard { folder, paths, registry, stop }
    }

    async fn with_quota(quota: u64) -> Yard {
        Yard::start(RegistrySettings { quota: ByteSize(quota), ..Default::default() }).await
    }

    /// What a sandbox of a session reaches: its registry, or the mirror of the catalogue.
    fn service(&self, session: &str, service: &'static str) -> RegistryClient {
        let socket = self.folder.path().join(format!("{service}-{session}.sock"));
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let (registry, session) = (self.registry.clone(), name(session));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (registry, session) = (registry.clone(), session.clone());
                tokio::spawn(async move { registry.serve_stream(&session, service, TokioIo::new(stream)).await });
            }
        });
        RegistryClient::new(socket)
    }

    /// The registry itself, as the server's own commands reach it.
    fn backend(&self) -> RegistryClient {
        RegistryClient::new(self.paths.registry_socket())
    }

    fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap();
        self.paths.registry().join("docker/registry/v2/blobs/sha256").join(&hex[..2]).join(hex).join("data")
    }

    /// Lets all that was pushed look as if it were of an hour ago.
    fn age(&self) {
        let root = self.paths.registry().join("docker");
        let aged = std::process::Command::new("find")
            .arg(root)
            .args(["-exec", "touch", "-d", "1 hour ago", "{}", "+"])
            .status()
            .unwrap();
        assert!(aged.success());
    }

    async fn end(self) {
        self.stop.cancel();
        self.registry.finished().await;
        let _ = std::fs::remove_dir_all(self.paths.run());
    }
}

fn name(session: &str) -> PublicName {
    PublicName::parse(session).unwrap()
}

fn sha(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// Pushes an image with one layer; returns the digests of layer and manifest.
async fn push(to: &RegistryClient, repository: &str, tag: &str, layer: &[u8]) -> anyhow::Result<(String, String)> {
    let config = format!("{{\"of\":\"{}\"}}", sha(layer)).into_bytes();
    for blob in [layer, &config] {
        to.push_blob(repository, &sha(blob), blob.len() as u64, full(blob.to_vec())).await?;
    }
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha(&config), "size": config.len() },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": sha(layer), "size": layer.len() }],
    });
    let manifest = serde_json::to_vec(&manifest)?;
    let digest = sha(&manifest);
    to.put_manifest(repository, tag, MANIFEST, manifest.into()).await?;
    Ok((sha(layer), digest))
}

async fn ask(to: &RegistryClient, method: Method, path: &str) -> (StatusCode, Bytes) {
    send(to, Request::builder().method(method).uri(path).header(header::CONTENT_LENGTH, 0), "").await
}

async fn send(
    to: &RegistryClient,
    request: hyper::http::request::Builder,
    body: impl Into<Bytes>,
) -> (StatusCode, Bytes) {
    let request = request.header(header::ACCEPT, MANIFEST).body(full(body)).unwrap();
    let answer = to.send(request).await.unwrap();
    (answer.status(), answer.into_body().collect().await.unwrap().to_bytes())
}

async fn begin(to: &RegistryClient, path: &str) -> (StatusCode, String) {
    let request = Request::post(path).header(header::CONTENT_LENGTH, 0).body(full("")).unwrap();
    let answer = to.send(request).await.unwrap();
    let location = answer.headers().get(header::LOCATION).map(|v| v.to_str().unwrap().to_owned());
    (answer.status(), location.unwrap_or_default())
}

fn text(bytes: &Bytes) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_gets_back_what_it_pushed_under_its_own_names() {
    let yard = Yard::with_quota(1 << 30).await;
    let a = yard.service(A, "registry");
    let mut pushes = yard.registry.pushes();
    let (layer, digest) = push(&a, "me/app", "1.0", b"layer").await.unwrap();
    assert_eq!(pushes.recv().await.unwrap(), name(A));
    assert_eq!(yard.registry.digest(&name(A), "me/app", "1.0").await.unwrap(), Some(digest.clone()));
    assert_eq!(yard.registry.tags(&name(A), "me/app").await.unwrap(), ["1.0"]);

    let (status, manifest) = ask(&a, Method::GET, "/v2/me/app/manifests/1.0").await;
    assert_eq!((status, sha(&manifest)), (StatusCode::OK, digest.clone()));
    assert_eq!(text(&ask(&a, Method::GET, &format!("/v2/me/app/blobs/{layer}")).await.1), "layer");
    assert_eq!(
        text(&ask(&a, Method::GET, "/v2/me/app/tags/list").await.1).trim(),
        r#"{"name":"me/app","tags":["1.0"]}"#
    );
    assert_eq!(text(&ask(&a, Method::GET, "/v2/_catalog").await.1), r#"{"repositories":["me/app"]}"#);

    // Neither places nor errors tell how it is stored.
    let (_, location) = begin(&a, "/v2/me/app/blobs/uploads/").await;
    assert!(location.starts_with("/v2/me/app/blobs/uploads/"), "{location}");
    let (status, error) = ask(&a, Method::GET, "/v2/none/tags/list").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(text(&error).contains("NAME_UNKNOWN") && !text(&error).contains(A), "{error:?}");

    let (status, _) = ask(&a, Method::DELETE, &format!("/v2/me/app/manifests/{digest}")).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(ask(&a, Method::GET, "/v2/me/app/manifests/1.0").await.0, StatusCode::NOT_FOUND);
    yard.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_cannot_read_list_mount_or_overwrite_each_others() {
    let yard = Yard::with_quota(1 << 30).await;
    let (a, b) = (yard.service(A, "registry"), yard.service(B, "registry"));
    let (layer, of_a) = push(&a, "me/app", "1", b"of a").await.unwrap();

    for path in [
        "me/app/manifests/1".into(),
        format!("me/app/manifests/{of_a}"),
        format!("me/app/blobs/{layer}"),
        "me/app/tags/list".into(),
        format!("sessions/{A}/me/app/manifests/1"),
        format!("sessions/{A}/me/app/blobs/{layer}"),
        format!("../{A}/me/app/manifests/1"),
        format!("..%2f{A}/me/app/manifests/1"),
        format!("me/../../{A}/me/app/blobs/{layer}"),
    ] {
        for method in [Method::GET, Method::HEAD] {
            // Tags are not asked for by HEAD.
            let (status, _) = ask(&b, method, &format!("/v2/{path}")).await;
            assert!(matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED), "{path}: {status}");
        }
    }
    assert_eq!(text(&ask(&b, Method::GET, "/v2/_catalog").await.1), r#"{"repositories":[]}"#);

    // A blob is not mounted from elsewhere, however its place is written; the registry begins an upload instead.
    for query in [
        format!("mount={layer}&from=me/app"),
        format!("mount={layer}&from=sessions/{A}/me/app"),
        format!("mount={layer}&fro%6d=sessions/{A}/me/app"),
        format!("mount={layer}&from=x&from=sessions/{A}/me/app"),
        format!("mount={layer}"),
    ] {
        let (status, _) = begin(&b, &format!("/v2/stolen/blobs/uploads/?{query}")).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{query}");
    }
    let form =
        Request::post("/v2/stolen/blobs/uploads/").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let fields = format!("mount={layer}&from=sessions/{A}/me/app");
    let (status, _) = send(&b, form.header(header::CONTENT_LENGTH, fields.len()), fields).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(ask(&b, Method::GET, &format!("/v2/stolen/blobs/{layer}")).await.0, StatusCode::NOT_FOUND);
    // Nor does a manifest bring it along.
    let manifest = ask(&a, Method::GET, "/v2/me/app/manifests/1").await.1;
    assert!(b.put_manifest("stolen", "1", MANIFEST, manifest).await.is_err());

    // An upload of one session is none of another, even with its token.
    let (_, location) = begin(&a, "/v2/me/app/blobs/uploads/").await;
    let patch = |path: &str| Request::patch(path.to_owned()).header(header::CONTENT_LENGTH, 4);
    let (status, _) = send(&b, patch(&location), "mine").await;
    assert!(matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND), "{status}");
    assert_eq!(send(&a, patch(&location), "mine").await.0, StatusCode::ACCEPTED);

    let (_, of_b) = push(&b, "me/app", "1", b"of b").await.unwrap();
    assert_ne!(of_a, of_b);
    assert_eq!(ask(&b, Method::DELETE, &format!("/v2/me/app/manifests/{of_a}")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(yard.registry.digest(&name(A), "me/app", "1").await.unwrap(), Some(of_a.clone()));

    // What one removes or loses, the other keeps.
    yard.registry.remove(&name(B)).await.unwrap();
    assert_eq!(sha(&ask(&a, Method::GET, "/v2/me/app/manifests/1").await.1), of_a);
    yard.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_is_read_by_all_and_written_by_none() {
    let yard = Yard::with_quota(2000).await;
    let layer = vec![7; 10_000];
    let (layer_digest, digest) = push(&yard.backend(), "catalogue/library/base", "latest", &layer).await.unwrap();
    let (a, mirror) = (yard.service(A, "registry"), yard.service(A, "catalogue"));

    for client in [&a, &mirror] {
        let (status, manifest) = ask(client, Method::GET, "/v2/library/base/manifests/latest?ns=docker.io").await;
        assert_eq!((status, sha(&manifest)), (StatusCode::OK, digest.clone()));
    }
    let (status, error) = ask(&mirror, Method::GET, "/v2/library/none/manifests/latest").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(text(&error).contains("MANIFEST_UNKNOWN"), "{error:?}");
    for method in [Method::PUT, Method::DELETE, Method::POST, Method::PATCH] {
        let path = format!("/v2/library/base/manifests/{digest}");
        assert_eq!(ask(&mirror, method, &path).await.0, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(ask(&a, Method::DELETE, &format!("/v2/library/base/manifests/{digest}")).await.0, StatusCode::NOT_FOUND);
    for sneaky in [format!("/v2/sessions/{A}/x/manifests/1"), "/v2/_catalog".into()] {
        assert_eq!(ask(&mirror, Method::GET, &sneaky).await.0, StatusCode::NOT_FOUND);
    }

    // An image built on it is pushed without its layers, which do not count either: they are more than the quota.
    let (status, _) = begin(&a, &format!("/v2/me/app/blobs/uploads/?mount={layer_digest}&from=library/base")).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(ask(&a, Method::HEAD, &format!("/v2/me/other/blobs/{layer_digest}")).await.0, StatusCode::OK);

    // A session may use the same name for its own; only it sees that.
    let b = yard.service(B, "registry");
    let (_, own) = push(&a, "library/base", "latest", b"own").await.unwrap();
    assert_eq!(sha(&ask(&a, Method::GET, "/v2/library/base/manifests/latest").await.1), own);
    assert_eq!(sha(&ask(&b, Method::GET, "/v2/library/base/manifests/latest").await.1), digest);
    assert_eq!(sha(&ask(&mirror, Method::GET, "/v2/library/base/manifests/latest").await.1), digest);
    yard.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_stores_no_more_than_its_quota() {
    const QUOTA: u64 = 4 << 20;
    let yard = Yard::with_quota(QUOTA).await;
    let (a, b) = (yard.service(A, "registry"), yard.service(B, "registry"));
    let (_, kept) = push(&a, "me/app", "1", &vec![1; 3 << 20]).await.unwrap();

    // The answer comes after all has been sent, as docker sends it: in pieces, without a length.
    let (_, location) = begin(&a, "/v2/me/big/blobs/uploads/").await;
    let pieces =
        futures_util::stream::iter((0..48).map(|i| Ok(hyper::body::Frame::data(Bytes::from(vec![i; 1 << 16])))));
    let request =
        Request::patch(&location).body(BodyExt::boxed_unsync(http_body_util::StreamBody::new(pieces))).unwrap();
    let answer = a.send(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let error = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(text(&error).contains("DENIED") && text(&error).contains("4.0 MiB"), "{error:?}");

    // What was refused takes no room, so there is still some, and others are not concerned.
    push(&a, "me/small", "1", b"small").await.unwrap();
    push(&b, "me/app", "1", &vec![2; 3 << 20]).await.unwrap();
    let refused = push(&a, "me/second", "1", &vec![3; 2 << 20]).await.unwrap_err();
    assert!(refused.to_string().contains("DENIED"), "{refused:#}");

    // Room that was made can be used, once the garbage has been collected.
    assert_eq!(ask(&a, Method::DELETE, &format!("/v2/me/app/manifests/{kept}")).await.0, StatusCode::ACCEPTED);
    yard.age();
    assert_eq!(yard.registry.collect_garbage().await.unwrap(), Collected::Done);
    push(&a, "me/second", "1", &vec![3; 2 << 20]).await.unwrap();
    yard.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_pushed_goes_with_it() {
    let yard = Yard::with_quota(1 << 30).await;
    let (a, b) = (yard.service(A, "registry"), yard.service(B, "registry"));
    let (own, _) = push(&a, "me/app", "1", b"own").await.unwrap();
    let (shared, _) = push(&a, "me/shared", "1", b"shared").await.unwrap();
    push(&b, "deep/er/and/even/deeper/than/one/would/ever/do", "1", b"shared").await.unwrap();
    // A repository without manifest must not end the collection.
    begin(&b, "/v2/only/begun/blobs/uploads/").await;

    yard.registry.remove(&name(A)).await.unwrap();
    assert_eq!(ask(&a, Method::GET, "/v2/me/app/manifests/1").await.0, StatusCode::NOT_FOUND);
    assert_eq!(text(&ask(&a, Method::GET, "/v2/_catalog").await.1), r#"{"repositories":[]}"#);
    assert!(text(&ask(&b, Method::GET, "/v2/_catalog").await.1).contains("deep/er/and/even"));

    assert_eq!(yard.registry.collect_garbage().await.unwrap(), Collected::Done);
    assert!(!yard.blob(&own).exists() && yard.blob(&shared).exists());
    assert_eq!(yard.registry.collect_garbage().await.unwrap(), Collected::Nothing);
    // The registry goes on, and takes again what it no longer has.
    push(&b, "me/app", "1", b"own").await.unwrap();
    assert!(yard.blob(&own).exists());
    yard.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_collected_while_others_push() {
    let yard = Yard::with_quota(1 << 30).await;
    let (a, b) = (yard.service(A, "registry"), yard.service(B, "registry"));
    let (own, _) = push(&a, "me/app", "1", b"own").await.unwrap();
    // B has sent a blob, and its manifest is to follow. Until it does, the blob looks like garbage.
    b.push_blob("me/app", &sha(b"under way"), 9, full("under way")).await.unwrap();
    yard.registry.remove(&name(A)).await.unwrap();
    assert_eq!(yard.registry.collect_garbage().await.unwrap(), Collected::Done);
    assert!(!yard.blob(&own).exists(), "it waits for others");
    let (under_way, _) = push(&b, "me/app", "1", b"under way").await.unwrap();
    assert_eq!(text(&ask(&b, Method::GET, &format!("/v2/me/app/blobs/{under_way}")).await.1), "under way");
    // One that was given up goes later.
    b.push_blob("me/none", &sha(b"given up"), 8, full("given up")).await.unwrap();
    assert_eq!(yard.registry.collect_garbage().await.unwrap(), Collected::Done);
    assert!(yard.blob(&sha(b"given up")).exists());
    yard.age();
    assert_eq!(yard.registry.collect_garbage().await.unwrap(), Collected::Done);
    assert!(!yard.blob(&sha(b"given up")).exists() && yard.blob(&under_way).exists());
    // A catalogue that is just being built puts it off.
    push(&yard.backend(), "catalogue/library/base", "latest", b"base").await.unwrap();
    yard.registry.remove(&name(B)).await.unwrap();
    assert_eq!(yard.registry.collect_garbage().await.unwrap(), Collected::Postponed);
    yard.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_sessions_pushed_goes_soon_whoever_pushes() {
    let yard = Yard::with_quota(1 << 30).await;
    let (a, b) = (yard.service(A, "registry"), yard.service(B, "registry"));
    let ms = Duration::from_millis;
    let pace = Pace {
        settle: ms(50),
        latest: ms(500),
        retry: ms(50),
        patience: 2,
        grace: ms(200),
        anyway: Duration::from_secs(3600),
    };
    let (registry, stop) = (yard.registry.clone(), yard.stop.clone());
    let keeping = tokio::spawn(async move { registry.keep_clean(pace, stop).await });

    let (own, _) = push(&a, "me/app", "1", b"own").await.unwrap();
    yard.registry.remove(&name(A)).await.unwrap();
    gone(&yard.blob(&own)).await;

    // An upload that will not end is asked to.
    let (own, _) = push(&a, "me/app", "1", b"of a again").await.unwrap();
    let (_, location) = begin(&b, "/v2/me/big/blobs/uploads/").await;
    let drip = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Some((Ok(hyper::body::Frame::data(Bytes::from_static(b"drip"))), ()))
    });
    let body = BodyExt::boxed_unsync(http_body_util::StreamBody::new(Box::pin(drip)));
    let request = Request::put(format!("{location}&digest={}", sha(b"never"))).body(body).unwrap();
    let dripping = tokio::spawn(async move { b.send(request).await });
    tokio::time::sleep(ms(300)).await;
    yard.registry.remove(&name(A)).await.unwrap();
    gone(&yard.blob(&own)).await;
    let refused = dripping.await.unwrap().unwrap().status();
    assert_eq!(refused, StatusCode::SERVICE_UNAVAILABLE);
    yard.end().await;
    keeping.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_makes_no_more_files_than_it_may() {
    let yard = Yard::start(RegistrySettings { files: 200, ..Default::default() }).await;
    let base = push(&yard.backend(), "catalogue/library/base", "latest", b"base").await.unwrap().0;
    let a = yard.service(A, "registry");
    push(&a, "me/app", "1", b"layer").await.unwrap();
    let root = yard.paths.registry().join(format!("docker/registry/v2/repositories/sessions/{A}"));
    // Empty uploads, tags of one manifest, and blobs of the catalogue hold no bytes, but each takes files.
    let manifest = ask(&a, Method::GET, "/v2/me/app/manifests/1").await.1;
    for i in 0..60 {
        let (status, _) = begin(&a, &format!("/v2/u{i}/blobs/uploads/")).await;
        assert!(matches!(status, StatusCode::ACCEPTED | StatusCode::FORBIDDEN), "{status}");
        let (status, _) = ask(&a, Method::HEAD, &format!("/v2/m{i}/blobs/{base}")).await;
        assert!(matches!(status, StatusCode::OK | StatusCode::NOT_FOUND), "{status}");
        let _ = a.put_manifest("me/app", &format!("t{i}"), MANIFEST, manifest.clone()).await;
    }
    let files = walkdir::WalkDir::new(&root).into_iter().count();
    assert!((100..=240).contains(&files), "{files} files");
    let refused = push(&a, "me/second", "1", b"more").await.unwrap_err();
    assert!(refused.to_string().contains("403"), "{refused:#}");
    // What is there can still be read, and what is removed makes room.
    assert_eq!(ask(&a, Method::GET, "/v2/me/app/manifests/1").await.0, StatusCode::OK);
    yard.registry.remove(&name(A)).await.unwrap();
    push(&a, "me/second", "1", b"more").await.unwrap();
    yard.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_when_the_disk_is_nearly_full() {
    let yard = Yard::start(RegistrySettings { min_free: ByteSize::pib(1), ..Default::default() }).await;
    push(&yard.backend(), "catalogue/library/base", "latest", b"base").await.unwrap();
    let a = yard.service(A, "registry");
    let request = Request::post("/v2/me/app/blobs/uploads/").header(header::CONTENT_LENGTH, 0);
    let (status, said) = send(&a, request, "").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(text(&said).contains("nearly full"), "{said:?}");
    assert_eq!(ask(&a, Method::GET, "/v2/library/base/manifests/latest").await.0, StatusCode::OK);
    yard.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_told_as_one_image_and_goes_whole() {
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    let yard = Yard::with_quota(1 << 30).await;
    let (a, b) = (yard.service(A, "registry"), yard.service(B, "registry"));
    let (layer, image) = push(&a, "me/app", "plain", b"layer").await.unwrap();
    let (_, arm) = push(&a, "me/app", "arm", b"of arm").await.unwrap();
    let (secret, of_b) = push(&b, "me/app", "1", b"of b").await.unwrap();
    let of = |digest: &str, os: &str, architecture: &str| json!({"mediaType": MANIFEST, "digest": digest, "size": 1, "platform": {"os": os, "architecture": architecture}});
    let index = |manifests: serde_json::Value| {
        serde_json::to_vec(&json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})).unwrap()
    };
    let both =
        index(json!([of(&image, "linux", "amd64"), of(&arm, "linux", "arm64"), of(&image, "unknown", "unknown")]));
    a.put_manifest("me/app", "both", INDEX, both.into()).await.unwrap();
    // What another session has cannot be told of, however it is named.
    assert!(
        a.put_manifest("me/app", "stolen", INDEX, index(json!([of(&of_b, "linux", "amd64")])).into()).await.is_err()
    );

    let contents = serde_json::to_value(yard.registry.contents(&name(A)).await).unwrap();
    let tags = contents["repositories"][0]["tags"].as_array().unwrap();
    let tag = |name: &str| tags.iter().find(|t| t["name"] == name).unwrap_or_else(|| panic!("{name} in {contents}"));
    assert_eq!(tag("both")["platforms"], json!(["linux/amd64", "linux/arm64"]));
    assert_eq!(tag("both")["layers"].as_array().unwrap().len(), 2);
    assert_eq!(tag("both")["media_type"], INDEX);
    assert_eq!(tag("plain")["layers"][0]["digest"], layer);
    assert_eq!(tag("plain")["layers"][0]["shared_with"], json!(["me/app:both"]));
    assert!(!contents.to_string().contains(&secret));

    // The index's images stay as long as a tag leads to them: the one for ARM loses its tag first, then the index.
    let (a_name, revisions) = (name(A), || {
        let folder = format!("docker/registry/v2/repositories/sessions/{A}/me/app/_manifests/revisions/sha256");
        std::fs::read_dir(yard.paths.registry().join(folder)).unwrap().count()
    });
    assert_eq!(revisions(), 3);
    assert!(yard.registry.remove_tag(&a_name, "me/app", "arm").await.unwrap());
    assert_eq!(revisions(), 3);
    assert!(yard.registry.remove_tag(&a_name, "me/app", "both").await.unwrap());
    assert_eq!(revisions(), 1);
    assert!(!yard.registry.remove_tag(&a_name, "me/app", "both").await.unwrap());
    assert_eq!(sha(&ask(&a, Method::GET, "/v2/me/app/manifests/plain").await.1), image);

    // What was deleted makes room: a repository with all it holds, but not those whose names go on from its own.
    push(&a, "me", "1", b"short name").await.unwrap();
    assert!(yard.registry.remove_repository(&a_name, "me").await.unwrap());
    assert_eq!(sha(&ask(&a, Method::GET, "/v2/me/app/manifests/plain").await.1), image);
    assert!(yard.registry.remove_repository(&a_name, "me/app").await.unwrap());
    assert!(!yard.registry.remove_repository(&a_name, "me/app").await.unwrap());
    assert!(!yard.registry.remove_repository(&a_name, "../bbbbbbbbbb/me/app").await.unwrap());
    let contents = serde_json::to_value(yard.registry.contents(&a_name).await).unwrap();
    assert_eq!((&contents["repositories"], &contents["stored"]), (&json!([]), &json!(0)));
    assert_eq!(sha(&ask(&b, Method::GET, "/v2/me/app/manifests/1").await.1), of_b);
    yard.age();
    assert_eq!(yard.registry.collect_garbage().await.unwrap(), Collected::Done);
    assert!(!yard.blob(&layer).exists());
    yard.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_with_very_much_is_told_a_part_of_it() {
    let yard = Yard::with_quota(1 << 30).await;
    let a = yard.service(A, "registry");
    push(&a, "me/app", "1", b"layer").await.unwrap();
    let manifest = ask(&a, Method::GET, "/v2/me/app/manifests/1").await.1;
    for i in 0..220 {
        a.put_manifest("me/app", &format!("t{i}"), MANIFEST, manifest.clone()).await.unwrap();
    }
    let contents = serde_json::to_value(yard.registry.contents(&name(A)).await).unwrap();
    assert_eq!(contents["left_off"], 21);
    assert_eq!(contents["repositories"][0]["tags"].as_array().unwrap().len(), 200);
    assert_eq!(contents["repositories"][0]["tags"][0]["name"], "t219", "the last pushed comes first");
    assert!(contents.to_string().len() < 200 << 10);
    yard.end().await;
}

/// Waits until a file is gone.
async fn gone(file: &Path) {
    let start = Instant::now();
    while file.exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "{} stays", file.display());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_killed_comes_back_and_is_missed_in_its_own_words() {
    let yard = Yard::with_quota(1 << 30).await;
    let a = yard.service(A, "registry");
    push(&a, "me/app", "1", b"layer").await.unwrap();
    let pids = registries(yard.folder.path());
    assert_eq!(pids.len(), 1);
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pids[0]), nix::sys::signal::Signal::SIGKILL).unwrap();
    let killed = Instant::now();
    let mut missed = false;
    loop {
        let (status, body) = ask(&a, Method::GET, "/v2/me/app/manifests/1").await;
        match status {
            StatusCode::OK if registries(yard.folder.path()) != pids => break,
            StatusCode::SERVICE_UNAVAILABLE => {
                missed = true;
                assert!(text(&body).contains("UNAVAILABLE"), "{body:?}");
            }
            _ => {}
        }
        assert!(killed.elapsed() < Duration::from_secs(20), "{status}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(missed);
    let folder = yard.folder.path().to_owned();
    yard.end().await;
    assert_eq!(registries(&folder), Vec::<i32>::new(), "it ends with its server");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_catalogue_lacks_comes_from_the_registry_behind_it() {
    // The registry behind: another one, made to listen on loopback by a plain forwarder.
    let behind = Yard::with_quota(1 << 30).await;
    let (_, digest) = push(&behind.backend(), "library/far", "latest", b"far away").await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let socket = behind.paths.registry_socket();
    let forwarder = tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let Ok(mut far) = tokio::net::UnixStream::connect(&socket).await else { continue };
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });

    let upstream = Some(Upstream { url, username: None, password: None });
    let yard = Yard::start(RegistrySettings { upstream, ..Default::default() }).await;
    let (_, near) = push(&yard.backend(), "catalogue/library/near", "latest", b"near").await.unwrap();
    let mirror = yard.service(A, "catalogue");
    for (image, digest) in [("near", near), ("far", digest.clone())] {
        let (status, manifest) = ask(&mirror, Method::GET, &format!("/v2/library/{image}/manifests/latest")).await;
        assert_eq!((status, sha(&manifest)), (StatusCode::OK, digest), "{image}");
    }
    let layer = sha(b"far away");
    assert_eq!(text(&ask(&mirror, Method::GET, &format!("/v2/library/far/blobs/{layer}")).await.1), "far away");
    assert_eq!(ask(&mirror, Method::GET, "/v2/library/none/manifests/latest").await.0, StatusCode::NOT_FOUND);
    assert_eq!(ask(&mirror, Method::GET, "/v2/library/near/manifests/none").await.0, StatusCode::NOT_FOUND);

    // It is kept: the registry behind may be gone.
    forwarder.abort();
    behind.end().await;
    assert_eq!(ask(&mirror, Method::GET, &format!("/v2/library/far/manifests/{digest}")).await.0, StatusCode::OK);
    yard.end().await;
}

/// Processes of registries whose configuration lies in `folder`.
fn registries(folder: &Path) -> Vec<i32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|p| p.file_name().to_str()?.parse().ok());
    let is_one = |pid: &i32| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command);
        command.contains("docker-registry\0serve\0") && command.contains(&*folder.to_string_lossy())
    };
    pids.filter(is_one).collect()
}
