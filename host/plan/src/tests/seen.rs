//! Secrets that a plugin wants to see, and programs that are given one.

use sluice_model::grant::Capability;

use super::{plan, plugin, plugins, refuse};

fn notes(yaml: &str, declared: &[(Capability, &[&str])]) -> Vec<Vec<String>> {
    let plan = plan(yaml, &plugins([plugin("./p.wasm", declared)])).unwrap();
    plan.jobs[0].steps(0).iter().map(|step| step.notes.clone()).collect()
}

#[test]
fn a_declaration_alone_reveals_nothing() {
    let declared: &[(Capability, &[&str])] = &[(Capability::Secrets, &["KEY reveal", "TOKEN"])];
    let plugins = plugins([plugin("./p.wasm", declared)]);
    insta::assert_snapshot!(refuse("steps:\n  - uses: ./p.wasm\n", &plugins), @r#"
    plan::reveal-not-granted
    × plugin `p` wants to see the value of the secret `KEY`, which step `step-1` does not grant
      2:11 `./p.wasm`: its reason: needed for the work
    help: if the plugin should get the value, say so in the step:
        grants:
          secrets: ["KEY reveal"]
    if it can do without, `secrets: ["KEY"]` lets it use the secret unseen
    "#);
}

#[test]
fn what_the_step_says_decides_whether_a_secret_is_revealed() {
    let declared: &[(Capability, &[&str])] = &[(Capability::Secrets, &["KEY reveal", "TOKEN"])];
    for (grants, expected) in [
        ("[\"KEY reveal\"]", vec!["KEY reveal"]),
        ("[KEY, TOKEN]", vec!["TOKEN", "KEY"]),
        ("[\"KEY @ https://a.example.com\"]", vec!["KEY @ https://a.example.com"]),
        ("[]", vec![]),
    ] {
        let yaml = format!("steps:\n  - uses: ./p.wasm\n    grants: {{secrets: {grants}}}\n");
        let plan = plan(&yaml, &plugins([plugin("./p.wasm", declared)])).unwrap();
        let step = &plan.jobs[0].steps(0)[0];
        assert_eq!(step.at_most.spellings(Capability::Secrets), expected);
        assert_eq!(
            step.at_most.secrets.iter().any(sluice_model::grant::SecretGrant::reveals),
            grants.contains("reveal")
        );
    }
}

#[test]
fn a_plugin_that_does_not_ask_cannot_be_shown_a_secret() {
    let by_input: &[(Capability, &[&str])] = &[(Capability::Secrets, &["${{ with.url }}"])];
    let plugins = plugins([plugin("./p.wasm", by_input), plugin("./q.wasm", &[(Capability::Secrets, &["KEY"])])]);
    let yaml = "\
steps:
  - uses: ./q.wasm
    grants:
      secrets: [\"KEY reveal\"]
  - uses: ./p.wasm
    with:
      url: KEY reveal
    grants:
      secrets: [\"KEY reveal\"]
";
    insta::assert_snapshot!(refuse(yaml, &plugins), @r#"
    plan::grant-exceeds
    × step `step-1` grants `KEY reveal`, which is more than plugin `q` declares
      4:17 `"KEY reveal"`: not covered by what it declares
    help: for these inputs it declares `KEY` of `secrets`; `grants` only narrow that

    plan::bad-grant
    × input `url` of step `step-2` leads to `KEY reveal`, which cannot be granted as `secrets`
      7:12 `KEY reveal`: only the manifest itself can ask for the value of a secret, not an input
    help: `p` asks for `secrets`: needed for the work
    "#);
}

#[test]
fn a_secret_that_is_decided_by_the_run_is_not_revealed_by_chance() {
    let declared: &[(Capability, &[&str])] = &[(Capability::Secrets, &["KEY reveal", "${{ with.url }}"])];
    let yaml = "\
steps:
  - id: find
    uses: ./free.wasm
  - uses: ./p.wasm
    with:
      url: ${{ steps.find.outputs.name }}
";
    let problems = refuse(yaml, &plugins([plugin("./p.wasm", declared), plugin("./free.wasm", &[])]));
    assert!(problems.contains("plan::reveal-not-granted"), "{problems}");
    assert!(problems.contains("plan::undecided-grant"), "{problems}");
}

#[test]
fn the_plan_says_which_programs_can_get_a_secret_and_who_reads_what_they_say() {
    let declared: &[(Capability, &[&str])] =
        &[(Capability::Secrets, &["KEY", "TOKEN"]), (Capability::Exec, &["git", "sh"])];
    let yaml = "\
steps:
  - id: first
    uses: ./p.wasm
  - id: second
    uses: ./p.wasm
    with:
      url: ${{ steps.first.outputs.url }}
    grants:
      exec: []
  - id: third
    uses: ./p.wasm
    env:
      X: ${{ steps.second.outputs.url }}
    grants:
      exec: []
";
    insta::assert_debug_snapshot!(notes(yaml, declared), @r#"
    [
        [
            "runs `git` unconfined: it can do all that your account can (not supported yet)",
            "runs `sh`, and any other program, unconfined: it can do all that your account can (not supported yet)",
            "the value of `KEY`, `TOKEN` can be given to `git`, `sh`, as a variable",
        ],
        [
            "reads outputs of `first`, which can see `KEY`, `TOKEN`",
        ],
        [],
    ]
    "#);
}
