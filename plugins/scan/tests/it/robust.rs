//! Any bytes can be scanned.

use proptest::prelude::*;
use sluice_plugin_scan::{Scanner, rules};

/// Bytes with keywords in between, cut anywhere, so that every rule gets to see nonsense.
fn nonsense() -> impl Strategy<Value = Vec<u8>> {
    let keywords: Vec<&'static str> = rules().flat_map(|rule| rule.keywords.iter().copied()).collect();
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..24),
        proptest::sample::select(keywords).prop_map(|keyword| keyword.as_bytes().to_vec()),
        proptest::sample::select(vec!["=", ": ", "\"", "'", "\n", "-----", "{A", "@", "é", "\\n", "\\\"", ">", "<"])
            .prop_map(|sign| sign.as_bytes().to_vec()),
        "[A-Za-z0-9_.+/=-]{0,80}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn places_are_in_the_file_and_in_order(bytes in nonsense()) {
        let scanner = Scanner::new(&[], &[]).expect("nothing is disabled or allowed");
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
        let mut last = (1, 1);
        for finding in scanner.scan("a.env", &bytes) {
            let span = finding.span.expect("every finding has a place");
            let (start, end) = ((span.start_line, span.start_column), (span.end_line, span.end_column));
            prop_assert!(last <= start && start < end && span.end_line <= lines, "{last:?} {span:?}");
            last = end;
        }
    }
}
