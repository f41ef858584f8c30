//! Shares: links by which the owner of a session lets others watch it, or type in it, until the owner ends them.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Live, Sessions};
use crate::store::{ShareRow, StoreError, now_ms};

/// Most shares of a session at one time.
const MOST: usize = 20;
/// Longest label, in characters.
const LONGEST_LABEL: usize = 60;

/// Id of a share. It opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ShareId(pub Uuid);

/// Id of a browser that came through a share, kept in its signed cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GuestId(pub Uuid);

/// What a share lets others do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ShareKind {
    /// Look on.
    Watch,
    /// Type into terminals and edit files, too.
    Type,
}

/// What someone may do in a session: each includes those before it. `web::rights` says what needs which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// Look on.
    Watch,
    /// Type into terminals and edit files.
    Type,
    /// Everything: the session is theirs.
    Own,
}

/// Who uses a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// Its owner, or a program with its token.
    Owner,
    /// Someone who came through a share.
    Guest(GuestId),
}

/// A share of a running session.
#[derive(Debug, Clone)]
pub struct Share {
    /// As it is stored.
    pub row: ShareRow,
    /// Cancelled when its owner ends it.
    pub ended: CancellationToken,
}

/// Why there is no further share.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// The session has as many as it may have.
    #[error("a session has at most {MOST} links; end one first")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Right {
    /// The right as the API and the pages write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Right::Watch => "watch",
            Right::Type => "type",
            Right::Own => "own",
        }
    }
}

impl ShareId {
    /// A new random id.
    pub fn random() -> ShareId {
        ShareId(Uuid::new_v4())
    }
}

impl GuestId {
    /// A new random id.
    pub fn random() -> GuestId {
        GuestId(Uuid::new_v4())
    }
}

impl ShareKind {
    /// The kind as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            ShareKind::Watch => "watch",
            ShareKind::Type => "type",
        }
    }

    /// Reads a stored kind.
    pub fn parse(s: &str) -> Option<ShareKind> {
        [ShareKind::Watch, ShareKind::Type].into_iter().find(|k| k.as_str() == s)
    }

    /// What those who come through it may do.
    pub fn right(self) -> Right {
        match self {
            ShareKind::Watch => Right::Watch,
            ShareKind::Type => Right::Type,
        }
    }
}

/// The shares of a running session, read from the store when they are first asked for. Whoever looks at them or changes
/// them holds the lock, so nobody comes through a share that is being ended.
#[derive(Debug, Default)]
pub(super) struct Shares(Mutex<Option<Vec<Share>>>);

impl Sessions {
    /// The shares of a session, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn shares(&self, live: &Live) -> Result<Vec<Share>, StoreError> {
        self.with_shares(live, |shares| shares.clone())
    }

    /// A share of a session.
    ///
    /// # Errors
    /// When the store fails.
    pub fn share(&self, live: &Live, id: ShareId) -> Result<Option<Share>, StoreError> {
        self.with_shares(live, |shares| shares.iter().find(|s| s.row.id == id).cloned())
    }

    /// The share that a link's secret belongs to.
    ///
    /// # Errors
    /// When the store fails.
    pub fn share_by_secret(&self, live: &Live, secret: &str) -> Result<Option<Share>, StoreError> {
        // What is compared are digests, so the time it takes tells nothing of the secret.
        let hash = Sha256::digest(secret.as_bytes());
        self.with_shares(live, |shares| shares.iter().find(|s| s.row.secret_hash == hash.as_slice()).cloned())
    }

    /// Lets others into a session. Gives the share, and the secret that its link ends with, which is kept nowhere.
    ///
    /// # Errors
    /// [`ShareError`].
    pub fn make_share(&self, live: &Live, kind: ShareKind, label: &str) -> Result<(Share, String), ShareError> {
        let secret = hex::encode(rand::random::<[u8; 16]>());
        let row = ShareRow {
            id: ShareId::random(),
            session: live.id(),
            kind,
            secret_hash: Sha256::digest(secret.as_bytes()).to_vec(),
            label: plain(label, LONGEST_LABEL),
            made_at: now_ms(),
        };
        self.with_shares(live, |shares| {
            if shares.len() >= MOST {
                return Err(ShareError::TooMany);
            }
            self.store().add_share(&row)?;
            let share = Share { row, ended: CancellationToken::new() };
            shares.push(share.clone());
            Ok((share, secret))
        })?
    }

    /// Ends a share at once: who came through it is sent away. `false` if there is none of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn end_share(&self, live: &Live, id: ShareId) -> Result<bool, StoreError> {
        let ended = self.with_shares(live, |shares| {
            let Some(at) = shares.iter().position(|s| s.row.id == id) else { return Ok(false) };
            self.store().remove_share(id)?;
            shares.remove(at).ended.cancel();
            Ok(true)
        })?;
        if let Ok(true) = ended {
            live.emit(super::Event::People);
        }
        ended
    }

    fn with_shares<T>(&self, live: &Live, deed: impl FnOnce(&mut Vec<Share>) -> T) -> Result<T, StoreError> {
        let mut shares = live.shares.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shares) = &mut *shares {
            return Ok(deed(shares));
        }
        let stored = self.store().shares(live.id())?.into_iter();
        Ok(deed(shares.insert(stored.map(|row| Share { row, ended: CancellationToken::new() }).collect())))
    }
}

/// What someone wrote, as one line of at most `longest` characters: without what controls a terminal, a line's direction
/// or its width.
pub(super) fn plain(text: &str, longest: usize) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let shown: String = text.chars().take(longest * 8).map(|c| if hidden(c) { ' ' } else { c }).collect();
    let line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(longest).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_include_each_other() {
        assert!(Right::Watch < Right::Type && Right::Type < Right::Own);
        for kind in [ShareKind::Watch, ShareKind::Type] {
            assert_eq!(ShareKind::parse(kind.as_str()), Some(kind));
            assert!(kind.right() < Right::Own);
        }
    }

    #[test]
    fn what_people_write_is_one_plain_line() {
        for (text, line) in [
            ("  Ada \n Lovelace ", "Ada Lovelace"),
            ("\u{202e}evil\u{1b}[31m", "evil [31m"),
            ("zero\u{200b}width", "zero width"),
            ("\u{feff}\t", ""),
            ("Zoë 🚢", "Zoë 🚢"),
        ] {
            assert_eq!(plain(text, 40), line);
        }
        assert_eq!(plain(&"x".repeat(1000), 40).len(), 40);
    }
}
