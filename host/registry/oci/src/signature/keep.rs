//! What was fetched, as JSON: signatures need not be fetched again, and whoever changes what is kept only spoils it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Certified, Material};

/// The materials as one line of JSON.
pub fn to_json(materials: &[Material]) -> Vec<u8> {
    let all = materials.iter().map(|material| match material {
        Material::Simple { payload, signature, certified: None } => {
            json!({"payload": STANDARD.encode(payload), "signature": signature})
        }
        Material::Simple { payload, signature, certified: Some(Certified { certificate, entry }) } => json!({
            "payload": STANDARD.encode(payload), "signature": signature, "certificate": certificate, "entry": entry,
        }),
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
                    let text = |name: &str| entry[name].as_str().map(str::to_owned);
                    let certified = text("certificate").zip(text("entry"));
                    let certified = certified.map(|(certificate, entry)| Certified { certificate, entry });
                    Some(Material::Simple { payload: decoded("payload")?, signature: signature.to_owned(), certified })
                }
                None => Some(Material::Bundle(decoded("bundle")?)),
            }
        })
        .collect()
}
