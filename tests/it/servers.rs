//! Real servers that `just servers` installs.

use std::path::PathBuf;

/// A file below the folder where they are. `None` where it is not installed, which in CI it must be.
pub fn installed(path: &str, name: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let place = cache.join("sluice/servers").join(path);
    if !place.exists() {
        eprintln!("skipped: {name} is not installed; `just servers` installs it where the system can");
        assert!(std::env::var_os("CI").is_none(), "{name} must be there in CI");
        return None;
    }
    Some(place)
}
