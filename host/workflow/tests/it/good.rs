//! Workflows without a problem, and what they become.

use std::path::Path;

use sluice_model::finding::FailOn;
use sluice_model::grant::Capability;
use sluice_model::{FailureKind, PluginRef, Source};
use sluice_workflow::Workflow;
use sluice_workflow::background::When;
use sluice_workflow::concurrency::WhenBusy;
use sluice_workflow::template::{Context, TemplateValue};
use sluice_workflow::workflow::{Hook, Retention, Test};

use crate::render;

pub fn parse(text: &str) -> Workflow {
    let source = Source::new("workflows/test.yaml", text);
    let (workflow, problems) = sluice_workflow::parse(&source);
    assert!(problems.is_empty(), "{}", render::problems(&source, &problems));
    workflow.expect("a workflow")
}

/// Every field once.
pub const FULL: &str = r#"
name: release
retention: {runs: 20, days: 30}
concurrency: {group: "release-${{ inputs.count }}-${{ git.branch }}-${{ env.STAGE }}", when-busy: wait, wait-timeout: 30m}
timeout: 2h
max-parallel: 4
fail-fast: true
defaults: {shell: sh, working-directory: src, timeout: 20m, retry: 2}
inputs:
  version: {type: string, description: What to release}
  dry-run: {type: boolean, default: true}
  count: {type: integer, default: 3, options: [1, 3]}
  ratio: {type: number, default: 1}
  regions: {type: list, default: [eu, us], options: [eu, us, ap]}
  note: {required: false}
  plain:
requires:
  commands: {git: ">=2.30", node: ^20, jq: "*", make: 4}
  disk: 2GiB
  user: non-root
  os: [linux, macos]
  sluice: ">=0.1"
env: {STAGE: "${{ inputs.regions[0] }}", PRECISE: 1.10, EMPTY: }
secrets:
  API_TOKEN: {env: API_TOKEN_PROD}
  PASSWORD: {file: ~/.config/x/password}
  DEPLOY_KEY: {prompt: Deploy key}
  OTHER: {command: [pass, show, show, ""]}
  IN_VAULT: {vault: {path: secret/data/app, key: token, address: "https://vault.example:8200", namespace: team}}
  IN_AWS: {aws: {id: prod/app, key: password, region: eu-west-1}}
jobs:
  build:
    name: Build it
    paths: ["src/**", "!src/docs/"]
    env: {LEVEL: "${{ env.STAGE }}-job"}
    timeout: 1h30m
    steps:
    - id: pack
      uses: build
      with: {files: ["${{ inputs.version }}.txt"], level: 9, name: "x-${{ git.short }}-${{ inputs.count }}"}
      fail-on: warning
      grants: {files: [read src, "write dist"], http: []}
      limits: {memory: 64MiB, output: 1MB, handles: 10, table-elements: 5}
    - name: test
      run: |
        set -e
        make ${{ env.LEVEL }} ${{ env.OWN }}
      shell: bash
      with: {args: [a]}
      env: {OWN: "${{ env.LEVEL + steps.pack.outputs.digest }}"}
      if: steps.pack.outcome == "passed" && !inputs["dry-run"]
      timeout: 90s
      retry: {attempts: 4, delay: 2s, factor: 1.5, max-delay: 10s, jitter: false, on: [timed-out, {exit-code: [75, 111]}, {exit-code: 7, message: [reset, refused]}]}
      continue-on-error: true
    outputs: {digest: "${{ steps.pack.outputs.digest }}", twice: "${{ steps[\"step-2\"].outputs.x }}"}
  deploy:
    needs: build
    if: ${{ needs.build.outcome != 'failed' && inputs.regions.exists(region, region == "eu") }}
    continue-on-error: ${{ inputs.count > 1 }}
    approval: {message: "Deploy ${{ needs.build.outputs.digest }}?", by: [alice, bob], not-self: true, timeout: 24h}
    checklist:
      built well: ${{ needs.build.outcome == "passed" }}
      digest: {check: has(needs.build.outputs.digest), message: "it is ${{ needs.build.outputs.digest }}"}
      announced: {attest: "Was ${{ inputs.version }} announced?"}
    steps:
    - uses: ./vendor/x.wasm
      with: {artifact: "${{ needs.build.outputs.digest }}", all: "${{ needs }}", list: "${{ inputs.regions.map(r, r + '-1').join(',') }}"}
    - wait-for: {tcp: "localhost:${{ inputs.count }}", interval: 50ms, timeout: 30s}
    - wait-for: {http: "http://localhost:8080/health?deep=1", status: [200, 204]}
    - wait-for: {exec: "pg_isready --port ${{ inputs.count }}"}
      timeout: 20s
    - {wait-for: {file: run/ready}, name: the lock}
  test:
    needs: [build]
    if: always() && !cancelled()
    matrix:
      system: [debian, alpine]
      version: ${{ inputs.regions }}
      exclude: [{system: alpine, version: eu}]
      include: [{system: mac, fast: true}]
    max-parallel: 2
    fail-fast: false
    defaults: {working-directory: tests}
    steps:
    - id: each
      for-each: ["${{ matrix.system }}", two]
      max-parallel: 2
      fail-fast: false
      run: ${{ item }} ${{ index }} ${{ matrix.version }}
    - run: ${{ steps.each.items.size() }}
      if: failure() || success()
      working-directory: .
  serve:
    services:
      db:
        name: the database
        uses: ./vendor/db.wasm
        with: {listen: "${{ services.db.port }}"}
        port: auto
        ready: {tcp: "127.0.0.1:${{ services.db.port }}", timeout: 30s, interval: 200ms}
        stop-timeout: 10s
        env: {LEVEL: "${{ services.web.port }}"}
        grants: {files: []}
        limits: {memory: 64MiB}
      web: {run: exec serve, shell: bash, working-directory: site, toolchain: rust, network: "localhost:80", port: 8080, ready: {log: "listening on \\S+"}}
    env: {ADDRESS: "127.0.0.1:${{ services.db.port }}"}
    steps:
    - {id: worker, run: exec work, background: true, ready: {exec: test -e up}}
    - {run: exec more, background: true, ready: {http: "http://127.0.0.1:${{ services.web.port }}/"}}
    - run: ask ${{ services.db.port }}
