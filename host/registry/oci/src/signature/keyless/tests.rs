//! A signature of servers that ran on loopback.

mod signed;

use serde_json::Value;

use super::*;

/// A text, changed.
fn bent(text: &str, bend: impl FnOnce(&mut Value)) -> String {
    let mut bundle = serde_json::from_str(text).unwrap();
    bend(&mut bundle);
    bundle.to_string()
}

fn set(text: &str, pointer: &str, value: Value) -> String {
    bent(text, |bundle| *bundle.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value)
}

/// One letter of a text in base64 is another one, in the middle.
fn letter(text: &str, pointer: &str) -> String {
    bent(text, |bundle| {
        let value = bundle.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}"));
        let mut text = value.as_str().unwrap().to_owned().into_bytes();
        let middle = text.len() / 2;
        text[middle] = if text[middle] == b'A' { b'B' } else { b'A' };
        *value = String::from_utf8(text).unwrap().into();
    })
}

fn without(text: &str, pointer: &str, name: &str) -> String {
    bent(text, |bundle| {
        let parent = bundle.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")).as_object_mut().unwrap();
        assert!(parent.remove(name).is_some(), "{name}");
    })
}
