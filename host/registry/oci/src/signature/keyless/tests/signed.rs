//! A signature that `cosign sign` 3.1 made of one artifact with a token of an issuer on loopback: certificate by Fulcio 1.8,
//! entry in Rekor 2 (rekor-tiles 2.2), time by timestamp-server 2.0, roots by `cosign trusted-root create`.

use serde_json::json;

use super::*;

const SIGNED: &str = include_str!("signed.sigstore.json");
const ROOTS: &str = include_str!("signed.roots.json");
const MANIFEST: &str = "sha256:8a9404ea0e5018aa0d5a534bd4eb3cbeba4798d816c4da2405497e9d543f8dd4";
const WORKFLOW: &str = "https://github.com/acme/greet/.github/workflows/release.yaml@refs/tags/v1.0";
const ISSUER: &str = "http://127.0.0.1:5556";

fn check(bundle: &str, roots: &str, identity: &str, issuer: &str) -> Result<String, String> {
    let subject = IdentityPattern::parse(identity).unwrap();
    let wanted = Identity { subject, issuer: issuer.to_owned(), roots: Roots::from_json(roots)? };
    verify(MANIFEST.parse().unwrap(), bundle.as_bytes(), &wanted).map(|signer| signer.to_string())
}

#[test]
fn it_counts_for_whom_it_is() {
    let signer = format!("`{WORKFLOW}` of `{ISSUER}`");
    for (identity, issuer, counts) in [
        (WORKFLOW, ISSUER, true),
        ("https://github.com/acme/*", ISSUER, true),
        ("https://github.com/acme/greet/.github/workflows/release.yaml@refs/heads/main", ISSUER, false),
        (WORKFLOW, "http://127.0.0.1:5557", false),
        (WORKFLOW, "http://127.0.0.1:5556/", false),
    ] {
        let expected = if counts { Ok(signer.clone()) } else { Err(format!("it is by {signer}")) };
        assert_eq!(check(SIGNED, ROOTS, identity, issuer), expected, "{identity} {issuer}");
    }
    let public = sigstore_verify::trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT;
    assert!(check(SIGNED, public, WORKFLOW, ISSUER).is_err());
}

/// Each part of it, and of the roots, changed in one place.
#[test]
fn what_was_changed_does_not() {
    let entry = |field: &str| format!("/verificationMaterial/tlogEntries/0{field}");
    let timestamps = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps";
    for (what, bundle) in [
        ("payload", letter(SIGNED, "/dsseEnvelope/payload")),
        ("signature", letter(SIGNED, "/dsseEnvelope/signatures/0/sig")),
        ("certificate", letter(SIGNED, "/verificationMaterial/certificate/rawBytes")),
        ("entries", set(SIGNED, "/verificationMaterial/tlogEntries", json!([]))),
        ("body", letter(SIGNED, &entry("/canonicalizedBody"))),
        ("kind", set(SIGNED, &entry("/kindVersion/version"), json!("0.0.1"))),
        ("no proof", without(SIGNED, &entry(""), "inclusionProof")),
        (
            "one more hash",
            bent(SIGNED, |bundle| bundle.pointer_mut(&entry("/inclusionProof")).unwrap()["hashes"] = json!(["AAAA"])),
        ),
        (
            "head",
            set(
                SIGNED,
                &entry("/inclusionProof/checkpoint/envelope"),
                json!("127.0.0.1\n1\nAAAA\n\n\u{2014} 127.0.0.1 AAAA\n"),
            ),
        ),
        ("timestamp", letter(SIGNED, &format!("{timestamps}/0/signedTimestamp"))),
        ("no timestamp", set(SIGNED, timestamps, json!([]))),
    ] {
        assert!(check(&bundle, ROOTS, WORKFLOW, ISSUER).is_err(), "{what}");
    }
    let ended = json!({"start": "2024-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z"});
    for (what, roots) in [
        ("authority", letter(ROOTS, "/certificateAuthorities/0/certChain/certificates/0/rawBytes")),
        ("authority that ended", set(ROOTS, "/certificateAuthorities/0/validFor", ended.clone())),
        ("log of certificates", letter(ROOTS, "/ctlogs/0/logId/keyId")),
        ("log of certificates that ended", set(ROOTS, "/ctlogs/0/publicKey/validFor", ended.clone())),
        ("log", letter(ROOTS, "/tlogs/0/publicKey/rawBytes")),
        ("no authority of time", set(ROOTS, "/timestampAuthorities", json!([]))),
        ("authority of time that ended", set(ROOTS, "/timestampAuthorities/0/validFor", ended)),
    ] {
        assert!(check(SIGNED, &roots, WORKFLOW, ISSUER).is_err(), "{what}");
    }
}

#[test]
fn roots_are_whole() {
    for (list, complaint) in [
        ("certificateAuthorities", "they name no authority of certificates (`certificateAuthorities`)"),
        ("ctlogs", "they name no log of certificates (`ctlogs`)"),
        ("tlogs", "they name no log of signatures (`tlogs`)"),
    ] {
        let roots = set(ROOTS, &format!("/{list}"), json!([]));
        assert_eq!(Roots::from_json(&roots).err().unwrap(), complaint);
    }
    for text in ["", "{}", "[]", "-----BEGIN CERTIFICATE-----"] {
        assert!(Roots::from_json(text).err().unwrap().starts_with("they "), "{text}");
    }
}
