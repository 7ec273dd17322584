//! From what was used to the grants that allow it and little more.

use std::collections::BTreeMap;

use super::{Capability, Grant, Grants};

/// So many paths of one origin are granted one by one; of more, what they begin with.
const PATHS: usize = 3;

/// Grants that allow all that was used, if they are narrower than what is granted. `used` are the narrowest grants of
/// single decisions. `None` when there is nothing to narrow.
///
/// # Errors
/// Something used that is no grant, or that nothing granted covers: what is on record does not tell enough.
pub fn narrowed<'u>(
    capability: Capability,
    granted: &Grants,
    used: impl IntoIterator<Item = &'u str>,
) -> Result<Option<Grants>, String> {
    let mut used: Vec<&str> = used.into_iter().collect();
    used.sort_unstable();
    used.dedup();
    let mut narrow = Grants::default();
    for spelling in if capability == Capability::Http { joined(&used) } else { owned(&used) } {
        let grant = Grant::parse(capability, &spelling)?;
        if !granted.covers(&grant) {
            return Err(format!("`{spelling}` is not what was granted"));
        }
        narrow.add(grant);
    }
    let narrow = outermost(narrow);
    let mut all = granted.iter().filter(|grant| grant.capability() == capability);
    Ok((!all.all(|grant| narrow.covers(&grant))).then_some(narrow))
}

/// Folders without those that lie in another one. Other capabilities keep all: what `private` allows, no other grant does.
fn outermost(mut grants: Grants) -> Grants {
    let all = grants.files.clone();
    grants.files.retain(|grant| !all.iter().any(|other| other != grant && other.covers(grant)));
    grants
}

fn owned(used: &[&str]) -> Vec<String> {
    used.iter().map(|spelling| (*spelling).to_owned()).collect()
}

/// Requests that differ in their paths only, as one where there are many.
fn joined(used: &[&str]) -> Vec<String> {
    // method and origin, what follows the path -> paths
    let mut groups: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    let mut joined = Vec::new();
    for spelling in used {
        let (request, private) = match spelling.strip_suffix(" private") {
            Some(request) => (request, " private"),
            None => (*spelling, ""),
        };
        let path = request.find("://").and_then(|scheme| Some(scheme + 3 + request[scheme + 3..].find('/')?));
        match path {
            Some(path) => groups.entry((&request[..path], private)).or_default().push(&request[path..]),
            None => joined.push((*spelling).to_owned()),
        }
    }
    for ((origin, private), paths) in groups {
        if paths.len() <= PATHS {
            joined.extend(paths.iter().map(|path| format!("{origin}{path}{private}")));
        } else {
            joined.push(format!("{origin}{}*{private}", common_folder(&paths)));
        }
    }
    joined
}

/// What all paths begin with, up to a slash.
fn common_folder<'p>(paths: &[&'p str]) -> &'p str {
    let first = paths.first().copied().unwrap_or("/");
    let mut end = first.len();
    for path in paths {
        let same = first.bytes().zip(path.bytes()).take_while(|(a, b)| a == b).count();
        end = end.min(same);
    }
    first.as_bytes()[..end].iter().rposition(|byte| *byte == b'/').map_or("/", |slash| &first[..=slash])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_is_granted_and_little_more() {
        for (capability, granted, used, expected) in [
            (Capability::Exec, &["git", "make"][..], &["git"][..], Ok(Some("git"))),
            (Capability::Exec, &["git"], &["git", "git"], Ok(None)),
            (Capability::Secrets, &["TOKEN"], &[], Ok(Some(""))),
            (Capability::Exec, &["git"], &["make"], Err("`make` is not what was granted")),
            (
                Capability::Http,
                &["* https://api.example.com/*"],
                &["GET https://api.example.com/v1/b", "GET https://api.example.com/v1/a"],
                Ok(Some("GET https://api.example.com/v1/a, GET https://api.example.com/v1/b")),
            ),
            (
                Capability::Http,
                &["* https://*.example.com/*"],
                &[
                    "GET https://api.example.com/v1/items/1",
                    "GET https://api.example.com/v1/items/2",
                    "GET https://api.example.com/v1/items/33",
                    "GET https://api.example.com/v1/iron",
                    "POST https://cdn.example.com/",
                ],
                Ok(Some("GET https://api.example.com/v1/*, POST https://cdn.example.com/")),
            ),
            (
                Capability::Http,
                &["GET http://intern.example/* private"],
                &["GET http://intern.example/x private"],
                Ok(Some("GET http://intern.example/x private")),
            ),
            (
                Capability::Http,
                &["POST https://hooks.example.com/*"],
                &["POST https://hooks.example.com/services/***"],
                Err("a path has at most one `*`, at its end"),
            ),
            (
                Capability::Tcp,
                &["db.example.org:5432", "127.0.0.1:*"],
                &["127.0.0.1:80", "127.0.0.1:81"],
                Ok(Some("127.0.0.1:80, 127.0.0.1:81")),
            ),
            (
                Capability::Files,
                &["write dist", "write out"],
                &["read dist", "write dist", "read out"],
                Ok(Some("read out, write dist")),
            ),
            (Capability::Files, &["write dist"], &["read dist", "write dist"], Ok(None)),
            (Capability::Artifacts, &["read", "write"], &["write"], Ok(Some("write"))),
        ] {
            let mut grants = Grants::default();
            granted.iter().for_each(|grant| grants.add(Grant::parse(capability, grant).unwrap()));
            let narrow = narrowed(capability, &grants, used.iter().copied());
            let narrow = narrow.map(|narrow| narrow.map(|narrow| narrow.spellings(capability).join(", ")));
            let narrow = narrow.as_ref().map(Option::as_deref).map_err(String::as_str);
            assert_eq!(narrow, expected, "{granted:?} {used:?}");
        }
    }
}
