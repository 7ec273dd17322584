//! Where a path of a guest really leads, relative to the workspace.

use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::{Component, Path, PathBuf};

/// The place below the workspace, with every link on the way followed, and with the last one followed if asked to. `None`
/// if it is outside, or a folder on the way is missing.
pub(crate) fn of(root: &Path, folder: BorrowedFd<'_>, path: &str, follow: bool) -> Option<String> {
    let real = real(&folder_path(folder)?, path, follow)?;
    let inside = real.strip_prefix(root).ok()?.to_str()?;
    Some(if inside.is_empty() { ".".to_owned() } else { inside.to_owned() })
}

/// Whether a symbolic link with this text would stay in the workspace. Counted from where it really stands; links that the
/// text itself names are judged where they stand.
pub(crate) fn leads_inside(root: &Path, folder: BorrowedFd<'_>, text: &str, path: &str) -> bool {
    let Some(link) = folder_path(folder).and_then(|folder| real(&folder, path, false)) else { return true };
    let mut place = link.parent().map(Path::to_owned).unwrap_or_default();
    for part in Path::new(text).components() {
        match part {
            Component::Normal(name) => place.push(name),
            Component::ParentDir => drop(place.pop()),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return false,
        }
        if !place.starts_with(root) {
            return false;
        }
    }
    true
}

fn real(folder: &Path, path: &str, follow: bool) -> Option<PathBuf> {
    let whole = folder.join(path);
    let by_name = matches!(whole.components().next_back(), Some(Component::Normal(_)))
        && !path.ends_with('/')
        && !path.ends_with("/.");
    if follow || !by_name {
        match whole.canonicalize() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && by_name => {}
            real => return real.ok(),
        }
        // A link that leads nowhere yet: opening it creates what it names.
        if let Ok(text) = fs::read_link(&whole) {
            let next = whole.parent()?.join(text);
            return Some(next.parent()?.canonicalize().ok()?.join(next.file_name()?));
        }
    }
    Some(whole.parent()?.canonicalize().ok()?.join(whole.file_name()?))
}

#[cfg(target_os = "linux")]
fn folder_path(folder: BorrowedFd<'_>) -> Option<PathBuf> {
    fs::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd())).ok()
}

#[cfg(target_os = "macos")]
fn folder_path(folder: BorrowedFd<'_>) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    nix::fcntl::fcntl(folder, nix::fcntl::FcntlArg::F_GETPATH(&mut path)).ok()?;
    Some(path)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_path_is_told_by_where_it_leads() {
        let outside = tempfile::tempdir().unwrap();
        let root = outside.path().canonicalize().unwrap().join("workspace");
        fs::create_dir_all(root.join(".git/hooks")).unwrap();
        fs::create_dir_all(root.join("src/deep")).unwrap();
        fs::write(root.join("sluice.lock"), "").unwrap();
        symlink("../.git/hooks", root.join("src/innocent")).unwrap();
        symlink("../sluice.lock", root.join("src/lock")).unwrap();
        symlink("../.git/hooks/new", root.join("src/dangling")).unwrap();
        symlink("../..", root.join("src/out")).unwrap();
        for (folder, path, follow, expected) in [
            (".", "sluice.lock", true, Some("sluice.lock")),
            (".", "./src/../sluice.lock", true, Some("sluice.lock")),
            ("src", "lock", true, Some("sluice.lock")),
            ("src", "lock", false, Some("src/lock")),
            ("src", "innocent/pre-commit", true, Some(".git/hooks/pre-commit")),
            ("src", "innocent/pre-commit", false, Some(".git/hooks/pre-commit")),
            ("src", "innocent", false, Some("src/innocent")),
            ("src", "innocent/", false, Some(".git/hooks")),
            ("src", "innocent/.", false, Some(".git/hooks")),
            ("src", "dangling", true, Some(".git/hooks/new")),
            ("src/deep", "../new", false, Some("src/new")),
            ("src", "deep/..", false, Some("src")),
            (".", ".", true, Some(".")),
            ("src", "out/x", true, None),
            ("src", "missing/x", true, None),
        ] {
            let open = File::open(root.join(folder)).unwrap();
            assert_eq!(of(&root, open.as_fd(), path, follow).as_deref(), expected, "{path} from {folder}");
        }
    }

    #[test]
    fn a_link_may_not_lead_out() {
        let outside = tempfile::tempdir().unwrap();
        let root = outside.path().canonicalize().unwrap().join("workspace");
        fs::create_dir_all(root.join("src/deep")).unwrap();
        for (text, path, inside) in [
            ("x", "link", true),
            ("../x", "deep/link", true),
            ("../../x", "deep/link", true),
            ("../../../x", "deep/link", false),
            ("../../../workspace/x", "deep/link", false),
            ("/etc/passwd", "link", false),
        ] {
            let open = File::open(root.join("src")).unwrap();
            assert_eq!(leads_inside(&root, open.as_fd(), text, path), inside, "{text} at {path}");
        }
    }
}
