//! Any text is a manifest or has problems, each at a place that is in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_model::{Manifest, Source};

fuzz_target!(|text: &str| {
    let Err(problems) = Manifest::parse(&Source::new("plugin.yaml", text)) else { return };
    assert!(!problems.is_empty());
    for label in problems.iter().flat_map(|problem| &problem.labels) {
        assert!(text.get(label.span.start..label.span.end).is_some(), "{label:?} is no place in the text");
    }
});
