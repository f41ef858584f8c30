//! The keys by which a session's nodes know each other.

use boatyard_protocol::agent::SshKeys;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use ssh_key::{LineEnding, PrivateKey, private::Ed25519Keypair};

use super::{SessionId, Sessions};

impl Sessions {
    /// The keys of a session's nodes. They follow from the server's secret and the session's id, so a node that is added
    /// later gets the same without their being kept anywhere.
    pub(super) fn ssh_keys(&self, session: SessionId) -> Option<SshKeys> {
        let made = self.inner.store.secret("ssh").map_err(anyhow::Error::from).and_then(|s| keys(&s, session));
        made.inspect_err(|e| tracing::error!(%session, error = %e, "nodes without keys for ssh")).ok()
    }
}

fn keys(secret: &[u8], session: SessionId) -> anyhow::Result<SshKeys> {
    let pair = |what: &str| -> anyhow::Result<(String, String)> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret)?;
        mac.update(what.as_bytes());
        mac.update(session.0.as_bytes());
        let seed: [u8; 32] = mac.finalize().into_bytes().into();
        let key = PrivateKey::new(Ed25519Keypair::from_seed(&seed).into(), what)?;
        Ok((key.to_openssh(LineEnding::LF)?.to_string(), key.public_key().to_openssh()?))
    };
    let (login, login_public) = pair("boatyard-session")?;
    let (host, host_public) = pair("boatyard-node")?;
    Ok(SshKeys { login, login_public, host, host_public })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_has_keys_of_its_own_and_they_stay_the_same() {
        let (one, other) = (SessionId::random(), SessionId::random());
        let mine = keys(b"secret", one).unwrap();
        assert_eq!(mine, keys(b"secret", one).unwrap());
        assert_ne!(mine.login, keys(b"secret", other).unwrap().login);
        assert_ne!(mine.login, mine.host);
        assert!(mine.login_public.starts_with("ssh-ed25519 ") && mine.login_public.ends_with("boatyard-session"));
        let read = PrivateKey::from_openssh(&mine.login).unwrap();
        assert_eq!(read.public_key().to_openssh().unwrap(), mine.login_public);
    }
}
