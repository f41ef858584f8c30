//! Doctor on the host that runs the tests, which must be able to run sandboxes.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use boatyard::{
    doctor::{self, Status},
    engine::native::NativeSettings,
    paths::Paths,
};

/// Doctor tries things out for a moment: what one test counts must not be another's.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn this_host_can_run_sandboxes_and_doctor_leaves_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let paths = Paths::new(&data.path().join("not/made/yet"));
    let mounts = || std::fs::read_to_string("/proc/self/mountinfo").unwrap().matches("boatyard-doctor").count();
    let before = mounts();
    let start = Instant::now();
    let report = doctor::run(&paths, &NativeSettings::default(), &Default::default());
    let took = start.elapsed();
    println!("{report}\nin {took:?}");
    assert_ne!(report.status(), Status::Fail);
    assert!(report.capacity.sessions > 0);
    assert_eq!(mounts(), before);
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn a_missing_runtime_has_a_mend() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let settings = NativeSettings { runtime: "no-such-runtime".into(), ..Default::default() };
    let report = doctor::run(&Paths::new(data.path()), &settings, &Default::default());
    let check = report.checks.iter().find(|c| c.id == "runtime").unwrap();
    assert_eq!(check.status, Status::Fail);
    assert!(check.mend.as_ref().unwrap().contains("apt-get install runc"));
    assert!(serde_json::to_string(&report).unwrap().contains("\"status\":\"fail\""));
}
