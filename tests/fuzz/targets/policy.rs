//! Any text is a policy or has problems, each at a place that is in the text. The same policy twice is the same as once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_model::grant::{Capability, Grant};
use sluice_model::{Digest, PluginRef, Source};
use sluice_plan::policy::{Candidate, Layer, Owner, Policies};

const GRANTS: [(Capability, &str); 7] = [
    (Capability::Files, "write a/b"),
    (Capability::Http, "GET https://a.example.com/v1/* private"),
    (Capability::Tcp, "127.0.0.1:80"),
    (Capability::Exec, "sh"),
    (Capability::Env, "CI_JOB"),
    (Capability::Secrets, "DEPLOY_KEY"),
    (Capability::Artifacts, "write"),
];

fuzz_target!(|text: &str| {
    let layer = match Layer::parse(Owner::Repository, &Source::new("sluice-policy.yaml", text)) {
        Ok(layer) => layer,
        Err(problems) => {
            assert!(!problems.is_empty());
            for label in problems.iter().flat_map(|problem| &problem.labels) {
                assert!(text.get(label.span.start..label.span.end).is_some(), "{label:?} is no place in the text");
            }
            return;
        }
    };
    let once = Policies::new(vec![layer.clone()]);
    let twice = Policies::new(vec![layer.clone(), layer]);
    assert_eq!(once.digest(), twice.digest());
    for reference in ["lint", "./plugins/x.wasm", "./a/../x.wasm"] {
        let Ok(reference) = PluginRef::parse(reference) else { panic!("`{reference}` is a reference") };
        let candidate = Candidate { reference: &reference, digest: Digest::from_bytes([1; 32]) };
        assert_eq!(once.plugin(&candidate).is_allowed(), twice.plugin(&candidate).is_allowed());
        for (capability, grant) in GRANTS {
            let Ok(grant) = Grant::parse(capability, grant) else { panic!("`{grant}` is a grant") };
            assert_eq!(once.grant(&candidate, &grant).is_allowed(), twice.grant(&candidate, &grant).is_allowed());
        }
    }
});
