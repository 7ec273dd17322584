//! Paths, globs and folders, for files that [`Step::files`](crate::Step::files) leaves out because git ignores them, such
//! as what an earlier step built.

use std::fs::{self, FileType};
use std::path::{Path, PathBuf};

use crate::Failure;

/// The one spelling of a relative path: `a/b`, empty for the folder itself.
///
/// Refuses whatever could lead out of the folder that the path is relative to, on any system: absolute paths, `..`,
/// backslashes; and control characters, which nobody can see. The error says which.
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

/// Globs that want paths and globs that do not, as [`Step::files`](crate::Step::files) reads them: `*` stays within a
/// folder, `**` does not, `{a,b}` is either.
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

    /// Whether one of the globs wants the path, with `/` between folders, and none excludes it.
    pub fn matches(&self, path: &str) -> bool {
        let any = |globs: &[String]| globs.iter().any(|glob| fast_glob::glob_match(glob, path));
        any(&self.wanted) && !any(&self.unwanted)
    }
}

/// One thing that [`walk`] found.
#[derive(Debug)]
pub struct Entry {
    /// Its path below the folder where the walk began, with `/`.
    pub relative: String,
    /// Its path for opening it.
    pub path: PathBuf,
    /// What it is itself; links are not followed.
    pub kind: FileType,
}

impl Entry {
    /// The last part of its path.
    pub fn name(&self) -> &str {
        self.relative.rsplit('/').next().unwrap_or_default()
    }
}

/// Visits everything below `root`, hidden and ignored files too, in no particular order, each folder before what is in
/// it. A folder is entered when `visit` answers `true`; for anything else the answer does not count.
///
/// Fails with what `visit` fails with, on a folder that cannot be read, and on a name that is not UTF-8.
pub fn walk(root: &Path, mut visit: impl FnMut(&Entry) -> Result<bool, Failure>) -> Result<(), Failure> {
    let mut folders = vec![(root.to_owned(), String::new())];
    while let Some((folder, name)) = folders.pop() {
        let unreadable = |error| Failure::failed(format!("cannot read the folder `{}`: {error}", folder.display()));
        for item in fs::read_dir(&folder).map_err(unreadable)? {
            let item = item.map_err(unreadable)?;
            let path = item.path();
            let Some(last) = item.file_name().to_str().map(ToOwned::to_owned) else {
                return Err(Failure::failed(format!("the name of `{}` is not UTF-8", path.display())));
            };
            let relative = if name.is_empty() { last } else { format!("{name}/{last}") };
            let entry = Entry { relative, path, kind: item.file_type().map_err(unreadable)? };
            if visit(&entry)? && entry.kind.is_dir() {
                folders.push((entry.path, entry.relative));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn paths_have_one_spelling_or_are_refused() {
        let cases = [
            ("", Ok("")),
            (".", Ok("")),
            ("./a//b/", Ok("a/b")),
            ("a/./b", Ok("a/b")),
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

    #[test]
    fn a_walk_enters_what_it_is_told_to_and_follows_no_link() {
        let root = tempfile::tempdir().unwrap();
        for path in ["a/b/c.txt", ".hidden", "skipped/d"] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        std::os::unix::fs::symlink("a", root.path().join("link")).unwrap();
        let mut found = Vec::new();
        walk(root.path(), |entry| {
            let kind = if entry.kind.is_dir() {
                "folder"
            } else if entry.kind.is_file() {
                "file"
            } else {
                "other"
            };
            assert!(entry.path.symlink_metadata().is_ok());
            found.push(format!("{} {kind}", entry.relative));
            Ok(entry.name() != "skipped")
        })
        .unwrap();
        found.sort();
        assert_eq!(found, [".hidden file", "a folder", "a/b folder", "a/b/c.txt file", "link other", "skipped folder"]);
        let failure = walk(Path::new("no/such"), |_| Ok(true)).unwrap_err();
        assert_eq!(failure.message(), "cannot read the folder `no/such`: No such file or directory (os error 2)");
    }
}
