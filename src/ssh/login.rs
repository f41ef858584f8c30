//! User names: `<session's public name>-<node>`, as the host names of ports have them.

use crate::session::{NodeName, PublicName};

/// Whom a user name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The session.
    pub session: PublicName,
    /// The node.
    pub node: NodeName,
}

impl Login {
    /// Reads a user name, in capital or small letters; none if it is no node's.
    pub fn parse(user: &str) -> Option<Login> {
        if user.len() > 64 {
            return None;
        }
        let user = user.to_ascii_lowercase();
        let (session, node) = user.split_once('-')?;
        Some(Login { session: PublicName::parse(session)?, node: NodeName::parse(node)? })
    }

    /// The user name.
    pub fn name(session: &PublicName, node: &NodeName) -> String {
        format!("{session}-{node}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_reads_back_in_any_letters(node in "[a-z][a-z0-9]{0,15}", capital in any::<bool>()) {
            let login = Login { session: PublicName::random(), node: NodeName::parse(&node).unwrap() };
            let name = Login::name(&login.session, &login.node);
            let name = if capital { name.to_ascii_uppercase() } else { name };
            prop_assert_eq!(Login::parse(&name), Some(login));
        }

        #[test]
        fn any_text_is_read_without_panic(user in ".*") {
            let _ = Login::parse(&user);
        }
    }

    #[test]
    fn other_names_are_nobody() {
        for user in ["root", "", "-", "abcdefghij", "abcdefghij-", "short-node1", "abcdefghij-node1-x", "abcdefghij-1"]
        {
            assert_eq!(Login::parse(user), None, "{user}");
        }
    }
}
