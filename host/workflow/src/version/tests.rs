use proptest::prelude::*;

use super::*;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap_or_else(|reason| panic!("{text}: {reason}"))
}

#[test]
fn versions_are_read_as_people_have_them() {
    for (text, expected) in [
        ("1.2.3", "1.2.3"),
        ("v1.2.3", "v1.2.3"),
        ("V1.2.3", "v1.2.3"),
        ("  1.29\n", "1.29.0"),
        ("2", "2.0.0"),
        ("1.2.3-rc.1", "1.2.3-rc.1"),
        ("1.2-rc1", "1.2.0-rc1"),
        ("1.29.3+k3s1", "1.29.3+k3s1"),
        ("v1.2.3-alpha.2+build.007", "v1.2.3-alpha.2+build.007"),
        ("2024.01.05", "2024.1.5"),
        ("1.2.3--", "1.2.3--"),
    ] {
        assert_eq!(version(text).to_string(), expected, "{text}");
    }
    for (text, expected) in [
        ("", "it does not begin with a number"),
        ("v", "it does not begin with a number"),
        ("latest", "it does not begin with a number"),
        ("-1", "it does not begin with a number"),
        ("1.2.3.4", "it has more than three numbers"),
        ("1..2", "between its dots stand numbers"),
        ("1.x", "between its dots stand numbers"),
        ("1.2.3rc1", "between its dots stand numbers"),
        ("1.2.3-", "after `-` stand letters, digits and dots, and numbers without zeros before them"),
        ("1.2.3-01", "after `-` stand letters, digits and dots, and numbers without zeros before them"),
        ("1.2.3+", "after `+` stand letters, digits and dots"),
        ("1.2.3+a+b", "after `+` stand letters, digits and dots"),
        ("99999999999999999999", "a number in it is too large"),
        ("١.٢", "it does not begin with a number"),
    ] {
        assert_eq!(Version::parse(text).map(|version| version.to_string()), Err(expected), "{text}");
    }
}

#[test]
fn versions_are_found_in_what_programs_print() {
    for (text, expected) in [
        ("git version 2.43.0", Some("2.43.0")),
        ("git version 2.39.5 (Apple Git-154)", Some("2.39.5")),
        ("v20.11.1\n", Some("20.11.1")),
        ("jq-1.7.1", Some("1.7.1")),
        ("go version go1.21.5 linux/amd64", Some("1.21.5")),
        ("GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)", Some("5.2.15")),
        ("GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu", Some("4.3.0")),
        ("OpenSSL 3.0.13 30 Jan 2024", Some("3.0.13")),
        ("less 590 (GNU regular expressions)", Some("590.0.0")),
        ("openjdk 17 2021-09-14", Some("17.0.0")),
        ("Version: ImageMagick 6.9.11-60 Q16", Some("6.9.11")),
        ("tool 10.4.2.1", Some("10.4.2")),
        ("x86_64 build of tool v7", Some("7.0.0")),
        ("tool 3.", Some("3.0.0")),
        ("no number", None),
        ("x86_64", None),
        ("", None),
        ("…é 1.2", Some("1.2.0")),
    ] {
        assert_eq!(Version::find(text).map(|version| version.to_string()).as_deref(), expected, "{text}");
    }
}

#[test]
fn versions_are_bumped() {
    for (text, part, expected) in [
        ("1.2.3", Part::Major, "2.0.0"),
        ("1.2.3", Part::Minor, "1.3.0"),
        ("1.2.3", Part::Patch, "1.2.4"),
        ("v1.2", Part::Patch, "v1.2.1"),
        ("1.2.3-rc.1", Part::Patch, "1.2.3"),
        ("1.2.3-rc.1", Part::Minor, "1.3.0"),
        ("1.3.0-rc.1", Part::Minor, "1.3.0"),
        ("2.0.0-rc.1", Part::Major, "2.0.0"),
        ("2.1.0-rc.1", Part::Major, "3.0.0"),
        ("1.2.3+build", Part::Patch, "1.2.4"),
    ] {
        assert_eq!(version(text).bump(part).unwrap().to_string(), expected, "{text} {part:?}");
    }
    assert!(version("18446744073709551615").bump(Part::Major).is_none());
}

