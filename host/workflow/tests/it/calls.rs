//! Workflows that call others: a map of files, and what people get told about it.

use std::collections::BTreeMap;

use sluice_model::{Problem, Source};
use sluice_workflow::Workflow;

use crate::render;

/// Loads `sluice.yaml` of some files.
fn load(files: &[(&str, &str)]) -> (Option<Workflow>, Vec<Problem>) {
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    let source = |name: &str| Source::new(name, files[name]);
    let mut read = |file: &str| match files.contains_key(file) {
        true => Ok(source(file)),
        false => Err(Problem::new("workflow::call", format!("there is no file `{file}`"))),
    };
    sluice_workflow::load(&source("sluice.yaml"), &mut read)
}

fn told(files: &[(&str, &str)]) -> String {
    let (_, problems) = load(files);
    for problem in &problems {
        assert!(sluice_workflow::CODES.iter().any(|explanation| explanation.code == problem.code), "{}", problem.code);
    }
    let shown = |problem: &Problem| render::problems(problem.source.as_ref().unwrap(), std::slice::from_ref(problem));
    problems.iter().map(shown).collect::<Vec<_>>().join("\n\n")
}

const RELEASE: &str = "
inputs:
  version: {description: What to release}
  count: {type: integer, default: 1}
  dry: {type: boolean, default: true}
  stage: {options: [test, prod], default: test}
  regions: {type: list, default: []}
  note: {required: false}
