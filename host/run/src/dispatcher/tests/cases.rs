use indexmap::IndexMap;
use sluice_model::{Finding, Severity};

use super::script::{Act, Script};
use super::*;

fn failed() -> Act {
    Act::Fail(Failure::new(FailureKind::Failed, "it broke"))
}

fn finding(severity: Severity) -> Finding {
    Finding {
        rule: "a/b".to_owned(),
        severity,
        message: "look".to_owned(),
        span: None,
        help: None,
        fix: None,
        properties: IndexMap::new(),
    }
}

fn outcomes(ran: &Ran) -> Vec<String> {
    let step = |event: &Event| match &event.kind {
        EventKind::StepFinished { id, outcome, .. } => Some(format!("{id} {outcome}")),
        _ => None,
    };
    ran.events.iter().filter_map(step).collect()
}

#[tokio::test(start_paused = true)]
async fn values_go_from_step_to_step_and_from_job_to_job() {
    let yaml = r#"
env:
  A: ${{ run.id }}
jobs:
  make:
    env:
      B: ${{ env.A }}-b
    outputs:
      count: ${{ steps.first.outputs.count + 1 }}
    steps:
      - id: first
        uses: task
      - id: second
        if: steps.first.outputs.count == 2
        uses: task
        env:
          C: ${{ env.B }}-c
        with:
          level: ${{ steps.first.outputs.count }}
      - id: third
        if: steps.second.outcome == "skipped"
        uses: task
  use:
    needs: [make]
    if: needs.make.outputs.count == 3
    steps:
      - id: only
        uses: task
        with:
          level: ${{ needs.make.outputs.count }}
"#;
    let script = Script::default().step("first", [Act::Say("hello"), Act::Output("count", json!(2)), Act::Say("bye")]);
    let ran = play(yaml, script, false).await;
    insta::assert_snapshot!(ran.lines(), @r#"
    0 run-started {"jobs":{"make":["first","second","third"],"use":["only"]}}
    0 job-started {"job":"make"}
    0 step-started {"job":"make","step":"first","name":"task"}
    0 log {"job":"make","step":"first","stream":"log","level":"info","text":"hello"}
    0 log {"job":"make","step":"first","stream":"log","level":"info","text":"bye"}
    0 step-finished {"job":"make","step":"first","outcome":"passed","duration-ms":0,"outputs":{"count":2}}
    0 step-started {"job":"make","step":"second","name":"task"}
    0 step-finished {"job":"make","step":"second","outcome":"passed","duration-ms":0}
    0 step-finished {"job":"make","step":"third","outcome":"skipped","duration-ms":0,"reason":"its condition does not hold"}
    0 job-finished {"job":"make","outcome":"passed","duration-ms":0,"outputs":{"count":3}}
    0 job-started {"job":"use"}
    0 step-started {"job":"use","step":"only","name":"task"}
    0 step-finished {"job":"use","step":"only","outcome":"passed","duration-ms":0}
    0 job-finished {"job":"use","outcome":"passed","duration-ms":0}
    0 run-finished {"outcome":"passed","duration-ms":0}
    "#);
    let calls = ran.script.calls.lock().unwrap();
    let seen: Vec<_> =
        calls.iter().map(|call| (call.id.to_string(), call.inputs.to_string(), json!(call.env).to_string())).collect();
    insta::assert_debug_snapshot!(seen, @r#"
    [
        (
            "make/first",
            "{\"level\":1}",
            "{\"A\":\"run-1\",\"B\":\"run-1-b\"}",
        ),
        (
            "make/second",
            "{\"level\":2}",
            "{\"A\":\"run-1\",\"B\":\"run-1-b\",\"C\":\"run-1-b-c\"}",
        ),
        (
            "use/only",
            "{\"level\":3}",
            "{\"A\":\"run-1\"}",
        ),
    ]
    "#);
}

/// What they read may be missing for the reason for which the step is skipped.
#[tokio::test(start_paused = true)]
async fn the_variables_of_a_skipped_step_are_not_looked_at() {
    let yaml = r#"
steps:
  - id: a
    uses: task
  - id: b
    if: has(steps.a.outputs.missing)
    uses: task
    env:
      X: ${{ steps.a.outputs.missing }}
  - id: c
    if: env.X == "set"
    uses: task
    env:
      X: set
"#;
    let ran = play(yaml, Script::default(), false).await;
    assert_eq!(outcomes(&ran), ["main/a passed", "main/b skipped", "main/c passed"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_skips_what_follows_and_finally_runs() {
    let yaml = r#"
jobs:
  build:
    steps:
      - id: a
        uses: task
      - id: b
        uses: task
  test:
    needs: [build]
    steps:
      - id: c
        uses: task
  other:
    steps:
      - id: d
        continue-on-error: true
        uses: task
      - id: e
        uses: task
finally:
  - id: tell
    if: needs.build.outcome == "failed"
    uses: notify
  - id: clean
    uses: task
"#;
    let script = Script::default().step("a", [Act::Sleep(20), failed()]).step("d", [failed()]).step("tell", [failed()]);
    let ran = play(yaml, script, false).await;
    assert_eq!(ran.outcome, Outcome::Failed);
    insta::assert_snapshot!(ran.lines(), @r#"
    0 run-started {"jobs":{"build":["a","b"],"test":["c"],"other":["d","e"],"finally":["tell","clean"]}}
    0 job-started {"job":"build"}
    0 step-started {"job":"build","step":"a","name":"task"}
    0 job-started {"job":"other"}
    0 step-started {"job":"other","step":"d","name":"task"}
    0 step-finished {"job":"other","step":"d","outcome":"allowed-to-fail","duration-ms":0,"failure":{"kind":"failed","message":"it broke","place":{"file":"test.yaml","line":18,"column":15,"span":{"start":244,"end":248},"label":"it failed"}}}
    0 step-started {"job":"other","step":"e","name":"task"}
    0 step-finished {"job":"other","step":"e","outcome":"passed","duration-ms":0}
    0 job-finished {"job":"other","outcome":"passed","duration-ms":0}
    20 step-finished {"job":"build","step":"a","outcome":"failed","duration-ms":20,"failure":{"kind":"failed","message":"it broke","place":{"file":"test.yaml","line":6,"column":15,"span":{"start":55,"end":59},"label":"it failed"}}}
    20 step-finished {"job":"build","step":"b","outcome":"skipped","duration-ms":0,"reason":"an earlier step failed"}
    20 job-finished {"job":"build","outcome":"failed","duration-ms":20}
    20 step-finished {"job":"test","step":"c","outcome":"skipped","duration-ms":0,"reason":"the job `build`, which it needs, failed"}
    20 job-finished {"job":"test","outcome":"skipped","duration-ms":0}
    20 job-started {"job":"finally"}
    20 step-started {"job":"finally","step":"tell","name":"notify"}
    20 step-finished {"job":"finally","step":"tell","outcome":"failed","duration-ms":0,"failure":{"kind":"failed","message":"it broke","place":{"file":"test.yaml","line":24,"column":11,"span":{"start":354,"end":360},"label":"it failed"}}}
    20 step-started {"job":"finally","step":"clean","name":"task"}
    20 step-finished {"job":"finally","step":"clean","outcome":"passed","duration-ms":0}
    20 job-finished {"job":"finally","outcome":"failed","duration-ms":0}
    20 run-finished {"outcome":"failed","duration-ms":20}
    "#);
    let summaries = serde_json::to_string_pretty(&*ran.script.summaries.lock().unwrap()).unwrap();
    insta::assert_snapshot!(summaries, @r#"
    [
      {
        "id": "run-1",
        "workflow": "test",
        "outcome": "failed",
        "duration-ms": 20,
        "jobs": {
          "build": {
            "outcome": "failed",
            "steps": {
              "a": {
                "name": "task",
                "outcome": "failed",
                "findings": {
                  "error": 0,
                  "warning": 0,
                  "info": 0
                },
                "duration-ms": 20,
                "failure": {
                  "kind": "failed",
                  "message": "it broke",
                  "place": {
                    "file": "test.yaml",
                    "line": 6,
                    "column": 15,
                    "span": {
                      "start": 55,
                      "end": 59
                    },
                    "label": "it failed"
                  }
                }
              },
              "b": {
                "name": "task",
                "outcome": "skipped",
                "findings": {
                  "error": 0,
                  "warning": 0,
                  "info": 0
                },
                "duration-ms": 0
              }
            }
          },
          "test": {
            "outcome": "skipped",
            "steps": {
              "c": {
                "name": "task",
                "outcome": "skipped",
                "findings": {
                  "error": 0,
                  "warning": 0,
                  "info": 0
                },
                "duration-ms": 0
              }
            }
          },
          "other": {
            "outcome": "passed",
            "steps": {
              "d": {
                "name": "task",
                "outcome": "allowed-to-fail",
                "findings": {
                  "error": 0,
                  "warning": 0,
                  "info": 0
                },
                "duration-ms": 0,
                "failure": {
                  "kind": "failed",
                  "message": "it broke",
                  "place": {
                    "file": "test.yaml",
                    "line": 18,
                    "column": 15,
                    "span": {
                      "start": 244,
                      "end": 248
                    },
                    "label": "it failed"
                  }
                }
              },
              "e": {
                "name": "task",
                "outcome": "passed",
                "findings": {
                  "error": 0,
                  "warning": 0,
                  "info": 0
                },
                "duration-ms": 0
              }
            }
          }
        }
      }
    ]
    "#);
}

#[tokio::test(start_paused = true)]
async fn findings_fail_a_step_by_their_severity() {
    let yaml = |fail_on: &str| format!("steps:\n  - id: lint\n    uses: lint\n{fail_on}");
    for (severity, fail_on, expected) in [
        (Severity::Error, "", Some("1 error; fails on error")),
        (Severity::Warning, "", None),
        (Severity::Warning, "    fail-on: warning\n", Some("1 warning; fails on warning or worse")),
        (Severity::Info, "    fail-on: info\n", Some("1 info; fails on any finding")),
        (Severity::Error, "    fail-on: never\n", None),
    ] {
        let script = Script::default().step("lint", [Act::Find(vec![finding(severity)])]);
        let ran = play(&yaml(fail_on), script, false).await;
        let message = ran.events.iter().find_map(|event| match &event.kind {
            EventKind::StepFinished { failure: Some(failure), .. } => Some(failure.message.as_str()),
            _ => None,
        });
        assert_eq!(message, expected);
        assert_eq!(ran.outcome == Outcome::Failed, expected.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_with_values_fails_the_step_at_its_place() {
    let yaml = r#"
jobs:
  expression:
    steps:
      - id: a
        uses: task
      - id: b
        uses: task
        with:
          level: ${{ steps.a.outputs.missing }}
  condition:
    needs: [none]
    if: needs.none.outputs.x == 1
    steps:
      - id: c
        uses: task
  input:
    steps:
      - id: d
        uses: task
      - id: e
        uses: task
        with:
          level: ${{ steps.d.outputs.text }}
  none:
    outputs:
      x: ${{ steps.f.outputs.missing }}
    steps:
      - id: f
        uses: task
"#;
    let script = Script::default().step("d", [Act::Output("text", json!("high"))]);
    let ran = play(yaml, script, false).await;
    insta::assert_snapshot!(ran.lines(), @r#"
    0 run-started {"jobs":{"expression":["a","b"],"condition":["c"],"input":["d","e"],"none":["f"]}}
    0 job-started {"job":"expression"}
    0 step-started {"job":"expression","step":"a","name":"task"}
    0 job-started {"job":"input"}
    0 step-started {"job":"input","step":"d","name":"task"}
    0 step-finished {"job":"expression","step":"a","outcome":"passed","duration-ms":0}
    0 step-started {"job":"expression","step":"b","name":"task"}
    0 step-finished {"job":"expression","step":"b","outcome":"failed","duration-ms":0,"failure":{"kind":"expression","message":"the expression `steps.a.outputs.missing` has no value: there is no `missing`","place":{"file":"test.yaml","line":10,"column":22,"span":{"start":133,"end":156},"label":"there is no `missing`"}}}
    0 job-finished {"job":"expression","outcome":"failed","duration-ms":0}
    0 job-started {"job":"none"}
    0 step-started {"job":"none","step":"f","name":"task"}
    0 step-finished {"job":"input","step":"d","outcome":"passed","duration-ms":0,"outputs":{"text":"high"}}
    0 step-started {"job":"input","step":"e","name":"task"}
    0 step-finished {"job":"input","step":"e","outcome":"failed","duration-ms":0,"failure":{"kind":"invalid-input","message":"input `level` of step `e` must be an integer","place":{"file":"test.yaml","line":24,"column":18,"span":{"start":386,"end":413},"label":"this is text"}}}
    0 job-finished {"job":"input","outcome":"failed","duration-ms":0}
    0 step-finished {"job":"none","step":"f","outcome":"passed","duration-ms":0}
    0 warning {"message":"job `none` has no output `x`: the expression `steps.f.outputs.missing` has no value: there is no `missing`"}
    0 job-finished {"job":"none","outcome":"passed","duration-ms":0}
    0 job-started {"job":"condition"}
    0 step-started {"job":"condition","step":"c","name":"task"}
    0 step-finished {"job":"condition","step":"c","outcome":"failed","duration-ms":0,"failure":{"kind":"expression","message":"the expression `needs.none.outputs.x == 1` has no value: there is no `x`","place":{"file":"test.yaml","line":13,"column":9,"span":{"start":199,"end":224},"label":"there is no `x`"}}}
    0 job-finished {"job":"condition","outcome":"failed","duration-ms":0}
    0 run-finished {"outcome":"failed","duration-ms":0}
    "#);
}

#[tokio::test(start_paused = true)]
async fn the_first_signal_ends_in_order_and_the_second_at_once() {
    let yaml = r#"
jobs:
  one:
    steps:
      - id: a
        uses: task
      - id: b
        uses: task
  two:
    needs: [one]
    steps:
      - id: c
        uses: task
finally:
  - id: clean
    uses: task
"#;
    let script = || Script::default().step("a", [Act::Sleep(1000)]).step("clean", [Act::Sleep(100)]);
    let ran = play(yaml, script().order(10, Control::Cancel), false).await;
    assert_eq!(ran.outcome, Outcome::Cancelled);
    insta::assert_snapshot!(ran.lines(), @r#"
    0 run-started {"jobs":{"one":["a","b"],"two":["c"],"finally":["clean"]}}
    0 job-started {"job":"one"}
    0 step-started {"job":"one","step":"a","name":"task"}
    10 step-finished {"job":"one","step":"a","outcome":"cancelled","duration-ms":10,"failure":{"kind":"cancelled","message":"it was cancelled"}}
    10 step-finished {"job":"one","step":"b","outcome":"skipped","duration-ms":0,"reason":"the run was cancelled"}
    10 job-finished {"job":"one","outcome":"cancelled","duration-ms":10}
    10 step-finished {"job":"two","step":"c","outcome":"skipped","duration-ms":0,"reason":"the run was cancelled"}
    10 job-finished {"job":"two","outcome":"skipped","duration-ms":0}
    10 job-started {"job":"finally"}
    10 step-started {"job":"finally","step":"clean","name":"task"}
    110 step-finished {"job":"finally","step":"clean","outcome":"passed","duration-ms":100}
    110 job-finished {"job":"finally","outcome":"passed","duration-ms":100}
    110 run-finished {"outcome":"cancelled","duration-ms":110}
    "#);
    let ran = play(yaml, script().order(10, Control::Cancel).order(50, Control::Kill), false).await;
    assert_eq!(outcomes(&ran), ["one/a cancelled", "one/b skipped", "two/c skipped", "finally/clean cancelled"]);
    let ran = play(yaml, script().order(10, Control::Kill), false).await;
    assert_eq!(outcomes(&ran), ["one/a cancelled", "one/b skipped", "two/c skipped", "finally/clean skipped"]);
}

#[tokio::test(start_paused = true)]
async fn time_runs_out_for_steps_and_jobs_that_do_not_listen() {
    let yaml = r#"
jobs:
  step:
    steps:
      - id: a
        timeout: 2s
        uses: task
      - id: b
        uses: task
  job:
    timeout: 1s
    steps:
      - id: c
        continue-on-error: true
        uses: task
      - id: d
        uses: task
  deaf:
    timeout: 1s
    steps:
      - id: e
        uses: task
"#;
    let script = Script::default()
        .step("a", [Act::Deaf(1_000_000)])
        .step("c", [Act::Sleep(1_000_000)])
        .step("e", [Act::Deaf(1_000_000)]);
    let ran = play(yaml, script, false).await;
    insta::assert_snapshot!(ran.lines(), @r#"
    0 run-started {"jobs":{"step":["a","b"],"job":["c","d"],"deaf":["e"]}}
    0 job-started {"job":"step"}
    0 step-started {"job":"step","step":"a","name":"task"}
    0 job-started {"job":"job"}
    0 step-started {"job":"job","step":"c","name":"task"}
    1000 step-finished {"job":"job","step":"c","outcome":"failed","duration-ms":1000,"failure":{"kind":"timed-out","message":"the job `job` ran longer than its timeout of 1 s","place":{"file":"test.yaml","line":15,"column":15,"span":{"start":206,"end":210},"label":"it ran too long"}}}
    1000 step-finished {"job":"job","step":"d","outcome":"skipped","duration-ms":0,"reason":"the time of its job was over"}
    1000 job-finished {"job":"job","outcome":"failed","duration-ms":1000}
    1000 job-started {"job":"deaf"}
    1000 step-started {"job":"deaf","step":"e","name":"task"}
    17000 step-finished {"job":"deaf","step":"e","outcome":"failed","duration-ms":16000,"failure":{"kind":"timed-out","message":"the job `deaf` ran longer than its timeout of 1 s","place":{"file":"test.yaml","line":22,"column":15,"span":{"start":307,"end":311},"label":"it ran too long"}}}
    17000 job-finished {"job":"deaf","outcome":"failed","duration-ms":16000}
    32000 step-finished {"job":"step","step":"a","outcome":"failed","duration-ms":32000,"failure":{"kind":"timed-out","message":"the step ran longer than its limit of 2 s","place":{"file":"test.yaml","line":7,"column":15,"span":{"start":74,"end":78},"label":"it ran too long"}}}
    32000 step-finished {"job":"step","step":"b","outcome":"skipped","duration-ms":0,"reason":"an earlier step failed"}
    32000 job-finished {"job":"step","outcome":"failed","duration-ms":32000}
    32000 run-finished {"outcome":"failed","duration-ms":32000}
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_panics_fails_its_step_only() {
    let yaml = "jobs:\n  a:\n    steps:\n      - id: a\n        uses: task\n  b:\n    steps:\n      - id: b\n        uses: task\n";
    let ran = play(yaml, Script::default().step("a", [Act::Panic]), false).await;
    assert_eq!(outcomes(&ran), ["a/a failed", "b/b passed"]);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_plans_deployments_and_notifies_nobody() {
    let yaml = "steps:\n  - id: ship\n    uses: deploy\n  - id: tell\n    uses: notify\n";
    let ran = play(yaml, Script::default(), true).await;
    assert_eq!(ran.outcome, Outcome::Passed);
    assert_eq!(outcomes(&ran), ["main/ship passed", "main/tell skipped"]);
    let actions: Vec<_> = ran.script.calls.lock().unwrap().iter().map(|call| call.action.clone()).collect();
    assert_eq!(actions, [crate::runner::Action::DeployPlan]);
}

#[tokio::test(start_paused = true)]
async fn values_go_through_two_thousand_steps() {
    let step = |at: usize| {
        let level = if at == 0 { "1".to_owned() } else { format!("${{{{ steps.s{}.outputs.n }}}}", at - 1) };
        format!("  - id: s{at}\n    uses: task\n    with:\n      level: {level}\n")
    };
    let yaml = format!("steps:\n{}", (0..2000).map(step).collect::<String>());
    let script =
        (0..2000).fold(Script::default(), |script, at| script.step(format!("s{at}"), [Act::Output("n", json!(at))]));
    let ran = play(&yaml, script, false).await;
    assert_eq!(ran.outcome, Outcome::Passed);
    let calls = ran.script.calls.lock().unwrap();
    assert!(calls.iter().skip(1).enumerate().all(|(before, call)| call.inputs == json!({"level": before})));
}
