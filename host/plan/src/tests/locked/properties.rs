//! The lock is read as it is printed, and the comparison of authority agrees with a slow reference.

use proptest::prelude::*;
use sluice_model::grant::{Capability, FileGrant};
use sluice_model::lock::{Declared, Lock, Locked, more};
use sluice_model::manifest::Declaration;
use sluice_model::{Digest, Kind, PluginRef, Source};

fn grant() -> impl Strategy<Value = (Capability, String)> {
    prop_oneof![
        ("(read|write) [a-c](/[a-c]){0,2}").prop_map(|text| (Capability::Files, text)),
        ("(GET|POST|\\*) https://(a|b|\\*\\.a\\.org|x\\.a\\.org)(/[a-b]\\*?)?( private)?")
            .prop_map(|text| (Capability::Http, text)),
        "[a-z]{1,4}".prop_map(|text| (Capability::Exec, text)),
        "[A-Z]{1,4}".prop_map(|text| (Capability::Secrets, text)),
        "GET \\$\\{\\{ with\\.[a-c] \\}\\}".prop_map(|text| (Capability::Http, text)),
    ]
}

/// Any text that a manifest could hold.
fn reason() -> impl Strategy<Value = String> {
    "\\PC{1,20}|[a\n\t\"\\\\\u{202e}\u{85}\u{2028}\u{7f}: #-]{1,20}"
        .prop_map(|text| text.trim().to_owned())
        .prop_filter("not empty", |text| !text.is_empty())
}

fn declared() -> impl Strategy<Value = Declared> {
    let capabilities = prop::collection::vec((prop::collection::vec(grant(), 1..3), reason()), 0..4);
    ("[a-z][a-z0-9-]{0,8}", 0..20u64, capabilities).prop_map(|(name, major, capabilities)| Declared {
        name,
        version: semver::Version::new(major, 0, 1),
        kinds: vec![Kind::Task, Kind::Scan],
        capabilities: capabilities
            .into_iter()
            .map(|(grants, reason)| {
                let capability = grants[0].0;
                let same = grants.into_iter().filter(|(of, _)| *of == capability);
                Declaration { capability, grants: same.map(|(_, grant)| grant).collect(), reason }
            })
            .collect(),
    })
}

fn locked() -> impl Strategy<Value = Locked> {
    let reference = "(\\./[a-z/ ]{1,8}|oci://[a-z]{1,4}\\.org/[a-z]{1,3}(:[0-9])?|https://[a-z]{1,4}\\.org/[a-z]{1,3})";
    (reference, any::<[u8; 32]>(), prop::option::of(declared())).prop_map(|(reference, digest, declared)| {
        let reference = PluginRef::parse(&reference).unwrap();
        let oci_manifest = matches!(reference, PluginRef::Oci(_)).then(|| Digest::from_bytes([7; 32]));
        Locked { reference, digest: Digest::from_bytes(digest), oci_manifest, declared }
    })
}

/// What a step could do: a slow way to say what a grant allows.
fn allows(declared: &Declared, access: &str, path: &str) -> bool {
    let files = declared.capabilities.iter().filter(|declaration| declaration.capability == Capability::Files);
    files.flat_map(|declaration| &declaration.grants).any(|grant| {
        let (granted, folder) = grant.split_once(' ').unwrap();
        (granted == access || granted == "write") && (path == folder || path.starts_with(&format!("{folder}/")))
    })
}

proptest! {
    #[test]
    fn a_lock_is_read_as_it_is_printed(entries in prop::collection::vec(locked(), 0..5), vendor in prop::option::of("[a-z]{1,3}(/[a-z \"]{0,2}[a-z]){0,2}")) {
        let mut lock = Lock::default();
        lock.vendor = vendor;
        entries.into_iter().for_each(|locked| lock.insert(locked));
        let text = lock.to_string();
        let read = Lock::parse(&Source::new("sluice.lock", text.as_str()));
        prop_assert_eq!(read.as_ref(), Ok(&lock), "{}", text);
        prop_assert_eq!(read.unwrap().to_string(), text);
    }

    #[test]
    fn nothing_asks_for_more_than_itself_or_than_all(a in declared(), b in declared()) {
        prop_assert_eq!(more(Some(&a), Some(&a)), Vec::new());
        let mut both = a.clone();
        both.capabilities.extend(b.capabilities.clone());
        prop_assert_eq!(more(Some(&both), Some(&b)), Vec::new());
        prop_assert_eq!(more(Some(&a), Some(&b)).is_empty(), more(Some(&a), Some(&both)).is_empty());
    }

    #[test]
    fn what_is_quiet_allows_nothing_new(a in declared(), b in declared()) {
        let quiet = more(Some(&a), Some(&b)).iter().all(|more| more.capability != Some(Capability::Files));
        let parts = ["a", "b", "c"];
        let deep = parts.iter().flat_map(|x| parts.iter().map(move |y| format!("{x}/{y}")));
        let deeper = deep.clone().flat_map(|x| parts.iter().map(move |y| format!("{x}/{y}")));
        for path in parts.iter().map(|part| (*part).to_owned()).chain(deep.clone()).chain(deeper) {
            for access in ["read", "write"] {
                let new = allows(&b, access, &path) && !allows(&a, access, &path);
                prop_assert!(!(quiet && new), "{} {}", access, path);
            }
        }
        let one = b.capabilities.iter().filter(|declaration| declaration.capability == Capability::Files);
        let covered = one.flat_map(|declaration| &declaration.grants).all(|grant| {
            let grant: FileGrant = grant.parse().unwrap();
            allows(&a, if grant.access == sluice_model::grant::Access::Write { "write" } else { "read" }, &grant.path)
        });
        prop_assert_eq!(quiet, covered);
    }
}
