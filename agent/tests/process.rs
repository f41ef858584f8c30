//! Processes by their streams.

mod common;

use std::time::Duration;

use boatyard_protocol::process::{Frame, Run, StartProcess, TerminalRequest, WINDOW};
use bytes::Bytes;
use common::Agent;
use futures_util::{SinkExt, StreamExt};
use tokio::{net::UnixStream, time::timeout};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

struct Process(WebSocketStream<UnixStream>);

impl Process {
    async fn start(agent: &Agent, line: &str, terminal: Option<TerminalRequest>) -> Process {
        let run = Run::Command { line: line.into() };
        let start = StartProcess { run, env: [("A".into(), "b".into())].into(), terminal };
        let mut socket = agent.socket("/v1/process").await;
        socket.send(Message::Text(serde_json::to_string(&start).unwrap().into())).await.unwrap();
        Process(socket)
    }

    async fn send(&mut self, frame: Frame) {
        self.0.send(Message::Binary(frame.encode())).await.unwrap();
    }

    async fn next(&mut self) -> Frame {
        loop {
            let next = timeout(Duration::from_secs(20), self.0.next()).await.expect("a frame in time");
            if let Message::Binary(bytes) = next.expect("it is open").unwrap() {
                return Frame::decode(bytes).unwrap();
            }
        }
    }

    /// All that it puts out until it ends; what it grants is left out.
    async fn end(&mut self) -> (String, String, i32) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        loop {
            match self.next().await {
                Frame::Output(bytes) => {
                    out.extend_from_slice(&bytes);
                    // It may have ended meanwhile.
                    let grant = Frame::Grant(bytes.len() as u32).encode();
                    let _ = self.0.send(Message::Binary(grant)).await;
                }
                Frame::Error(bytes) => err.extend_from_slice(&bytes),
                Frame::Exit(code) => {
                    let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
                    return (text(out), text(err), code);
                }
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn streams_are_kept_apart_and_the_end_of_input_is_an_end() {
    let agent = Agent::start().await;
    let mut p = Process::start(&agent, "echo $A; tr a-z A-Z; echo err >&2; exit 3", None).await;
    p.send(Frame::Input(Bytes::from_static(b"hello\n"))).await;
    p.send(Frame::End).await;
    assert_eq!(p.end().await, ("b\nHELLO\n".into(), "err\n".into(), 3));
    let mut p = Process::start(&agent, "kill -9 $$", None).await;
    assert_eq!(p.end().await.2, 137);
}

#[tokio::test]
async fn no_more_comes_than_was_granted_and_signals_come_through_all_the_same() {
    let agent = Agent::start().await;
    let mut p = Process::start(&agent, "trap 'exit 9' TERM; yes & wait", None).await;
    let mut got = 0;
    while got < WINDOW as usize {
        match p.next().await {
            Frame::Output(bytes) => got += bytes.len(),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(got, WINDOW as usize);
    assert!(timeout(Duration::from_millis(200), p.0.next()).await.is_err(), "it waits");
    // It reads nothing either; as much as it may be sent is taken at once, and a signal is not behind it.
    for _ in 0..8 {
        p.send(Frame::Input(Bytes::from(vec![0; WINDOW as usize / 8]))).await;
    }
    p.send(Frame::Signal(libc::SIGTERM as u8)).await;
    p.send(Frame::Grant(1 << 30)).await;
    assert_eq!(p.end().await.2, 9);
}

#[tokio::test]
async fn a_terminal_has_size_and_modes_and_is_hung_up() {
    let agent = Agent::start().await;
    let (erase, echo) = ((3, 8), (53, 0));
    let wanted = TerminalRequest { term: "vt220".into(), cols: 91, rows: 17, modes: vec![erase, echo] };
    let mut p = Process::start(&agent, "echo $TERM; stty -a; read x; stty size; tty", Some(wanted.clone())).await;
    p.send(Frame::Resize { cols: 50, rows: 20 }).await;
    p.send(Frame::Input(Bytes::from_static(b"\n"))).await;
    let (said, _, code) = p.end().await;
    assert_eq!(code, 0);
    for part in ["vt220\r\n", "erase = ^H", "-echo ", "20 50\r\n", "/dev/pts/"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let mut p = Process::start(&agent, "echo $$; sleep 1000", Some(wanted)).await;
    let Frame::Output(pid) = p.next().await else { panic!("its number comes first") };
    let pid: i32 = String::from_utf8_lossy(&pid).trim().parse().unwrap();
    drop(p);
    let there = || std::path::Path::new(&format!("/proc/{pid}")).exists();
    for _ in 0..500 {
        if !there() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{pid} was not hung up");
}

#[tokio::test]
async fn what_cannot_be_read_ends_it_and_harms_nothing() {
    let agent = Agent::start().await;
    let mut socket = agent.socket("/v1/process").await;
    socket.send(Message::Text("{}".into())).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        assert!(!message.is_binary());
    }
    let mut p = Process::start(&agent, "sleep 1000", None).await;
    p.send(Frame::Exit(0)).await;
    while let Some(Ok(message)) = p.0.next().await {
        assert!(!message.is_binary());
    }
    assert_eq!(Process::start(&agent, "echo on", None).await.end().await.0, "on\n");
}
