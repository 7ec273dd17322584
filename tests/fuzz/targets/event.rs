//! A line of a record is refused, or is an event that is written and read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_model::Event;

fuzz_target!(|line: &[u8]| {
    let Ok(event) = serde_json::from_slice::<Event>(line) else { return };
    let written = serde_json::to_vec(&event).expect("an event is representable in JSON");
    assert!(!written.contains(&b'\n'), "an event is one line");
    let read: Event = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(serde_json::to_vec(&read).expect("the same event"), written);
});
