use super::*;

/// The text after the amendments of its steps, by id, and the diff.
/// A step, and for each capability the grants that it is to have.
type Wanted<'w> = (&'w str, &'w [(Capability, &'w [&'w str])]);

fn amended(text: &str, wanted: &[Wanted<'_>]) -> (String, String) {
    let source = Source::new("ci.yaml", text);
    let (workflow, problems) = crate::parse(&source);
    assert!(problems.is_empty(), "{problems:?}");
    let workflow = workflow.unwrap();
    let amendments: Vec<Amendment> = wanted
        .iter()
        .map(|(id, grants)| {
            let step = workflow.jobs.values().flat_map(|job| &job.steps).find(|step| step.id == *id).unwrap();
            let grants = grants.iter().map(|(capability, spellings)| {
                (*capability, spellings.iter().map(|spelling| (*spelling).to_owned()).collect())
            });
            Amendment { step: step.span, grants: grants.collect() }
        })
        .collect();
    let (edits, elsewhere) = amend(&source, &amendments);
    assert_eq!(elsewhere, []);
    let new = apply(text, &edits);
    let (again, problems) = crate::parse(&Source::new("ci.yaml", new.as_str()));
    assert!(problems.is_empty(), "{new}\n{problems:?}");
    for (id, grants) in wanted {
        let again = again.as_ref().unwrap();
        let step = again.jobs.values().flat_map(|job| &job.steps).find(|step| step.id == *id).unwrap();
        for (capability, spellings) in *grants {
            let found: Vec<&str> = step.grants[capability].iter().map(|spelling| spelling.value.as_str()).collect();
            assert_eq!(found.len(), spellings.len(), "{id} {capability} in\n{new}");
            assert!(spellings.iter().all(|spelling| found.contains(spelling)), "{id} {capability} in\n{new}");
        }
    }
    (new, unified("ci.yaml", text, &edits))
}

const EXEC: Capability = Capability::Exec;
const HTTP: Capability = Capability::Http;

#[test]
fn only_grants_change_and_comments_stay() {
    let text = "\
# The nightly run.
jobs:
  main:
    steps:
      - id: fetch # first
        uses: http-get # of the shop
        with: {url: 'https://a.example/x'}

      - id: script
        run: |
          echo one
          echo two

        # The last one.
      - id: listed
        uses: exec
        grants:
          exec: # for now
            - git # history
            - make
            - sh # the shell
          http: [ 'GET https://a.example/*' ] # wide
      - {id: flow, uses: exec, with: {run: x}}
      - {id: flown, uses: exec, grants: {exec: [git, sh]}, with: {run: x}}
";
    let (new, diff) = amended(
        text,
        &[
            ("fetch", &[(HTTP, &["GET https://a.example/x"]), (Capability::Artifacts, &[])]),
            ("script", &[(EXEC, &["sh"])]),
            ("listed", &[(EXEC, &["git", "cargo"]), (HTTP, &[]), (Capability::Secrets, &["TOKEN"])]),
            ("flow", &[(EXEC, &[])]),
            ("flown", &[(EXEC, &["git"]), (HTTP, &[])]),
        ],
    );
    assert_eq!(
        new,
        "\
# The nightly run.
jobs:
  main:
    steps:
      - id: fetch # first
        uses: http-get # of the shop
        grants:
          http: [\"GET https://a.example/x\"]
          artifacts: []
        with: {url: 'https://a.example/x'}

      - id: script
        run: |
          echo one
          echo two
        grants:
          exec: [\"sh\"]

        # The last one.
      - id: listed
        uses: exec
        grants:
          exec: # for now
            - git # history
            - \"cargo\"
          http: [] # wide
          secrets: [\"TOKEN\"]
      - {id: flow, uses: exec, with: {run: x}, grants: {exec: []}}
      - {id: flown, uses: exec, grants: {exec: [\"git\"], http: []}, with: {run: x}}
"
    );
    assert_eq!(
        diff,
        "\
--- a/ci.yaml
+++ b/ci.yaml
@@ -4,12 +4,17 @@
     steps:
       - id: fetch # first
         uses: http-get # of the shop
+        grants:
+          http: [\"GET https://a.example/x\"]
+          artifacts: []
         with: {url: 'https://a.example/x'}
 
       - id: script
         run: |
           echo one
           echo two
+        grants:
+          exec: [\"sh\"]
 
         # The last one.
       - id: listed
@@ -17,8 +22,8 @@
         grants:
           exec: # for now
             - git # history
-            - make
-            - sh # the shell
+            - \"cargo\"
-          http: [ 'GET https://a.example/*' ] # wide
+          http: [] # wide
+          secrets: [\"TOKEN\"]
-      - {id: flow, uses: exec, with: {run: x}}
+      - {id: flow, uses: exec, with: {run: x}, grants: {exec: []}}
-      - {id: flown, uses: exec, grants: {exec: [git, sh]}, with: {run: x}}
+      - {id: flown, uses: exec, grants: {exec: [\"git\"], http: []}, with: {run: x}}
"
    );
}

#[test]
fn odd_layouts_are_changed_too() {
    for (text, wanted, expected) in [
        // No line feed at the end.
        ("steps:\n  - uses: exec", &["git"][..], "steps:\n  - uses: exec\n    grants:\n      exec: [\"git\"]"),
        ("steps:\n- run: make\n", &["sh"], "steps:\n- run: make\n  grants:\n    exec: [\"sh\"]\n"),
        ("steps:\r\n  - uses: exec\r\n", &[], "steps:\r\n  - uses: exec\r\n    grants:\r\n      exec: []\r\n"),
        ("steps:\n  - uses: exec\n    grants: {}\n", &[], "steps:\n  - uses: exec\n    grants: {exec: []}\n"),
        (
            "steps:\n  - uses: exec\n    grants:\n      exec:\n",
            &["a"],
            "steps:\n  - uses: exec\n    grants:\n      exec: [\"a\"]\n",
        ),
        (
            "steps:\n  - uses: exec\n    grants:\n      exec:\n      - a\n      - b\n",
            &[],
            "steps:\n  - uses: exec\n    grants:\n      exec: []\n",
        ),
        (
            "steps:\n  - grants:\n      exec: [a,\n        b]\n    uses: exec\n",
            &["b"],
            "steps:\n  - grants:\n      exec: [\"b\"]\n    uses: exec\n",
        ),
        (
            "steps:\n  - uses: exec\n    grants:\n      http: []\n",
            &["b"],
            "steps:\n  - uses: exec\n    grants:\n      http: []\n      exec: [\"b\"]\n",
        ),
    ] {
        let (new, _) = amended(text, &[("step-1", &[(EXEC, wanted)])]);
        assert_eq!(new, expected);
    }
}

#[test]
fn a_patch_tells_where_a_text_has_no_last_line_feed() {
    let (_, diff) = amended("steps:\n  - uses: exec", &[("step-1", &[(EXEC, &[])])]);
    assert_eq!(
        diff,
        "--- a/ci.yaml\n+++ b/ci.yaml\n@@ -1,2 +1,4 @@\n steps:\n-  - uses: exec\n\\ No newline at end of file\n+  - uses: \
         exec\n+    grants:\n+      exec: []\n\\ No newline at end of file\n"
    );
}

#[test]
fn grants_behind_an_alias_are_left_alone() {
    let text = "steps:\n  - id: a\n    uses: exec\n    grants: &less\n      exec: [git]\n  - id: b\n    uses: exec\n    grants: *less\n";
    let source = Source::new("ci.yaml", text);
    let workflow = crate::parse(&source).0.unwrap();
    let step = workflow.jobs[0].steps[1].span;
    let grants = IndexMap::from([(EXEC, Vec::new())]);
    assert_eq!(amend(&source, &[Amendment { step, grants }]), (Vec::new(), vec![step]));
}

#[test]
fn grants_that_others_share_are_left_alone() {
    let text = "steps:\n  - id: a\n    uses: exec\n    grants: &less\n      exec: [git]\n  - id: b\n    uses: exec\n    grants: *less\n";
    let source = Source::new("ci.yaml", text);
    let workflow = crate::parse(&source).0.unwrap();
    let step = workflow.jobs[0].steps[0].span;
    let grants = IndexMap::from([(EXEC, Vec::new())]);
    assert_eq!(amend(&source, &[Amendment { step, grants }]), (Vec::new(), vec![step]));
}
