//! Who runs this program.

use nix::unistd::{User, getuid};

/// Who somebody is in the words of a CI system, ours first.
const ACTORS: [&str; 7] = [
    "SLUICE_ACTOR",
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "BUILD_USER_ID",
    "BUILDKITE_BUILD_CREATOR",
    "CIRCLE_USERNAME",
    "BUILD_REQUESTEDFOR",
];

/// Longer ones are cut, in characters.
const MAX_ACTOR: usize = 100;

/// The user's name in the system, or its number if it has no name.
pub fn name() -> String {
    let id = getuid();
    User::from_uid(id).ok().flatten().map_or_else(|| id.to_string(), |user| user.name)
}

/// What the environment says of who started this. Anybody can set it.
pub fn actor() -> Option<String> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    ACTORS.into_iter().find_map(set).map(|actor| actor.trim().chars().take(MAX_ACTOR).collect())
}
