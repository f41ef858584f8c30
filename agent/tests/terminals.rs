//! Terminals of the real agent, seen as a browser sees them.

mod common;

use std::time::{Duration, Instant};

use boatyard_protocol::terminal::Frame;
use common::Agent;
use hyper::{Method, StatusCode};
use proptest::prelude::*;

const SIZED: &str = "cols=80&rows=24";

#[tokio::test]
async fn a_shell_answers() {
    let agent = Agent::start().await;
    let info = agent.open("main", 80, 24, &[]).await;
    assert_eq!((info.generation, info.exit_code), (1, None));
    let mut v = agent.attach("main", SIZED).await;
    v.type_in("echo $TERM-$COLORTERM-$LANG-$((6*7)); stty size; exit 3\n").await;
    v.wait_for("xterm-256color-truecolor-C.UTF-8-42").await;
    v.wait_for("24 80").await;
    v.wait_for_end().await;
    assert_eq!(v.exit, Some(3));
    let ended = &agent.terminals().await[0];
    assert_eq!((ended.exit_code, ended.viewers), (Some(3), 0));
    assert_eq!(agent.open("main", 80, 24, &["sleep", "9"]).await.generation, 2);
    assert_eq!(agent.call(Method::DELETE, "/v1/terminals/main", "").await.0, StatusCode::NO_CONTENT);
    assert!(agent.terminals().await.is_empty());
}

