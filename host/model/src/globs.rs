//! Lists of globs, with the same meaning wherever one stands: in a plugin's `files`, in `paths`, in `hash.files`.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Which paths a list of globs means. `*` does not cross a `/`, `**` does, `!` takes paths away again wherever it stands
/// in the list, and `docs/` means all that is below that folder. A list that only takes away begins with everything.
#[derive(Debug, Clone)]
pub struct Globs {
    include: GlobSet,
    exclude: GlobSet,
    include_all: bool,
}

impl Globs {
    /// # Errors
    /// The first that is no glob, and why.
    pub fn parse<S: AsRef<str>>(globs: &[S]) -> Result<Self, String> {
        let mut include = GlobSetBuilder::new();
        let mut exclude = GlobSetBuilder::new();
        let mut include_all = true;
        for glob in globs.iter().map(AsRef::as_ref) {
            let (set, pattern) = match glob.strip_prefix('!') {
                Some(pattern) => (&mut exclude, pattern),
                None => {
                    include_all = false;
                    (&mut include, glob)
                }
            };
            let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
            let below = if pattern.ends_with('/') { "**" } else { "" };
            let parsed = GlobBuilder::new(&format!("{pattern}{below}")).literal_separator(true).build();
            set.add(parsed.map_err(|error| format!("`{glob}` is not a glob: {}", error.kind()))?);
        }
        let build = |set: GlobSetBuilder| set.build().map_err(|error| error.to_string());
        Ok(Self { include: build(include)?, exclude: build(exclude)?, include_all })
    }

    /// `path` is relative, with `/` between its parts.
    pub fn matches(&self, path: &str) -> bool {
        (self.include_all || self.include.is_match(path)) && !self.exclude.is_match(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_mean_paths() {
        for (globs, good, bad) in [
            (&["*.md"][..], &["a.md"][..], &["docs/a.md", "a.mdx"][..]),
            (&["**/*.md"], &["a.md", "docs/a.md"], &["a.txt"]),
            (&["docs/**"], &["docs/a", "docs/b/c"], &["docs", "other/docs/a"]),
            (&["docs/"], &["docs/a", "docs/b/c"], &["docs", "docsy/a"]),
            (&["./src/*.rs"], &["src/a.rs"], &["src/b/a.rs"]),
            (&["**", "!docs/**"], &["a", "src/a"], &["docs/a"]),
            (&["!docs/", "**"], &["a"], &["docs/a"]),
            (&["!docs/**"], &["a"], &["docs/a"]),
            (&[], &["a", "b/c"], &[]),
            (&["{a,b}/*.[ch]"], &["a/x.c", "b/x.h"], &["c/x.c", "a/x.rs"]),
        ] {
            let parsed = Globs::parse(globs).unwrap();
            good.iter().for_each(|path| assert!(parsed.matches(path), "{globs:?} {path}"));
            bad.iter().for_each(|path| assert!(!parsed.matches(path), "{globs:?} {path}"));
        }
        let error = Globs::parse(&["a", "src/[b"]).unwrap_err();
        assert_eq!(error, "`src/[b` is not a glob: unclosed character class; missing ']'");
    }
}
