//! An instance of Sigstore in a few keys: an authority of certificates, its log, and a log of signatures. It makes what
//! Fulcio, a CT log and Rekor answer with, and what each of them would never answer. The real `cosign` says in the tests
//! which is which.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SigningKey,
    date_time_ymd,
};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

/// In the one day of all certificates, long ago: what counts is when something was signed.
const SIGNED_AT: u64 = 1_714_564_800;
const TWO_DAYS: u64 = 2 * 24 * 60 * 60;
const ORIGIN: &str = "rekor.example.org";
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

type Authority = CertifiedIssuer<'static, KeyPair>;

pub struct Instance {
    fulcio: Authority,
    ct_log: KeyPair,
    rekor: KeyPair,
}

/// What is wrong with a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    Nothing,
    /// The certificate is by somebody with the authority's name.
    Authority,
    /// The certificate is for a server.
    Usage,
    /// The certificate stands in no log of certificates, or says so itself.
    NotLogged,
    LoggedBySelf,
    /// It was made when the certificate had ended.
    Late,
    /// Nobody says when it was made.
    Undated,
    /// The date is by another log.
    Date,
    /// The log does not lead to its entry.
    Proof,
    /// The log's head is signed by somebody with its name.
    Head,
    /// The entry is of another signature.
    Entry,
    /// Another key than that of the certificate made it.
    Signature,
    /// What was signed was exchanged.
    Payload,
}

impl Instance {
    pub fn new() -> Self {
        Self { fulcio: authority(), ct_log: key(), rekor: key() }
    }

