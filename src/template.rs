//! Templates: what a session can start as, beside a single node.

use serde::{Deserialize, Serialize};

/// A kind of session to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name in addresses and the API: up to 32 of `a-z`, `0-9` and dash.
    pub name: String,
    /// What the pages call it.
    pub title: String,
    /// How many nodes it has.
    #[serde(default = "one")]
    pub nodes: u32,
    /// How many of them are managers of a swarm of all, the first ones; 0 makes no swarm.
    #[serde(default)]
    pub managers: u32,
    /// Lab image of its nodes; the configured one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// `course/lesson` that its page shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lesson: Option<String>,
    /// Files that it begins with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<TemplateFile>,
    /// A shell script that runs as root on node1 once all else is there; its output is in `/var/log/boatyard-start.log`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
}

/// A file that a session begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateFile {
    /// The node; all of them where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Absolute path.
    pub path: String,
    /// Its text.
    pub content: String,
}

fn one() -> u32 {
    1
}

impl Template {
    /// Those that come with Boatyard.
    pub fn built_in() -> Vec<Template> {
        let template = |name: &str, title: &str, nodes, managers| Template {
            name: name.into(),
            title: title.into(),
            nodes,
            managers,
            image: None,
            lesson: None,
            files: Vec::new(),
            start: None,
        };
        vec![
            template("one", "One node", 1, 0),
            template("two", "Two nodes", 2, 0),
            template("swarm-1-2", "Swarm: one manager, two workers", 3, 1),
            template("swarm-3-2", "Swarm: three managers, two workers", 5, 3),
        ]
    }

    /// The built-in ones and an operator's own, which replace those of the same name. One that needs more nodes than a
    /// session may have is left out.
    pub fn all(own: &[Template], most_nodes: u32) -> Vec<Template> {
        let mut all = Template::built_in();
        for template in own {
            match all.iter_mut().find(|t| t.name == template.name) {
                Some(replaced) => *replaced = template.clone(),
                None => all.push(template.clone()),
            }
        }
        all.retain(|t| t.nodes <= most_nodes);
        all
    }

    /// What is wrong with it: the key and why.
    pub(crate) fn check(&self, most_nodes: u32) -> Result<(), (&'static str, &'static str)> {
        let name_fits = (1..=32).contains(&self.name.len())
            && self.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !name_fits {
            return Err(("templates.name", "must be up to 32 of a-z, 0-9 and dash"));
        }
        if self.title.trim().is_empty() {
            return Err(("templates.title", "must say what it is"));
        }
        if self.nodes == 0 || self.nodes > most_nodes {
            return Err(("templates.nodes", "must be from 1 to sessions.nodes"));
        }
        if self.managers > self.nodes {
            return Err(("templates.managers", "must be at most its nodes"));
        }
        if self.lesson.as_ref().is_some_and(|l| l.split('/').count() != 2) {
            return Err(("templates.lesson", "must be course/lesson"));
        }
        let there = |node: &str| (1..=self.nodes).any(|n| node == format!("node{n}"));
        for file in &self.files {
            if !file.path.starts_with('/') {
                return Err(("templates.files.path", "must be an absolute path"));
            }
            if file.node.as_deref().is_some_and(|n| !there(n)) {
                return Err(("templates.files.node", "must be one of its nodes, such as node1"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operators_template_replaces_the_built_in_one_of_its_name() {
        let own: Vec<Template> = serde_json::from_value(serde_json::json!([
            {"name": "two", "title": "A pair", "nodes": 2}, {"name": "big", "title": "Big", "nodes": 9}
        ]))
        .unwrap();
        let all = Template::all(&own, 4);
        assert_eq!(
            all.iter().map(|t| t.title.as_str()).collect::<Vec<_>>(),
            ["One node", "A pair", "Swarm: one manager, two workers"]
        );
        assert!(Template::built_in().iter().all(|t| t.check(5).is_ok()));
        assert_eq!(own[1].check(5).unwrap_err().0, "templates.nodes");
    }
}
