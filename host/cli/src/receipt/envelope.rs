//! DSSE: <https://github.com/secure-systems-lab/dsse/blob/master/envelope.md>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::key::{PublicKey, SigningKey};

/// An in-toto statement.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
struct Signature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// What is signed: type and payload with their lengths, so that neither can be read as a part of the other.
fn pre_authentication_encoding(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// The statement, signed, as a line of JSON.
pub fn seal(statement: &Value, key: &SigningKey) -> String {
    let payload = statement.to_string();
    let sig = STANDARD.encode(key.sign(&pre_authentication_encoding(payload.as_bytes())));
    let envelope = Envelope {
        payload_type: PAYLOAD_TYPE.to_owned(),
        payload: STANDARD.encode(payload),
        signatures: vec![Signature { keyid: key.public().id(), sig }],
    };
    // Texts, written to memory: there is nothing to fail.
    format!("{}\n", serde_json::to_string(&envelope).unwrap_or_default())
}

/// The statement, if this key signed it; otherwise why not.
pub fn open(text: &[u8], key: &PublicKey) -> Result<Value, String> {
    let envelope: Envelope = serde_json::from_slice(text).map_err(|error| format!("it is no envelope: {error}"))?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(format!("it holds `{}`, not `{PAYLOAD_TYPE}`", envelope.payload_type.escape_debug()));
    }
    let payload = STANDARD.decode(&envelope.payload).map_err(|error| format!("its payload is not base64: {error}"))?;
    let signed = pre_authentication_encoding(&payload);
    let fits = |signature: &Signature| STANDARD.decode(&signature.sig).is_ok_and(|sig| key.verify(&signed, &sig));
    if !envelope.signatures.iter().any(fits) {
        return Err("no signature in it is of this key".to_owned());
    }
    serde_json::from_slice(&payload).map_err(|error| format!("its statement is not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_and_payload_are_signed_with_their_lengths() {
        let signed = pre_authentication_encoding(b"{}");
        assert_eq!(String::from_utf8(signed).unwrap(), "DSSEv1 28 application/vnd.in-toto+json 2 {}");
    }
}
