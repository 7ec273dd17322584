//! Any text is a lock or has problems, each at a place that is in the text; a lock is read as it is printed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_model::lock::more;
use sluice_model::{Lock, Source};

fuzz_target!(|text: &str| {
    let lock = match Lock::parse(&Source::new("sluice.lock", text)) {
        Ok(lock) => lock,
        Err(problems) => {
            assert!(!problems.is_empty());
            for label in problems.iter().flat_map(|problem| &problem.labels) {
                assert!(text.get(label.span.start..label.span.end).is_some(), "{label:?} is no place in the text");
            }
            return;
        }
    };
    let printed = lock.to_string();
    let again = Lock::parse(&Source::new("sluice.lock", printed.as_str())).unwrap_or_else(|problems| {
        panic!("what was printed is refused: {problems:?}\n{printed}");
    });
    assert_eq!(again, lock, "{printed}");
    assert_eq!(again.to_string(), printed);
    for locked in lock.plugins() {
        let declared = locked.declared.as_ref();
        assert!(more(declared, declared).is_empty(), "a plugin asks for more than itself");
        assert_eq!(lock.get(&locked.reference), Some(locked));
    }
});
