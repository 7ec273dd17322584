//! What policies say, in one form: without places, comments and order.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use sluice_model::Digest;
use sluice_model::grant::Capability;

use super::{Bounds, Layer, PluginRule, Switch};

/// What a layer says; an empty mapping if it says nothing.
pub fn layer(layer: &Layer) -> Value {
    let mut said = Map::new();
    if layer.workspace != "." {
        said.insert("workspace".to_owned(), Value::String(layer.workspace.clone()));
    }
    if let Some(plugins) = &layer.plugins {
        said.insert("plugins".to_owned(), plugin_rules(&plugins.rules));
    }
    bounds(&layer.bounds, &mut said);
    if let Some(unconfined) = layer.unconfined.filter(|switch| !switch.value) {
        said.insert("unconfined".to_owned(), Value::Bool(unconfined.value));
    }
    let sections: BTreeSet<String> = layer
        .sections
        .iter()
        .filter_map(|section| {
            let mut said = Map::new();
            bounds(&section.bounds, &mut said);
            let empty = said.is_empty();
            said.insert("plugins".to_owned(), plugin_rules(&section.plugins));
            (!empty).then(|| Value::Object(said).to_string())
        })
        .collect();
    if !sections.is_empty() {
        let sections = sections.iter().filter_map(|section| serde_json::from_str(section).ok()).collect();
        said.insert("for".to_owned(), Value::Array(sections));
    }
    Value::Object(said)
}

fn bounds(bounds: &Bounds, said: &mut Map<String, Value>) {
    let mut grants = Map::new();
    for capability in Capability::ALL {
        if let Some(listed) = bounds.grants.get(&capability) {
            let spellings: BTreeSet<String> = listed.rules.iter().map(ToString::to_string).collect();
            grants.insert(capability.as_str().to_owned(), json!(spellings));
        }
    }
    if !grants.is_empty() {
        said.insert("grants".to_owned(), Value::Object(grants));
    }
    for switch in Switch::ALL {
        // One that is on is the same as silence.
        if bounds.switches.get(&switch).is_some_and(|switch| !switch.value) {
            said.insert(switch.as_str().to_owned(), Value::Bool(false));
        }
    }
}

fn plugin_rules(rules: &[PluginRule]) -> Value {
    let spellings: BTreeSet<String> = rules.iter().map(ToString::to_string).collect();
    json!(spellings)
}

/// Of all layers that say anything, each once.
pub fn digest(layers: &[Layer]) -> Option<Digest> {
    let said: BTreeSet<String> =
        layers.iter().map(layer).filter(|said| said != &json!({})).map(|said| said.to_string()).collect();
    if said.is_empty() {
        return None;
    }
    let mut hasher = Sha256::new();
    for layer in said {
        // JSON has no line break outside of texts, and none in them.
        hasher.update(layer.as_bytes());
        hasher.update(b"\n");
    }
    Some(Digest::from_bytes(hasher.finalize().into()))
}
