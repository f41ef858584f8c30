//! Session channels: a shell, a command or sftp, as a process that the node's agent starts.

use std::collections::BTreeMap;

use boatyard_protocol::process::{Frame, MAX_PAYLOAD, Run, StartProcess, TerminalRequest, WINDOW};
use russh::{
    Channel, ChannelMsg, ChannelWriteHalf, Sig,
    server::{Handle, Msg},
};
use tokio::sync::{Semaphore, mpsc};

use super::queue::{self, Said};
use crate::{
    agent::{AgentError, FromProcess, ToProcess},
    ssh::connection::{ChannelPlace, SignedIn},
};

/// Variables that a client may set, as OpenSSH's server has them on Debian.
const MOST_VARIABLES: usize = 32;
const LONGEST_VALUE: usize = 256;
/// Longest command, in bytes: as much as Linux takes in one argument.
const LONGEST_COMMAND: usize = 128 << 10;
/// The standard error of a channel (RFC 4254, section 5.2).
const STDERR: u32 = 1;
/// The exit code where there is none of a process.
const NO_CODE: u32 = 255;

/// Does what the client asks for on a new session channel, to its end.
pub async fn login(channel: Channel<Msg>, handle: Handle, place: ChannelPlace) {
    let connection = place.connection().clone();
    let Some(who) = connection.signed_in() else { return };
    let (from, to) = channel.split();
    let (said, mut hears) = mpsc::unbounded_channel();
    let serve = async {
        let Some(start) = asked(&mut hears, &handle, &to).await else { return };
        let started = who.node.agent().start_process(&start).await;
        match started {
            Ok((to_process, from_process)) => {
                let _ = handle.channel_success(to.id()).await;
                run(hears, &to, to_process, from_process, who, || connection.touch()).await;
            }
            Err(e) => {
                let _ = handle.channel_success(to.id()).await;
                let why = format!("boatyard: {}\r\n", in_words(&e));
                let _ = to.extended_data_bytes(STDERR, why.into_bytes()).await;
                ended(&to, NO_CODE).await;
            }
        }
    };
    tokio::select! {
        () = serve => {}
        // The client has closed the channel: the process is hung up.
        () = queue::take(from, connection.clone(), said) => {}
        () = who.node.over() => {}
    }
    // With its node the whole connection ends, which tells why; a client whose last channel is closed leaves before it hears.
    if !who.node.is_over() {
        let _ = to.close().await;
    }
}

fn in_words(e: &AgentError) -> String {
    match e.status() {
        Some(404) => "this node was made by an earlier version; add a node to the session and use that one".into(),
        _ => format!("the node does not start it: {e}"),
    }
}

/// Listens until the client says what it wants; none when it closes the channel before.
async fn asked(
    hears: &mut mpsc::UnboundedReceiver<Said>,
    handle: &Handle,
    to: &ChannelWriteHalf<Msg>,
) -> Option<StartProcess> {
    let mut env = BTreeMap::new();
    let mut terminal = None;
    while let Some(said) = hears.recv().await {
        let Said::Other(message) = said else { continue };
        let run = match message {
            ChannelMsg::SetEnv { variable_name, variable_value, .. } => {
                let fits =
                    env.len() < MOST_VARIABLES && variable_value.len() <= LONGEST_VALUE && is_taken(&variable_name);
                if fits {
                    env.insert(variable_name, variable_value);
                }
                answer(handle, to, fits).await;
                continue;
            }
            ChannelMsg::RequestPty { term, col_width, row_height, terminal_modes, .. } => {
                let plain = |b: u8| b.is_ascii_alphanumeric() || b"-+._".contains(&b);
                let term = if term.len() <= 64 && term.bytes().all(plain) { term } else { "dumb".into() };
                let modes = terminal_modes.iter().map(|(mode, value)| (*mode as u8, *value)).collect();
                let (cols, rows) = size(col_width, row_height);
                terminal = Some(TerminalRequest { term, cols, rows, modes });
                answer(handle, to, true).await;
                continue;
            }
            ChannelMsg::WindowChange { col_width, row_height, .. } => {
                if let Some(terminal) = &mut terminal {
                    (terminal.cols, terminal.rows) = size(col_width, row_height);
                }
                continue;
            }
            ChannelMsg::RequestShell { .. } => Run::Shell,
            ChannelMsg::Exec { command, .. } => match String::from_utf8(command) {
                Ok(line) if line.len() <= LONGEST_COMMAND && !line.contains('\0') => Run::Command { line },
                _ => {
                    answer(handle, to, false).await;
                    continue;
                }
            },
            ChannelMsg::RequestSubsystem { name, .. } if name == "sftp" => {
                return Some(StartProcess { run: Run::Sftp, env, terminal: None });
            }
            ChannelMsg::Signal { .. } => continue,
            // Other subsystems, X11, the agent's socket.
            _ => {
                answer(handle, to, false).await;
                continue;
            }
        };
        return Some(StartProcess { run, env, terminal });
    }
    None
}

