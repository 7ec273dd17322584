//! A file a case in `tests/bad`: what people get told about it.

use std::collections::BTreeSet;
use std::path::Path;

use sluice_model::Source;

use crate::render;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad")
}

#[test]
fn bad_workflows() {
    let mut codes = BTreeSet::new();
    let mut cases: Vec<_> =
        std::fs::read_dir(folder()).expect("the cases").map(|entry| entry.expect("a case").path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    cases.sort();
    assert!(cases.len() >= 25);
    for path in cases {
        let text = std::fs::read_to_string(&path).expect("a readable case");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let source = Source::new(name.as_str(), text);
        let (_, problems) = sluice_workflow::parse(&source);
        assert!(!problems.is_empty(), "nothing is wrong with {name}");
        for problem in &problems {
            assert_eq!(problem.source.as_ref(), Some(&source));
            codes.insert(problem.code);
        }
        insta::with_settings!({ snapshot_path => "../bad", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.trim_end_matches(".yaml"), render::problems(&source, &problems));
        });
    }
    // What cannot be a file of a few lines, or is not told by `parse`, is tested beside it.
    let elsewhere = [
        "workflow::too-large",
        "workflow::expression",
        "workflow::unknown-input",
        "workflow::invalid-input",
        "workflow::missing-input",
        "workflow::call-depth",
    ];
    let missing: Vec<_> = sluice_workflow::CODES
        .iter()
        .map(|e| e.code)
        .filter(|code| !codes.contains(code) && !elsewhere.contains(code))
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "codes without a case in {}", folder().display());
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let source = Source::new("big.yaml", "#".repeat(10 << 20));
    let (workflow, problems) = sluice_workflow::parse(&source);
    assert!(workflow.is_none());
    insta::assert_snapshot!(render::problems(&source, &problems), @r#"
    workflow::too-large
      `big.yaml` is too large: 10485760 bytes, at most 1048576 are read
    "#);
}

#[test]
fn a_flood_of_problems_is_cut() {
    let text = format!("steps:\n- run: x\n{}", (0..5000).map(|i| format!("  field{i}: x\n")).collect::<String>());
    assert_eq!(sluice_workflow::parse(&Source::new("flood.yaml", text)).1.len(), 100);
}

/// Every code in the sources is in the table, every code in the table is used and explained.
#[test]
fn every_code_is_explained() {
    fn read(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).expect("the sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                read(&path, text);
            } else if !path.ends_with("codes.rs") {
                *text += &std::fs::read_to_string(path).expect("a source");
            }
        }
    }
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut text = String::new();
    read(&sources, &mut text);
    assert!(!text.contains("\"workflow::"), "codes are named by their constants, which are in the table");
    let table = std::fs::read_to_string(sources.join("codes.rs")).expect("the table");
    for explanation in sluice_workflow::CODES {
        let constant = table
            .lines()
            .find(|line| line.contains(&format!("= \"{}\":", explanation.code)))
            .expect("a line of the table");
        let constant = constant.trim().split(' ').next().expect("its name");
        assert!(text.contains(&format!("codes::{constant}")), "{constant} is not used");
        assert!(explanation.text.len() > explanation.title.len(), "{constant} is not explained");
        assert!(!explanation.title.ends_with('.'), "{constant}");
    }
}
