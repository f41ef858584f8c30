use askama::Template;

use super::{Nonce, Page};

/// Served on a port's own host name while nothing listens there (503). It stands alone, since that name serves
/// nothing else of ours, and goes on by itself: it polls `/.boatyard/port`, which answers 204 once something listens.
#[derive(Debug, Template)]
#[template(path = "port_waiting.html")]
pub struct PortWaitingPage {
    /// For the page's own script and styles.
    pub nonce: Nonce,
    /// The port.
    pub port: u16,
    /// The node.
    pub node: String,
}

/// Served on a port's own host name when its answer cannot be carried (502, 504, 403, 410), and on names that nothing
/// goes by (421). It stands alone as well.
#[derive(Debug, Template)]
#[template(path = "port_error.html")]
pub struct PortErrorPage {
    /// For the page's own styles.
    pub nonce: Nonce,
    /// What is spoken of, above the title: a node with its port, or a status.
    pub plate: String,
    /// What happened, in one line.
    pub title: String,
    /// What the reader can do about it.
    pub detail: String,
    /// Whether trying again may help.
    pub retry: bool,
}

impl Page for PortWaitingPage {
    fn nonce(&self) -> &Nonce {
        &self.nonce
    }
}

impl Page for PortErrorPage {
    fn nonce(&self) -> &Nonce {
        &self.nonce
    }
}
