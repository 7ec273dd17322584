//! What `hash.files` in expressions stands for.

use std::io::{self, Read};
use std::path::Path;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use sluice_beneath::Links;
use sluice_model::Problem;
use sluice_workflow::Workflow;
use sluice_workflow::template::files_key;

/// A digest for each list of globs in the workflow and what it calls.
///
/// # Errors
/// Every list with a file that cannot be read.
pub fn file_hashes(workflow: &Workflow, workspace: &Path) -> Result<Map<String, Value>, Vec<Problem>> {
    let (mut hashes, mut problems) = (Map::new(), Vec::new());
    let files = workflow.files();
    for (globs, file) in files.iter().flat_map(|file| file.file_hashes.iter().map(move |globs| (globs, file))) {
        match digest(workspace, &globs.value) {
            Ok(digest) => drop(hashes.insert(files_key(&globs.value), digest.into())),
            Err(reason) => problems.push(
                Problem::new("host::files", "the files of `hash.files` cannot be read")
                    .at(globs.span, reason)
                    .within(&file.source),
            ),
        }
    }
    if problems.is_empty() { Ok(hashes) } else { Err(problems) }
}

/// SHA-256 of the lines that `sha256sum` prints for the files that match, in the order of their paths as bytes; empty if
/// none matches.
fn digest(workspace: &Path, globs: &[String]) -> Result<String, String> {
    let mut lines = Sha256::new();
    let mut any = false;
    for path in sluice_engine::list_files(workspace, globs)? {
        let content = match content(workspace, &path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("`{path}` cannot be read: {error}")),
        };
        any = true;
        lines.update(format!("{}  {path}\n", hex(&content)));
    }
    Ok(if any { hex(&lines.finalize()) } else { String::new() })
}

fn content(workspace: &Path, path: &str) -> io::Result<Vec<u8>> {
    let mut file = sluice_beneath::open(workspace, path, Links::Inside)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hasher.finalize().to_vec());
        }
        hasher.update(&buffer[..read]);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_digest_changes_with_names_and_contents_only() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |path: &str, content: &str| {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), content).unwrap();
        };
        let globs = ["src/**".to_owned(), "!**/*.md".to_owned()];
        let hash = || digest(root, &globs).unwrap();
        assert_eq!(hash(), "");
        write("src/b", "b");
        write("src/a b", "");
        // printf '' | sha256sum, printf b | sha256sum
        let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  src/a b\n\
            3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  src/b\n";
        let first = hash();
        assert_eq!(first, hex(&Sha256::digest(expected)));
        write("src/notes.md", "not matched");
        write(".gitignore", "*.log");
        write("src/x.log", "ignored");
        write("src/a b", "");
        assert_eq!(hash(), first);
        write("src/a b", "changed");
        assert_ne!(hash(), first);
        fs::rename(root.join("src/a b"), root.join("src/c")).unwrap();
        write("src/c", "");
        assert_ne!(hash(), first);
    }
}
