//! A log.

use sluice_model::Event;
use sluice_report::{Look, Plain, json};

use crate::events::{failing_run, passing_run};
use crate::{COLOR, UNICODE, options, visible};

fn plain(look: Look, events: &[Event]) -> String {
    let mut plain = Plain::new(options(look), 80);
    let mut out = Vec::new();
    for event in events {
        plain.on_event(event, &mut out).unwrap();
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn a_failing_run() {
    insta::assert_snapshot!(plain(UNICODE, &failing_run()));
}

#[test]
fn a_passing_run() {
    insta::assert_snapshot!(plain(UNICODE, &passing_run()));
}

#[test]
fn colour_is_all_that_colour_adds() {
    let colored = plain(COLOR, &failing_run());
    assert!(colored.contains('\u{1b}'));
    let mut stripped = String::new();
    for part in visible(&colored).split('␛').enumerate() {
        match part {
            (0, text) => stripped.push_str(text),
            (_, text) => stripped.push_str(text.split_once('m').unwrap().1),
        }
    }
    assert_eq!(stripped, plain(UNICODE, &failing_run()));
}

#[test]
fn json_is_one_event_a_line() {
    let mut out = Vec::new();
    let events = failing_run();
    for event in &events {
        json::write(event, &mut out).unwrap();
    }
    let text = String::from_utf8(out).unwrap();
    let read: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, events);
}