on-success: [{run: good}]
on-failure: [{run: "${{ needs.test.cells.size() }}"}]
on-cancel: [{run: so be it}]
finally:
- uses: notify
  with: {text: "${{ needs.deploy.outcome }} ${{ has(run.id) ? run.id : '' }}"}
"#;

#[test]
fn every_field_is_read() {
    let workflow = parse(FULL);
    assert_eq!(workflow.name, "release");
    assert_eq!(workflow.retention, Retention { runs: Some(20), days: Some(30) });
    assert_eq!(
        workflow.inputs.keys().collect::<Vec<_>>(),
        ["version", "dry-run", "count", "ratio", "regions", "note", "plain"]
    );
    assert_eq!(workflow.inputs["version"].default, None);
    assert_eq!(workflow.inputs["note"].default, Some(serde_json::Value::Null));
    assert_eq!(workflow.env["PRECISE"].literal(), Some("1.10".into()), "as it was written");
    assert_eq!(workflow.env["EMPTY"].literal(), Some("".into()));

    assert_eq!((workflow.timeout_ms, workflow.fail_fast), (Some(7_200_000), true));
    let concurrency = workflow.concurrency.as_ref().expect("a group");
    assert_eq!((concurrency.when_busy, concurrency.wait_timeout_ms), (WhenBusy::Wait, Some(1_800_000)));
    assert_eq!(workflow.hooks.iter().map(|(hook, _)| *hook).collect::<Vec<_>>(), Hook::ALL);

    let deploy = &workflow.jobs["deploy"];
    let approval = deploy.approval.as_ref().expect("an approval");
    assert_eq!((approval.by.join(" "), approval.not_self), ("alice bob".to_owned(), true));
    assert_eq!(approval.timeout_ms, Some(86_400_000));
    assert_eq!(deploy.checklist.keys().collect::<Vec<_>>(), ["built well", "digest", "announced"]);
    assert!(matches!(&deploy.checklist["built well"].test, Test::Check(_)));
    assert!(deploy.checklist["digest"].message.is_some());
    assert!(matches!(&deploy.checklist["announced"].test, Test::Attest(_)));
    let short = parse("jobs: {a: {approval: 'Run?', steps: [{run: x}]}}");
    let short = short.jobs["a"].approval.as_ref().expect("an approval");
    assert_eq!(short.message.as_ref().and_then(|message| message.literal()), Some("Run?".into()));

    let build = &workflow.jobs["build"];
    assert_eq!(
        (build.title.as_ref().map(|title| title.text.as_str()), build.timeout_ms),
        (Some("Build it"), Some(5_400_000))
    );
    let [pack, test] = build.steps.as_slice() else { panic!("two steps") };
    assert_eq!((pack.id.as_str(), pack.name.text.as_str()), ("pack", "build"));
    assert_eq!(pack.uses.value, PluginRef::Builtin("build".into()));
    assert_eq!(pack.fail_on, Some(FailOn::Warning));
    let grants: Vec<_> = pack
        .grants
        .iter()
        .map(|(capability, list)| {
            (*capability, list.iter().map(|spelling| spelling.value.as_str()).collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(grants, [(Capability::Files, vec!["read src", "write dist"]), (Capability::Http, vec![])]);
    assert_eq!(pack.limits.memory_bytes, Some(64 << 20));
    assert_eq!(
        (pack.limits.output_bytes, pack.limits.handles, pack.limits.table_elements),
        (Some(1_000_000), Some(10), Some(5))
    );

    assert_eq!((test.id.as_str(), test.name.text.as_str()), ("step-2", "test"));
    assert_eq!(test.uses.value, PluginRef::Builtin("exec".into()));
    assert_eq!((test.timeout_ms, test.continue_on_error.is_known_true()), (Some(90_000), true));
    let retry = test.retry.as_ref().expect("a retry");
    let codes: Vec<_> = retry.symptoms.iter().map(|symptom| symptom.exit_codes.as_slice()).collect();
    assert_eq!((retry.on.as_slice(), codes), (&[FailureKind::TimedOut][..], vec![&[75, 111][..], &[7]]));
    assert_eq!(retry.symptoms[1].messages, ["reset", "refused"]);
    assert_eq!(test.with.get("shell").and_then(|shell| shell.literal()), Some("bash".into()));
    assert_eq!(test.with.roots().into_iter().collect::<Vec<_>>(), ["env"]);

    let paths: Vec<_> = build.paths.iter().map(|glob| glob.value.as_str()).collect();
    assert_eq!(paths, ["src/**", "!src/docs/"]);
    assert_eq!(
        workflow.requires.lines().join(", "),
        "git >=2.30, node ^20, jq *, make 4, disk 2GiB free, user non-root, os linux or macos, sluice >=0.1"
    );

    let steps = &workflow.jobs["serve"].steps;
    let shown = steps.iter().map(|step| {
        let Some(background) = &step.background else { return step.id.clone() };
        let ready = background.ready.as_ref().map(|ready| match &ready.when {
            When::Says(pattern) => format!("{} ms for {pattern}", ready.timeout_ms),
            When::Passes(probe) => {
                let TemplateValue::Mapping(with) = &probe.with.value else { panic!("inputs") };
                let with: Vec<_> =
                    with.iter().map(|(name, _, value)| format!("{name} {:?}", value.literal())).collect();
                format!("{} ms for {} {}: {}", ready.timeout_ms, probe.id, probe.uses.value, with.join(", "))
            }
        });
        format!(
            "{} {:?} {:?}, {} ms, {}",
            step.id,
            step.name.text,
            background.port,
            background.stop_timeout_ms,
            ready.unwrap()
        )
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            "services.db \"the database\" Some(Auto), 10000 ms, 30000 ms for services.db.ready wait-for: tcp None, timeout Some(String(\"30000ms\")), interval Some(String(\"200ms\"))",
            "services.web \"web\" Some(Fixed(8080)), 5000 ms, 60000 ms for listening on \\S+",
            "worker \"exec work\" None, 5000 ms, 60000 ms for worker.ready wait-for: exec Some(String(\"test -e up\")), timeout Some(String(\"60000ms\"))",
            "step-2 \"exec more\" None, 5000 ms, 60000 ms for step-2.ready wait-for: http None, timeout Some(String(\"60000ms\"))",
            "step-3",
        ]
    );
    assert!(
        steps.iter().all(|step| step.retry.is_none() == step.background.is_some()),
        "defaults are not for services"
    );

    let deploy = &workflow.jobs["deploy"];
    assert_eq!(deploy.continue_on_error.expression().expect("an expression").text, "inputs.count > 1");
    assert_eq!(deploy.steps[0].uses.value, PluginRef::Path("./vendor/x.wasm".into()));
    assert_eq!(workflow.hooks[3].1[0].id, "step-1");
    assert!(workflow.uses_root("git") && workflow.uses_root("run") && !workflow.uses_root("with"));
}

#[test]
fn wait_for_is_short_for_the_plugin_of_that_name() {
    let workflow = parse(FULL);
    let steps = &workflow.jobs["deploy"].steps[1..];
    let context = Context::new().with("inputs", &serde_json::json!({"count": 5432}));
    let facts = steps.iter().map(|step| {
        assert_eq!(step.uses.value, PluginRef::Builtin("wait-for".into()));
        (step.name.text.as_str(), step.timeout_ms, step.with.evaluate(&context).expect("inputs").to_string())
    });
    assert_eq!(
        facts.collect::<Vec<_>>(),
        [
            // It has the time to say why it waited in vain.
            (
                "wait for localhost:${{ inputs.count }}",
                Some(40_000),
                r#"{"tcp":"localhost:5432","interval":"50ms","timeout":"30s"}"#.to_owned()
            ),
            (
                "wait for http://localhost:8080/health?deep=1",
                Some(1_200_000),
                r#"{"http":"http://localhost:8080/health?deep=1","status":[200,204]}"#.to_owned()
            ),
            // The step's own time is what it waits.
            (
                "wait for pg_isready --port ${{ inputs.count }}",
                Some(20_000),
                r#"{"exec":"pg_isready --port 5432","timeout":"20s"}"#.to_owned()
            ),
            ("the lock", Some(1_200_000), r#"{"file":"run/ready"}"#.to_owned()),
        ]
    );
}

#[test]
fn expressions_know_their_place() {
    let workflow = parse(FULL);
    let text = workflow.source.text();
    let test = &workflow.jobs["build"].steps[1];
    let places =
        test.with.expressions().into_iter().map(|expression| &text[expression.span.start..expression.span.end]);
    assert_eq!(places.collect::<Vec<_>>(), ["env.LEVEL", "env.OWN"]);
    let condition = &test.condition.as_ref().expect("a condition").expression;
    let references = condition
        .references
        .iter()
        .map(|reference| (&text[reference.span.start..reference.span.end], reference.path.join("/")));
    assert_eq!(
        references.collect::<Vec<_>>(),
        [("steps.pack.outcome", "steps/pack/outcome".to_owned()), ("inputs[\"dry-run\"]", "inputs/dry-run".to_owned())]
    );
}

#[test]
fn steps_alone_are_the_job_main() {
    let workflow = parse("steps:\n- run: echo ${{ run.id }}\n");
    assert_eq!(workflow.name, "test", "the file's name");
    assert_eq!(workflow.jobs.keys().collect::<Vec<_>>(), ["main"]);
    let step = &workflow.jobs["main"].steps[0];
    assert_eq!(step.name.text, "echo ${{ run.id }}");
    assert!(step.name.template.is_none(), "a script is no name");
    let context = Context::new().with("run", &serde_json::json!({"id": 7}));
    assert_eq!(step.with.evaluate(&context), Ok(serde_json::json!({"run": "echo 7"})));
}

#[test]
fn anchors_and_merge_keys_save_repetition() {
    let workflow =
        parse("jobs:\n  a: &job\n    env: {A: x}\n    steps: [{run: x}]\n  b:\n    <<: *job\n    needs: a\n");
    let job = &workflow.jobs["b"];
    assert_eq!((job.needs.len(), job.env.len(), job.steps.len()), (1, 1, 1));
}

/// The examples of the repository.
#[test]
fn examples_have_no_problem() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut seen = 0;
    for entry in std::fs::read_dir(root.join("workflows")).expect("the examples") {
        let path = entry.expect("an example").path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let source = Source::new(name, std::fs::read_to_string(&path).expect("a readable example"));
            let text = |file: &str| std::fs::read_to_string(root.join(file)).expect("a file that is called");
            let (_, problems) = sluice_workflow::load(&source, &mut |file| Ok(Source::new(file, text(file))));
            assert!(problems.is_empty(), "{}", render::problems(&source, &problems));
            seen += 1;
        }
    }
    assert!(seen > 0);
}

/// Not timed here; `cargo test --release -- --nocapture size` tells how long it took.
#[test]
fn size_is_no_problem() {
    let mut text = String::from("inputs: {who: {default: x}}\njobs:\n");
    for job in 0..1000 {
        text += &format!("  job{job}:\n");
        if job > 0 {
            text += &format!("    needs: [job{}]\n", job / 2);
        }
        text += "    steps:\n";
        for step in 0..10 {
            text += &format!("    - {{id: s{step}, uses: lint, with: {{n: \"${{{{ inputs.who + '{job}' }}}}\"}}}}\n");
        }
    }
    let source = Source::new("large.yaml", text);
    let start = std::time::Instant::now();
    let (workflow, problems) = sluice_workflow::parse(&source);
    println!("10,000 steps, {} bytes, 1,000 different expressions: {:?}", source.text().len(), start.elapsed());
    assert_eq!(problems, []);
    assert_eq!(workflow.expect("a workflow").jobs.values().map(|job| job.steps.len()).sum::<usize>(), 10_000);
}

#[test]
fn every_secret_has_its_source() {
    let secrets = parse(FULL).secrets;
    let shown: Vec<String> = secrets.iter().map(|(name, source)| format!("{name}: {}", source.value)).collect();
    assert_eq!(
        shown,
        [
            "API_TOKEN: env API_TOKEN_PROD",
            "PASSWORD: file ~/.config/x/password",
            "DEPLOY_KEY: prompt \"Deploy key\"",
            "OTHER: command pass show show \"\"",
            "IN_VAULT: vault secret/data/app, key token, at https://vault.example:8200, namespace team",
            "IN_AWS: aws prod/app, key password, in eu-west-1",
        ]
    );
}
