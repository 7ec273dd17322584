//! "Did you mean": the name that someone probably meant.

/// Candidates looked at; more would cost time without helping anyone.
const MAX_CANDIDATES: usize = 1000;

/// The most similar candidate, if one is similar enough to be meant.
pub fn closest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let lower = name.to_lowercase();
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .take(MAX_CANDIDATES)
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            // `dir` for `directory`, `needs-job` for `needs`.
            let contained = candidate.len() >= 3
                && lower.len() >= 3
                && (candidate.starts_with(&lower) || lower.starts_with(candidate));
            (if contained { distance.min(allowed) } else { distance }, candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `` `a`, `b` `` for a help.
pub fn list<'c>(names: impl IntoIterator<Item = &'c str>) -> String {
    const SHOWN: usize = 20;
    let names: Vec<_> = names.into_iter().collect();
    let mut text = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_meant_is_suggested() {
        let fields = ["name", "uses", "with", "run", "timeout", "continue-on-error", "directory"];
        for (name, expected) in [
            ("use", Some("uses")),
            ("Run", Some("run")),
            ("tiemout", Some("timeout")),
            ("continue_on_error", Some("continue-on-error")),
            ("dir", Some("directory")),
            ("retries", None),
            ("x", None),
        ] {
            assert_eq!(closest(name, fields), expected, "{name}");
        }
    }
}
