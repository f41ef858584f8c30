use askama::Template;

use super::{Nonce, Page, RunningSession};

/// All places are taken: honest numbers, and the page tries again by itself.
#[derive(Debug, Template)]
#[template(path = "full.html")]
pub struct FullPage {
    /// For the page's own script.
    pub nonce: Nonce,
    /// Sessions that run now.
    pub running: usize,
    /// Sessions that this Boatyard holds at once.
    pub capacity: usize,
    /// When the next session ends at the latest, RFC 3339; it may be extended, or end earlier.
    pub next_end: Option<String>,
    /// Course id and lesson id that were asked for.
    pub lesson: Option<(String, String)>,
    /// The lab image that was asked for.
    pub image: Option<String>,
}

/// This client has as many sessions as it may.
#[derive(Debug, Template)]
#[template(path = "limit.html")]
pub struct LimitPage {
    /// For the page's own script.
    pub nonce: Nonce,
    /// How many sessions one client may have.
    pub limit: usize,
    /// Those that this browser may rejoin.
    pub sessions: Vec<RunningSession>,
}

/// The session that was here has ended.
#[derive(Debug, Template)]
#[template(path = "ended.html")]
pub struct EndedPage {
    /// For the page's own script.
    pub nonce: Nonce,
    /// `closed`, `expired`, `lost` or `operator`.
    pub reason: String,
    /// Whether it was someone else's, shared with the reader.
    pub guest: bool,
    /// Course id and lesson id that it had, to start again.
    pub lesson: Option<(String, String)>,
}

impl EndedPage {
    fn again(&self) -> &'static str {
        if self.guest { "Start my own" } else { "Start again" }
    }

    fn why(&self) -> &'static str {
        match self.reason.as_str() {
            "closed" if self.guest => "Its owner closed it.",
            "closed" => "You closed it. Its files, images and containers are gone.",
            "expired" => "Its time was up. Its files, images and containers are gone.",
            "operator" => "The operator of this Boatyard ended it. Its files, images and containers are gone.",
            _ => {
                "It is no longer there: the host lost it, perhaps by a restart. Its files, images and containers are gone."
            }
        }
    }
}

/// Any other page that has only an error to tell.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// For the page's own script.
    pub nonce: Nonce,
    /// HTTP status.
    pub status: u16,
    /// What happened, in one line.
    pub title: String,
    /// What the reader can do about it.
    pub detail: String,
}

impl ErrorPage {
    /// Nothing is at this address.
    pub fn not_found() -> ErrorPage {
        ErrorPage {
            nonce: Nonce::new(),
            status: 404,
            title: "Nothing is moored here".into(),
            detail: "The address leads nowhere. If it was a session, it has ended; its link is of no use any more."
                .into(),
        }
    }

    /// There is a session here, and it is someone else's.
    pub fn forbidden() -> ErrorPage {
        ErrorPage {
            nonce: Nonce::new(),
            status: 403,
            title: "This session belongs to another browser".into(),
            detail:
                "Sessions open only in the browser that started them. Open it there, ask its owner to share it with \
                     you by a link, or start one of your own."
                    .into(),
        }
    }

    /// The reader was let into a session, and is no longer.
    pub fn no_longer_shared(title: &str) -> ErrorPage {
        ErrorPage {
            nonce: Nonce::new(),
            status: 403,
            title: title.into(),
            detail:
                "Whoever shared the session with you has taken it back. Ask them for a new link, or start a session \
                     of your own."
                    .into(),
        }
    }

    /// Something of ours broke.
    pub fn internal() -> ErrorPage {
        ErrorPage {
            nonce: Nonce::new(),
            status: 500,
            title: "Something broke on our side".into(),
            detail: "It was written to the server's log. Reload the page in a moment; your sessions go on running."
                .into(),
        }
    }
}

impl Page for FullPage {
    fn nonce(&self) -> &Nonce {
        &self.nonce
    }
}

impl Page for LimitPage {
    fn nonce(&self) -> &Nonce {
        &self.nonce
    }
}

impl Page for EndedPage {
    fn nonce(&self) -> &Nonce {
        &self.nonce
    }
}

impl Page for ErrorPage {
    fn nonce(&self) -> &Nonce {
        &self.nonce
    }
}
