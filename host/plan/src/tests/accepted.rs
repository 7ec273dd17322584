use super::*;

#[test]
fn grants_are_what_is_declared_for_the_inputs_and_not_narrowed_away() {
    let declared: &[(Capability, &[&str])] = &[
        (Capability::Http, &["POST ${{ with.url }}", "GET https://api.example.com/*"]),
        (Capability::Files, &["read ${{ with.paths }}", "${{ with.mode == \"slow\" ? \"write cache\" : \"\" }}"]),
        (Capability::Exec, &["git", "sh"]),
    ];
    let plan = plan(
        "\
steps:
  - uses: ./task.wasm
  - uses: ./task.wasm
    with:
      url: https://${{ git.branch }}.example.com/x
      mode: slow
      paths: [a, b//c]
  - uses: ./task.wasm
    with:
      url: http://10.0.0.1/x private
      paths: [a, b]
      retry: {times: 2}
    grants:
      exec: []
      files: [read a/b]
      http: [GET https://api.example.com/v1 private]
",
        &plugins([plugin("./task.wasm", declared)]),
    )
    .unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&decided(&plan)).unwrap(), @r#"
    [
      {
        "inputs": {
          "paths": [
            "src"
          ],
          "mode": "fast"
        },
        "grants": {
          "files": [
            "read src"
          ],
          "http": [
            "GET https://api.example.com/*"
          ],
          "exec": [
            "git",
            "sh"
          ]
        }
      },
      {
        "inputs": {
          "url": "https://main.example.com/x",
          "mode": "slow",
          "paths": [
            "a",
            "b//c"
          ]
        },
        "grants": {
          "files": [
            "read a",
            "read b/c",
            "write cache"
          ],
          "http": [
            "POST https://main.example.com/x",
            "GET https://api.example.com/*"
          ],
          "exec": [
            "git",
            "sh"
          ]
        }
      },
      {
        "inputs": {
          "url": "http://10.0.0.1/x private",
          "paths": [
            "a",
            "b"
          ],
          "retry": {
            "times": 2,
            "pause": 5
          },
          "mode": "fast"
        },
        "grants": {
          "files": [
            "read a/b"
          ],
          "http": [
            "GET https://api.example.com/v1 private"
          ]
        }
      }
    ]
    "#);
}

#[test]
fn a_plain_command_gets_what_the_step_grants_and_nothing_else() {
    let mut command = plugin("./tool.wasm", &[]);
    command.manifest = None;
    command.command = true;
    command.exports = Vec::new();
    command.imports.push("sluice:host/exec@1.0.0".to_owned());
    let plan = plan(
        "\
steps:
  - uses: ./tool.wasm
  - uses: ./tool.wasm
    with:
      args: [--check]
    grants:
      files: [read .]
      exec: [sh, git]
",
        &plugins([command]),
    )
    .unwrap();
    insta::assert_snapshot!(serde_json::to_string(&decided(&plan)).unwrap(), @r#"[{"inputs":{"args":[]},"grants":{}},{"inputs":{"args":["--check"]},"grants":{"files":["read ."],"exec":["sh","git"]}}]"#);
    insta::assert_debug_snapshot!(plan.jobs[0].steps(0)[1].notes, @r#"
    [
        "runs `sh`, and any other program, unconfined: it can do all that your account can (not supported yet)",
        "runs `git` unconfined: it can do all that your account can (not supported yet)",
    ]
    "#);
}

#[test]
fn the_plan_as_json_says_all_that_decides_what_runs() {
    let declared: &[(Capability, &[&str])] = &[(Capability::Http, &["POST ${{ with.url }}"])];
    let yaml = "\
name: example
env:
  BRANCH: ${{ git.branch }}
jobs:
  build:
    timeout: 5m
    outputs:
      url: ${{ steps.make.outputs.url }}
    steps:
      - id: make
        uses: ./task.wasm
        timeout: 10s
  tell:
    needs: [build]
    if: needs.build.outcome == \"passed\"
    continue-on-error: true
    steps:
      - uses: ./task.wasm
        env:
          URL: ${{ needs.build.outputs.url }}
        with:
          url: ${{ needs.build.outputs.url }}/x
        grants:
          http: [POST https://api.example.com/*]
finally:
  - uses: ./task.wasm
";
    let plugins = plugins([plugin("./task.wasm", declared)]);
    let first = plan(yaml, &plugins).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&first.to_json()).unwrap());
    assert_eq!(first.json_text(), format!("{:#}", first.to_json()), "the same with and without the detour");
    assert_eq!(first.json_line(), first.to_json().to_string().into_bytes());
    assert_eq!(first.digest, plan(yaml, &plugins).unwrap().digest);
    let other = plan(&yaml.replace("10s", "11s"), &plugins).unwrap();
    assert_ne!(first.digest, other.digest);
}

#[test]
fn a_step_whose_inputs_depend_on_the_run_is_decided_when_it_starts() {
    let declared: &[(Capability, &[&str])] =
        &[(Capability::Http, &["POST ${{ with.url }}"]), (Capability::Exec, &["git"])];
    let plan = plan(
        "\
steps:
  - id: find
    uses: ./task.wasm
  - id: send
    uses: ./task.wasm
    with:
      url: ${{ steps.find.outputs.url }}
    grants:
      http: [POST https://api.example.com/*]
",
        &plugins([plugin("./task.wasm", declared)]),
    )
    .unwrap();
    let step = &plan.jobs[0].steps(0)[1];
    assert_eq!(step.decided, None);
    assert_eq!(step.undecided, [Capability::Http]);
    let decide = |url: Value| crate::decide(step, json!({"url": url}), IndexMap::new());
    for (url, http) in [
        ("https://api.example.com/a", vec!["POST https://api.example.com/a"]),
        ("https://evil.example.com/a", vec![]),
        ("", vec![]),
    ] {
        let decided = decide(json!(url)).unwrap();
        assert_eq!(decided.grants.spellings(Capability::Http), http);
        assert_eq!(decided.grants.spellings(Capability::Exec), ["git"]);
        assert_eq!(decided.inputs["mode"], "fast", "defaults are filled in");
    }
    insta::assert_debug_snapshot!(decide(json!(7)).unwrap_err(), @r#"
    Failure {
        kind: InvalidInput,
        message: "input `url` of step `send` must be text",
        causes: [],
        help: Some(
            "`url`: Where to send it",
        ),
        retry_after_ms: None,
        place: Some(
            Place {
                file: "test.yaml",
                line: 7,
                column: 12,
                span: Span {
                    start: 98,
                    end: 127,
                },
                label: "this is an integer",
            },
        ),
    }
    "#);
    insta::assert_debug_snapshot!(decide(json!("nowhere")).unwrap_err(), @r#"
    Failure {
        kind: InvalidInput,
        message: "input `url` of step `send` leads to `POST nowhere`, which cannot be granted as `http`",
        causes: [],
        help: Some(
            "`task` asks for `http`: needed for the work",
        ),
        retry_after_ms: None,
        place: Some(
            Place {
                file: "test.yaml",
                line: 7,
                column: 12,
                span: Span {
                    start: 98,
                    end: 127,
                },
                label: "`nowhere` does not begin with `https://` or `http://`",
            },
        ),
    }
    "#);
}
