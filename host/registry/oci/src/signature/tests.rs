//! Signatures that `cosign` 3.1 made of one artifact with one key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sluice_model::IdentityPattern;

use super::*;

const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEtiT+3ObZ7J/jO+8F0i9nRTSazCp5
IarrMXhWsc4S2d1BPaDcfMLvNKvjOC1e5djs8U7gj0USogbwp95O1+6yTw==
-----END PUBLIC KEY-----
";
const MANIFEST: &str = "sha256:8c655d7dd0eacd52e49008925207385e9021267f038a7e00fbc6ffe65f867428";
const PAYLOAD: &str = r#"{"critical":{"identity":{"docker-reference":"127.0.0.1:5599/acme/greet"},"image":{"docker-manifest-digest":"sha256:8c655d7dd0eacd52e49008925207385e9021267f038a7e00fbc6ffe65f867428"},"type":"cosign container image signature"},"optional":null}"#;
const SIGNATURE: &str =
    "MEUCIDa1YAnxml+AIFUH7P8Kii3/9wPAo0yAYmZW3BuUpFfpAiEAw/JWnHYM2EX58jXJ+Eh9gRl0rg5k1c2AnxDmDLp2YRU=";
const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"8c655d7dd0eacd52e49008925207385e9021267f038a7e00fbc6ffe65f867428"},"annotations":{}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}"#;
const ENVELOPE: &str =
    "MEUCIQD7nLtHnxjIjEw8B+u9iqvVUYxgAoVqA4DMvvOULTH3AAIgFqVZGTd6CYOmqorauim9i2GUr/Zn/eVpS8GSkRV1dSw=";

fn simple(payload: &str, signature: &str) -> Material {
    Material::Simple {
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        signature: signature.into(),
        certified: None,
    }
}

fn bundle(change: impl FnOnce(&mut Value)) -> Material {
    let mut bundle = json!({
        "mediaType": bundle::TYPE,
        "verificationMaterial": {"publicKey": {"hint": "x"}},
        "dsseEnvelope": {
            "payload": STANDARD.encode(STATEMENT),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": ENVELOPE}],
        },
    });
    change(&mut bundle);
    Material::Bundle(bundle.to_string().into())
}

fn check(material: Material) -> Result<Signer, String> {
    let key = PublicKey::from_pem(KEY).unwrap();
    verify(MANIFEST.parse().unwrap(), &[material], &Trusted::Key(key)).map_err(|reason| reason.to_string())
}

#[test]
fn signatures_of_the_artifact_count() {
    let key = PublicKey::from_pem(KEY).unwrap().digest();
    assert_eq!(check(simple(PAYLOAD, SIGNATURE)), Ok(Signer::Key(key)));
    assert_eq!(check(bundle(|_| {})), Ok(Signer::Key(key)));
}

#[test]
fn what_is_kept_is_read_again() {
    let certified = Some(Certified { certificate: "-----".into(), entry: "{}".into() });
    let keyless = Material::Simple { payload: PAYLOAD.into(), signature: SIGNATURE.into(), certified };
    let all = [simple(PAYLOAD, SIGNATURE), bundle(|_| {}), keyless];
    assert_eq!(from_json(&to_json(&all)), all);
    for text in ["", "{}", "[{}, 5, {\"bundle\": \"?\"}]"] {
        assert_eq!(from_json(text.as_bytes()), []);
    }
}

#[test]
fn anything_else_does_not() {
    let forged = Err("none of its signatures counts: it is not by this key".to_owned());
    assert_eq!(check(simple(&PAYLOAD.replace("greet", "great"), SIGNATURE)), forged);
    assert_eq!(check(simple(PAYLOAD, ENVELOPE)), forged);
    assert_eq!(check(simple(PAYLOAD, "")), forged);
    assert_eq!(check(bundle(|bundle| bundle["dsseEnvelope"]["signatures"] = json!([]))), forged);
    let other = STATEMENT.replace("8c655d7d", "8c655d7e");
    assert_eq!(check(bundle(|bundle| bundle["dsseEnvelope"]["payload"] = STANDARD.encode(other).into())), forged);
    for (name, value) in
        [("mediaType", json!("x")), ("verificationMaterial", json!({"certificate": {}})), ("dsseEnvelope", json!({}))]
    {
        assert!(check(bundle(|bundle| bundle[name] = value)).is_err(), "{name}");
    }
    let key = PublicKey::from_pem(KEY).unwrap();
    let elsewhere = digest_of_nothing();
    let all = [simple(PAYLOAD, SIGNATURE), bundle(|_| {})];
    assert_eq!(
        verify(elsewhere, &all, &Trusted::Key(key.clone())),
        Err(Reason::NoneFits(vec!["it is of another artifact".into()]))
    );
    assert_eq!(verify(elsewhere, &[], &Trusted::Key(key)), Err(Reason::Unsigned));
    let identity = Identity {
        subject: IdentityPattern::parse("me@example.org").unwrap(),
        issuer: "https://example.org".into(),
        roots: Roots::public().unwrap(),
    };
    assert_eq!(
        verify(MANIFEST.parse().unwrap(), &all, &Trusted::Identity(Box::new(identity))),
        Err(Reason::NoneFits(vec!["it is by a key, not by an identity".into()]))
    );
}

fn digest_of_nothing() -> Digest {
    crate::digest_of(b"")
}

#[test]
fn only_keys_that_are_understood_are_read() {
    for text in [
        "",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        &KEY.replace("MFkw", "MFkx"),
        &KEY.replace("PUBLIC", "PRIVATE"),
    ] {
        assert!(PublicKey::from_pem(text).is_err(), "{text}");
    }
}
