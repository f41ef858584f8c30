//! The operator's command line.

mod common;

use std::process::Command;

use common::{TestServer, student::Student, workspace};
use serde_json::Value;

fn boatyard(args: &[&str]) -> (bool, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_boatyard")).args(args).output().unwrap();
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    (out.status.success(), text(&out.stdout), text(&out.stderr))
}

#[test]
fn mistakes_get_one_line_that_names_the_mend() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("b.toml");
    std::fs::write(&file, "[sessions]\nmaxx = 3\n").unwrap();
    let data = dir.path().to_string_lossy().into_owned();
    for (args, word) in [
        (vec!["--config", file.to_str().unwrap(), "serve"], "`sessions.maxx`"),
        (vec!["--config", "/no/such/file", "serve"], "/no/such/file"),
        (vec!["--data", &data, "session", "ls"], "boatyard serve"),
        (vec!["lab", "check", "/no/such/folder"], "/no/such/folder"),
        (vec!["--data", &data, "image", "rm", "nothing"], "nothing"),
        (vec!["--data", &data, "image", "import", "/no/such.tar"], "/no/such.tar"),
        (vec!["--data", &data, "image", "import", "/tmp"], "not a file"),
    ] {
        let (ok, _, said) = boatyard(&args);
        assert!(!ok, "{args:?}");
        assert!(said.contains(word) && said.trim().lines().count() == 1, "{args:?}: {said}");
        assert!(!said.contains("default."), "keys are called as in the file: {said}");
    }
}

#[test]
fn doctor_lists_every_check_with_its_mend() {
    let (_, text, said) = boatyard(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text} {said}"));
    let checks = report["checks"].as_array().unwrap();
    for id in [
        "root",
        "runtime",
        "user-ids",
        "idmap",
        "overlay",
        "cgroups",
        "nftables",
        "disk",
        "ip-vs",
        "disk-space",
        "memory",
    ] {
        let check = checks.iter().find(|c| c["id"] == id).unwrap_or_else(|| panic!("{id} is among {checks:?}"));
        assert!(check["status"] == "ok" || check["mend"].as_str().is_some_and(|m| !m.is_empty()), "{check}");
    }
    assert!(report["capacity"]["sessions"].as_u64().unwrap_or(0) > 0, "{report}");
}

#[test]
fn the_shipped_courses_are_in_order() {
    let (ok, said, e) = boatyard(&["lab", "check", &workspace().join("courses").to_string_lossy()]);
    assert!(ok, "{said}{e}");
}

#[tokio::test]
async fn sessions_are_listed_and_removed() {
    let server = TestServer::start();
    let me = Student::start(&server).await;
    let ls = server.boatyard(&["session", "ls"]);
    let text = String::from_utf8_lossy(&ls.stdout).into_owned();
    assert!(text.contains(&me.id) && text.contains(&me.public_name), "{text}");
    assert!(server.boatyard(&["session", "rm", &me.public_name]).status.success());
    assert_eq!(me.request(reqwest::Method::GET, "").send().await.unwrap().status(), 410);
    let again = server.boatyard(&["session", "rm", &me.public_name]);
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("no session"));
    // A second server on the same folder would be two masters of the same sandboxes.
    let second = server.boatyard(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(!second.status.success() && String::from_utf8_lossy(&second.stderr).contains("another boatyard runs"));
}
