//! What decides over later steps, later runs and other programs, and so is no step's business unless it is granted by name.

use sluice_model::grant::{Access, FileGrant};

/// What is protected in every workspace, beside its workflow files: what git runs, what the plan trusts, what a run
/// records. Relative to the workspace.
pub const ALWAYS: [&str; 5] = [".git/config", ".git/hooks", ".sluice", "sluice-policy.yaml", "sluice.lock"];

/// The protected files and folders of a step.
#[derive(Debug, Clone, Default)]
pub struct Protected {
    /// Normalised, relative to the workspace.
    paths: Vec<String>,
    /// Grants of something protected by its name.
    named: Vec<FileGrant>,
}

impl Protected {
    /// `paths` are normalised. A grant that names one of them or something below it opens that.
    pub fn new(paths: &[String], granted: &[FileGrant]) -> Self {
        let names =
            |grant: &&FileGrant| grant.access == Access::Write && paths.iter().any(|path| is_within(&grant.path, path));
        Self { paths: paths.to_vec(), named: granted.iter().filter(names).cloned().collect() }
    }

    /// Those of the paths that lie in a granted folder and that no grant names: what a program with these grants could change,
    /// if it were only held to folders.
    pub fn exposed(paths: &[String], granted: &[FileGrant]) -> Vec<String> {
        let writes = || granted.iter().filter(|grant| grant.access == Access::Write);
        let is_exposed = |path: &&String| {
            writes().any(|grant| grant.contains(path)) && !writes().any(|grant| is_within(&grant.path, path))
        };
        paths.iter().filter(is_exposed).cloned().collect()
    }

    /// The protected path that forbids a change at this place. `also_above`: whether what lies below would move with it.
    pub fn forbids(&self, place: &str, also_above: bool) -> Option<&str> {
        if self.named.iter().any(|grant| grant.contains(place)) {
            return None;
        }
        let hit = |path: &&String| is_within(place, path) || also_above && (place == "." || is_within(path, place));
        self.paths.iter().find(hit).map(String::as_str)
    }
}

/// Whether one path is another or below it. Letters count the same in any case, as they do on some file systems.
fn is_within(path: &str, other: &str) -> bool {
    let starts = path.get(..other.len()).is_some_and(|start| start.eq_ignore_ascii_case(other));
    starts && matches!(path.as_bytes().get(other.len()), None | Some(b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protected(grants: &[&str]) -> Protected {
        let grants: Vec<FileGrant> = grants.iter().map(|grant| grant.parse().unwrap()).collect();
        Protected::new(&ALWAYS.map(str::to_owned), &grants)
    }

    #[test]
    fn programs_are_kept_from_what_no_grant_names() {
        for (grants, exposed) in [
            (&["write target"][..], ""),
            (&["read ."], ""),
            (&["write .git"], ".git/config .git/hooks"),
            (&["write .", "write .git/hooks/pre-commit"], ".git/config .sluice sluice-policy.yaml sluice.lock"),
            (&["write .git/hooks"], ""),
        ] {
            let grants: Vec<FileGrant> = grants.iter().map(|grant| grant.parse().unwrap()).collect();
            assert_eq!(Protected::exposed(&ALWAYS.map(str::to_owned), &grants).join(" "), exposed, "{grants:?}");
        }
    }

    #[test]
    fn what_is_protected_needs_its_name_in_a_grant() {
        for (grants, place, also_above, forbidden) in [
            (&["write ."][..], "src/main.rs", false, None),
            (&["write ."], ".git/hooks/pre-commit", false, Some(".git/hooks")),
            (&["write ."], ".git/hooks", false, Some(".git/hooks")),
            (&["write ."], ".GIT/Hooks/pre-commit", false, Some(".git/hooks")),
            (&["write ."], ".git/hooks2", false, None),
            (&["write ."], ".git/index", false, None),
            (&["write .git"], ".git/hooks/pre-commit", false, Some(".git/hooks")),
            (&["write .git/hooks"], ".git/hooks/pre-commit", false, None),
            (&["read .git/hooks", "write ."], ".git/hooks/pre-commit", false, Some(".git/hooks")),
            (&["write .git/hooks/pre-commit"], ".git/hooks/pre-push", false, Some(".git/hooks")),
            (&["write ."], ".git", false, None),
            (&["write ."], ".git", true, Some(".git/config")),
            (&["write ."], ".sluice/runs", false, Some(".sluice")),
            (&["write ."], "sluice.lock", false, Some("sluice.lock")),
            (&["write sluice.lock"], "sluice.lock", false, None),
        ] {
            let protected = protected(grants);
            assert_eq!(protected.forbids(place, also_above), forbidden, "{grants:?} {place}");
        }
    }
}
