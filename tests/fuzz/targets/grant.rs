//! A grant is refused with a reason, or shown so that it is read as the same, and covers itself and no less.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_model::Grants;
use sluice_model::grant::{Capability, Grant};

fuzz_target!(|text: &str| {
    for name in ["files", "http", "tcp", "env", "secrets", "exec", "artifacts", "paths", "toolchain"] {
        let Some(capability) = Capability::parse(name) else { panic!("`{name}` is a capability") };
        let grant = match Grant::parse(capability, text) {
            Ok(grant) => grant,
            Err(reason) => {
                assert!(!reason.is_empty());
                continue;
            }
        };
        let shown = grant.to_string();
        let again = Grant::parse(capability, &shown).unwrap_or_else(|reason| panic!("`{shown}` is refused: {reason}"));
        assert_eq!(again, grant, "`{shown}`");
        let mut grants = Grants::default();
        grants.add(grant.clone());
        assert!(grants.covers(&grant), "`{shown}` does not cover itself");
        assert!(!Grants::default().covers(&grant), "nothing covers `{shown}`");
        let both = grants.intersect(&grants);
        assert!(both.covers(&grant), "`{shown}` is lost where both sides allow it");
    }
});
