use proptest::prelude::*;
use sluice_model::Grants;
use sluice_model::grant::Grant;

use super::*;

fn spelling() -> impl Strategy<Value = (Capability, String)> {
    let folder = prop::sample::select(vec![".", "a", "a/b", "c"]);
    let files = (prop::sample::select(vec!["read", "write"]), folder);
    let http = (
        prop::sample::select(vec!["GET", "POST", "*"]),
        prop::sample::select(vec!["http://10.0.0.1", "https://a.example.com", "https://*.example.com"]),
        prop::sample::select(vec!["", "/v1", "/v1/*"]),
        prop::sample::select(vec!["", " private"]),
    );
    let tcp = (
        prop::sample::select(vec!["10.0.0.1", "[::1]", "localhost", "db.example.com"]),
        prop::sample::select(vec!["80", "5432", "*"]),
        prop::sample::select(vec!["", " private"]),
    );
    prop_oneof![
        files.prop_map(|(access, path)| (Capability::Files, format!("{access} {path}"))),
        http.prop_map(|(method, origin, path, private)| (
            Capability::Http,
            format!("{method} {origin}{path}{private}")
        )),
        tcp.prop_map(|(host, port, private)| (Capability::Tcp, format!("{host}:{port}{private}"))),
        prop::sample::select(vec!["git", "git log **", "git log -1", "sh"])
            .prop_map(|name| (Capability::Exec, name.to_owned())),
        prop::sample::select(vec!["read ~/a", "write ~/a/b", "read /a"])
            .prop_map(|path| (Capability::Paths, path.to_owned())),
        prop::sample::select(vec!["rust", "go"]).prop_map(|name| (Capability::Toolchain, name.to_owned())),
        prop::sample::select(vec!["CI", "HOME"]).prop_map(|name| (Capability::Env, name.to_owned())),
        prop::sample::select(vec!["A", "B"]).prop_map(|name| (Capability::Secrets, name.to_owned())),
        prop::sample::select(vec!["read", "write"]).prop_map(|name| (Capability::Artifacts, name.to_owned())),
    ]
}

fn grants(spellings: &[(Capability, String)]) -> Grants {
    let mut grants = Grants::default();
    for (capability, spelling) in spellings {
        grants.add(Grant::parse(*capability, spelling).unwrap());
    }
    grants
}

/// Whether a host name may lead to a private address.
fn private(grant: &Grant) -> bool {
    match grant {
        Grant::Http(http) => http.private,
        Grant::Tcp(tcp) => tcp.private,
        _ => false,
    }
}

proptest! {
    /// Whatever is declared and narrowed: a plan that is accepted grants nothing that is not declared, and of a
    /// capability that the step names, nothing that the step does not name.
    #[test]
    fn effective_grants_are_declared_and_named(
        declared in prop::collection::vec(spelling(), 0..6),
        narrowed in prop::collection::vec(spelling(), 0..4),
    ) {
        let mut info = plugin("./task.wasm", &[]);
        info.manifest.as_mut().unwrap().capabilities = declared
            .iter()
            .map(|(capability, spelling)| Declaration {
                capability: *capability,
                grants: vec![spelling.clone()],
                reason: "why".to_owned(),
            })
            .collect();
        let mut step = json!({"uses": "./task.wasm", "grants": {}});
        for (capability, spelling) in &narrowed {
            let list = &mut step["grants"][capability.as_str()];
            if list.is_null() {
                *list = json!([]);
            }
            list.as_array_mut().unwrap().push(json!(spelling));
        }
        let yaml = json!({"steps": [step]}).to_string();
        let (declared, narrowed) = (grants(&declared), grants(&narrowed));
        match plan(&yaml, &plugins([info])) {
            Ok(plan) => {
                let step = &plan.jobs[0].steps(0)[0];
                for grant in step.decided.as_ref().unwrap().grants.iter() {
                    prop_assert!(declared.covers(&grant), "{} is not declared", grant);
                    if step.narrows.contains(&grant.capability()) {
                        prop_assert!(narrowed.covers(&grant), "{} is not named", grant);
                        if private(&grant) {
                            prop_assert!(narrowed.iter().any(|named| named == grant), "{} is private though the step does not say so", grant);
                        }
                    } else {
                        prop_assert!(!private(&grant), "{} is private though the step does not say so", grant);
                    }
                }
                prop_assert!(narrowed.iter().all(|grant| declared.covers(&grant)));
            }
            Err(problems) => {
                prop_assert!(narrowed.iter().any(|grant| !declared.covers(&grant)));
                prop_assert!(problems.iter().all(|problem| problem.code == "plan::grant-exceeds"));
            }
        }
    }
}
