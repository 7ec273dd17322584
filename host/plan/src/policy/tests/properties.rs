//! Adding a layer never widens, order does not matter, and a rule permits no request beyond itself.

use proptest::prelude::*;
use sluice_model::grant::{Capability, Grant};
use sluice_model::{Digest, PluginRef};

use super::layer;
use crate::policy::{Candidate, Policies};

fn spelling() -> impl Strategy<Value = (Capability, String)> {
    let select = |texts: &[&'static str]| prop::sample::select(texts.to_vec());
    prop_oneof![
        (select(&["read", "write"]), select(&[".", "a", "a/b", "c"]))
            .prop_map(|(access, path)| (Capability::Files, format!("{access} {path}"))),
        (
            select(&["GET", "POST", "*"]),
            select(&["http://10.0.0.1", "https://a.example.com", "https://*.example.com", "http://localhost:81"]),
            select(&["", "/v1", "/v1/*"]),
            select(&["", " private"]),
        )
            .prop_map(|(method, origin, path, private)| (
                Capability::Http,
                format!("{method} {origin}{path}{private}")
            )),
        (select(&["10.0.0.1", "localhost", "db.example.com"]), select(&["80", "*"]), select(&["", " private"]))
            .prop_map(|(host, port, private)| (Capability::Tcp, format!("{host}:{port}{private}"))),
        select(&["git", "sh", "bash"]).prop_map(|name| (Capability::Exec, name.to_owned())),
        select(&["CI", "CI_JOB", "HOME"]).prop_map(|name| (Capability::Env, name.to_owned())),
        select(&["A", "AB", "B"]).prop_map(|name| (Capability::Secrets, name.to_owned())),
        select(&["read", "write"]).prop_map(|name| (Capability::Artifacts, name.to_owned())),
    ]
}

fn rule() -> impl Strategy<Value = (Capability, String)> {
    let wild =
        prop::sample::select(vec![(Capability::Secrets, "A*"), (Capability::Env, "*"), (Capability::Env, "CI_*")]);
    prop_oneof![4 => spelling(), 1 => wild.prop_map(|(capability, text)| (capability, text.to_owned()))]
}

const PLUGINS: [&str; 4] = ["lint", "deploy", "./plugins/x.wasm", "./a/../plugins/x.wasm"];

/// A policy in YAML, which JSON is.
fn policy() -> impl Strategy<Value = String> {
    let bounds = (
        prop::collection::vec(rule(), 0..6),
        prop::collection::vec(prop::sample::select(Capability::ALL.to_vec()), 0..2),
        prop::collection::btree_map(
            prop::sample::select(vec!["exec", "shells", "reveal", "private-networks"]),
            any::<bool>(),
            0..3,
        ),
    )
        .prop_map(|(rules, empty, switches)| {
            let mut said = serde_json::json!({});
            for capability in empty {
                said["grants"][capability.as_str()] = serde_json::json!([]);
            }
            for (capability, text) in rules {
                let list = &mut said["grants"][capability.as_str()];
                let mut texts = list.as_array().cloned().unwrap_or_default();
                texts.push(text.into());
                *list = texts.into();
            }
            for (name, value) in switches {
                said[name] = value.into();
            }
            said
        })
        .boxed();
    let plugins = prop::option::of(prop::collection::vec(prop::sample::select(vec!["lint", "*", "./plugins/*"]), 0..3));
    let selector = prop::sample::select(vec!["deploy", "./plugins/*"]);
    (bounds.clone(), plugins, prop::option::of((selector, bounds))).prop_map(|(mut said, plugins, section)| {
        said["version"] = 1.into();
        if let Some(plugins) = plugins {
            said["plugins"] = plugins.into();
        }
        if let Some((selector, mut section)) = section {
            section["plugins"] = selector.into();
            said["for"] = serde_json::json!([section]);
        }
        said.to_string()
    })
}

fn policies(texts: &[String]) -> Policies {
    Policies::new(texts.iter().map(|text| layer(text)).collect())
}

proptest! {
    #[test]
    fn a_further_layer_only_narrows(
        texts in prop::collection::vec(policy(), 0..3),
        further in policy(),
        (capability, wanted) in spelling(),
        plugin in prop::sample::select(PLUGINS.to_vec()),
    ) {
        let reference = PluginRef::parse(plugin).unwrap();
        let candidate = Candidate { reference: &reference, digest: Digest::from_bytes([1; 32]) };
        let wanted = Grant::parse(capability, &wanted).unwrap();
        let before = policies(&texts);
        let alone = policies(std::slice::from_ref(&further));
        let mut all = texts.clone();
        all.push(further);
        let after = policies(&all);
        let grant = |policies: &Policies| policies.grant(&candidate, &wanted).is_allowed();
        let plugin = |policies: &Policies| policies.plugin(&candidate).is_allowed();
        prop_assert_eq!(grant(&after), grant(&before) && grant(&alone));
        prop_assert_eq!(plugin(&after), plugin(&before) && plugin(&alone));
        all.reverse();
        let reversed = policies(&all);
        prop_assert_eq!(grant(&after), grant(&reversed));
        prop_assert_eq!(plugin(&after), plugin(&reversed));
        prop_assert_eq!(after.digest(), reversed.digest());
    }

    /// What is permitted stays so when it is narrowed; so what is decided at run time within what the plan permits needs
    /// no wider policy.
    #[test]
    fn what_is_within_a_permitted_grant_is_permitted(
        text in policy(),
        (capability, outer) in spelling(),
        (inner_capability, inner) in spelling(),
    ) {
        let (outer, inner) = (Grant::parse(capability, &outer).unwrap(), Grant::parse(inner_capability, &inner).unwrap());
        let mut grants = sluice_model::Grants::default();
        grants.add(outer.clone());
        let private = crate::policy::grant::is_private(&inner) && !crate::policy::grant::is_private(&outer);
        let reference = PluginRef::parse("lint").unwrap();
        let candidate = Candidate { reference: &reference, digest: Digest::from_bytes([1; 32]) };
        let policies = policies(&[text]);
        if grants.covers(&inner) && !private && policies.grant(&candidate, &outer).is_allowed() {
            prop_assert!(policies.grant(&candidate, &inner).is_allowed(), "{} within {}", inner, outer);
        }
    }
}
