//! Jobs that wait for a person: parked runs, `sluice approve`, and the question at a terminal.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::environment::{Environment, Ran};
use crate::secret_sources::at_terminal_with;

/// `deploy` waits, with the approval and checklist given; each step leaves a line.
fn waiting(guard: &str) -> Environment {
    let environment = Environment::new();
    environment.write("log", "").write(
        "sluice.yaml",
        format!(
            "\
name: release
jobs:
  test:
    steps:
      - {{id: unit, run: echo test >> log; echo 5}}
    outputs: {{count: \"${{{{ int(steps.unit.outputs.stdout) }}}}\"}}
  other:
    steps:
      - run: sleep 0.2; echo other >> log
  deploy:
    needs: [test]
{guard}
    steps:
      - run: test ! -e slow || sleep 60; echo deploy >> log
  after:
    needs: [deploy]
    steps:
      - run: echo after >> log
on-failure:
  - run: echo sorry >> log
finally:
  - run: echo finally >> log
"
        ),
    );
    environment
}

const DEPLOY: &str = "    approval: Deploy?";
const ATTESTED: &str = "    approval: Deploy?
    checklist:
      count: {check: needs.test.outputs.count == 5, message: all of them}
      announced: {attest: Was it announced?}
      reviewed: {attest: Was it reviewed?}";

/// The lines since the last call, sorted: jobs run side by side.
fn lines(environment: &Environment) -> String {
    let mut lines: Vec<String> = environment.read("log").lines().map(str::to_owned).collect();
    environment.write("log", "");
    lines.sort();
    lines.join(" ")
}

fn parked(guard: &str) -> Environment {
    let environment = waiting(guard);
    let ran = environment.sluice(&["run", "--plain"]).exits_with(75);
    assert_eq!(lines(&environment), "other test", "{}", ran.whole());
    environment
}

/// The text of the only record.
fn record(environment: &Environment) -> String {
    let runs = environment.workspace().join(".sluice/runs");
    let run = fs::read_dir(runs).unwrap().next().unwrap().unwrap().path();
    fs::read_to_string(run.join("events.jsonl")).unwrap()
}

fn count(environment: &Environment, event: &str) -> usize {
    record(environment).matches(&format!("\"event\":\"{event}\"")).count()
}

#[track_caller]
fn says(ran: &Ran, text: &str) {
    assert!(ran.unwrapped().contains(text), "`{text}` is not in\n{}", ran.whole());
}

fn me() -> String {
    let id = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(id.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_run_is_parked_and_another_process_approves() {
    let environment = waiting(ATTESTED);
    let ran = environment.sluice(&["run", "--plain"]).exits_with(75);
    assert_eq!(lines(&environment), "other test");
    says(&ran, "checklist of deploy ✔ count holds all of them ? announced to attest Was it announced?");
    says(&ran, "? deploy waits for approval: Deploy?");
    says(&ran, "? deploy waits for approval ? after did not start");
    says(&ran, "release waits for approval after [TIME]");
    says(&ran, "approve: sluice approve [RUN]");
    says(&environment.sluice(&["runs", "list"]).exits_with(0), "[RUN] release waits for approval");
    let show = environment.sluice(&["runs", "show"]).exits_with(0);
    says(&show, "release waits for approval after [TIME]");
    says(&show, "deny: sluice approve [RUN] --deny");
    let missing = environment.sluice(&["approve", "--attest", "reviewed"]).exits_with(2);
    says(&missing, "job `deploy` has a gate that was not attested");
    says(&missing, "announced: Was it announced?");
    says(&missing, "--attest 'announced'");
    says(
        &environment.sluice(&["approve", "--attest", "anounced"]).exits_with(2),
        "with a similar name asks for it: `announced`",
    );
    assert_eq!(count(&environment, "approval-given"), 0);
    let both = ["approve", "--attest", "reviewed", "--attest", "announced", "--comment", "fine by me", "--plain"];
    let ran = environment.sluice(&both).exits_with(0);
    assert_eq!(lines(&environment), "after deploy finally");
    says(&ran, &format!("deploy approved by {}: fine by me", me()));
    says(&ran, "attested: announced, reviewed");
    says(&environment.sluice(&["runs", "list"]).exits_with(0), "passed");
    says(&environment.sluice(&["runs", "show"]).exits_with(0), "fine by me");
    says(&environment.sluice(&["approve"]).exits_with(2), "waits for no approval");
    environment.sluice(&["resume"]).exits_with(2);
}

#[test]
fn a_denied_job_fails_and_hooks_run() {
    let mut environment = parked(DEPLOY);
    environment.variable("SLUICE_ACTOR", "octocat");
    let ran = environment.sluice(&["approve", "--deny", "--comment", "too late", "--plain"]).exits_with(1);
    assert_eq!(lines(&environment), "finally sorry");
    says(&ran, &format!("denied by {} (octocat): too late", me()));
    says(&ran, "run::not-approved");
    says(&ran, "[sluice.yaml:12:15]");
    says(&environment.sluice(&["resume"]).exits_with(2), "has failed");
    // It is asked again only by a new run.
    environment.sluice(&["rerun", "--failed"]).exits_with(75);
    environment.sluice(&["approve"]).exits_with(0);
    assert_eq!(lines(&environment), "after deploy finally");
}

#[test]
fn a_parked_run_parks_again_until_somebody_answers() {
    let environment = parked(DEPLOY);
    for _ in 0..2 {
        environment.sluice(&["resume"]).exits_with(75);
        assert_eq!(lines(&environment), "");
    }
    let ran = environment.sluice(&["approve", "--no-run"]).exits_with(0);
    says(&ran, "go on with it: sluice resume [RUN]");
    assert_eq!(lines(&environment), "");
    says(&environment.sluice(&["approve", "--job", "deploy"]).exits_with(2), "waits for no approval");
    says(&environment.sluice(&["runs", "show"]).exits_with(0), "release has its answer; go on with `sluice resume`");
    environment.sluice(&["resume"]).exits_with(0);
    assert_eq!(lines(&environment), "after deploy finally");
}

#[test]
fn silence_is_a_denial() {
    // Nothing else runs when somebody is asked, so the run is parked before the time is over.
    let environment = waiting("    approval: {message: Deploy?, timeout: 1ms}");
    environment.write("sluice.yaml", environment.read("sluice.yaml").replace("[test]", "[test, other]"));
    environment.sluice(&["run"]).exits_with(75);
    assert_eq!(lines(&environment), "other test");
    std::thread::sleep(Duration::from_millis(2));
    says(&environment.sluice(&["approve"]).exits_with(2), "the time to answer for job `deploy` is over");
    let ran = environment.sluice(&["resume", "--plain"]).exits_with(1);
    says(&ran, "denied: nobody answered within 1 ms");
    assert_eq!(lines(&environment), "finally sorry");
    // While other jobs still run, the time ends in the same process.
    let environment = waiting("    approval: {timeout: 1ms}");
    environment.write("sluice.yaml", environment.read("sluice.yaml").replace("sleep 0.2", "sleep 1"));
    says(&environment.sluice(&["run", "--plain"]).exits_with(1), "denied: nobody answered within 1 ms");
}

#[test]
fn a_gate_that_does_not_hold_fails_the_job_at_once() {
    let environment = waiting(&ATTESTED.replace("count == 5", "count == 6"));
    let ran = environment.sluice(&["run", "--plain"]).exits_with(1);
    assert_eq!(lines(&environment), "finally other sorry test");
    says(&ran, "✘ count does not hold all of them");
    says(&ran, "gate `count` does not hold");
    says(&ran, "[sluice.yaml:14:7]");
    assert_eq!(count(&environment, "approval-requested"), 0);
}

#[test]
fn only_those_who_may_answer_do() {
    let environment = parked("    approval: {by: [nobody-of-this-name]}");
    let ran = environment.sluice(&["approve"]).exits_with(2);
    says(&ran, &format!("`{}` may not answer for job `deploy`", me()));
    says(&ran, "who may: nobody-of-this-name");
    let environment = parked("    approval: {not-self: true}");
    let who = format!("everybody, but not {}, who started the run", me());
    says(&environment.sluice(&["approve", "--deny"]).exits_with(2), &who);
    let environment = parked(&format!("    approval: {{by: [nobody-of-this-name, {}]}}", me()));
    environment.sluice(&["approve"]).exits_with(0);
}

#[test]
fn several_jobs_wait_at_once() {
    let environment = Environment::new();
    let job = |name: &str| format!("  {name}: {{approval: Go?, steps: [{{run: echo {name} >> log}}]}}\n");
    environment.write("log", "").write("sluice.yaml", format!("jobs:\n{}{}", job("eu"), job("us")));
    let ran = environment.sluice(&["run", "--json"]).exits_with(75);
    let last = ran.events().pop().unwrap();
    assert_eq!((&last["event"], &last["jobs"]), (&"run-parked".into(), &serde_json::json!(["eu", "us"])));
    says(&environment.sluice(&["approve"]).exits_with(2), "2 jobs of run `[RUN]` wait");
    says(&environment.sluice(&["approve", "--job", "ue"]).exits_with(2), "`ue` waits for no approval");
    environment.sluice(&["approve", "--job", "us"]).exits_with(75);
    assert_eq!(lines(&environment), "us");
    says(&environment.sluice(&["approve", "--job", "us"]).exits_with(2), "job `us` was approved by");
    environment.sluice(&["approve"]).exits_with(0);
    assert_eq!(lines(&environment), "eu");
    // Of several runs that wait, nobody guesses.
    environment.sluice(&["run"]).exits_with(75);
    environment.sluice(&["run"]).exits_with(75);
    says(&environment.sluice(&["approve", "--job", "us"]).exits_with(2), "2 runs wait for an approval");
}

#[test]
fn of_two_who_answer_at_once_one_counts() {
    let environment = parked(DEPLOY);
    let approve = || {
        let mut command = environment.command(&["approve", "--no-run"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let racing: Vec<Child> = (0..8).map(|_| approve()).collect();
    let ended: Vec<_> = racing.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let won = ended.iter().filter(|ended| ended.status.success()).count();
    assert_eq!((won, count(&environment, "approval-given")), (1, 1));
    for lost in ended.iter().filter(|ended| !ended.status.success()) {
        let told = String::from_utf8_lossy(&lost.stderr);
        assert_eq!(lost.status.code(), Some(2), "{told}");
        let reasons = ["run::decided", "run::waits-for-nothing", "run::still-running"];
        assert!(reasons.iter().any(|reason| told.contains(reason)), "{told}");
    }
}

/// An answer that is on record is never asked for again.
#[test]
fn an_answer_outlives_a_kill() {
    let environment = parked(DEPLOY);
    environment.write("slow", "");
    let mut child = environment.command(&["approve"]).stdout(Stdio::null()).spawn().unwrap();
    while count(&environment, "approval-given") == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    fs::remove_file(environment.workspace().join("slow")).unwrap();
    let ran = environment.sluice(&["resume", "--json"]).exits_with(0);
    assert!(!ran.stdout.contains("approval-requested"), "{}", ran.whole());
    assert_eq!(lines(&environment), "after deploy finally");
}

/// A run that is killed while somebody is asked waits for an answer like one that was parked.
#[test]
fn a_run_that_was_killed_while_it_asked_is_approved() {
    let environment = waiting(DEPLOY);
    environment.write("sluice.yaml", environment.read("sluice.yaml").replace("sleep 0.2", "test -e ok || sleep 60"));
    let mut child = environment.command(&["run"]).stdout(Stdio::null()).spawn().unwrap();
    let runs = environment.workspace().join(".sluice/runs");
    let is_there = || fs::read_dir(&runs).is_ok_and(|mut runs| runs.next().is_some());
    while !is_there() || count(&environment, "approval-requested") == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    says(&environment.sluice(&["approve"]).exits_with(2), "is still running");
    child.kill().unwrap();
    child.wait().unwrap();
    environment.write("ok", "");
    environment.sluice(&["approve"]).exits_with(0);
    assert_eq!(lines(&environment), "after deploy finally other test");
}

#[test]
fn a_dry_run_and_a_plan_ask_nobody() {
    let environment = waiting(ATTESTED);
    environment.sluice(&["run", "--dry-run"]).exits_with(0);
    let plan = environment.sluice(&["plan"]).exits_with(0);
    says(&plan, "approval by everybody: Deploy? gate count: needs.test.outputs.count == 5");
    says(&plan, "gate announced: attested: Was it announced?");
    says(&environment.sluice(&["plan", "--graph=mermaid"]).exits_with(0), "approval");
    let json = environment.sluice(&["plan", "--json"]).exits_with(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["jobs"]["deploy"]["approval"]["message"], "Deploy?");
    assert_eq!(json["jobs"]["deploy"]["checklist"]["announced"]["attest"], "Was it announced?");
}

#[test]
fn a_cancelled_question_is_asked_again() {
    let environment = waiting(DEPLOY);
    environment.write("sluice.yaml", environment.read("sluice.yaml").replace("sleep 0.2", "touch up; sleep 60"));
    let mut child = environment.command(&["run"]).stdout(Stdio::null()).spawn().unwrap();
    while !environment.workspace().join("up").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    says(&environment.sluice(&["approve"]).exits_with(2), "waits for no approval");
    environment.write("sluice.yaml", "");
    assert!(record(&environment).contains("the run was cancelled"));
}

#[test]
fn somebody_at_a_terminal_is_asked() {
    for mode in [&["run", "--plain"][..], &["run"], &["run", "--json"]] {
        let environment = waiting(ATTESTED);
        // What is neither yes nor no is asked again.
        let script = [
            "announced: Was it announced? [y/n]=y",
            "reviewed: Was it reviewed? [y/n]=perhaps",
            "reviewed: Was it reviewed? [y/n]=yes",
            "approve deploy? [y/n]=y",
            "comment (Enter for none)=by hand",
        ];
        let (code, shown) = at_terminal_with(&environment, &script, mode);
        assert_eq!(code, 0, "{shown}");
        assert_eq!(lines(&environment), "after deploy finally other test");
        assert!(record(&environment).contains("\"comment\":\"by hand\""), "{shown}");
        assert!(record(&environment).contains("\"attested\":[\"announced\",\"reviewed\"]"), "{shown}");
    }
}

#[test]
fn a_no_at_a_terminal_denies() {
    let environment = waiting(DEPLOY);
    let script = ["approve deploy? [y/n]=n", "comment=not today"];
    let (code, shown) = at_terminal_with(&environment, &script, &["run", "--plain"]);
    assert_eq!((code, lines(&environment).as_str()), (1, "finally other sorry test"), "{shown}");
    assert!(shown.contains("not today"), "{shown}");
    let environment = waiting(ATTESTED);
    let (code, shown) = at_terminal_with(&environment, &["announced: Was it announced?=n", "comment="], &["run"]);
    assert_eq!((code, lines(&environment).as_str()), (1, "finally other sorry test"), "{shown}");
}

#[test]
fn an_answer_at_a_terminal_may_be_left_for_later() {
    let environment = waiting(DEPLOY);
    let (code, shown) = at_terminal_with(&environment, &["approve deploy? [y/n]=\\x04"], &["run", "--plain"]);
    assert_eq!(code, 75, "{shown}");
    let script = ["approve deploy? [y/n]=y", "comment="];
    let (code, shown) = at_terminal_with(&environment, &script, &["resume", "--plain"]);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(lines(&environment), "after deploy finally other test");
}

#[test]
fn a_question_at_a_terminal_can_be_interrupted() {
    let environment = waiting(DEPLOY);
    let (code, shown) = at_terminal_with(&environment, &["approve deploy? [y/n]=\\x03"], &["run"]);
    assert_eq!(code, 130, "{shown}");
    assert!(lines(&environment).contains("finally"), "{shown}");
}
