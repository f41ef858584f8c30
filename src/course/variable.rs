//! Variables in the commands of lessons: `{{swarm.join}}` stands for what only a running session knows.
//!
//! Commands hold other things in two braces, above all Docker's templates (`{{json .}}`, `{{.Names}}`). So a variable is
//! only what begins with one of the words that variables begin with.

use std::fmt;

/// What may stand in a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variable {
    /// The command by which a node joins its session's swarm as a worker.
    SwarmJoin,
    /// The same as a manager.
    SwarmJoinManager,
}

impl Variable {
    /// All of them.
    pub const ALL: [Variable; 2] = [Variable::SwarmJoin, Variable::SwarmJoinManager];

    /// Its name, as it stands between the braces.
    pub fn name(self) -> &'static str {
        match self {
            Variable::SwarmJoin => "swarm.join",
            Variable::SwarmJoinManager => "swarm.join.manager",
        }
    }

    /// The variable of this name.
    pub fn parse(name: &str) -> Option<Variable> {
        Variable::ALL.into_iter().find(|v| v.name() == name)
    }

    /// The variables of a text, each once, in order.
    ///
    /// # Errors
    /// What looks like one and is none, in words for the lesson's author.
    pub fn find(text: &str) -> Result<Vec<Variable>, String> {
        let mut found = Vec::new();
        for name in braced(text) {
            let first = name.split('.').next().unwrap_or_default();
            match Variable::parse(name) {
                Some(variable) if found.contains(&variable) => {}
                Some(variable) => found.push(variable),
                None if Variable::ALL.iter().any(|v| v.name().split('.').next() == Some(first)) => {
                    let known: Vec<_> = Variable::ALL.iter().map(|v| format!("`{{{{{v}}}}}`")).collect();
                    return Err(format!("there is no variable `{{{{{name}}}}}`; there are {}", known.join(", ")));
                }
                None => {}
            }
        }
        Ok(found)
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What stands in two braces and consists of lower-case letters, digits and dots.
fn braced(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|rest| {
        let (name, _) = rest.split_once("}}")?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.';
        (name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(plain)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_told_from_templates() {
        assert_eq!(Variable::find("{{swarm.join}} && {{swarm.join}}"), Ok(vec![Variable::SwarmJoin]));
        assert_eq!(Variable::find("{{swarm.join.manager}}"), Ok(vec![Variable::SwarmJoinManager]));
        for other in [
            "docker ps --format '{{.Names}} {{json .}}'",
            "{{range .x}}{{end}}",
            "{{ swarm.join }}",
            "{{swarm.join",
            "${{x}}",
        ] {
            assert_eq!(Variable::find(other), Ok(vec![]), "{other}");
        }
        assert!(Variable::find("{{swarm.token}}").unwrap_err().contains("`{{swarm.join}}`"));
    }
}