outputs: {url: \"${{ needs.publish.outputs.url }}\"}
jobs:
  publish:
    outputs: {url: \"https://example.com/${{ inputs.version }}\"}
    steps: [{run: echo}]
";

#[test]
fn a_call_is_read_with_what_it_calls() {
    let root = "
inputs: {n: {type: integer, default: 2}}
jobs:
  build: {steps: [{run: make}], outputs: {version: 1.0}}
  release:
    name: Release it
    needs: build
    if: ${{ needs.build.outcome == \"passed\" }}
    paths: [src/]
    timeout: 10m
    continue-on-error: true
    uses: ./ci//release.yaml
    with: {version: \"v${{ needs.build.outputs.version }}\", count: \"${{ inputs.n }}\", regions: [eu], note: null}
    secrets: {TOKEN: DEPLOY_TOKEN}
  same: {uses: ci/release.yaml, with: {version: \"1\"}, secrets: [A, B]}
  after: {needs: [release], steps: [{run: \"open ${{ needs.release.outputs.url }} ${{ needs.release.outcome }}\"}]}
";
    let (workflow, problems) = load(&[("sluice.yaml", root), ("ci/release.yaml", RELEASE)]);
    assert_eq!(problems, []);
    let workflow = workflow.unwrap();
    let files: Vec<&str> = workflow.files().into_iter().map(|file| file.source.name()).collect();
    assert_eq!(files, ["sluice.yaml", "ci/release.yaml"], "each file once");
    let call = |job: &str| workflow.jobs[job].call.clone().unwrap();
    assert_eq!(call("release").file.value, "ci/release.yaml");
    let secrets: Vec<_> = call("same").secrets.into_iter().map(|(there, here)| (there, here.value)).collect();
    assert_eq!(secrets, [("A".to_owned(), "A".to_owned()), ("B".to_owned(), "B".to_owned())]);
    assert_eq!(workflow.jobs["release"].outputs().keys().collect::<Vec<_>>(), ["url"]);
    assert!(workflow.jobs["release"].steps.is_empty());
}

#[test]
fn what_a_call_passes_is_checked() {
    let root = "
inputs: {n: {type: integer, default: 2}, all: {type: list, default: []}}
jobs:
  build: {steps: [{run: make}]}
  release:
    needs: build
    uses: ci/release.yaml
    with:
      verison: 1
      count: many
      dry: \"true\"
      stage: production
      regions: eu
      note: [1]
  typed:
    uses: ci/release.yaml
    with:
      version: ${{ inputs.n }}
      count: ${{ string(inputs.n) }}
      dry: a ${{ inputs.n }}
      regions: ${{ inputs.n }}
      stage: ${{ inputs.all }}
  after: {needs: release, steps: [{run: \"${{ needs.release.outputs.link }} ${{ needs.release.steps }}\"}]}
";
    insta::assert_snapshot!(told(&[("sluice.yaml", root), ("ci/release.yaml", RELEASE)]));
}

#[test]
fn problems_of_a_called_file_stand_in_that_file() {
    let root = "
jobs:
  a: {uses: ci/a.yaml}
  b: {uses: ci/b.yaml}
  wrong: {needs: c, steps: [{run: x}]}
  after: {needs: a, steps: [{run: \"${{ needs.a.outputs.what }}\"}]}
";
    let a = "jobs:\n  deeper: {uses: ci/b.yaml}\n  gone: {uses: ci/gone.yaml}\n";
    let b = "outputs: {x: \"${{ needs.nobody.outputs.x }}\"}\nsteps: [{rum: x}]\n";
    insta::assert_snapshot!(told(&[("sluice.yaml", root), ("ci/a.yaml", a), ("ci/b.yaml", b)]));
}

#[test]
fn circles_and_depth_are_told_with_the_chain() {
    let a = "jobs: {a: {uses: a.yaml}}";
    let back = "jobs: {b: {uses: ./b.yaml}}";
    insta::assert_snapshot!(told(&[("sluice.yaml", a), ("a.yaml", back), ("b.yaml", a)]));
}

#[test]
fn calls_have_a_depth() {
    let files: Vec<(String, String)> =
        (0..12).map(|n| (format!("{n}.yaml"), format!("jobs: {{next: {{uses: {}.yaml}}}}", n + 1))).collect();
    let chain = |last: usize| {
        let last = (format!("{last}.yaml"), "steps: [{run: x}]".to_owned());
        let mut all: Vec<(String, String)> = files.iter().filter(|(name, _)| *name != last.0).cloned().collect();
        all.push(last);
        all.push(("sluice.yaml".to_owned(), "jobs: {first: {uses: 0.yaml}, again: {uses: 1.yaml}}".to_owned()));
        let all: Vec<(&str, &str)> = all.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        told(&all)
    };
    assert_eq!(chain(7), "");
    insta::assert_snapshot!(chain(8));
    // A file that is known already is not deeper than allowed either.
    let wide = "jobs: {a: {uses: 1.yaml}, b: {uses: x.yaml}}";
    let mut all: Vec<(&str, &str)> = files[..8].iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    all.extend([("8.yaml", "steps: [{run: x}]"), ("x.yaml", "jobs: {y: {uses: 0.yaml}}"), ("sluice.yaml", wide)]);
    assert!(told(&all).contains("workflow::call-depth"), "{}", told(&all));
}

/// Ten times ten times ten ... jobs.
#[test]
fn calls_do_not_multiply_without_end() {
    let ten = |file: &str| {
        let jobs: String = (0..10).map(|n| format!("  j{n}: {{uses: {file}}}\n")).collect();
        format!("jobs:\n{jobs}")
    };
    let texts: Vec<(String, String)> = (0..6).map(|n| (format!("{n}.yaml"), ten(&format!("{}.yaml", n + 1)))).collect();
    let mut all: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let root = ten("0.yaml");
    all.extend([("6.yaml", "steps: [{run: x}]"), ("sluice.yaml", root.as_str())]);
    let told = told(&all);
    assert!(told.starts_with("workflow::call-depth\n  calls make ") && told.contains("2.yaml"), "{told}");
}

/// A fragment is written once, with an anchor, and repeated by its name, with changes by a merge.
#[test]
fn fragments_are_anchors() {
    let root = "
jobs:
  a: &job
    env: {SUITE: a}
    steps: &steps
    - {id: x, run: make}
    - run: make test
  b: {needs: a, steps: *steps}
  c:
    <<: *job
    env: {SUITE: c}
";
    let (workflow, problems) = load(&[("sluice.yaml", root)]);
    assert_eq!(problems, []);
    let workflow = workflow.unwrap();
    let steps = |job: &str| workflow.jobs[job].steps.iter().map(|step| step.id.clone()).collect::<Vec<_>>();
    assert_eq!((steps("a"), steps("a")), (steps("b"), steps("c")));
    let suite = |job: &str| workflow.jobs[job].env["SUITE"].literal();
    assert_eq!((suite("a"), suite("c")), (Some("a".into()), Some("c".into())));
}
