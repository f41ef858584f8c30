//! The HTML of what lessons have beyond Markdown. The page's script finds these by class and data attributes, so
//! changing them means changing `web/src/lesson`.

use super::{Variable, check::Check, info::Command, markdown::escape, markdown::inline};

/// Where a port link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PortLink {
    pub node: String,
    pub port: u16,
    pub path: String,
}

impl PortLink {
    /// Reads the address of a link: `port:8080/path` or `node2:8080/path`. `None` where the link is another one.
    ///
    /// # Errors
    /// When it is a port link, but no port stands in it.
    pub fn parse(url: &str) -> Option<Result<PortLink, String>> {
        let (scheme, rest) = url.split_once(':')?;
        let number = scheme.strip_prefix("node").filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        let node = match number {
            _ if scheme == "port" => super::DEFAULT_NODE,
            Some(_) => scheme,
            None => return None,
        };
        let (port, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Some(match port.parse() {
            Ok(port) if port > 0 => Ok(PortLink { node: node.to_owned(), port, path }),
            _ => Err(format!("`{url}`: a port link is written `port:8080/path` or `node2:8080/path`")),
        })
    }

    pub fn opening_tag(&self) -> String {
        let PortLink { node, port, path } = self;
        format!("<a class=\"port\" data-node=\"{}\" data-port=\"{port}\" data-path=\"{}\">", escape(node), escape(path))
    }
}

pub(super) fn command(command: &Command, text: &str, variables: &[Variable]) -> String {
    let names: Vec<_> = variables.iter().map(|v| v.name()).collect();
    let variables = if names.is_empty() { String::new() } else { format!(" data-variables=\"{}\"", names.join(" ")) };
    let norun = if command.run { "" } else { " data-norun" };
    let noenter = if command.enter { "" } else { " data-noenter" };
    let figure = format!(
        "<figure class=\"cmd\" data-terminal=\"{}\" data-node=\"{}\"{norun}{noenter}{variables}><pre><code>{}</code></pre></figure>\n",
        escape(&command.terminal),
        escape(&command.node),
        escape(text)
    );
    if command.solution {
        format!("<details class=\"solution\"><summary>Solution</summary>\n{figure}</details>\n")
    } else {
        figure
    }
}

pub(super) fn output(text: &str) -> String {
    format!("<figure class=\"sample\"><pre>{}</pre></figure>\n", escape(text))
}

pub(super) fn file(path: &str, node: &str, language: &str, text: &str) -> String {
    let path = escape(path);
    let class = if language.is_empty() { String::new() } else { format!(" class=\"language-{}\"", escape(language)) };
    format!(
        "<figure class=\"file\" data-path=\"{path}\" data-node=\"{}\"><figcaption>{path}</figcaption>\
         <pre><code{class}>{}</code></pre></figure>\n",
        escape(node),
        escape(text)
    )
}

pub(super) fn checks(checks: &[Check]) -> String {
    if checks.is_empty() {
        return String::new();
    }
    let items: String = checks
        .iter()
        .enumerate()
        .map(|(i, check)| format!("<li data-check=\"{i}\">{}</li>\n", inline(&check.title())))
        .collect();
    format!("<ul class=\"checks\">\n{items}</ul>\n")
}

pub(super) fn step(id: &str, title: &str, body: &str, checks: &str) -> String {
    format!(
        "<section class=\"step\" id=\"{id}\" data-step=\"{id}\"><h2>{title}</h2>\n{body}{checks}</section>\n",
        id = escape(id)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_port_links() {
        let link = |node: &str, port, path: &str| PortLink { node: node.into(), port, path: path.into() };
        assert_eq!(PortLink::parse("port:8080"), Some(Ok(link("node1", 8080, "/"))));
        assert_eq!(PortLink::parse("node2:80/a?b=c"), Some(Ok(link("node2", 80, "/a?b=c"))));
        assert_eq!(PortLink::parse("port:80?b"), Some(Ok(link("node1", 80, "/?b"))));
        assert_eq!(PortLink::parse("https://docs.docker.com"), None);
        assert_eq!(PortLink::parse("node:80"), None);
        for bad in ["port:", "port:0", "port:99999", "port:web"] {
            assert!(PortLink::parse(bad).unwrap().is_err(), "{bad}");
        }
    }
}
