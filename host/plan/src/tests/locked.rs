//! What the lock lets into a plan.

mod properties;

use sluice_model::lock::{Declared, Lock, Locked};
use sluice_model::{Digest, PluginRef};

use crate::PluginInfo;
use crate::locked::{check, entry};

fn info(reference: &str, digest: u8, version: &str, capabilities: &str) -> PluginInfo {
    let text = format!("name: put\nversion: {version}\ndescription: x\nkinds: [task]\ncapabilities: {capabilities}\n");
    let manifest = sluice_model::Manifest::parse(&sluice_model::Source::new("plugin.yaml", text)).unwrap();
    PluginInfo {
        reference: PluginRef::parse(reference).unwrap(),
        digest: Digest::from_bytes([digest; 32]),
        manifest: Some(manifest),
        exports: vec![sluice_model::Kind::Task],
        command: false,
        imports: Vec::new(),
    }
}

fn lock(accepted: &PluginInfo) -> Lock {
    let mut lock = Lock::default();
    lock.insert(Locked {
        reference: accepted.reference.clone(),
        digest: accepted.digest,
        oci_manifest: None,
        declared: accepted.manifest.as_ref().map(Declared::from),
    });
    lock
}

const GIT: &str = "[{exec: [git], reason: reads the history}]";
const GIT_AND_SH: &str = "[{exec: [git, sh], reason: builds}]";

#[test]
fn plugins_from_outside_are_locked_or_name_their_digest() {
    let lock = lock(&info("oci://r.example.org/put:1", 1, "1.0.0", "[]"));
    let known = |text: &str| entry(&PluginRef::parse(text).unwrap(), &lock).map(|locked| locked.is_some());
    assert_eq!(known("oci://r.example.org/put:1"), Ok(true));
    assert_eq!(known("./put.wasm"), Ok(false));
    assert_eq!(known("lint"), Ok(false));
    assert_eq!(known(&format!("oci://r.example.org/put:2@sha256:{}", "ab".repeat(32))), Ok(false));
    for text in ["oci://r.example.org/put:2", "oci://r.example.org/put", "https://example.org/put.wasm"] {
        assert_eq!(known(text).unwrap_err().code, "plan::not-locked", "{text}");
    }
}

#[test]
fn other_bytes_under_a_locked_name_are_refused() {
    let accepted = info("./put.wasm", 1, "1.0.0", GIT);
    let lock = lock(&accepted);
    assert_eq!(check(&accepted, &lock), Ok(()));
    let code = |digest, capabilities| check(&info("put.wasm", digest, "1.0.0", capabilities), &lock).unwrap_err().code;
    assert_eq!(code(2, GIT), "plan::lock-digest");
    assert_eq!(code(2, "[]"), "plan::lock-digest");
    assert_eq!(code(2, GIT_AND_SH), "plan::more-authority");
    assert_eq!(code(1, "[]"), "plan::lock-mismatch", "the lock was widened by hand");
}

#[test]
fn a_digest_in_the_workflow_does_not_widen_what_was_accepted() {
    let lock = lock(&info("oci://r.example.org/put:1", 1, "1.0.0", GIT));
    let pinned = format!("oci://r.example.org/put:2@sha256:{}", "ab".repeat(32));
    assert_eq!(check(&info(&pinned, 2, "2.0.0", GIT), &lock), Ok(()));
    assert_eq!(check(&info(&pinned, 2, "2.0.0", "[]"), &lock), Ok(()));
    let problem = check(&info(&pinned, 2, "2.0.0", GIT_AND_SH), &lock).unwrap_err();
    assert_eq!(problem.code, "plan::more-authority");
    assert_eq!(problem.message, "plugin `put 2.0.0` asks for more than was accepted");
    assert_eq!(
        problem.causes,
        [
            "accepted was `put 1.0.0`, sha256:010101010101",
            "this is sha256:020202020202",
            "wider: exec `sh`, because: builds; accepted was `git`",
        ]
    );
    let other = format!("oci://r.example.org/other@sha256:{}", "ab".repeat(32));
    assert_eq!(check(&info(&other, 2, "2.0.0", GIT_AND_SH), &lock), Ok(()), "its digest stands in the workflow");
}
