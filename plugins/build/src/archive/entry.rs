//! What goes into the archive, and under which name.

use sluice_sdk::Failure;
use sluice_sdk::files::Globs;

use crate::inputs::Inputs;

/// One file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the folder that files are taken from.
    pub path: String,
    /// Name in the archive.
    pub name: String,
    pub executable: bool,
}

impl Entry {
    /// The wanted ones of `paths`, sorted by the bytes of their names in the archive.
    ///
    /// Fails with all names that an archive must not have, and when nothing is left to pack.
    pub fn sorted(
        paths: Vec<String>,
        inputs: &Inputs,
        globs: &Globs,
        executable: &Globs,
    ) -> Result<Vec<Self>, Failure> {
        let mut entries: Vec<Self> = paths
            .into_iter()
            .filter(|path| globs.matches(path))
            .map(|path| {
                let name = if inputs.prefix.is_empty() { path.clone() } else { format!("{}/{path}", inputs.prefix) };
                Self { executable: executable.matches(&path), name, path }
            })
            .collect();
        let refused: Vec<String> =
            entries.iter().filter(|entry| !portable(&entry.name)).map(|entry| format!("`{}`", entry.name)).collect();
        if !refused.is_empty() {
            return Err(Failure::invalid_input(format!("not a portable name in an archive: {}", refused.join(", ")))
                .help("rename the files or leave them out with `exclude`"));
        }
        if entries.is_empty() {
            let failure = Failure::invalid_input(format!(
                "no file below `{}` matches {}",
                inputs.from,
                inputs.files.iter().map(|glob| format!("`{glob}`")).collect::<Vec<_>>().join(", ")
            ));
            return Err(if inputs.ignored {
                failure
            } else {
                failure.help("if `.gitignore` leaves the files out, set `ignored: true`")
            });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries.dedup();
        Ok(entries)
    }
}

/// Whether a name is unpacked as the same file everywhere: relative, no way up, and no backslash, which some programs
/// take for a `/`.
fn portable(name: &str) -> bool {
    name.split('/').all(|part| !matches!(part, "" | "." | "..")) && !name.contains(['\\', '\0'])
}
