use super::{
    super::{HttpAnswer, HttpWanted},
    Verdict, listed,
};

/// Something must listen on the port.
pub(crate) fn listens(port: u16, node: &str, listening: &[u16]) -> Verdict {
    if listening.contains(&port) {
        return Verdict::Passed;
    }
    Verdict::Failed(match listening {
        [] => format!("Nothing listens on port {port} of {node} yet."),
        others => format!("Nothing listens on port {port} of {node} yet, only on {}.", listed(others)),
    })
}

/// What is said when nothing answers.
pub(crate) fn no_answer(wanted: &HttpWanted, node: &str) -> Verdict {
    Verdict::Failed(format!("Nothing answers on port {} of {node} yet.", wanted.port))
}

/// The answer must be the wanted one.
pub(crate) fn answers(wanted: &HttpWanted, answer: &HttpAnswer) -> Verdict {
    let HttpWanted { port, path, status, contains } = wanted;
    if answer.status != *status {
        let now = answer.status;
        return Verdict::Failed(format!(
            "Port {port} answers on `{path}`, but with status {now}; the lesson wants {status}."
        ));
    }
    match contains {
        Some(part) if !String::from_utf8_lossy(&answer.body).contains(part.as_str()) => {
            Verdict::Failed(format!("Port {port} answers, but `{part}` does not stand in what it answers on `{path}`."))
        }
        _ => Verdict::Passed,
    }
}
