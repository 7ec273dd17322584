//! `wait-for` against a real PostgreSQL and a real Redis.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::databases::{Postgres, Redis, free_address, programs};
use crate::environment::Environment;

/// An environment whose programs include those of the databases.
pub fn with_databases() -> Option<Environment> {
    let mut environment = Environment::new();
    let path = std::env::var("PATH").unwrap();
    environment.variable("PATH", &format!("{}:{path}", programs()?.display()));
    Some(environment)
}

#[test]
fn servers_that_are_up_are_not_waited_for() {
    let (Some(environment), Some(postgres), Some(redis)) = (with_databases(), Postgres::start(), Redis::start()) else {
        return;
    };
    environment.write(
        "sluice.yaml",
        format!(
            "\
steps:
  - wait-for: {{tcp: \"127.0.0.1:{0}\"}}
  - wait-for: {{tcp: \"localhost:{1}\"}}
  - wait-for: {{exec: pg_isready --host 127.0.0.1 --port {0}, network: \"127.0.0.1:{0}\"}}
  - wait-for: {{exec: \"test $(redis-cli -p {1} ping) = PONG\", network: \"127.0.0.1:{1}\"}}
",
            postgres.port, redis.port
        ),
    );
    let ran = environment.sluice(&["run", "--json"]).exits_with(0);
    let grants: Vec<String> = environment
        .sluice(&["plan"])
        .exits_with(0)
        .stdout
        .lines()
        .filter(|line| line.contains("tcp") || line.contains("exec "))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert!(grants.iter().any(|line| line.contains(&format!("tcp: 127.0.0.1:{}", postgres.port))), "{grants:?}");
    for attempts in [format!("127.0.0.1:{}: ready after", postgres.port), "redis-cli".to_owned()] {
        assert!(ran.stdout.contains(&attempts), "{attempts}: {}", ran.whole());
    }
}

#[test]
fn servers_that_come_up_later_are_waited_for() {
    let Some(environment) = with_databases() else { return };
    let (postgres, redis) = (free_address().port(), free_address().port());
    environment.write(
        "sluice.yaml",
        format!(
            "\
jobs:
  cache:
    steps:
      - wait-for: {{tcp: \"127.0.0.1:{redis}\", interval: 20ms, timeout: 5m}}
      - {{run: redis-cli -p {redis} set greeting hello, network: \"127.0.0.1:{redis}\"}}
  database:
    steps:
      - wait-for: {{exec: pg_isready --host 127.0.0.1 --port {postgres}, network: \"127.0.0.1:{postgres}\", interval: 50ms, timeout: 5m}}
"
        ),
    );
    let mut run = environment
        .command(&["run", "--json", "-j", "2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    let mut text = String::new();
    let mut read_until = |text: &mut String, times: usize| {
        while text.matches("not yet").count() < times {
            let line = lines.next().unwrap_or_else(|| panic!("it ended before\n{text}")).unwrap();
            text.push_str(&line);
        }
    };
    // Both have tried once, in vain.
    read_until(&mut text, 2);
    let (_redis, _postgres) = (Redis::start_at(redis), Postgres::start_at(postgres));
    text.extend(lines.map_while(Result::ok));
    assert!(run.wait().unwrap().success(), "{text}");
    assert!(text.contains("the connection was refused") && text.contains("no response"), "{text}");
}

#[test]
fn a_server_that_never_comes_fails_the_step_with_the_last_reason() {
    let environment = Environment::new();
    let address = free_address();
    // Once by its own time, once by the step's: the step tells why before it would be ended.
    for (inside, beside) in [(", timeout: 1s", ""), ("", "    timeout: 1s\n"), (", timeout: 1m", "    timeout: 2s\n")] {
        environment.write(
            "sluice.yaml",
            format!("steps:\n  - wait-for: {{tcp: \"{address}\", interval: 50ms{inside}}}\n{beside}"),
        );
        let ran = environment.sluice(&["run"]).exits_with(1);
        let told = ran.unwrapped();
        assert!(told.contains(&format!("in vain for {address} (")), "{}", ran.whole());
        assert!(told.contains("the last one: the connection was refused"), "{}", ran.whole());
        assert!(!told.contains("was ended after"), "{}", ran.whole());
    }
}

#[test]
fn what_the_workflow_does_not_grant_is_refused() {
    let environment = Environment::new();
    let address = free_address();
    let workflow = |grants: &str| {
        let text = format!("steps:\n  - wait-for: {{tcp: \"{address}\"}}\n    grants: {{tcp: {grants}}}\n");
        environment.write("sluice.yaml", text);
    };
    workflow("[]");
    let told = environment.sluice(&["run"]).exits_with(1).unwrapped();
    assert!(told.contains(&format!("the host denied a connection to {address}")), "{told}");
    assert!(told.contains("the step was granted nothing of `tcp`"), "{told}");
    assert!(told.contains(&format!("tcp: [\"{address}\"]")), "{told}");
    workflow("[\"10.0.0.1:80\"]");
    let told = environment.sluice(&["run"]).exits_with(2).unwrapped();
    assert!(told.contains("10.0.0.1:80"), "{told}");
}

#[test]
fn waiting_ends_at_once_when_the_run_is_cancelled() {
    let environment = Environment::new();
    for goal in [format!("tcp: \"{}\"", free_address()), "exec: sleep 600".to_owned(), "file: never".to_owned()] {
        environment.write("sluice.yaml", format!("steps:\n  - wait-for: {{{goal}, timeout: 10m}}\n"));
        let mut run =
            environment.command(&["run", "--json"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("\"step-started\"")), "{goal}");
        let pid = run.id().to_string();
        let cancelled = Instant::now();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        assert!(!run.wait().unwrap().success());
        assert!(cancelled.elapsed() < Duration::from_secs(20), "{goal}: {:?}", cancelled.elapsed());
    }
}
