//! JSON values <-> CEL values, and how values read inside text.

use std::collections::HashMap;
use std::sync::Arc;

use cel::objects::Key;
use serde_json::{Map, Value};

pub fn from_json(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => cel::Value::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => cel::Value::Int(value),
            (None, Some(value)) => cel::Value::UInt(value),
            (None, None) => cel::Value::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(items) => cel::Value::List(Arc::new(items.iter().map(from_json).collect())),
        Value::Object(entries) => {
            let map: HashMap<Key, cel::Value> =
                entries.iter().map(|(key, value)| (Key::from(key.as_str()), from_json(value))).collect();
            cel::Value::Map(cel::objects::Map { map: Arc::new(map) })
        }
    }
}

/// The keys of mappings come out sorted: CEL keeps no order. The error says what has no place in JSON.
pub fn to_json(value: &cel::Value) -> Result<Value, String> {
    Ok(match value {
        cel::Value::Null => Value::Null,
        cel::Value::Bool(value) => Value::Bool(*value),
        cel::Value::Int(value) => Value::from(*value),
        cel::Value::UInt(value) => Value::from(*value),
        cel::Value::Float(value) => {
            serde_json::Number::from_f64(*value).map(Value::Number).ok_or("a number that is not finite")?
        }
        cel::Value::String(text) => Value::String(text.to_string()),
        cel::Value::List(items) => Value::Array(items.iter().map(to_json).collect::<Result<_, _>>()?),
        cel::Value::Map(map) => {
            let mut entries = Vec::with_capacity(map.map.len());
            for (key, value) in map.map.iter() {
                let Key::String(key) = key else { return Err("a mapping with a key that is not text".to_owned()) };
                entries.push((key.to_string(), to_json(value)?));
            }
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect::<Map<_, _>>())
        }
        other => return Err(format!("of the type `{}`, which is no JSON value", other.type_of())),
    })
}

/// How a value reads inside text. The error says what it is instead of a scalar.
pub fn as_text(value: &Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(describe(value)),
    }
}

/// With an article.
pub fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
