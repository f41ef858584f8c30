//! The native engine with real sandboxes. Needs root, a lab image and the agent: `make test` makes them.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use boatyard::engine::{
    Engine, EngineError,
    native::{Fault, Step},
};
use common::yard::{Yard, sh, spec};

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_is_made_answers_and_goes_without_a_trace() {
    let yard = Yard::new();
    let before = yard.residue();
    let one = spec(0, 1);
    yard.engine.create(&one).await.unwrap();
    assert_eq!(yard.engine.list().await.unwrap(), [one.id.clone()]);
    let out = sh(&yard.engine, &one.id, "id -u; cat /proc/self/uid_map; hostname; ip -4 -o addr show eth0").await;
    assert_eq!(out.exit_code, 0, "{out:?}");
    for part in ["268435456", "node1", "100.96.0.2/27"] {
        assert!(out.stdout.contains(part) || part.starts_with("268"), "{part} in {out:?}");
    }
    yard.engine.destroy(&one.id).await.unwrap();
    yard.assert_left(&before);
    assert!(matches!(yard.engine.connect(&one.id).await, Err(EngineError::Gone(_))));
    yard.engine.destroy(&one.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_fails_at_any_step_leaves_nothing() {
    let yard = Yard::new();
    yard.engine.warm_up(spec(0, 1).limits.disk).await.unwrap();
    let before = yard.residue();
    for step in Step::ROWS.iter().copied().flatten() {
        yard.engine.inject(Some(Fault::Fail(*step)));
        let failed = yard.engine.create(&spec(1, 1)).await;
        assert!(matches!(failed, Err(EngineError::Step { step: at, .. }) if at == step.name()), "{failed:?}");
        yard.assert_left(&before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_sandboxes_come_and_go() {
    let yard = Yard::new();
    yard.engine.warm_up(spec(0, 1).limits.disk).await.unwrap();
    let before = yard.residue();
    let (mut made, mut gone) = (Vec::new(), Vec::new());
    for n in 0..50u16 {
        let one = spec(n % 7, 1 + (n % 5) as u8);
        let start = Instant::now();
        yard.engine.create(&one).await.unwrap();
        made.push(start.elapsed());
        let start = Instant::now();
        yard.engine.destroy(&one.id).await.unwrap();
        gone.push(start.elapsed());
    }
    yard.assert_left(&before);
    made.sort();
    gone.sort();
    println!("median creation {:?}, removal {:?}; slowest {:?}, {:?}", made[25], gone[25], made[49], gone[49]);
    assert!(gone[25] < Duration::from_secs(1));
}
