//! Runs that are killed at every event and at many instants, and what `sluice resume` makes of them.
//!
//! What must hold each time: no process outlives the runner, no file is half written, `resume` starts exactly the steps
//! without a recorded end, and the verdict is that of a run that nobody disturbed.

mod disk;
mod namespace;
mod read_only;
mod signals;
mod together;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::environment::Environment;

/// How many random instants, over all workflows.
const INSTANTS: usize = 500;

/// How long what is left of a killed run may take to go.
const PATIENCE: Duration = Duration::from_secs(5);

/// Workflows that pass or fail, each with what can be caught half-way.
const WORKFLOWS: [(&str, &str); 6] = [
    (
        "chain",
        "\
steps:
  - id: first
    run: echo first >> log
  - id: second
    run: sleep 0.02 & sleep 0.01; echo second >> log; wait
  - id: third
    run: echo third >> log
finally:
  - run: echo finally >> log
",
    ),
    (
        "spread",
        "\
max-parallel: 2
jobs:
  test:
    matrix: {a: [1, 2], b: [x, y]}
    steps:
      - run: echo test-${{ matrix.a }}${{ matrix.b }} >> log
  each:
    steps:
      - id: each
        for-each: [one, two, three]
        max-parallel: 2
        run: sleep 0.01; echo each-${{ item }} >> log
  last:
    needs: [test, each]
    if: ${{ needs.test.cells.size() == 4 }}
    steps:
      - run: echo last-${{ needs.test.outcome }} >> log
",
    ),
    (
        "failing",
        "\
jobs:
  bad:
    steps:
      - run: echo tried >> log; exit 3
        retry: {attempts: 3, delay: 5ms}
      - run: echo never >> log
      - if: failure()
        run: echo explained >> log
  good:
    steps:
      - run: echo good >> log
  after:
    needs: [bad]
    steps:
      - run: echo never >> log
on-failure:
  - run: echo on-failure >> log
",
    ),
    (
        "deploying",
        "\
jobs:
  package:
    steps:
      - id: archive
        uses: build
        with: {name: site, files: [\"site/**\"], epoch: 0}
    outputs:
      archive: ${{ steps.archive.outputs.artifact }}
  deploy:
    needs: [package]
    steps:
      - id: site
        uses: deploy
        with: {to: public, artifact: \"${{ needs.package.outputs.archive }}\"}
      - run: cat public/current/site/index.html >> log
",
    ),
    (
        "serving",
        "\
jobs:
  one:
    services:
      first: {run: 'echo up; sleep 60 & wait', ready: {log: up}}
      second: {run: 'touch second; exec sleep 60', ready: {exec: test -e second, interval: 10ms}}
    steps:
      - run: echo one >> log
      - run: sleep 0.01; echo two >> log
  two:
    needs: [one]
    services:
      db: {run: exec sleep 60, stop-timeout: 100ms}
    steps:
      - run: echo three >> log
",
    ),
    (
        "calling",
        "\
jobs:
  make:
    steps:
      - id: version
        run: echo made >> log; echo 7
    outputs: {version: \"${{ steps.version.outputs.stdout }}\"}
  part:
    needs: [make]
    uses: ./called.yaml
    with: {version: \"${{ needs.make.outputs.version }}\"}
  after:
    needs: [part]
    steps:
      - run: echo ${{ needs.part.outputs.said }} >> log
",
    ),
];

/// What `calling` calls.
const CALLED: &str = "\
inputs: {version: {}}
outputs: {said: \"${{ needs.two.outputs.said }}\"}
jobs:
  one:
    steps:
      - run: echo one-${{ inputs.version }} >> log
      - run: echo two >> log
  two:
    needs: [one]
    steps:
      - id: say
        run: echo three >> log; echo said
    outputs: {said: \"${{ steps.say.outputs.stdout }}\"}
finally:
  - run: echo part is over >> log
";

fn environment(workflow: &str) -> Environment {
    let environment = Environment::new();
    environment
        .write("sluice.yaml", workflow)
        .write("called.yaml", CALLED)
        .write("site/index.html", "hello\n".repeat(1000));
    environment
}

/// What a run comes to that nobody disturbs.
struct Undisturbed {
    code: i32,
    events: usize,
    time: Duration,
    /// Steps that were started.
    steps: BTreeSet<String>,
}

impl Undisturbed {
    /// What still has to run when these steps are done: services only beside another step of their job.
    fn left(&self, done: &BTreeSet<String>) -> BTreeSet<String> {
        let mut left: BTreeSet<String> = self.steps.difference(done).cloned().collect();
        let jobs: BTreeSet<String> =
            left.iter().filter(|id| !is_service(id)).map(|id| format!("{}/", id.split('/').next().unwrap())).collect();
        left.retain(|id| !is_service(id) || jobs.iter().any(|job| id.starts_with(job.as_str())));
        left
    }
}

fn undisturbed(workflow: &str) -> Undisturbed {
    let environment = environment(workflow);
    let started = Instant::now();
    let ran = environment.sluice(&["run", "--json"]);
    let time = started.elapsed();
    let events = ran.events();
    assert!(ran.code < 2, "{}", ran.whole());
    Undisturbed { code: ran.code, events: events.len(), time, steps: named(&events, &["step-started"]) }
}

/// Steps with one of these events.
fn named(events: &[Value], kinds: &[&str]) -> BTreeSet<String> {
    let events = events.iter().filter(|event| kinds.iter().any(|kind| event["event"] == *kind));
    events.map(|event| format!("{}/{}", event["job"].as_str().unwrap(), event["step"].as_str().unwrap())).collect()
}

/// Every whole line of the record. The last may be torn, and no other.
fn recorded(environment: &Environment) -> Vec<Value> {
    let runs = fs::read_dir(environment.workspace().join(".sluice/runs")).into_iter().flatten();
    let Some(run) = runs.map(|entry| entry.unwrap().path()).max() else { return Vec::new() };
    let Ok(text) = fs::read_to_string(run.join("events.jsonl")) else { return Vec::new() };
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Steps whose last word on record is an end that stands.
fn done(events: &[Value]) -> BTreeSet<String> {
    let mut done = BTreeSet::new();
    for event in events {
        let Some(id) = event["step"].as_str().map(|step| format!("{}/{step}", event["job"].as_str().unwrap())) else {
            continue;
        };
        match (event["event"].as_str().unwrap(), event["outcome"].as_str()) {
            ("step-started", _) => drop(done.remove(&id)),
            // A service never stands: it is started again if something in its job is.
            _ if is_service(&id) => {}
            ("step-finished" | "step-reused", Some("passed" | "failed" | "allowed-to-fail")) => drop(done.insert(id)),
            _ => {}
        }
    }
    done
}

fn is_service(id: &str) -> bool {
    id.contains("/services.")
}

/// Kills the runner and checks what must hold of any killed run, and of its resumption.
fn kill_and_resume(environment: &Environment, mut child: Child, expected: &Undisturbed, what: &str) {
    child.kill().unwrap();
    child.wait().unwrap();
    nothing_survives(&environment.workspace(), what);
    nothing_is_half_written(&environment.workspace(), what);
    let before = recorded(environment);
    if before.is_empty() {
        // Nothing was done that is on record; whoever starts anew gets the same.
        let ran = environment.sluice(&["run", "--json"]);
        assert_eq!(ran.code, expected.code, "{what}: {}", ran.whole());
        return;
    }
    if before.last().unwrap()["event"] == "run-finished" {
        return;
    }
    let done = done(&before);
    let mut command = vec!["resume".to_owned(), "--json".to_owned()];
    let unknown = named(&before, &["step-started"]).into_iter().filter(|id| !done.contains(id));
    let doubtful: Vec<String> = unknown.filter(|id| id == "deploy/site").collect();
    if !doubtful.is_empty() {
        let refused = environment.sluice(&["resume"]).exits_with(2);
        assert!(refused.stderr.contains("run::outcome-unknown"), "{what}: {}", refused.whole());
        command.extend(doubtful.iter().map(|id| format!("--repeat={id}")));
    }
    let ran = environment.sluice(&command);
    assert_eq!(ran.code, expected.code, "{what}: {}", ran.whole());
    let events = ran.events();
    let started = named(&events, &["step-started"]);
    assert_eq!(started, expected.left(&done), "{what}: steps that ran again");
    assert_eq!(named(&events, &["step-reused"]), done, "{what}: steps that stand");
    nothing_is_half_written(&environment.workspace(), what);
    let all = recorded(environment);
    assert!(all.iter().enumerate().all(|(at, event)| event["seq"] == at), "{what}: the record has gaps");
    let again = environment.sluice(&["resume"]).exits_with(2);
    assert!(again.stderr.contains("run::has-ended"), "{what}: {}", again.whole());
}

/// No process of the run lives: each has the home of this test in its environment, or is of a step and works
/// in the workspace.
pub fn nothing_survives(workspace: &Path, what: &str) {
    let home = workspace.parent().unwrap().join("home");
    let wanted = format!("HOME={}", home.display());
    let alive = || {
        let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut pids = processes.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        pids.any(|pid| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let zombie = fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
            let works_here =
                fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder.starts_with(workspace));
            let has = |begin: &[u8]| environ.split(|byte| *byte == 0).any(|variable| variable.starts_with(begin));
            !zombie && (has(wanted.as_bytes()) || works_here && has(b"SLUICE_STEP_MARK="))
        })
    };
    let end = Instant::now() + PATIENCE;
    while alive() {
        assert!(Instant::now() < end, "{what}: a process outlives the run");
        thread::sleep(Duration::from_millis(2));
    }
}

/// What `deploy` makes is there whole or not at all, and so is every file of the record but the events.
fn nothing_is_half_written(workspace: &Path, what: &str) {
    if let Ok(page) = fs::read_to_string(workspace.join("public/current/site/index.html")) {
        assert_eq!(page, "hello\n".repeat(1000), "{what}");
    }
    for run in fs::read_dir(workspace.join(".sluice/runs")).into_iter().flatten() {
        for name in ["plan.json", "origin.json", "summary.json"] {
            if let Ok(text) = fs::read_to_string(run.as_ref().unwrap().path().join(name)) {
                serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{what}: {name}: {error}"));
            }
        }
    }
}

fn start(environment: &Environment) -> Child {
    environment.command(&["run", "--json"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Runs cases side by side: most of them wait for processes.
fn side_by_side(cases: usize, case: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < cases) {
                    case(number);
                }
            });
        }
    });
}

#[test]
fn killed_at_every_event() {
    let mut cases = Vec::new();
    for (name, workflow) in WORKFLOWS {
        let expected = undisturbed(workflow);
        cases.extend((0..expected.events).map(|event| (name, workflow, event)));
    }
    let expected: Vec<_> = WORKFLOWS.iter().map(|(name, workflow)| (*name, undisturbed(workflow))).collect();
    side_by_side(cases.len(), |number| {
        let (name, workflow, event) = cases[number];
        let environment = environment(workflow);
        let mut child = start(&environment);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Some outputs come in another order, or in more events, than in the run that was counted.
        let _ = lines.nth(event);
        let expected = &expected.iter().find(|(own, _)| *own == name).unwrap().1;
        kill_and_resume(&environment, child, expected, &format!("{name}, killed after event {event}"));
    });
    println!("killed at {} events and resumed, all as undisturbed", cases.len());
}

#[test]
fn killed_at_any_instant() {
    let expected: Vec<_> = WORKFLOWS.iter().map(|(_, workflow)| undisturbed(workflow)).collect();
    side_by_side(INSTANTS, |number| {
        let which = number % WORKFLOWS.len();
        let ((name, workflow), expected) = (WORKFLOWS[which], &expected[which]);
        // Spread over the time of a run, and a little over.
        let share = (number / WORKFLOWS.len()) as f64 * WORKFLOWS.len() as f64 / INSTANTS as f64;
        let instant = expected.time.mul_f64(share * 1.1);
        let environment = environment(workflow);
        let mut child = start(&environment);
        // Nobody reads it; a full pipe must not hold the run up.
        let mut stdout = child.stdout.take().unwrap();
        let reader = thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        thread::sleep(instant);
        kill_and_resume(&environment, child, expected, &format!("{name}, killed after {instant:?}"));
        let _ = reader.join();
    });
    println!("killed at {INSTANTS} instants and resumed, all as undisturbed");
}
