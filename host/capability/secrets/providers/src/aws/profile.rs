//! The two files below `~/.aws`.

/// The settings of one section of such a file; `None` if it has no such section.
pub fn section(text: &str, wanted: &str) -> Option<Vec<(String, String)>> {
    let mut found = None;
    let mut inside = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            inside = name.split_whitespace().collect::<Vec<_>>().join(" ") == wanted;
            if inside {
                found.get_or_insert_default();
            }
            continue;
        }
        // An indented line belongs to a nested setting.
        let plain = inside && !trimmed.starts_with(['#', ';']) && !line.starts_with([' ', '\t']);
        if let (true, Some((name, value))) = (plain, trimmed.split_once('=')) {
            let list: &mut Vec<(String, String)> = found.get_or_insert_default();
            list.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_has_its_own_settings_only() {
        let text = "# mine\n[default]\nregion = eu-west-1\ns3 =\n  region = x\n[profile  build]\nregion=us-east-1\n; no\nKEY = a=b\n";
        let pairs = |wanted: &str| {
            section(text, wanted)
                .map(|list| list.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(","))
        };
        assert_eq!(pairs("default").as_deref(), Some("region=eu-west-1,s3="));
        assert_eq!(pairs("profile build").as_deref(), Some("region=us-east-1,key=a=b"));
        assert_eq!(pairs("other"), None);
    }
}
