use askama::Template;

use super::{Nonce, Page};
use crate::web::stacks::StackPlan;

/// `/try?stack=…`: what is going to happen, with one button that has it happen.
#[derive(Debug, Template)]
#[template(path = "try.html")]
pub struct TryPage {
    /// For the page's own script.
    pub nonce: Nonce,
    /// What is deployed where.
    pub plan: StackPlan,
    /// How long a session lasts, in words (`2 hours`).
    pub lasts: String,
    /// Why it was not started just now.
    pub notice: Option<String>,
}

/// `/try`: the stacks that have a name.
#[derive(Debug, Template)]
#[template(path = "try_list.html")]
pub struct TryListPage {
    /// For the page's own script.
    pub nonce: Nonce,
    /// All stacks.
    pub stacks: Vec<StackCard>,
    /// Hosts from which others may be fetched.
    pub hosts: Vec<String>,
}

/// A stack on the list.
#[derive(Debug, Clone)]
pub struct StackCard {
    /// Its name.
    pub name: String,
    /// What no other stack is called.
    pub id: String,
    /// What the page calls it.
    pub title: String,
    /// What it shows; empty where nobody said.
    pub summary: String,
    /// Its services.
    pub services: Vec<String>,
    /// A badge for a README that leads to its page, in Markdown.
    pub markdown: String,
    /// Path of its page.
    pub href: String,
}

/// A link that leads to nothing that could be deployed.
#[derive(Debug, Template)]
#[template(path = "try_error.html")]
pub struct TryErrorPage {
    /// For the page's own script.
    pub nonce: Nonce,
    /// HTTP status.
    pub status: u16,
    /// What happened, in one line.
    pub title: String,
    /// The particulars, and what to do; `code` in backticks.
    pub detail: String,
    /// Where to try again, where that may help.
    pub again: Option<String>,
}

/// Plain text in which backticks mark code, in parts: each with whether it is code.
pub fn code_parts(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(n, part)| (n % 2 == 1, part))
}

impl Page for TryPage {
    fn nonce(&self) -> &Nonce {
        &self.nonce
    }
}

impl Page for TryListPage {
    fn nonce(&self) -> &Nonce {
        &self.nonce
    }
}

impl Page for TryErrorPage {
    fn nonce(&self) -> &Nonce {
        &self.nonce
    }
}
