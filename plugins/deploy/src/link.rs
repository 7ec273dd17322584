//! Making a symbolic link.

use std::io;
use std::path::Path;

/// Makes `link` a symbolic link to `target`, which is relative to the folder of `link`.
#[cfg(not(target_family = "wasm"))]
pub fn symlink(target: &str, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Makes `link` a symbolic link to `target`, which is relative to the folder of `link`.
#[cfg(target_family = "wasm")]
pub fn symlink(target: &str, link: &Path) -> io::Result<()> {
    use wasip2::filesystem::preopens::get_directories;

    let link = link.to_str().ok_or_else(|| io::Error::other("the path is not UTF-8"))?;
    // Folders that the host opened for the step, by the name that the step knows them under. The longest name that
    // leads to the link is what the standard library would take, too.
    let folders = get_directories();
    let (folder, rest) = folders
        .iter()
        .filter_map(|(folder, name)| Some((folder, below(link, name)?)))
        .min_by_key(|(_, rest)| rest.len())
        .ok_or_else(|| io::Error::other(format!("the step has no access to `{link}`")))?;
    folder.symlink_at(target, rest).map_err(|code| io::Error::other(code.message()))
}

/// What is left of `path` below the folder `name`.
#[cfg(any(target_family = "wasm", test))]
fn below<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let name = name.trim_start_matches("./").trim_matches('/');
    if matches!(name, "" | ".") { Some(path) } else { path.strip_prefix(name)?.strip_prefix('/') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cut_at_folder_borders() {
        let cases = [
            ("site/current", ".", Some("site/current")),
            ("site/current", "/", Some("site/current")),
            ("site/current", "site", Some("current")),
            ("site/current", "./site/", Some("current")),
            ("site/current", "si", None),
            ("site/current", "other", None),
        ];
        for (path, name, expected) in cases {
            assert_eq!(below(path, name), expected, "{path} in {name}");
        }
    }
}
