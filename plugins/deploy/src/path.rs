//! Relative paths: of folders in the workspace and of files in a release.

/// The one spelling of a relative path: `a/b`, empty for the folder itself.
///
/// Refuses whatever could lead out of the folder that the path is relative to, on any system: absolute paths, `..`,
/// backslashes; and control characters, which nobody can see.
pub fn relative(path: &str) -> Result<String, String> {
    if path.starts_with('/') || path.contains('\\') {
        return Err(format!("`{path}` is not a relative path with `/` between folders"));
    }
    if path.chars().any(char::is_control) {
        return Err(format!("`{}` contains a control character", path.escape_default()));
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err(format!("`{path}` leads out of its folder"));
    }
    Ok(parts.join("/"))
}

/// Whether `inner` is `outer` or below it; both in the one spelling.
pub fn within(inner: &str, outer: &str) -> bool {
    outer.is_empty() || inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_spelling_or_are_refused() {
        let cases = [
            ("", Ok("")),
            ("./", Ok("")),
            ("./a//b/", Ok("a/b")),
            ("a..b/...", Ok("a..b/...")),
            ("/a", Err("`/a` is not a relative path with `/` between folders")),
            ("..\\a", Err("`..\\a` is not a relative path with `/` between folders")),
            ("..", Err("`..` leads out of its folder")),
            ("a/../../b", Err("`a/../../b` leads out of its folder")),
            ("a\nb", Err("`a\\nb` contains a control character")),
        ];
        for (path, expected) in cases {
            assert_eq!(relative(path).as_deref().map_err(String::as_str), expected, "{path:?}");
        }
    }

    #[test]
    fn within_looks_at_whole_folders() {
        let cases = [("a", "a", true), ("a/b", "a", true), ("ab", "a", false), ("a", "a/b", false), ("a", "", true)];
        for (inner, outer, expected) in cases {
            assert_eq!(within(inner, outer), expected, "{inner} in {outer}");
        }
    }
}
