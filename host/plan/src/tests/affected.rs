//! `paths` and `hash.files`: what is known of files before the plan.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use sluice_model::Source;
use sluice_workflow::template::files_key;

use super::{facts, plugin, plugins};
use crate::{Facts, Plan};

const JOBS: &str = "
jobs:
  docs: {paths: [docs/, '*.md'], steps: [{uses: exec}]}
  code: {paths: ['src/**', '!**/*.md'], steps: [{uses: exec}]}
  all: {needs: [docs, code], steps: [{uses: exec}]}
";

fn planned(yaml: &str, facts: Facts) -> Plan {
    let (workflow, problems) = sluice_workflow::parse(&Source::new("test.yaml", yaml));
    assert_eq!(problems, []);
    crate::plan(
        &workflow.unwrap(),
        &plugins([plugin("exec", &[])]),
        IndexMap::new(),
        facts,
        &crate::SharedPolicies::default(),
    )
    .unwrap()
}

#[test]
fn jobs_without_a_changed_file_are_skipped() {
    for (changed, unaffected) in [
        (None, &[][..]),
        (Some(&["docs/a.txt"][..]), &["code"][..]),
        (Some(&["README.md", "src/main.rs"]), &[]),
        (Some(&["src/notes.md"]), &["docs", "code"]),
        (Some(&["Makefile"]), &["docs", "code"]),
        (Some(&[]), &["docs", "code"]),
    ] {
        let changed: Option<Vec<String>> = changed.map(|files| files.iter().map(|&file| file.to_owned()).collect());
        let plan = planned(JOBS, Facts { changed: changed.clone(), ..facts() });
        let skipped: Vec<&str> = plan.jobs.values().filter(|job| job.unaffected).map(|job| job.name.as_str()).collect();
        assert_eq!(skipped, unaffected, "{changed:?}");
        for job in plan.jobs.values() {
            assert_eq!(job.steps(0)[0].excluded, job.unaffected);
            let never = job.condition.as_ref().map(|condition| condition.holds(&Default::default()));
            assert_eq!(never, job.unaffected.then_some(Ok(false)), "what the run asks");
        }
        let json = plan.to_json();
        assert_eq!(json["jobs"]["code"]["unaffected"].as_bool().unwrap_or_default(), unaffected.contains(&"code"));
        assert_eq!(json["jobs"]["code"]["paths"], json!(["src/**", "!**/*.md"]));
    }
}

#[test]
fn an_unaffected_job_needs_no_inputs() {
    let yaml = "
inputs: {x: {required: false}}
jobs:
  docs:
    if: inputs.x == 'x'
    paths: docs/
    steps: [{uses: exec, with: {url: '${{ [1][5] }}'}}]
";
    let plan = planned(yaml, Facts { changed: Some(Vec::new()), ..facts() });
    assert!(plan.jobs["docs"].unaffected);
}

#[test]
fn file_hashes_are_known_before_the_run() {
    let yaml = "steps: [{uses: exec, with: {url: \"x-${{ hash.files('src/**') }}\"}}]";
    let digests: Map<String, Value> = [(files_key(&["src/**".into()]), json!("cafe"))].into_iter().collect();
    let plan = planned(yaml, Facts { file_hashes: digests, ..facts() });
    assert_eq!(plan.jobs["main"].steps(0)[0].decided.as_ref().unwrap().inputs["url"], json!("x-cafe"));
}