#[tokio::test]
async fn an_ordinary_users_terminal_is_theirs() {
    let config = serde_json::json!({"hostname": "test", "docker": "off", "user": "nobody"});
    let agent = Agent::with(config).await;
    // A program that is not there says so, as a shell would.
    agent.open("none", 80, 24, &["no-such-program"]).await;
    let mut v = agent.attach("none", SIZED).await;
    v.wait_for_end().await;
    assert_eq!(v.exit, Some(127));
    agent.open("main", 80, 24, &["sh", "-c", "id -un; stat -c owner-%U $(tty); echo by-name >$(tty)"]).await;
    let mut v = agent.attach("main", SIZED).await;
    v.wait_for_end().await;
    let shown =
        String::from_utf8(v.output.clone()).unwrap() + &String::from_utf8_lossy(&v.repaint.clone().unwrap_or_default());
    for part in ["nobody", "owner-nobody", "by-name"] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[tokio::test]
async fn a_signal_counts_as_exit() {
    let agent = Agent::start().await;
    agent.open("t", 80, 24, &["sh", "-c", "kill -TERM $$"]).await;
    let mut v = agent.attach("t", "").await;
    v.wait_for_end().await;
    assert_eq!(v.exit, Some(128 + 15));
}

#[tokio::test]
async fn output_before_the_end_is_whole() {
    let agent = Agent::start().await;
    agent.open("t", 80, 24, &["sh", "-c", "read go; seq 20000; printf done"]).await;
    let mut v = agent.attach("t", SIZED).await;
    v.type_in("\n").await;
    v.wait_for_end().await;
    let text = String::from_utf8(v.output).unwrap();
    assert!(text.ends_with("\r\n20000\r\ndone"), "{:?}", &text[text.len() - 40..]);
    assert_eq!(text.lines().count(), 20002);
}

#[tokio::test]
async fn a_fresh_viewer_gets_a_picture() {
    let agent = Agent::start().await;
    let script = "for i in $(seq 100); do echo line $i; done; printf '\\033[31mred\\033[0m \\033]0;my title\\007\\033[?2004h'; cat";
    agent.open("t", 80, 24, &["sh", "-c", script]).await;
    let mut first = agent.attach("t", SIZED).await;
    first.wait_for("2004h").await;
    let mut v = agent.attach("t", SIZED).await;
    while v.repaint.is_none() {
        v.frame().await.unwrap();
    }
    assert_eq!(v.size, (80, 24));
    let picture = String::from_utf8(v.repaint.clone().unwrap()).unwrap();
    for part in ["line 1\r\n", "line 100", "\x1b[0;31mred", "\x1b]0;my title\x07", "\x1b[?2004h", "\x1b[24;5H"] {
        assert!(picture.contains(part), "{part:?} in {picture:?}");
    }
    // From then on it sees what the other sees.
    v.type_in("hello\n").await;
    v.wait_for("hello").await;
    // A generation or an offset that does not exist gets a picture too.
    for query in ["generation=7&offset=3", "generation=1&offset=99999999", "offset=3"] {
        let mut v = agent.attach("t", query).await;
        while v.repaint.is_none() {
            v.frame().await.unwrap();
        }
    }
}

#[tokio::test]
async fn frames_end_between_characters() {
    let agent = Agent::start().await;
    let script = "stty -echo; printf 'a\\342\\200'; read go; printf '\\224b'; cat";
    agent.open("t", 80, 24, &["sh", "-c", script]).await;
    let mut v = agent.attach("t", SIZED).await;
    v.wait_for("a").await;
    let mut late = agent.attach("t", SIZED).await;
    while late.repaint.is_none() {
        late.frame().await.unwrap();
    }
    assert!(!v.output.contains(&0xe2) && !late.repaint.as_ref().unwrap().contains(&0xe2));
    v.type_in("\n").await;
    v.wait_for("\u{2014}b").await;
    late.wait_for("\u{2014}b").await;
}

#[tokio::test]
async fn the_smallest_writers_size_counts() {
    let agent = Agent::start().await;
    let script = "stty -echo; echo first; read go; trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done";
    agent.open("t", 100, 50, &["sh", "-c", script]).await;
    let mut a = agent.attach("t", "cols=90&rows=30").await;
    a.type_in("\n").await;
    a.wait_for("30 90").await;
    let mut b = agent.attach("t", "cols=120&rows=20").await;
    a.wait_for("20 90").await;
    let _c = agent.attach("t", "cols=10&rows=10&read_only=true").await;
    let mut d = agent.attach("t", "").await;
    b.send(Frame::Resize { cols: 70, rows: 40 }).await;
    a.wait_for("30 70").await;
    drop(b);
    a.wait_for("30 90\r\n").await;
    d.wait_for("30 90\r\n").await;
    assert_eq!((a.size, d.size), ((90, 30), (90, 30)));
    a.send(Frame::Resize { cols: 0, rows: u16::MAX }).await;
    a.wait_for("1000 2\r\n").await;
}

#[tokio::test]
async fn a_large_paste_arrives_whole() {
    let agent = Agent::start().await;
    let into = agent.folder.path().join("pasted");
    let script = format!("stty -echo; echo ready; head -c 1000000 > {}; echo got it", into.display());
    agent.open("t", 80, 24, &["sh", "-c", &script]).await;
    let mut v = agent.attach("t", SIZED).await;
    v.wait_for("ready").await;
    let mut text: String = (0..60_000).map(|i| format!("line number {i}\n")).collect();
    text.truncate(999_999);
    text.push('\n');
    v.type_in(text.clone()).await;
    v.wait_for("got it").await;
    assert!(std::fs::read_to_string(into).unwrap() == text, "the paste was changed on its way");
}

#[tokio::test]
async fn an_echoed_paste_does_not_lock_up() {
    let agent = Agent::start().await;
    agent.open("t", 80, 24, &["cat"]).await;
    let mut v = agent.attach("t", SIZED).await;
    for i in 0..40 {
        v.type_in(format!("{i:-<1023}\n").repeat(64)).await;
    }
    v.type_in("the end\n").await;
    v.wait_for("the end").await;
    v.wait_for("the end").await;
}

#[tokio::test]
async fn input_that_nobody_takes_holds_nothing_up() {
    let agent = Agent::start().await;
    agent.open("t", 80, 24, &["sh", "-c", "stty -echo raw; echo ready; sleep 0.5"]).await;
    let mut v = agent.attach("t", SIZED).await;
    v.wait_for("ready").await;
    for _ in 0..10 {
        v.type_in("x".repeat(60_000)).await;
    }
    v.wait_for_end().await;
    assert_eq!(v.exit, Some(0));
    // And one whose process has closed the terminal, but lives on.
    agent.open("u", 80, 24, &["sh", "-c", "echo ready; exec sleep 1 <&- >&- 2>&-"]).await;
    let mut v = agent.attach("u", "").await;
    for _ in 0..10 {
        v.type_in("y\n".repeat(20_000)).await;
    }
    v.wait_for_end().await;
    assert_eq!(agent.sh("echo answers").await.stdout, "answers\n");
}

#[tokio::test]
async fn a_flood_is_interrupted_at_once() {
    let agent = Agent::start().await;
    agent.open("t", 80, 24, &["bash", "--norc"]).await;
    let mut v = agent.attach("t", SIZED).await;
    v.type_in("yes\n").await;
    let began = Instant::now();
    let mut taken = 0;
    while began.elapsed() < Duration::from_secs(1) {
        v.frame().await;
        taken += v.output.len();
        v.output.clear();
    }
    assert!(taken > 1 << 20, "only {taken} bytes in a second");
    v.type_in("\x03echo here-$((1+1))\n").await;
    v.wait_for("here-2").await;
}

#[tokio::test]
async fn one_who_does_not_ack_slows_nobody_else() {
    let agent = Agent::start().await;
    agent.open("t", 80, 24, &["sh", "-c", "read go; seq 400000; echo all of it"]).await;
    let mut driver = agent.attach("t", SIZED).await;
    let mut lazy = agent.attach("t", SIZED).await;
    lazy.acks = false;
    driver.type_in("\n").await;
    driver.wait_for("all of it").await;
    // It has fallen out of the ring: a picture brings it forward once it takes up again.
    for _ in 0..3 {
        lazy.frame().await;
    }
    lazy.acks = true;
    lazy.send(Frame::Ack(u64::MAX)).await;
    while lazy.repaint.is_none() {
        lazy.frame().await.unwrap();
    }
}

#[tokio::test]
async fn nonsense_on_the_wire_ends_only_its_connection() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let agent = Agent::start().await;
    agent.open("t", 80, 24, &["cat"]).await;
    for bytes in [vec![], vec![0xff], vec![0x02, 1], vec![0x11; 40], vec![0; 3 << 20]] {
        let mut ws = agent.socket("/v1/terminals/t/attach").await;
        let _ = ws.send(Message::Binary(bytes.into())).await;
        while let Some(Ok(_)) = ws.next().await {}
    }
    let mut v = agent.attach("t", SIZED).await;
    v.type_in("still here\n").await;
    v.wait_for("still here").await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 0, ..Default::default() })]

    /// However often and wherever the connection is cut, the viewer ends with exactly the terminal's bytes.
    #[test]
    fn resuming_misses_nothing(cuts in prop::collection::vec(1usize..200_000, 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let agent = Agent::start().await;
            let opened = agent.open("t", 80, 24, &["sh", "-c", "stty -echo; echo go; read go; seq 120000; echo over"]).await;
            // From the first byte on, whether it has been put out yet or not.
            let mut v = agent.attach("t", &format!("generation={}&offset=0&{SIZED}", opened.generation)).await;
            v.wait_for("go").await;
            v.type_in("\n").await;
            let mut all = std::mem::take(&mut v.output);
            let mut cuts = cuts.into_iter();
            let mut cut = cuts.next();
            while v.exit.is_none() {
                v.frame().await;
                all.append(&mut v.output);
                assert!(v.repaint.is_none());
                if let Some(after) = cut && all.len() >= after {
                    cut = cuts.next().map(|n| n + all.len());
                    let query = format!("generation={}&offset={}&{SIZED}", v.generation, v.offset);
                    drop(v);
                    v = agent.attach("t", &query).await;
                }
            }
            let mut expected = b"\r\n".to_vec();
            for i in 1..=120_000 {
                expected.extend_from_slice(format!("{i}\r\n").as_bytes());
            }
            expected.extend_from_slice(b"over\r\n");
            assert!(all == expected, "{} bytes instead of {}", all.len(), expected.len());
        });
    }
}
