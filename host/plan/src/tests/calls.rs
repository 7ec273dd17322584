//! Calls in plans: what is known before the run goes in, and nothing else.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn load(files: &[(&str, &str)]) -> sluice_workflow::Workflow {
    let sources: BTreeMap<&str, Source> = files.iter().map(|(name, text)| (*name, Source::new(*name, *text))).collect();
    let (workflow, problems) = sluice_workflow::load(&sources[files[0].0], &mut |file| Ok(sources[file].clone()));
    assert_eq!(problems, []);
    workflow.unwrap()
}

fn plan_files(files: &[(&str, &str)]) -> Result<Plan, Vec<Problem>> {
    let declared: &[(Capability, &[&str])] =
        &[(Capability::Http, &["POST ${{ with.url }}"]), (Capability::Secrets, &["${{ with.paths }}"])];
    let workflow = load(files);
    let inputs = sluice_workflow::bind_inputs(&workflow, &[]).unwrap();
    crate::plan(
        &workflow,
        &plugins([plugin("./task.wasm", declared)]),
        inputs,
        facts(),
        &crate::SharedPolicies::default(),
    )
}

fn refused(files: &[(&str, &str)]) -> String {
    let problems = plan_files(files).expect_err("the plan is refused");
    let shown = |problem: &Problem| {
        let file = problem.source.as_ref().unwrap().name().to_owned();
        format!("{}: {}  because {:?}\n", file, show(problem), problem.causes)
    };
    problems.iter().map(shown).collect::<Vec<_>>().join("\n")
}

