//! Runs whose records find no room.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::namespace::Namespace;
use super::{nothing_survives, side_by_side};
use crate::environment::{Environment, Ran};

/// Its second step says more than a small disk holds.
const WORKFLOW: &str = "\
steps:
  - run: echo first >> log
  - run: head -c 30000 /dev/zero | tr '\\0' x | fold -w 100; echo second >> log
  - run: echo third >> log
";

/// Mount options of disks that are full at one point or another, and of some that are not.
fn disks() -> Vec<String> {
    let sizes = (1..=24).map(|pages| format!("size={}k", 4 * pages));
    let files = (1..=14).map(|files| format!("nr_inodes={files}"));
    sizes.chain(files).collect()
}

fn mount(disk: &str) -> String {
    format!("mkdir .sluice\nmount -t tmpfs -o {disk} none .sluice")
}

const MORE_ROOM: &str = "mount -o remount,size=16m,nr_inodes=1000 .sluice";

fn says_incomplete(ran: &Ran) -> bool {
    ran.unwrapped().contains("the record of this run is incomplete")
}

fn runs(namespace: &Namespace) -> Vec<Value> {
    let listed = namespace.sluice(&["runs", "list", "--json"]).exits_with(0);
    serde_json::from_str::<Vec<Value>>(&listed.stdout).unwrap()
}

/// No file of the record is empty.
fn nothing_is_empty(folder: &Path, what: &str) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() {
            nothing_is_empty(&entry.path(), what);
        } else {
            assert!(metadata.len() > 0, "{what}: {} is empty", entry.path().display());
        }
    }
}

#[derive(Debug, Default, PartialEq)]
struct Seen {
    whole: u32,
    incomplete: u32,
    none: u32,
}

#[test]
fn a_full_disk_changes_no_verdict() {
    let disks = disks();
    let seen = Mutex::new(Seen::default());
    side_by_side(disks.len(), |number| {
        let disk = &disks[number];
        let environment = Environment::new();
        environment.write("sluice.yaml", WORKFLOW);
        let Some(namespace) = Namespace::new(&environment, &mount(disk)) else { return };
        let ran = namespace.sluice(&["run", "--plain"]);
        assert_eq!(ran.code, 0, "{disk}: {}", ran.whole());
        assert_eq!(environment.read("log"), "first\nsecond\nthird\n", "{disk}");
        nothing_is_empty(&namespace.path(".sluice"), disk);
        let states: Vec<Value> = runs(&namespace).into_iter().map(|run| run["state"].clone()).collect();
        let shown = namespace.sluice(&["runs", "show"]);
        namespace.script(MORE_ROOM);
        let resumed = namespace.sluice(&["resume"]).exits_with(2);
        let code = match states.as_slice() {
            [] => {
                assert!(says_incomplete(&ran), "{disk}: {}", ran.whole());
                seen.lock().unwrap().none += 1;
                "run::no-such-run"
            }
            [state] if state == "incomplete" => {
                assert!(says_incomplete(&ran), "{disk}: {}", ran.whole());
                assert!(shown.unwrapped().contains("its record is incomplete"), "{disk}: {}", shown.whole());
                seen.lock().unwrap().incomplete += 1;
                "run::incomplete"
            }
            [state] => {
                // Only the summary may be missing, which is made again from the events.
                assert_eq!(state["finished"], "passed", "{disk}: {}", ran.whole());
                seen.lock().unwrap().whole += 1;
                "run::has-ended"
            }
            more => panic!("{disk}: {more:?}"),
        };
        assert!(resumed.stderr.contains(code), "{disk}: {}", resumed.whole());
        assert_eq!(environment.read("log"), "first\nsecond\nthird\n", "{disk}: nothing ran again");
        let ran = namespace.sluice(&["run"]).exits_with(0);
        assert_eq!((ran.stderr.as_str(), &runs(&namespace)[0]["state"]["finished"]), ("", &"passed".into()), "{disk}");
    });
    let seen = seen.into_inner().unwrap();
    if seen != Seen::default() {
        assert!(seen.whole > 0 && seen.incomplete > 0 && seen.none > 0, "each is seen: {seen:?}");
        println!("ran on {} full disks: {seen:?}, all passed and told", disks.len());
    }
}

/// It may have done more than its record knows.
#[test]
fn a_run_that_was_killed_on_a_full_disk_is_not_resumed() {
    let environment = Environment::new();
    environment.write("sluice.yaml", format!("{WORKFLOW}  - run: sleep 60\n"));
    let Some(namespace) = Namespace::new(&environment, &mount("size=32k")) else { return };
    let mut child = namespace.command(&["run", "--json"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    let full = || {
        let runs = fs::read_dir(namespace.path(".sluice/runs")).into_iter().flatten().flatten();
        runs.map(|run| run.path().join("events.incomplete.jsonl")).any(|path| path.exists())
    };
    while !full() {
        assert!(Instant::now() < end, "the disk is not full");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    nothing_survives(&environment.workspace(), "a full disk");
    namespace.script(MORE_ROOM);
    let resumed = namespace.sluice(&["resume"]).exits_with(2);
    assert!(resumed.stderr.contains("run::incomplete"), "{}", resumed.whole());
    namespace.sluice(&["rerun", "--step", "main/step-1"]);
}

/// What cannot be stored was not built: such a step fails, and the next run with more room passes.
#[test]
fn an_artifact_is_stored_whole_or_its_step_fails() {
    let mut failed = 0;
    for pages in [2, 6, 10, 14, 18, 40] {
        let environment = super::environment(super::WORKFLOWS[3].1);
        let text: String = (0..6000_u32).map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761))).collect();
        environment.write("site/data.txt", text);
        let disk = format!("size={}k", 4 * pages);
        let Some(namespace) = Namespace::new(&environment, &mount(&disk)) else { return };
        let ran = namespace.sluice(&["run", "--plain"]);
        let deployed = environment.workspace().join("public/current/site/index.html").exists();
        assert_eq!((ran.code == 0, ran.code < 2), (deployed, true), "{disk}: {}", ran.whole());
        assert!(ran.code == 0 || ran.unwrapped().contains("No space left"), "{disk}: {}", ran.whole());
        failed += ran.code;
        nothing_is_empty(&namespace.path(".sluice"), &disk);
        namespace.script(MORE_ROOM);
        namespace.sluice(&["run"]).exits_with(0);
        super::nothing_is_half_written(&environment.workspace(), &disk);
    }
    assert!(failed > 0, "no disk was too small");
}
