//! Plans under policies.

use std::sync::Arc;

use sluice_model::{Failure, FailureKind};

use super::*;
use crate::policy::{Candidate, Layer, Owner};
use crate::{Policies, SharedPolicies};

pub fn layer(owner: Owner, text: &str) -> Layer {
    let name = match owner {
        Owner::Machine => "/etc/sluice/policy.yaml",
        Owner::Organisation => "/ci/policy.yaml",
        Owner::Repository => "sluice-policy.yaml",
    };
    Layer::parse(owner, &Source::new(name, text)).unwrap()
}

fn under(layers: &[&str], yaml: &str) -> Result<Plan, Vec<Problem>> {
    let owners = [Owner::Repository, Owner::Machine, Owner::Organisation];
    let layers = layers.iter().zip(owners).map(|(text, owner)| layer(owner, text)).collect();
    let policies: SharedPolicies = Arc::new(Policies::new(layers));
    let (workflow, problems) = sluice_workflow::parse(&Source::new("test.yaml", yaml));
    assert_eq!(problems, []);
    let plugins = plugins([
        plugin(
            "./tools/all.wasm",
            &[
                (Capability::Files, &["read ."]),
                (Capability::Http, &["GET ${{ with.url }}"]),
                (Capability::Exec, &["git", "sh"]),
            ],
        ),
        plugin("lint", &[(Capability::Files, &["read ."])]),
    ]);
    crate::plan(&workflow.unwrap(), &plugins, IndexMap::new(), facts(), &policies)
}