/// Answers a request, where the client wants an answer.
async fn answer(handle: &Handle, to: &ChannelWriteHalf<Msg>, yes: bool) {
    let _ = if yes { handle.channel_success(to.id()).await } else { handle.channel_failure(to.id()).await };
}

fn is_taken(name: &str) -> bool {
    matches!(name, "LANG" | "LANGUAGE" | "TZ" | "COLORTERM" | "NO_COLOR") || name.starts_with("LC_")
}

fn size(cols: u32, rows: u32) -> (u16, u16) {
    // A client without a window says 0.
    let or = |n: u32, usual: u16| if n == 0 { usual } else { n.min(1000) as u16 };
    (or(cols, 80), or(rows, 24))
}

/// Carries a process.
async fn run(
    mut hears: mpsc::UnboundedReceiver<Said>,
    to: &ChannelWriteHalf<Msg>,
    mut to_process: ToProcess,
    mut from_process: FromProcess,
    who: &SignedIn,
    touch: impl Fn(),
) {
    // Bytes that the process may still be sent.
    let window = Semaphore::new(WINDOW as usize);
    let (frames, mut outgoing) = mpsc::channel(8);
    let send = async {
        // One that has ended takes nothing more, and how it ended is still to be read.
        let mut there = true;
        while let Some(frame) = outgoing.recv().await {
            there = there && to_process.send(frame).await;
        }
    };
    let up = async {
        while let Some(said) = hears.recv().await {
            let frame = match said {
                Said::Data(bytes, _waiting) => {
                    let mut bytes = bytes;
                    while !bytes.is_empty() {
                        let piece = bytes.split_to(bytes.len().min(MAX_PAYLOAD));
                        let Ok(may) = window.acquire_many(piece.len() as u32).await else { return };
                        may.forget();
                        if frames.send(Frame::Input(piece)).await.is_err() {
                            return;
                        }
                    }
                    continue;
                }
                Said::Eof => Frame::End,
                Said::Other(ChannelMsg::WindowChange { col_width, row_height, .. }) => {
                    let (cols, rows) = size(col_width, row_height);
                    Frame::Resize { cols, rows }
                }
                Said::Other(ChannelMsg::Signal { signal }) => match number(&signal) {
                    Some(number) => Frame::Signal(number),
                    None => continue,
                },
                Said::Other(_) => continue,
            };
            if frames.send(frame).await.is_err() {
                return;
            }
        }
        // The channel's end is seen by whoever takes what the client says.
        std::future::pending().await
    };
    let down = async {
        while let Some(frame) = from_process.next().await {
            let (bytes, extended) = match frame {
                Frame::Output(bytes) => (bytes, false),
                Frame::Error(bytes) => (bytes, true),
                Frame::Grant(more) => {
                    // More than what it was sent is no agent's to grant.
                    if window.available_permits() + more as usize <= WINDOW as usize {
                        window.add_permits(more as usize);
                    }
                    continue;
                }
                Frame::Exit(code) => return Some(code as u32),
                _ => return None,
            };
            touch();
            let length = bytes.len() as u32;
            let sent = if extended { to.extended_data_bytes(STDERR, bytes).await } else { to.data_bytes(bytes).await };
            if sent.is_err() || frames.send(Frame::Grant(length)).await.is_err() {
                return None;
            }
        }
        None
    };
    let code = tokio::select! {
        code = down => code,
        () = up => None,
        () = send => None,
        () = who.node.over() => return,
    };
    ended(to, code.unwrap_or(NO_CODE)).await;
}

/// Tells how it ended; nothing follows.
async fn ended(to: &ChannelWriteHalf<Msg>, code: u32) {
    let _ = to.exit_status(code).await;
    let _ = to.eof().await;
}

/// The number of a signal on Linux.
fn number(signal: &Sig) -> Option<u8> {
    let number = match signal {
        Sig::ABRT => libc::SIGABRT,
        Sig::ALRM => libc::SIGALRM,
        Sig::FPE => libc::SIGFPE,
        Sig::HUP => libc::SIGHUP,
        Sig::ILL => libc::SIGILL,
        Sig::INT => libc::SIGINT,
        Sig::KILL => libc::SIGKILL,
        Sig::PIPE => libc::SIGPIPE,
        Sig::QUIT => libc::SIGQUIT,
        Sig::SEGV => libc::SIGSEGV,
        Sig::TERM => libc::SIGTERM,
        Sig::USR1 => libc::SIGUSR1,
        Sig::Custom(name) => match name.as_str() {
            "USR2" => libc::SIGUSR2,
            "WINCH" => libc::SIGWINCH,
            "CONT" => libc::SIGCONT,
            "STOP" => libc::SIGSTOP,
            "TSTP" => libc::SIGTSTP,
            _ => return None,
        },
    };
    u8::try_from(number).ok()
}
