//! Manifests of artifacts: which blob is the component.

use serde_json::{Value, json};
use sluice_model::Digest;

pub const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
pub const WASM_LAYER: &str = "application/wasm";

/// Longest list that is looked through.
const MAX_ENTRIES: usize = 1000;

/// What a manifest leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The component's bytes.
    Component { digest: Digest, size: u64 },
    /// An index: the one manifest in it that is for WebAssembly.
    Manifest { digest: Digest },
}

/// Reads a manifest or an index.
///
/// # Errors
/// Why no component can be found by it.
pub fn read(bytes: &[u8]) -> Result<Content, String> {
    let manifest: Value = serde_json::from_slice(bytes).map_err(|_| "its manifest is no JSON".to_owned())?;
    if manifest["schemaVersion"] != 2 {
        return Err("its manifest has another version than 2".into());
    }
    match (manifest["manifests"].as_array(), manifest["layers"].as_array()) {
        (Some(entries), None) => index(entries),
        (None, Some(layers)) => layer(&manifest, layers),
        _ => Err("its manifest is neither of an artifact nor an index".into()),
    }
}

fn layer(manifest: &Value, layers: &[Value]) -> Result<Content, String> {
    let of_wasm = |layer: &&Value| layer["mediaType"] == WASM_LAYER;
    let mut found = layers.iter().take(MAX_ENTRIES).filter(of_wasm);
    match (found.next(), found.next()) {
        (Some(layer), None) => {
            let size = layer["size"].as_u64().ok_or("a layer of its manifest has no size")?;
            Ok(Content::Component { digest: digest(layer)?, size })
        }
        (Some(_), Some(_)) => Err(format!("it has several layers of the type `{WASM_LAYER}`")),
        (None, _) => {
            let config = manifest["config"]["mediaType"].as_str().unwrap_or("nothing").escape_debug().to_string();
            Err(format!("it has no layer of the type `{WASM_LAYER}`; its configuration is of the type `{config}`"))
        }
    }
}

/// Signatures and statements stand in an index too, for platforms of other names.
fn index(entries: &[Value]) -> Result<Content, String> {
    let of_wasm = |entry: &&Value| entry["platform"]["architecture"] == "wasm";
    let mut found = entries.iter().take(MAX_ENTRIES).filter(of_wasm);
    match (found.next(), found.next(), entries) {
        (Some(entry), None, _) | (None, _, [entry]) => Ok(Content::Manifest { digest: digest(entry)? }),
        (Some(_), Some(_), _) => Err("its index has several manifests for WebAssembly: name one by its digest".into()),
        (None, _, _) => Err("its index has no manifest for the architecture `wasm`".into()),
    }
}

fn digest(entry: &Value) -> Result<Digest, String> {
    let digest = entry["digest"].as_str().and_then(|text| text.parse().ok());
    digest.ok_or_else(|| "its manifest names something by no SHA-256 digest".into())
}

/// The manifest of a component; `annotations` is an object.
pub fn write(config: (Digest, usize), component: (Digest, usize), annotations: &Value) -> Vec<u8> {
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": {"mediaType": WASM_CONFIG, "digest": config.0, "size": config.1},
        "layers": [{"mediaType": WASM_LAYER, "digest": component.0, "size": component.1}],
        "annotations": annotations,
    });
    manifest.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: Value) -> Result<Content, String> {
        read(value.to_string().as_bytes())
    }

    #[test]
    fn the_component_is_found() {
        let digest = Digest::from_bytes([7; 32]);
        let written = write((Digest::from_bytes([1; 32]), 3), (digest, 5), &json!({}));
        assert_eq!(read(&written), Ok(Content::Component { digest, size: 5 }));
        let wasm = json!({"digest": digest, "platform": {"architecture": "wasm", "os": "wasip2"}});
        let other = json!({"digest": Digest::from_bytes([2; 32]), "platform": {"architecture": "amd64"}});
        let entries = json!({"schemaVersion": 2, "manifests": [other, wasm]});
        assert_eq!(of(entries), Ok(Content::Manifest { digest }));
    }

    #[test]
    fn what_is_no_component_is_explained() {
        let image = json!({"schemaVersion": 2, "config": {"mediaType": "application/vnd.oci.image.config.v1+json"}, "layers": [{"mediaType": "x"}]});
        assert_eq!(
            of(image).unwrap_err(),
            "it has no layer of the type `application/wasm`; its configuration is of the type \
             `application/vnd.oci.image.config.v1+json`"
        );
        let layer = json!({"mediaType": "application/wasm", "digest": "sha512:00", "size": 1});
        for value in [
            json!({}),
            json!({"schemaVersion": 1, "layers": []}),
            json!({"schemaVersion": 2}),
            json!({"schemaVersion": 2, "layers": [layer]}),
            json!({"schemaVersion": 2, "layers": [layer, layer]}),
            json!({"schemaVersion": 2, "manifests": []}),
            json!({"schemaVersion": 2, "manifests": [{"platform": {"architecture": "wasm"}}, {"platform": {"architecture": "wasm"}}]}),
        ] {
            assert!(of(value.clone()).is_err(), "{value}");
        }
    }
}