    /// Its files for `cosign trusted-root create`: certificate of the authority, keys of the two logs.
    pub fn files(&self) -> [(&'static str, String); 3] {
        [
            ("fulcio.pem", self.fulcio.pem()),
            ("ct.pub", self.ct_log.public_key_pem()),
            ("rekor.pub", self.rekor.public_key_pem()),
        ]
    }

    /// A bundle as `cosign sign` makes it, of the artifact whose manifest has this digest (in hex).
    pub fn sign(&self, manifest: &str, identity: &str, issuer: &str, wrong: Wrong) -> Value {
        let key = key();
        let certificate = self.certificate(&key, identity, issuer, wrong);
        let statement = |hex: &str| {
            json!({
                "_type": "https://in-toto.io/Statement/v1",
                "subject": [{"digest": {"sha256": hex}, "annotations": {}}],
                "predicateType": "https://sigstore.dev/cosign/sign/v1",
                "predicate": {},
            })
            .to_string()
        };
        let mut payload = statement(manifest);
        let mut signature = envelope_signature(&key, &payload);
        if wrong == Wrong::Signature {
            signature = envelope_signature(&self::key(), &payload);
        }
        let logged = if wrong == Wrong::Entry { envelope_signature(&key, &payload) } else { signature.clone() };
        let entry = self.entry(&payload, &logged, &certificate, wrong);
        if wrong == Wrong::Payload {
            payload = statement(&"0".repeat(64));
        }
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": STANDARD.encode(&certificate)},
                "tlogEntries": [entry],
                "timestampVerificationData": {},
            },
            "dsseEnvelope": {
                "payload": STANDARD.encode(payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": STANDARD.encode(signature)}],
            },
        })
    }

    fn certificate(&self, key: &KeyPair, identity: &str, issuer: &str, wrong: Wrong) -> Vec<u8> {
        let other = authority();
        let fulcio = if wrong == Wrong::Authority { &other } else { &self.fulcio };
        let name = identity.try_into().unwrap();
        let mut parameters = CertificateParams::default();
        parameters.not_before = date_time_ymd(2024, 5, 1);
        parameters.not_after = date_time_ymd(2024, 5, 2);
        parameters.serial_number = Some(SerialNumber::from_slice(&[7; 16]));
        parameters.distinguished_name = DistinguishedName::new();
        parameters.subject_alt_names =
            vec![if identity.contains("://") { SanType::URI(name) } else { SanType::Rfc822Name(name) }];
        parameters.use_authority_key_identifier_extension = true;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![match wrong {
            Wrong::Usage => ExtendedKeyUsagePurpose::ServerAuth,
            _ => ExtendedKeyUsagePurpose::CodeSigning,
        }];
        let fulcio_extension =
            |number, content| CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 57264, 1, number], content);
        parameters.custom_extensions =
            vec![fulcio_extension(1, issuer.into()), fulcio_extension(8, der(0x0c, issuer.as_bytes()))];
        let bare = parameters.signed_by(key, fulcio).unwrap();
        if wrong == Wrong::NotLogged {
            return bare.der().to_vec();
        }
        // What the log signs is the certificate without what it signs.
        let log = if wrong == Wrong::LoggedBySelf { key } else { &self.ct_log };
        let timestamp = (SIGNED_AT * 1000).to_be_bytes();
        let body = first(content(bare.der()));
        let issuer_key = sha256(&fulcio.key().subject_public_key_info());
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        let signed = [&[0, 0][..], &timestamp, &[0, 1], &issuer_key, &length[1..], body, &[0, 0]].concat();
        let signature = log.sign(&signed).unwrap();
        let id = sha256(&self.ct_log.subject_public_key_info());
        let logged = [&[0][..], &id, &timestamp, &[0, 0], &[4, 3], &short(&signature)].concat();
        let list = der(0x04, &short(&short(&logged)));
        parameters.custom_extensions.push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2], list));
        parameters.signed_by(key, fulcio).unwrap().der().to_vec()
    }

    /// What `cosign attach signature` wants of a signature in the older format.
    pub fn sign_older(
        &self,
        manifest: &str,
        identity: &str,
        issuer: &str,
        wrong: Wrong,
    ) -> [(&'static str, String); 4] {
        let key = key();
        let certificate = pem("CERTIFICATE", &self.certificate(&key, identity, issuer, wrong));
        let statement = |hex: &str| {
            let image = json!({"docker-manifest-digest": format!("sha256:{hex}")});
            let identity = json!({"docker-reference": "registry.example.org/acme/greet"});
            let kind = "cosign container image signature";
            json!({"critical": {"identity": identity, "image": image, "type": kind}, "optional": null}).to_string()
        };
        let mut payload = statement(manifest);
        let by = if wrong == Wrong::Signature { self::key() } else { KeyPair::from_pem(&key.serialize_pem()).unwrap() };
        let signature = STANDARD.encode(by.sign(payload.as_bytes()).unwrap());
        let logged = match wrong {
            Wrong::Entry => STANDARD.encode(key.sign(payload.as_bytes()).unwrap()),
            _ => signature.clone(),
        };
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": {"hash": {"algorithm": "sha256", "value": hex(&sha256(payload.as_bytes()))}},
                "signature": {"content": logged, "publicKey": {"content": STANDARD.encode(&certificate)}},
            },
        });
        let (dated, promise) = self.dated(&body.to_string(), wrong);
        if wrong == Wrong::Payload {
            payload = statement(&"0".repeat(64));
        }
        let entry = json!({"SignedEntryTimestamp": promise, "Payload": dated});
        let answer = json!({"base64Signature": signature, "cert": certificate, "rekorBundle": entry}).to_string();
        [("payload", payload), ("signature", signature), ("certificate", certificate), ("rekor-response", answer)]
    }

    /// The second of two entries in the log.
    fn entry(&self, payload: &str, signature: &[u8], certificate: &[u8], wrong: Wrong) -> Value {
        let hash = |text: &[u8]| json!({"algorithm": "sha256", "value": hex(&sha256(text))});
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": hash(format!("{payload}{}", STANDARD.encode(signature)).as_bytes()),
                "payloadHash": hash(payload.as_bytes()),
                "signatures": [{
                    "signature": STANDARD.encode(signature),
                    "verifier": STANDARD.encode(pem("CERTIFICATE", certificate)),
                }],
            },
        })
        .to_string();
        let neighbour = sha256(b"\0another entry");
        let leaf = sha256(&[b"\0", body.as_bytes()].concat());
        let root = sha256(&[&[1][..], &neighbour, &leaf].concat());
        let shown = if wrong == Wrong::Proof { sha256(b"\0some entry") } else { neighbour };
        let id = sha256(&self.rekor.subject_public_key_info());
        let head = format!("{ORIGIN} - 1\n2\n{}\n", STANDARD.encode(root));
        let forger = key();
        let by = if wrong == Wrong::Head { &forger } else { &self.rekor };
        let head_signature = by.sign(head.as_bytes()).unwrap();
        let head_signature = STANDARD.encode([&id[..4], &head_signature].concat());
        let (dated, promise) = self.dated(&body, wrong);
        let mut entry = json!({
            "logIndex": "1",
            "logId": {"keyId": STANDARD.encode(id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": dated["integratedTime"].to_string(),
            "inclusionPromise": {"signedEntryTimestamp": promise},
            "inclusionProof": {
                "logIndex": "1",
                "rootHash": STANDARD.encode(root),
                "treeSize": "2",
                "hashes": [STANDARD.encode(shown)],
                "checkpoint": {"envelope": format!("{head}\n\u{2014} {ORIGIN} {head_signature}\n")},
            },
            "canonicalizedBody": STANDARD.encode(&body),
        });
        if wrong == Wrong::Undated {
            entry.as_object_mut().unwrap().remove("inclusionPromise");
        }
        entry
    }

    /// What the log says of an entry, and its signature of that.
    fn dated(&self, body: &str, wrong: Wrong) -> (Value, String) {
        let time = SIGNED_AT + if wrong == Wrong::Late { TWO_DAYS } else { 0 };
        let id = sha256(&self.rekor.subject_public_key_info());
        let dated = json!({"body": STANDARD.encode(body), "integratedTime": time, "logID": hex(&id), "logIndex": 1});
        let forger = key();
        let by = if wrong == Wrong::Date { &forger } else { &self.rekor };
        let promise = by.sign(dated.to_string().as_bytes()).unwrap();
        (dated, STANDARD.encode(promise))
    }
}

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn authority() -> Authority {
    let mut parameters = CertificateParams::default();
    parameters.not_before = date_time_ymd(2024, 1, 1);
    parameters.not_after = date_time_ymd(2034, 1, 1);
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, "fulcio.example.org");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(parameters, key()).unwrap()
}

/// Over what an envelope (DSSE) signs.
fn envelope_signature(key: &KeyPair, payload: &str) -> Vec<u8> {
    let signed = format!("DSSEv1 {} {PAYLOAD_TYPE} {} {payload}", PAYLOAD_TYPE.len(), payload.len());
    key.sign(signed.as_bytes()).unwrap()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// With its length in two bytes before it.
fn short(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    let header = if length < 128 { vec![tag, length] } else { vec![tag, 0x81, length] };
    [&header[..], content].concat()
}

/// How long the header of a DER value is, and all of it.
fn lengths(der: &[u8]) -> (usize, usize) {
    let more = if der[1] < 128 { 0 } else { usize::from(der[1] - 128) };
    let length = match more {
        0 => usize::from(der[1]),
        _ => der[2..2 + more].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
    };
    (2 + more, 2 + more + length)
}

fn content(der: &[u8]) -> &[u8] {
    &der[lengths(der).0..]
}

fn first(der: &[u8]) -> &[u8] {
    &der[..lengths(der).1]
}
