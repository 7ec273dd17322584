//! What was fetched, as JSON: signatures need not be fetched again, and whoever changes what is kept only spoils it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Material;

/// The materials as one line of JSON.
pub fn to_json(materials: &[Material]) -> Vec<u8> {
    let all = materials.iter().map(|material| match material {
        Material::Simple { payload, signature } => json!({"payload": STANDARD.encode(payload), "signature": signature}),
        Material::Bundle(bundle) => json!({"bundle": STANDARD.encode(bundle)}),
    });
    Value::Array(all.collect()).to_string().into_bytes()
}

/// What [`to_json`] wrote; whatever else stands there is left out.
pub fn from_json(bytes: &[u8]) -> Vec<Material> {
    let all: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let entries = all.as_array().into_iter().flatten();
    entries
        .filter_map(|entry| {
            let decoded = |name: &str| Some(STANDARD.decode(entry[name].as_str()?).ok()?.into());
            match entry["signature"].as_str() {
                Some(signature) => {
                    Some(Material::Simple { payload: decoded("payload")?, signature: signature.to_owned() })
                }
                None => Some(Material::Bundle(decoded("bundle")?)),
            }
        })
        .collect()
}
