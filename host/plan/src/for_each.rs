//! The items of a step with `for-each`.

use serde_json::Value;

/// More items than this are refused.
pub const MAX_ITEMS: usize = 1000;

/// The items of a value that should be a list.
///
/// # Errors
/// What is wrong with it, to follow the words "`for-each` of step `x`".
pub fn items(value: Value) -> Result<Vec<Value>, String> {
    match value {
        Value::Array(items) if items.len() <= MAX_ITEMS => Ok(items),
        Value::Array(items) => Err(format!("has {} items; at most {MAX_ITEMS} are possible", items.len())),
        _ => Err("is no list".to_owned()),
    }
}
