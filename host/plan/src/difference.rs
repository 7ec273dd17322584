//! What differs between two documents, for people: knows JSON, and nothing of what stands in it.

use serde_json::{Map, Value};

/// A value that is not the same on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Keys from the root; an item of a list of mappings is named by its `id`, or its `name`, any other by its position.
    pub path: Vec<String>,
    /// `None` if it is new.
    pub old: Option<Value>,
    /// `None` if it is gone.
    pub new: Option<Value>,
}

/// All differences, in the order of the old document, what is new last.
pub fn differences(old: &Value, new: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&mut Vec::new(), Some(old), Some(new), &mut found);
    found
}

fn compare(path: &mut Vec<String>, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Difference>) {
    if old == new {
        return;
    }
    let entries = match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => Some((by_key(old), by_key(new))),
        (Some(Value::Array(old)), Some(Value::Array(new))) => by_identity(old).zip(by_identity(new)).or_else(|| {
            // Lists of plain values are short and best read whole.
            let nested = |list: &[Value]| list.iter().any(|item| item.is_object() || item.is_array());
            (nested(old) && nested(new)).then(|| (by_position(old), by_position(new)))
        }),
        _ => None,
    };
    let Some((old_entries, new_entries)) = entries else {
        found.push(Difference { path: path.clone(), old: old.cloned(), new: new.cloned() });
        return;
    };
    let before = found.len();
    let of = |entries: &[(String, &Value)], key: &str| entries.iter().position(|(other, _)| other == key);
    for (key, value) in &old_entries {
        path.push(key.clone());
        compare(path, Some(value), of(&new_entries, key).map(|at| new_entries[at].1), found);
        path.pop();
    }
    for (key, value) in new_entries.iter().filter(|(key, _)| of(&old_entries, key).is_none()) {
        path.push(key.clone());
        compare(path, None, Some(value), found);
        path.pop();
    }
    if found.len() == before {
        // The same items in another order.
        let order = |entries: &[(String, &Value)]| entries.iter().map(|(key, _)| Value::from(key.as_str())).collect();
        let mut path = path.clone();
        path.push("order".to_owned());
        found.push(Difference { path, old: Some(order(&old_entries)), new: Some(order(&new_entries)) });
    }
}

type Entries<'v> = Vec<(String, &'v Value)>;

fn by_key(object: &Map<String, Value>) -> Entries<'_> {
    object.iter().map(|(key, value)| (key.clone(), value)).collect()
}

fn by_position(list: &[Value]) -> Entries<'_> {
    list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
}

/// `None` unless every item has an identity of its own.
fn by_identity(list: &[Value]) -> Option<Entries<'_>> {
    let identity = |item: &Value| item.get("id").or_else(|| item.get("name"))?.as_str().map(str::to_owned);
    let mut entries: Entries<'_> = Vec::with_capacity(list.len());
    for item in list {
        let key = identity(item).filter(|key| entries.iter().all(|(other, _)| other != key))?;
        entries.push((key, item));
    }
    Some(entries)
}
