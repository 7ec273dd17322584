use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Finds a program on the search path. Folders that are relative or inside the workspace are passed over, and so are
/// links into it: a step could have planted a program there. `workspace` is canonical.
pub fn find(name: &str, search_path: &[PathBuf], workspace: &Path) -> Option<PathBuf> {
    search_path.iter().filter(|folder| folder.is_absolute()).map(|folder| folder.join(name)).find(|path| {
        // The real file is what must stand outside; the path as found is what runs, since some programs go by their name.
        fs::canonicalize(path).is_ok_and(|real| !real.starts_with(workspace) && is_executable(&real))
            && fs::canonicalize(path.parent().unwrap_or(path)).is_ok_and(|folder| !folder.starts_with(workspace))
    })
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// A folder of the workspace, not left through links. `workspace` is canonical, `path` normalised.
pub fn directory(path: &str, workspace: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(workspace.join(path)).ok()?;
    (real.starts_with(workspace) && real.is_dir()).then_some(real)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn program(path: &Path) {
        fs::write(path, "").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn a_program_is_never_found_in_the_workspace() {
        let root = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(root.path()).unwrap();
        let [workspace, bin] = ["workspace", "bin"].map(|name| root.join(name));
        [&workspace, &bin].iter().for_each(|folder| fs::create_dir(folder).unwrap());
        program(&workspace.join("planted"));
        program(&bin.join("good"));
        fs::write(bin.join("data"), "").unwrap();
        symlink(workspace.join("planted"), bin.join("link")).unwrap();
        symlink(&workspace, root.join("disguise")).unwrap();

        let path = [workspace.clone(), PathBuf::from("."), root.join("disguise"), bin.clone()];
        assert_eq!(find("good", &path, &workspace), Some(bin.join("good")));
        for name in ["planted", "link", "data", "missing"] {
            assert_eq!(find(name, &path, &workspace), None, "{name}");
        }
    }

    #[test]
    fn a_directory_does_not_lead_out_of_the_workspace() {
        let root = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(root.path()).unwrap();
        fs::create_dir_all(root.join("workspace/src")).unwrap();
        let workspace = root.join("workspace");
        symlink("..", workspace.join("out")).unwrap();
        symlink("src", workspace.join("in")).unwrap();
        assert_eq!(directory("src", &workspace), Some(workspace.join("src")));
        assert_eq!(directory("in", &workspace), Some(workspace.join("src")));
        assert_eq!(directory("out", &workspace), None);
        assert_eq!(directory("missing", &workspace), None);
    }
}
