//! Which paths are meant.

use sluice_sdk::Failure;

/// Globs that want paths and globs that do not. A path is meant when one of the first matches and none of the second.
#[derive(Debug)]
pub struct Globs {
    wanted: Vec<String>,
    unwanted: Vec<String>,
}

impl Globs {
    /// `!` in front of one of `globs` counts it to `exclude`. Fails with all malformed globs at once.
    pub fn new(globs: &[String], exclude: &[String]) -> Result<Self, Failure> {
        let mut sorted = Self { wanted: Vec::new(), unwanted: exclude.to_vec() };
        for glob in globs {
            match glob.strip_prefix('!') {
                Some(rest) => sorted.unwanted.push(rest.to_owned()),
                None => sorted.wanted.push(glob.clone()),
            }
        }
        let problems: Vec<String> = sorted
            .wanted
            .iter()
            .chain(&sorted.unwanted)
            .filter_map(|glob| fast_glob::validate(glob).err().map(|error| format!("`{glob}`: {error}")))
            .collect();
        if problems.is_empty() {
            Ok(sorted)
        } else {
            Err(Failure::invalid_input(format!("malformed glob: {}", problems.join("; "))))
        }
    }

    pub fn matches(&self, path: &str) -> bool {
        let any = |globs: &[String]| globs.iter().any(|glob| fast_glob::glob_match(glob, path));
        any(&self.wanted) && !any(&self.unwanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_path_is_meant_when_wanted_and_not_excluded() {
        let cases: [(&[&str], &[&str], &str, bool); 9] = [
            (&["**/*"], &[], "README.md", true),
            (&["**/*"], &[], ".hidden/file", true),
            (&["*"], &[], "src/lib.rs", false),
            (&["src/**"], &[], "src/a/b.rs", true),
            (&["**/*.{md,txt}"], &[], "docs/a.txt", true),
            (&["**/*", "!**/*.log"], &[], "a/b.log", false),
            (&["**/*"], &["a/**"], "a/b", false),
            (&["README.md"], &[], "docs/README.md", false),
            (&[], &[], "a", false),
        ];
        for (globs, exclude, path, expected) in cases {
            let globs = Globs::new(&strings(globs), &strings(exclude)).unwrap();
            assert_eq!(globs.matches(path), expected, "{globs:?} on {path}");
        }
    }

    #[test]
    fn malformed_globs_are_told_all_at_once() {
        let failure = Globs::new(&strings(&["{a", "b"]), &strings(&["[c"])).unwrap_err();
        assert_eq!(
            failure.message(),
            "malformed glob: `{a`: unclosed brace expansion at byte 0; missing '}' (to match a literal '{', escape it \
             as '\\{' or '[{]'); `[c`: unclosed character class at byte 0; missing ']' (to match a literal '[', escape \
             it as '\\[' or '[[]')"
        );
    }
}
