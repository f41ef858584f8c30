//! Names of repositories, and the paths of the registry's API that carry them (OCI Distribution Specification 1.1,
//! "Pulling manifests" and "Endpoints").

use crate::session::PublicName;

/// A valid repository name: components of small letters, digits and single separators, joined by slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Reads a name; `None` if it is none.
    pub fn parse(s: &str) -> Option<Name> {
        let component = |c: &str| {
            let b = c.as_bytes();
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            b.first().copied().is_some_and(plain)
                && b.last().copied().is_some_and(plain)
                && b.iter().all(|&b| plain(b) || b"._-".contains(&b))
                && !c.contains("..")
        };
        (s.len() <= 180 && s.split('/').all(component)).then(|| Name(s.to_owned()))
    }

    /// Its name in storage, as a repository of a session.
    pub fn of_session(&self, session: &PublicName) -> String {
        format!("{}{}", session_prefix(session), self.0)
    }

    /// Its name in storage, as a repository of the catalogue.
    pub fn of_catalogue(&self) -> String {
        format!("catalogue/{}", self.0)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a session's repositories begin with in storage.
pub fn session_prefix(session: &PublicName) -> String {
    format!("sessions/{session}/")
}

/// What a path of the registry's API asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `/v2/`
    Base,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/<name>/<rest>`
    Repository {
        /// The repository.
        name: Name,
        /// What of it, beginning with the kind.
        rest: Rest,
    },
}

/// What of a repository a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// `tags/list`
    Tags,
    /// `manifests/<tag or digest>`
    Manifest(String),
    /// `blobs/<digest>`
    Blob(String),
    /// `blobs/uploads/<id>`; the id is empty where an upload begins.
    Upload(String),
    /// `referrers/<digest>`
    Referrers(String),
}

impl Rest {
    fn parse(s: &str) -> Option<Rest> {
        let id = |s: &str| -> Option<String> {
            let ok = s.len() <= 256 && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:+-=".contains(&b));
            (ok && s != "." && s != "..").then(|| s.to_owned())
        };
        let some_id = |s: &str| id(s).filter(|s| !s.is_empty());
        if s == "tags/list" {
            return Some(Rest::Tags);
        }
        if let Some(upload) = s.strip_prefix("blobs/uploads") {
            return upload.strip_prefix('/').map_or(Some(String::new()), id).map(Rest::Upload);
        }
        let (kind, what) = s.split_once('/')?;
        match kind {
            "manifests" => some_id(what).map(Rest::Manifest),
            "blobs" => some_id(what).map(Rest::Blob),
            "referrers" => some_id(what).map(Rest::Referrers),
            _ => None,
        }
    }

    /// The rest as it stands in a path.
    pub fn path(&self) -> String {
        match self {
            Rest::Tags => "tags/list".into(),
            Rest::Manifest(r) => format!("manifests/{r}"),
            Rest::Blob(d) => format!("blobs/{d}"),
            Rest::Upload(id) => format!("blobs/uploads/{id}"),
            Rest::Referrers(d) => format!("referrers/{d}"),
        }
    }
}

impl Endpoint {
    /// Reads a path; `None` if it is none of the registry's API, or names something that cannot be.
    pub fn parse(path: &str) -> Option<Endpoint> {
        let path = path.strip_prefix("/v2")?;
        match path.strip_prefix('/') {
            None if path.is_empty() => return Some(Endpoint::Base),
            None => return None,
            Some("") => return Some(Endpoint::Base),
            Some("_catalog") => return Some(Endpoint::Catalog),
            Some(_) => {}
        }
        let path = &path[1..];
        // A component of the name may itself be called `blobs`, so the longest name that fits is meant.
        let splits = path.rmatch_indices('/').map(|(i, _)| (&path[..i], &path[i + 1..]));
        for (name, rest) in splits {
            if let (Some(name), Some(rest)) = (Name::parse(name), Rest::parse(rest)) {
                // `a/blobs` + `uploads/x` is no split: uploads begin with `blobs/`.
                return Some(Endpoint::Repository { name, rest });
            }
        }
        None
    }
}

/// A `Location` or `Link` header of the registry as the client must see it: without host, and with its own name for the
/// repository.
pub fn outward(value: &str, prefix: &str) -> String {
    let value = match value.find("/v2/") {
        Some(i) if value[..i].contains("://") && !value.starts_with('<') => &value[i..],
        _ => value,
    };
    value.replacen(&format!("/v2/{prefix}"), "/v2/", 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn repository(name: &str, rest: Rest) -> Option<Endpoint> {
        Some(Endpoint::Repository { name: Name::parse(name).unwrap(), rest })
    }

    #[test]
    fn paths_of_the_api() {
        assert_eq!(Endpoint::parse("/v2/"), Some(Endpoint::Base));
        assert_eq!(Endpoint::parse("/v2"), Some(Endpoint::Base));
        assert_eq!(Endpoint::parse("/v2/_catalog"), Some(Endpoint::Catalog));
        assert_eq!(Endpoint::parse("/v2/me/app/tags/list"), repository("me/app", Rest::Tags));
        assert_eq!(Endpoint::parse("/v2/me/app/manifests/1.0"), repository("me/app", Rest::Manifest("1.0".into())));
        assert_eq!(Endpoint::parse("/v2/a/blobs/sha256:00"), repository("a", Rest::Blob("sha256:00".into())));
        assert_eq!(Endpoint::parse("/v2/a/b/blobs/uploads/"), repository("a/b", Rest::Upload("".into())));
        assert_eq!(Endpoint::parse("/v2/a/blobs/uploads/x-1"), repository("a", Rest::Upload("x-1".into())));
        assert_eq!(Endpoint::parse("/v2/a/blobs/blobs/sha256:1"), repository("a/blobs", Rest::Blob("sha256:1".into())));
    }

    #[test]
    fn what_leads_out_of_a_name_is_refused() {
        for path in [
            "/v2/../other/manifests/1",
            "/v2/me/../../other/app/manifests/1",
            "/v2/me/..%2fapp/manifests/1",
            "/v2/me//app/manifests/1",
            "/v2/ME/manifests/1",
            "/v2/me/app/manifests/..",
            "/v2/me/app/manifests/",
            "/v2/me/app/blobs/uploads/../../x",
            "/v2/me/app/blobs/a/b/c/../manifests/x/",
            "/v2/.hidden/manifests/1",
            "/v1/me/manifests/1",
            "/v2x",
            "/",
        ] {
            assert_eq!(Endpoint::parse(path), None, "{path}");
        }
    }

    #[test]
    fn locations_are_the_clients_own() {
        let there = "/v2/sessions/abcdefghij/me/app/blobs/uploads/1?_state=x";
        assert_eq!(outward(there, "sessions/abcdefghij/"), "/v2/me/app/blobs/uploads/1?_state=x");
        let absolute = "http://localhost/v2/sessions/abcdefghij/me/app/blobs/sha256:1";
        assert_eq!(outward(absolute, "sessions/abcdefghij/"), "/v2/me/app/blobs/sha256:1");
        let link = "</v2/sessions/abcdefghij/a/tags/list?n=1>; rel=\"next\"";
        assert_eq!(outward(link, "sessions/abcdefghij/"), "</v2/a/tags/list?n=1>; rel=\"next\"");
    }

    proptest! {
        #[test]
        fn any_path_is_read_without_panic(path in "/v2/[a-z0-9./_:%-]{0,60}") {
            if let Some(Endpoint::Repository { name, rest }) = Endpoint::parse(&path) {
                prop_assert!(!name.as_str().contains("..") && !rest.path().split('/').any(|c| c == ".."));
            }
        }
    }
}