#[test]
fn requirements_hold_or_do_not() {
    for (requirement, good, bad) in [
        (">=1.29, <2", &["1.29", "v1.30.5", "1.29.0+k3s1"][..], &["1.28.9", "2.0.0", "1.30.0-rc.1"][..]),
        (">=1.29 <2", &["1.29"], &["2"]),
        (">= v1.29, < 2", &["1.29"], &["2"]),
        ("^20", &["20.0.0", "20.11"], &["19.9", "21"]),
        ("20", &["20.0.0", "20.11"], &["19.9", "21"]),
        ("~1.4", &["1.4.9"], &["1.5"]),
        ("=1.2.3", &["1.2.3"], &["1.2.4"]),
        ("1.x", &["1.0", "1.99"], &["2"]),
        ("*", &["0.0.1", "99"], &[]),
        (">=2024.01", &["2024.1"], &["2023.12"]),
        (">=0", &["0.0.0"], &[]),
        (">=1.3.0-rc.0", &["1.3.0-rc.1", "1.3.0"], &["1.4.0-rc.1", "1.3.0-alpha"]),
    ] {
        let parsed = Requirement::parse(requirement).unwrap_or_else(|reason| panic!("{requirement}: {reason}"));
        for text in good {
            assert!(parsed.matches(&version(text)), "{text} fits {requirement}");
        }
        for text in bad {
            assert!(!parsed.matches(&version(text)), "{text} does not fit {requirement}");
        }
    }
    for text in ["", ",", ">=1,", ">=", "latest", "1.2 - 2.0", ">=1 || <0.5", "1.2.3.4", "=>1"] {
        assert!(Requirement::parse(text).is_err(), "{text}");
    }
}

/// Strict versions, with numbers small enough that ties happen.
fn strict_version() -> impl Strategy<Value = String> {
    let identifier = prop_oneof!["[0-9]|[1-9][0-9]", "[a-c]{1,2}", "[0-9a-]{0,2}[a-b]"];
    let identifiers = proptest::collection::vec(identifier, 1..3).prop_map(|parts| parts.join("."));
    (0u64..3, 0u64..3, 0u64..3, proptest::option::of(identifiers.clone()), proptest::option::of(identifiers)).prop_map(
        |(major, minor, patch, pre, build)| {
            let pre = pre.map(|pre| format!("-{pre}")).unwrap_or_default();
            let build = build.map(|build| format!("+{build}")).unwrap_or_default();
            format!("{major}.{minor}.{patch}{pre}{build}")
        },
    )
}

proptest! {
    #[test]
    fn comparison_is_a_total_order(a in strict_version(), b in strict_version(), c in strict_version()) {
        let (a, b, c) = (version(&a), version(&b), version(&c));
        prop_assert_eq!(a.precedence(&a), Ordering::Equal);
        prop_assert_eq!(a.precedence(&b), b.precedence(&a).reverse());
        if a.precedence(&b).is_le() && b.precedence(&c).is_le() {
            prop_assert!(a.precedence(&c).is_le());
        }
    }

    #[test]
    fn strict_versions_compare_and_read_as_in_the_semver_crate(a in strict_version(), b in strict_version()) {
        let (left, right) = (semver::Version::parse(&a).unwrap(), semver::Version::parse(&b).unwrap());
        prop_assert_eq!(version(&a).precedence(&version(&b)), left.cmp_precedence(&right));
        prop_assert_eq!(version(&a).to_string(), left.to_string());
        for sign in ["=", ">", ">=", "<", "<=", "~", "^", ""] {
            let wanted = format!("{sign}{}", b.split('+').next().unwrap());
            let ours = Requirement::parse(&wanted).unwrap().matches(&version(&a));
            prop_assert_eq!(ours, VersionReq::parse(&wanted).unwrap().matches(&left), "{} {}", wanted, a);
        }
    }

    #[test]
    fn a_bumped_version_is_later(a in strict_version()) {
        for part in [Part::Major, Part::Minor, Part::Patch] {
            prop_assert!(version(&a).bump(part).unwrap().precedence(&version(&a)).is_gt());
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,40}") {
        let _ = (Version::parse(&text), Version::find(&text), Requirement::parse(&text));
        if let Ok(read) = Version::parse(&text) {
            prop_assert_eq!(version(&read.to_string()).to_string(), read.to_string());
        }
    }
}
