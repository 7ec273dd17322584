//! Services: programs that run beside the steps of a job, and what is left of them.

use std::fs;
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::environment::{Environment, Ran};
use crate::killed::nothing_survives;

/// How long something may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that tells where it listens and answers with its own port.
const SERVER: &str = r#"import os, socket, sys
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
print("listening on", server.getsockname()[1], flush=True)
while True:
    client, _ = server.accept()
    client.recv(4096)
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n%05d" % server.getsockname()[1])
    client.close()
"#;

/// Asks the server whose port is the first argument.
const CLIENT: &str = r#"import sys, urllib.request
print("answer", urllib.request.urlopen("http://127.0.0.1:" + sys.argv[1]).read().decode())
"#;

fn environment(workflow: &str) -> Environment {
    let environment = Environment::new();
    environment.write("server.py", SERVER).write("client.py", CLIENT).write("sluice.yaml", workflow);
    environment
}

fn run(workflow: &str, code: i32) -> Ran {
    let environment = environment(workflow);
    let ran = environment.sluice(&["run", "--plain"]).exits_with(code);
    nothing_survives(&environment.workspace(), workflow);
    ran
}

#[track_caller]
fn says(ran: &Ran, text: &str) {
    assert!(ran.unwrapped().contains(text), "`{text}` is not in\n{}", ran.whole());
}

