//! Typing a command into a student's terminal, and learning how it ended.
//!
//! The shell is told to mark where a command has ended, and with which exit code, by the escape sequence that terminals
//! agree on for it (OSC 133, "semantic prompts"): it shows nothing, and the command stays what a person would type.

use std::time::Duration;

use boatyard_protocol::agent::OpenTerminal;
use tokio::time::{Instant, timeout, timeout_at};

use crate::{
    agent::{AgentError, Typist},
    session::Node,
};

/// Longest wait for a shell's first prompt.
const PROMPT: Duration = Duration::from_secs(5);
/// A prompt is drawn within so long after its mark.
const DRAWN: Duration = Duration::from_millis(300);
/// Longest that a command is listened to.
const LONGEST: Duration = Duration::from_secs(1800);
/// What of a command's output is kept, in bytes: the end.
const KEPT: usize = 32 << 10;
/// Longest line that is told.
const LONGEST_LINE: usize = 600;
/// Begins a mark; the exit code and a bell follow.
const MARK: &[u8] = b"\x1b]133;D;";

/// How a typed command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// Its exit code; none where nobody knows it.
    pub code: Option<i32>,
    /// The last thing that it said.
    pub said: String,
}

/// A terminal whose shell marks the ends of commands and first says `welcome`.
pub(super) fn marked_shell(welcome: &str) -> OpenTerminal {
    let script = r#"printf %s "$1"; PROMPT_COMMAND='printf "\033]133;D;%s\007" "$?"' exec "${SHELL:-/bin/sh}" -l"#;
    let command = ["/bin/sh", "-c", script, "deploy", welcome].map(str::to_owned).into();
    OpenTerminal { cols: 80, rows: 24, command, cwd: None }
}

/// Types a command into a terminal as soon as its shell shows a prompt, and waits for its end.
///
/// # Errors
/// When the terminal cannot be reached.
pub(super) async fn run(node: &Node, terminal: &str, generation: u64, command: &str) -> Result<Ended, AgentError> {
    let mut typist = node.agent().typist(terminal, generation).await?;
    let mut heard = Vec::new();
    // What is typed before the prompt would be shown twice.
    let until = Instant::now() + PROMPT;
    while mark(&heard).is_none() && hear(&mut typist, &mut heard, until).await {}
    let until = Instant::now() + DRAWN;
    while !at_prompt(&heard) && hear(&mut typist, &mut heard, until).await {}
    heard.clear();
    typist.write(&format!("{command}\r")).await?;
    let until = Instant::now() + LONGEST;
    loop {
        if let Some((at, code)) = mark(&heard) {
            return Ok(Ended { code: Some(code), said: last_line(&heard[..at]) });
        }
        if !hear(&mut typist, &mut heard, until).await {
            return Ok(Ended { code: None, said: last_line(&heard) });
        }
    }
}

/// Hears a little more; `false` when there is no more, or not in time.
async fn hear(typist: &mut Typist, heard: &mut Vec<u8>, until: Instant) -> bool {
    let Ok(Some(bytes)) = timeout_at(until, typist.hear()).await else { return false };
    heard.extend_from_slice(&bytes);
    let over = heard.len().saturating_sub(KEPT);
    heard.drain(..over);
    true
}

/// Where the first mark is, and its exit code.
fn mark(heard: &[u8]) -> Option<(usize, i32)> {
    let at = heard.windows(MARK.len()).position(|w| w == MARK)?;
    let rest = &heard[at + MARK.len()..];
    let code = &rest[..rest.iter().take(5).position(|b| *b == 7)?];
    Some((at, std::str::from_utf8(code).ok()?.parse().ok()?))
}

fn at_prompt(heard: &[u8]) -> bool {
    heard.ends_with(b"# ") || heard.ends_with(b"$ ")
}

/// The last line of a terminal's output that says something, without escape sequences.
fn last_line(heard: &[u8]) -> String {
    let text = String::from_utf8_lossy(heard);
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => match chars.next() {
                // Control sequences end with a letter or the like (ECMA-48, 5.4).
                Some('[') => while chars.next_if(|c| *c != '\x1b').is_some_and(|c| !('\x40'..='\x7e').contains(&c)) {},
                // Operating system commands end with a bell or ESC \.
                Some(']') => while chars.next_if(|c| *c != '\x1b').is_some_and(|c| c != '\x07') {},
                _ => {}
            },
            '\n' | '\r' => plain.push('\n'),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    let last = plain.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    last.chars().take(LONGEST_LINE).collect()
}

/// Waits until a terminal's shell is at its prompt again, as far as can be seen from outside; what it runs, where it is not.
pub(super) async fn busy_with(node: &Node, terminal: &str) -> Result<Option<String>, AgentError> {
    let terminals =
        timeout(Duration::from_secs(5), node.agent().terminals()).await.map_err(|_| AgentError::Timeout)??;
    let found = terminals.into_iter().find(|t| t.id == terminal);
    let runs = found.filter(|t| t.exit_code.is_none()).and_then(|t| t.foreground);
    Ok(runs.filter(|name| !["bash", "sh", "dash", "zsh"].contains(&name.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_of_an_end_and_the_last_words() {
        let heard = b"cd ~/x && false\r\n\x1b[?25l\x1b[1A\x1b[2K \x1b[31mErr\x1b[0m web\r\n\x1b[?25hError response from daemon: no such image\r\n\r\n\x1b]133;D;18\x07\x1b[?2004hroot@node1:~# ";
        let (at, code) = mark(heard).unwrap();
        assert_eq!(code, 18);
        assert_eq!(last_line(&heard[..at]), "Error response from daemon: no such image");
        assert!(at_prompt(heard));
        for none in [&b""[..], b"\x1b]133;D;", b"\x1b]133;D;0", b"\x1b]133;D;x\x07", b"\x1b]133;A\x07"] {
            assert_eq!(mark(none), None);
        }
        assert_eq!(last_line(b"\x1b[\xff\x1b]0;title"), "");
    }
}