fn told(layers: &[&str], yaml: &str) -> String {
    let problems = under(layers, yaml).expect_err("the plan is refused");
    let told = problems.iter().map(|problem| {
        assert_eq!(problem.code, "plan::policy");
        let causes: String = problem.causes.iter().map(|cause| format!("because: {cause}\n")).collect();
        show(problem).replacen("help:", &format!("{causes}help:"), 1)
    });
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_exceeds_is_refused_with_the_rules_that_decide() {
    let yaml = "\
steps:
- {id: all, uses: ./tools/all.wasm, with: {url: 'https://a.example.com/x'}}
- {id: lint, uses: lint}
- {id: never, if: 'false', uses: ./tools/all.wasm, with: {url: 'https://a.example.com/x'}}
";
    insta::assert_snapshot!(told(&["version: 1\ngrants:\n  exec: [git]\n  http: []\nplugins: [lint]\n", "version: 1\nshells: false\nplugins: [./tools/*, lint]\n", "version: 1\nfor:\n- plugins: [lint]\n  grants: {files: [read src]}\n"], yaml), @r#"
    plan::policy
    × step `all` uses the plugin `./tools/all.wasm`, which the policy does not permit
      2:19 `./tools/all.wasm`: a plugin that may not run
    because: sluice-policy.yaml:5:1 permits of plugins only `lint`
    help: if it should run: add `./tools/all.wasm` to `plugins` in `sluice-policy.yaml`

    plan::policy
    × step `all` gets `http: GET https://a.example.com/x`, which the policy does not permit
      2:19 `./tools/all.wasm`: gets more than it may
    because: sluice-policy.yaml:4:3 permits nothing of `http`
    help: if it should have that: add `GET https://a.example.com/x` to `http` in `sluice-policy.yaml`

    plan::policy
    × step `all` gets `exec: sh`, which the policy does not permit
      2:19 `./tools/all.wasm`: gets more than it may
    because: /etc/sluice/policy.yaml:2:9 says `shells: false`
    because: sluice-policy.yaml:3:3 permits of `exec` only `git`
    help: if it should have that: change `shells` in `/etc/sluice/policy.yaml`, and add `sh` to `exec` in `sluice-policy.yaml`

    plan::policy
    × step `lint` gets `files: read .`, which the policy does not permit
      3:20 `lint`: gets more than it may
    because: /ci/policy.yaml:4:12 permits of `files` only `read src`
    help: if it should have that: add `read .` to `files` in `/ci/policy.yaml`
    "#);
}

#[test]
fn what_is_permitted_runs_as_without_a_policy() {
    let yaml = "\
steps:
- {uses: ./tools/all.wasm, with: {url: 'https://a.example.com/x'}, grants: {exec: [git]}}
- {uses: lint}
";
    let free = under(&[], yaml).unwrap();
    let bound = under(
        &[
            "version: 1\nplugins: [lint, ./tools//*]\n",
            "version: 1\nshells: false\ngrants: {exec: [git, make], http: ['* https://*.example.com']}\n",
            "version: 1\nfor: [{plugins: [lint], grants: {exec: [], files: [read .]}}]\n",
        ],
        yaml,
    )
    .unwrap();
    assert_eq!(decided(&free), decided(&bound));
    assert_ne!(free.digest, bound.digest, "a plan is bound to the policy");
    assert_eq!(free.to_json()["policy"], json!(null));
    assert!(bound.to_json()["policy"].as_str().unwrap().starts_with("sha256:"));
}

#[test]
fn a_refusal_is_told_once_for_all_cells_and_items() {
    let yaml = "\
jobs:
  test:
    matrix: {n: [1, 2, 3]}
    steps:
    - {uses: ./tools/all.wasm, for-each: [a, b], with: {url: 'https://a.example.com/${{ item }}'}, grants: {exec: []}}
";
    assert_eq!(under(&["version: 1\ngrants: {files: []}\n"], yaml).unwrap_err().len(), 1);
}

/// A step whose URL only the run knows.
const OPEN: &str = "\
steps:
- {id: first, uses: lint}
- {id: open, uses: ./tools/all.wasm, with: {url: '${{ steps.first.outputs.url }}'}, grants: {exec: [], http: ['GET https://*.example.com/*']}}
";

#[test]
fn what_only_the_run_decides_is_refused_by_its_most() {
    insta::assert_snapshot!(told(&["version: 1\ngrants: {http: ['GET https://a.example.com/*']}\n"], OPEN), @r#"
    plan::policy
    × step `open` gets `http: GET https://*.example.com/*`, which the policy does not permit
      3:20 `./tools/all.wasm`: gets more than it may
    because: sluice-policy.yaml:2:10 permits of `http` only `GET https://a.example.com/*`
    help: if it should have that: add `GET https://*.example.com/*` to `http` in `sluice-policy.yaml`
    "#);
    under(&["version: 1\ngrants: {http: ['GET https://*.example.com/*']}\n"], OPEN).unwrap();
}

#[test]
fn what_the_run_decides_is_held_to_the_same_rules() {
    let plan = under(&["version: 1\ngrants: {http: ['GET https://*.example.com/*']}\n"], OPEN).unwrap();
    let step = plan.all_steps().find(|step| step.id == "open").unwrap();
    let decide = |step: &crate::Step| -> Result<_, Failure> {
        crate::decide(step, json!({"url": "https://a.example.com/x"}), IndexMap::new())
    };
    assert_eq!(decide(step).unwrap().grants.spellings(Capability::Http), ["GET https://a.example.com/x"]);
    // As if the policy had been stricter than what the plan was made under.
    let mut stricter = step.clone();
    stricter.policies = Arc::new(Policies::new(vec![layer(
        Owner::Machine,
        "version: 1\ngrants: {http: ['GET https://b.example.com/*']}\n",
    )]));
    let failure = decide(&stricter).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert_eq!(failure.causes, ["/etc/sluice/policy.yaml:2:10 permits of `http` only `GET https://b.example.com/*`"]);
}

#[test]
fn ports_that_only_the_run_knows_are_held_to_rules_for_any_port() {
    let yaml = "\
jobs:
  test:
    services:
      web: {uses: ./serve.wasm, port: auto}
    steps:
    - {id: ask, uses: ./ask.wasm, with: {url: '127.0.0.1:${{ services.web.port }}'}}
";
    let plan = |policy: &str| {
        let (workflow, problems) = sluice_workflow::parse(&Source::new("test.yaml", yaml));
        assert_eq!(problems, []);
        let plugins =
            plugins([plugin("./serve.wasm", &[]), plugin("./ask.wasm", &[(Capability::Tcp, &["${{ with.url }}"])])]);
        let policies = Arc::new(Policies::new(vec![layer(Owner::Repository, policy)]));
        crate::plan(&workflow.unwrap(), &plugins, IndexMap::new(), facts(), &policies)
    };
    plan("version: 1\ngrants: {tcp: ['127.0.0.1:*']}\n").unwrap();
    let problems = plan("version: 1\ngrants: {tcp: ['127.0.0.1:8080']}\n").unwrap_err();
    assert_eq!(
        problems[0].message,
        "step `ask` gets `tcp: 127.0.0.1:${{ services.web.port }}`, which the policy does not permit"
    );
}

#[test]
fn what_is_on_record_is_held_to_the_policies_of_today() {
    let policies = Policies::new(vec![layer(Owner::Repository, "version: 1\nplugins: [lint]\nexec: false\n")]);
    let reference = PluginRef::parse("deploy").unwrap();
    let candidate = Candidate { reference: &reference, digest: Digest::from_bytes([1; 32]) };
    let grants = sluice_model::Grants { exec: vec!["git".parse().unwrap()], ..Default::default() };
    let messages: Vec<String> = policies
        .refuses_recorded("step `ship/site`", &candidate, &grants)
        .into_iter()
        .map(|problem| format!("{}: {}", problem.message, problem.causes.join("; ")))
        .collect();
    assert_eq!(
        messages,
        [
            "step `ship/site` uses the plugin `deploy`, which the policy does not permit: sluice-policy.yaml:2:1 permits of plugins only `lint`",
            "step `ship/site` gets `exec: git`, which the policy does not permit: sluice-policy.yaml:3:7 says `exec: false`",
        ]
    );
    assert_eq!(Policies::default().refuses_recorded("step", &candidate, &grants), []);
}

#[test]
fn whether_programs_may_be_left_unconfined_is_for_every_layer_to_say() {
    let policies = |texts: &[&str]| Policies::new(texts.iter().map(|text| layer(Owner::Machine, text)).collect());
    assert!(policies(&[]).refuses_unconfined().is_none());
    assert!(policies(&["version: 1\n", "version: 1\nunconfined: true\n"]).refuses_unconfined().is_none());
    let problem = policies(&["version: 1\nunconfined: true\n", "version: 1\nunconfined: false\n"]).refuses_unconfined();
    assert_eq!(problem.unwrap().causes, ["/etc/sluice/policy.yaml:2:13 says `unconfined: false`"]);
}
