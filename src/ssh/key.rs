//! Public keys that students paste.

use russh::keys::{
    HashAlg, PublicKey as Key,
    ssh_key::{Algorithm, public::KeyData},
};

/// Longest line that is read, in bytes: an RSA key of 16,384 bits takes about 2,800.
const LONGEST: usize = 8 << 10;
/// Fewest bits of an RSA key.
const FEWEST_BITS: usize = 2048;

/// A public key that may open a session.
#[derive(Debug, Clone)]
pub struct PublicKey(Key);

/// Why a text is no key that may; the message says what would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// It is a private key.
    #[error("this is a private key, which stays with its owner; paste the file whose name ends in .pub")]
    Private,
    /// There is more than one.
    #[error("there are several lines; paste one key at a time")]
    Several,
    /// It is nothing of the kind.
    #[error("this is no public key; it begins with ssh-ed25519, ecdsa-sha2-… or ssh-rsa and stands in one line")]
    NoKey,
    /// It is one that is not taken.
    #[error("keys of this kind are not taken; make one with `ssh-keygen -t ed25519`")]
    Kind,
    /// It is too short to be safe.
    #[error("this RSA key is shorter than {FEWEST_BITS} bits; make one with `ssh-keygen -t ed25519`")]
    Weak,
}

impl PublicKey {
    /// Reads a line as it stands in `~/.ssh/id_ed25519.pub`.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn parse(text: &str) -> Result<PublicKey, BadKey> {
        if text.len() > LONGEST {
            return Err(BadKey::NoKey);
        }
        if text.contains("PRIVATE KEY") {
            return Err(BadKey::Private);
        }
        let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
        let line = lines.next().ok_or(BadKey::NoKey)?;
        if lines.next().is_some() {
            return Err(BadKey::Several);
        }
        let key = Key::from_openssh(line).map_err(|_| BadKey::NoKey)?;
        match key.algorithm() {
            Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256 => {}
            Algorithm::Rsa { .. } => {
                let bits = match key.key_data() {
                    KeyData::Rsa(rsa) => rsa_bits(rsa.n().as_bytes()),
                    _ => 0,
                };
                if bits < FEWEST_BITS {
                    return Err(BadKey::Weak);
                }
            }
            _ => return Err(BadKey::Kind),
        }
        Ok(PublicKey(key))
    }

    /// Algorithm and key, without a comment.
    pub fn line(&self) -> String {
        line(&self.0)
    }

    /// What its owner calls it.
    pub fn comment(&self) -> &str {
        self.0.comment().as_str_lossy()
    }

    /// Its kind, such as `ssh-ed25519`.
    pub fn algorithm(&self) -> String {
        self.0.algorithm().to_string()
    }

    /// Its fingerprint, such as `SHA256:…`.
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }
}

/// Algorithm and key as they are stored: what a key is compared by.
pub fn line(key: &Key) -> String {
    let mut key = key.clone();
    key.set_comment("");
    key.to_openssh().unwrap_or_default().trim_end().to_owned()
}

fn rsa_bits(n: &[u8]) -> usize {
    let n: &[u8] = &n[n.iter().take_while(|b| **b == 0).count()..];
    n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize)
}