/// Every way to know that a service is ready: the step right after it finds it so.
#[test]
fn a_step_finds_its_service_ready() {
    for ready in [
        r#"tcp: "127.0.0.1:${{ services.web.port }}""#,
        r#"http: "http://127.0.0.1:${{ services.web.port }}/""#,
        r#"exec: python3 client.py "$PORT""#,
        "log: 'listening on [0-9]+'",
    ] {
        let ran = run(
            &format!(
                "jobs: {{test: {{services: {{web: {{run: exec python3 server.py, port: auto, ready: {{{ready}}}}}}},
    steps: [{{run: \"python3 client.py ${{{{ services.web.port }}}}\", network: '127.0.0.1:${{{{ services.web.port }}}}'}}]}}}}"
            ),
            0,
        );
        says(&ran, "[test/services.web] ready in");
        says(&ran, "[test/step-1] answer");
        says(&ran, "[test/services.web] passed");
    }
}

/// What a probe asked for is on record like what steps ask for.
#[test]
fn decisions_on_a_probe_are_told() {
    let environment = environment(
        "jobs:
  test:
    services:
      web: {run: exec python3 server.py, port: auto, ready: {tcp: \"127.0.0.1:${{ services.web.port }}\"}}
    steps: [{run: 'true'}]
",
    );
    environment.sluice(&["run", "--plain"]).exits_with(0);
    let audit = environment.sluice(&["runs", "audit", "--json"]).exits_with(0).stdout;
    let audit: serde_json::Value = serde_json::from_str(&audit).unwrap();
    let mut decisions = audit["decisions"].as_array().unwrap().iter();
    let probed = decisions.any(|told| {
        told["step"] == "services.web.ready" && told["capability"] == "tcp" && told["verdict"] == "allowed"
    });
    assert!(probed, "{audit:#}");
}

/// What people read when a service spoils its job.
#[test]
fn a_service_that_fails_says_why() {
    let workflow = |script: &str, more: &str| {
        format!(
            "jobs:
  test:
    services:
      db: {{run: {script:?}{more}}}
    steps:
      - {{name: use it, run: sleep 60}}
      - {{name: afterwards, run: echo afterwards}}
      - {{name: clean up, if: always(), run: echo clean}}
"
        )
    };
    let cases = [
        (
            workflow("echo I am slow; exec sleep 60", ", ready: {log: open, timeout: 500ms}"),
            ["I am slow", "service `db` was not ready within 500 ms", "no line of its output matched"],
        ),
        (
            workflow("echo no room left >&2; exit 3", ", ready: {log: open}"),
            ["no room left", "service `db` ended before it was ready", "the `sh` script exited with code 3"],
        ),
        (
            workflow("echo open; sleep 0.3; echo lost my mind; exit 4", ", ready: {log: open}"),
            ["lost my mind", "service `db` ended before its job had ended", "the `sh` script exited with code 4"],
        ),
        (
            workflow("echo open; sleep 0.3", ", ready: {log: open}"),
            ["[test/services.db] open", "service `db` ended before its job had ended", "it ended with exit code 0"],
        ),
    ];
    for (workflow, texts) in cases {
        let started = Instant::now();
        let ran = run(&workflow, 1);
        assert!(started.elapsed() < Duration::from_secs(40), "it waited for the step: {}", ran.whole());
        texts.into_iter().for_each(|text| says(&ran, text));
        says(&ran, "[test/step-3] clean");
        assert!(!ran.stdout.contains("] afterwards"), "{}", ran.whole());
    }
}

/// What looked at it in vain says so too.
#[test]
fn a_service_that_never_answers_is_given_up() {
    let ran = run(
        "jobs: {a: {services: {db: {run: echo slow; exec sleep 60, ready: {exec: test -e never, timeout: 500ms}}},
    steps: [{run: echo used}]}}",
        1,
    );
    says(&ran, "service `db` was not ready within 500 ms");
    says(&ran, "in vain");
    says(&ran, "[a/services.db] slow");
    assert!(!ran.stdout.contains("] used"), "{}", ran.whole());
}

#[test]
fn a_port_on_which_something_listens_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let ran = run(
        &format!("jobs: {{a: {{services: {{db: {{run: sleep 60, port: {port}}}}}, steps: [{{run: echo never}}]}}}}"),
        1,
    );
    says(&ran, &format!("service `db` cannot have port {port}"));
    says(&ran, &format!("something listens on port {port} already"));
    assert!(!ran.stdout.contains("] never"), "{}", ran.whole());
}

/// One that does not listen to the request to end is killed when its time is over, with all that it started.
#[test]
fn a_service_that_does_not_want_to_end_is_killed() {
    let started = Instant::now();
    let ran = run(
        "jobs:
  test:
    services:
      stubborn: {run: \"trap '' TERM; (while :; do sleep 1; done) & echo up; while :; do sleep 1; done\", ready: {log: up}, stop-timeout: 300ms}
    steps: [{run: echo used}]
",
        0,
    );
    says(&ran, "[test/services.stubborn] passed");
    assert!(started.elapsed() < PATIENCE);
}

#[test]
fn jobs_and_cells_have_services_of_their_own() {
    let job = "services: {web: {run: exec python3 server.py, port: auto, ready: {log: listening}}}
    steps: [{run: \"python3 client.py ${{ services.web.port }}; sleep 0.3\", network: '127.0.0.1:${{ services.web.port }}'}]";
    let ran =
        run(&format!("max-parallel: 3\njobs:\n  one:\n    {job}\n  two:\n    matrix: {{n: [1, 2]}}\n    {job}\n"), 0);
    let mut ports: Vec<&str> =
        ran.stdout.lines().filter_map(|line| line.split_once("] answer ")).map(|(_, port)| port).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 3, "{}", ran.whole());
}

/// The first signal ends services in order, whatever is under way; the second one at once.
#[test]
fn signals_leave_no_service() {
    let workflow = "jobs:
  test:
    services:
      db: {run: 'echo up; sleep 60 & wait', ready: {log: up}}
      late: {run: 'exec sleep 60', ready: {log: never}}
    steps: [{run: sleep 60}]
finally: [{run: echo finally >> log}]
";
    let waiting = workflow.replace("      late: {run: 'exec sleep 60', ready: {log: never}}\n", "");
    let waiting = waiting.as_str();
    for (workflow, signals, code) in [
        (workflow, vec![Signal::SIGTERM], 143),
        (waiting, vec![Signal::SIGINT], 130),
        (waiting, vec![Signal::SIGINT, Signal::SIGINT], 130),
        (waiting, vec![Signal::SIGKILL], -1),
    ] {
        let environment = environment(workflow);
        let mut child =
            environment.command(&["run", "--json"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let pid = Pid::from_raw(child.id().cast_signed());
        wait_for_step(&environment, if workflow == waiting { "step-1" } else { "services.late" });
        for signal in &signals {
            kill(pid, *signal).unwrap();
        }
        assert_eq!(child.wait().unwrap().code().unwrap_or(-1), code, "{signals:?}");
        nothing_survives(&environment.workspace(), &format!("{signals:?}"));
        if signals == [Signal::SIGTERM] {
            assert_eq!(environment.read("log"), "finally\n");
        }
    }
}

/// Waits until the record says that the step has started.
fn wait_for_step(environment: &Environment, step: &str) {
    let wanted = format!(r#""event":"step-started","job":"test","step":"{step}""#);
    let end = Instant::now() + PATIENCE;
    loop {
        let runs = fs::read_dir(environment.workspace().join(".sluice/runs")).into_iter().flatten();
        let texts = runs.filter_map(|run| fs::read_to_string(run.ok()?.path().join("events.jsonl")).ok());
        if texts.into_iter().any(|text| text.contains(&wanted)) {
            return;
        }
        assert!(Instant::now() < end, "`{step}` did not start");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_plan_shows_services() {
    let environment = environment(
        "jobs:
  test:
    services:
      db: {run: serve, port: auto, ready: {tcp: \"127.0.0.1:${{ services.db.port }}\", timeout: 5s}}
      web: {uses: exec, with: {program: serve}, port: 8080, ready: {log: open}}
    steps: [{run: \"echo ${{ services.db.port }}\"}]
",
    );
    let ran = environment.sluice(&["plan"]).exits_with(0);
    says(&ran, "beside the steps after it; on a free port");
    says(&ran, "ready within 5 s, when this passes: services.db.ready");
    says(&ran, "at most tcp: 127.0.0.1:${{ services.db.port }}");
    says(&ran, "beside the steps after it; on port 8080");
    says(&ran, "when a line of its output matches `open`");
}

/// `--step` brings the services of the step's job with it.
#[test]
fn a_step_alone_has_its_services() {
    let environment = environment(
        "jobs:
  test:
    services: {web: {run: exec python3 server.py, port: auto, ready: {log: listening}}}
    steps:
      - {id: before, run: exit 1}
      - {id: ask, run: \"python3 client.py ${{ services.web.port }}\", network: '127.0.0.1:${{ services.web.port }}'}
",
    );
    let ran = environment.sluice(&["run", "--plain", "--step", "test/ask"]).exits_with(0);
    says(&ran, "[test/ask] answer");
    nothing_survives(&environment.workspace(), "a step alone");
}

/// A real Redis, which says in its log when it can be used and ends in order when it is asked to.
#[test]
fn a_redis_serves_a_job() {
    let Some(programs) = crate::databases::programs() else { return };
    let mut environment = environment(
        "jobs:
  test:
    services:
      redis:
        run: exec redis-server --bind 127.0.0.1 --port \"$PORT\" --save '' --daemonize no
        port: auto
        ready: {log: Ready to accept connections}
    steps:
      - run: redis-cli -p ${{ services.redis.port }} set colour green
        network: 127.0.0.1:${{ services.redis.port }}
      - network: 127.0.0.1:${{ services.redis.port }}
        run: test \"$(redis-cli -p ${{ services.redis.port }} get colour)\" = green
",
    );
    environment.variable("PATH", &format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()));
    let ran = environment.sluice(&["run", "--plain"]).exits_with(0);
    says(&ran, "Redis is now ready to exit, bye bye");
    nothing_survives(&environment.workspace(), "redis");
}
