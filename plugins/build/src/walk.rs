//! Which files there are.

use std::path::Path;

use sluice_sdk::Failure;
use sluice_sdk::files::walk;

/// Folders that hold the history of the repository and the records of runs, never a part of what is packed.
const NEVER: [&str; 2] = [".git", ".sluice"];

/// Every regular file below `root`, relative to it, with `/`, in no particular order. Symbolic links are skipped:
/// where they lead differs from machine to machine.
pub fn regular_files(root: &Path) -> Result<Vec<String>, Failure> {
    let mut files = Vec::new();
    walk(root, |entry| {
        let kept = !NEVER.contains(&entry.name());
        if kept && entry.kind.is_file() {
            files.push(entry.relative.clone());
        }
        Ok(kept)
    })?;
    Ok(files)
}

/// Those of `paths` that lie below the folder `from` (`.` or `a/b`), relative to it.
pub fn below(from: &str, paths: Vec<String>) -> Vec<String> {
    if from == "." {
        return paths;
    }
    paths.iter().filter_map(|path| path.strip_prefix(from)?.strip_prefix('/')).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn links_and_the_folders_of_tools_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        for path in ["a/b/c.txt", ".hidden", ".git/config", "a/.sluice/record", "target/out"] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        std::os::unix::fs::symlink("a", root.path().join("folder-link")).unwrap();
        std::os::unix::fs::symlink(".hidden", root.path().join("file-link")).unwrap();

        let mut files = regular_files(root.path()).unwrap();
        files.sort();
        assert_eq!(files, [".hidden", "a/b/c.txt", "target/out"]);
    }

    #[test]
    fn paths_are_cut_at_folder_borders() {
        let paths = ["dist/a", "dist/b/c", "dist2/d", "e"].map(String::from).to_vec();
        assert_eq!(below("dist", paths.clone()), ["a", "b/c"]);
        assert_eq!(below(".", paths.clone()), paths);
    }
}
