//! Secrets that are told once and kept as digests: one-time passwords, and tokens of `boatyard forward`.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    session::SessionId,
    store::{SecretKind, Store, StoreError, now_ms},
};

/// Secrets of one kind that a session has at one time: a further one takes the place of the oldest.
const MOST: u32 = 5;
/// No letter is taken for another: 32 of them.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Makes a secret of a session that is good for `lasts`; it is known to the caller alone.
///
/// # Errors
/// When the store fails.
pub fn make(store: &Store, session: SessionId, kind: SecretKind, lasts: Duration) -> Result<String, StoreError> {
    // 16 letters are 80 bits, and 32 are 160: what is typed is used up by the first guess that is right.
    let groups = match kind {
        SecretKind::SshPassword => 4,
        SecretKind::ForwardToken => 8,
    };
    let group = || (0..4).map(|_| LETTERS[rand::random_range(0..LETTERS.len())] as char).collect::<String>();
    let secret = (0..groups).map(|_| group()).collect::<Vec<_>>().join("-");
    let digest = mac(store, session, &secret)?.finalize().into_bytes();
    store.add_secret(session, kind, &digest, now_ms() + lasts.as_millis() as i64, MOST)?;
    Ok(secret)
}

/// The number of the secret that `said` is. Takes as long whether it is one or not.
///
/// # Errors
/// When the store fails.
pub fn find(store: &Store, session: SessionId, kind: SecretKind, said: &str) -> Result<Option<i64>, StoreError> {
    let mut found = None;
    for (id, digest) in store.secrets(session, kind)? {
        if mac(store, session, said)?.verify_slice(&digest).is_ok() {
            found = Some(id);
        }
    }
    Ok(found)
}

/// Whether `said` is a secret, which is used up with that: right for one caller, once.
///
/// # Errors
/// When the store fails.
pub fn take(store: &Store, session: SessionId, kind: SecretKind, said: &str) -> Result<bool, StoreError> {
    match find(store, session, kind, said)? {
        Some(id) => store.use_secret(id),
        None => Ok(false),
    }
}

/// Blanks and dashes are for reading, and capitals are the same letters.
fn mac(store: &Store, session: SessionId, said: &str) -> Result<Hmac<Sha256>, StoreError> {
    let secret = store.secret("outside")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).expect("HMAC takes keys of any length (RFC 2104)");
    mac.update(session.0.as_bytes());
    let plain = |b: &u8| !matches!(b, b'-' | b' ' | b'\t' | b'\r' | b'\n');
    let plain: Vec<u8> = said.bytes().filter(|b| plain(b)).map(|b| b.to_ascii_lowercase()).take(256).collect();
    mac.update(&plain);
    Ok(mac)
}