const CALLED: &str = "
inputs: {host: {default: here}, token: {default: TOKEN}}
env: {WHERE: \"${{ inputs.host }}\"}
secrets: {OWN: {file: own.txt}}
jobs:
  a: {steps: [{id: x, uses: ./task.wasm, with: {url: \"https://${{ inputs.host }}/\", paths: [\"${{ inputs.token }}\", OWN]}}]}
  b: {needs: a, steps: [{uses: ./task.wasm, with: {paths: []}}]}
finally: [{uses: ./task.wasm, with: {paths: []}}]
";

#[test]
fn the_plan_of_calls_as_json() {
    let root = "
inputs: {secret-path: {default: hush}}
env: {HUSH: \"${{ inputs['secret-path'] }}\"}
jobs:
  first: {steps: [{uses: ./task.wasm, with: {paths: []}}], outputs: {token: TOKEN}}
  known: {needs: first, uses: called.yaml, with: {host: known.example}, secrets: {TOKEN: MINE}, timeout: 5m}
  open: {needs: first, uses: middle.yaml, with: {token: \"${{ needs.first.outputs.token }}\"}, secrets: [MINE]}
  never: {if: \"inputs['secret-path'] == ''\", uses: called.yaml}
";
    let middle = "
inputs: {token: {}}
jobs:
  inner: {uses: called.yaml, with: {host: inner.example}, secrets: {TOKEN: MINE}}
";
    let plan = plan_files(&[("sluice.yaml", root), ("called.yaml", CALLED), ("middle.yaml", middle)]).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&plan.to_json()).unwrap());
    let names: Vec<&str> = plan.jobs.keys().map(String::as_str).collect();
    let after = |name: &str| {
        let before = plan.comes_after(plan.jobs.get_index_of(name).unwrap());
        before.into_iter().map(|job| names[job]).collect::<Vec<_>>()
    };
    assert_eq!(after("known.a"), ["first"], "what its call needs");
    assert_eq!(after("known.b"), ["known.a"]);
    assert_eq!(after("known.finally"), ["known.b"]);
    assert_eq!(after("known"), ["known.finally"]);
    assert_eq!(after("open.inner.a"), ["first"]);
    assert_eq!(after("open"), ["open.inner"]);
    let granted: Vec<&str> = plan.granted_secrets().into_keys().collect();
    assert_eq!(granted, ["known.OWN", "MINE", "open.inner.OWN"]);
    assert_eq!(plan.file_of_secret("known.OWN").name(), "called.yaml");
    assert_eq!(plan.called_files().len(), 2);
}

#[test]
fn what_a_called_workflow_is_not_passed_it_does_not_get() {
    let root = "
secrets: {TOKEN: {env: X}, OWN: {env: Y}}
jobs:
  one: {uses: called.yaml}
  two: {uses: called.yaml, with: {token: OTHER}}
  three: {uses: middle.yaml, secrets: {HERE: TOKEN}}
";
    let middle = "jobs:\n  inner: {uses: called.yaml, secrets: {TOKEN: TOKEN}}\n";
    insta::assert_snapshot!(refused(&[("sluice.yaml", root), ("called.yaml", CALLED), ("middle.yaml", middle)]));
}

#[test]
fn inputs_of_calls_are_checked_as_far_as_they_are_known() {
    let root = "
inputs: {n: {default: many}}
jobs:
  one: {uses: called.yaml, with: {n: \"${{ fromJson('[1]')[0] }}\", m: \"${{ fromJson('\\\"x\\\"') }}\"}}
  two: {uses: called.yaml, with: {n: 1, m: \"${{ fromJson('3') }}\"}}
";
    let called = "
inputs: {n: {type: integer}, m: {options: [a, b], default: a}}
jobs:
  x: {steps: [{uses: lnt}]}
";
    insta::assert_snapshot!(refused(&[("sluice.yaml", root), ("called.yaml", called)]));
}

#[test]
fn parts_of_calls_are_selected() {
    let root = "
jobs:
  first: {steps: [{run: x}]}
  call: {needs: first, uses: called.yaml}
  other: {uses: called.yaml}
";
    let called = "
outputs: {a: \"${{ needs.a.outcome }}\", b: \"${{ needs.b.outcome }}\"}
jobs:
  a: {steps: [{run: x}]}
  b: {steps: [{id: y, run: x}]}
finally: [{run: \"echo ${{ needs.a.outcome }}\"}]
";
    let files = [("sluice.yaml", root), ("called.yaml", called)];
    let select = |jobs: &[&str], step: Option<&str>| {
        let jobs = jobs.iter().map(|job| (*job).to_owned()).collect();
        crate::select(load(&files), &crate::Selection { jobs, step: step.map(str::to_owned) }).map(|workflow| {
            let inside = |job: &sluice_workflow::workflow::Job| {
                let called = job.call.as_ref().and_then(|call| call.workflow.clone());
                called.map(|called| {
                    (called.jobs.keys().cloned().collect::<Vec<_>>(), called.outputs.len(), called.hooks.len())
                })
            };
            workflow.jobs.values().map(|job| (job.name.value.clone(), inside(job))).collect::<Vec<_>>()
        })
    };
    let all = Some((vec!["a".to_owned(), "b".to_owned()], 2, 1));
    let only_b = Some((vec!["b".to_owned()], 1, 0));
    let named = |name: &str, inside| (name.to_owned(), inside);
    assert_eq!(select(&["call"], None).unwrap(), [named("first", None), named("call", all.clone())]);
    assert_eq!(select(&["call.b"], None).unwrap(), [named("first", None), named("call", only_b.clone())]);
    assert_eq!(select(&["call.b", "call"], None).unwrap(), [named("first", None), named("call", all)]);
    assert_eq!(select(&[], Some("other.b/y")).unwrap(), [named("other", Some((vec!["b".to_owned()], 0, 0)))]);
    for (jobs, step) in [(&["call.c"][..], None), (&["first.x"], None), (&[], Some("call/y")), (&[], Some("call.b/z"))]
    {
        let problems = select(jobs, step).expect_err("no such part");
        assert!(problems[0].help.is_some(), "{problems:?}");
    }
}

fn word() -> impl Strategy<Value = String> {
    "[a-z]{3,6}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the caller has, by whatever names, nothing of it is in what is inside; also where the called workflow
    /// has inputs, variables and secrets of the very same names.
    #[test]
    fn no_value_of_the_caller_reaches_a_called_workflow(names in prop::collection::vec(word(), 3), passed in word()) {
        let (input, variable, secret) = (&names[0], names[1].to_uppercase(), names[2].to_uppercase());
        let root = format!("
inputs: {{i_{input}: {{default: PRIVATE-INPUT}}}}
env: {{V_{variable}: PRIVATE-VARIABLE}}
secrets: {{S_{secret}: {{file: PRIVATE-SECRET}}}}
jobs:
  before: {{env: {{J: PRIVATE-JOB}}, steps: [{{uses: ./task.wasm, with: {{url: \"https://private.example/\", paths: []}}}}]}}
  call: {{needs: before, uses: called.yaml, with: {{given: \"p-{passed}\"}}}}
");
        let called = format!("
inputs: {{i_{input}: {{default: own}}, given: {{}}}}
env: {{V_{variable}: \"${{{{ inputs.given }}}}\"}}
secrets: {{S_{secret}: {{file: own.txt}}}}
jobs:
  x:
    steps:
    - {{uses: ./task.wasm, env: {{E: \"${{{{ env.V_{variable} }}}} ${{{{ inputs.i_{input} }}}}\"}}, with: {{paths: [S_{secret}]}}}}
");
        let plan = plan_files(&[("sluice.yaml", &root), ("called.yaml", &called)]).unwrap();
        let json = plan.to_json();
        let (call, inside) = (&json["jobs"]["call"], &json["jobs"]["call.x"]);
        for private in ["PRIVATE", "private"] {
            prop_assert!(!call.to_string().contains(private) && !inside.to_string().contains(private));
        }
        let env = &inside["steps"][0]["env"];
        prop_assert_eq!(&env["E"], &json!(format!("p-{passed} own")));
        let name = format!("S_{secret}");
        prop_assert_eq!(&call["secrets"], &json!({&name: format!("call.{name}")}));
    }
}
