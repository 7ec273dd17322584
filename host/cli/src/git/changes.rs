//! Which files have changed, and since when.

use std::collections::BTreeSet;

use sluice_model::Problem;

use super::Git;

/// What a CI system calls the branch that a change goes to.
const TARGETS: [&str; 6] = [
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
    "CHANGE_TARGET",
];

/// Changes since the base, in commits, staged, unstaged and untracked.
#[derive(Debug, Default)]
pub struct Changes {
    /// What they are counted from, as people call it.
    pub base: Option<String>,
    /// Relative to the workspace, sorted; `None` if every file counts as changed.
    pub files: Option<Vec<String>>,
    /// Why every file counts, or what the files are compared with instead.
    pub note: Option<String>,
}

impl Changes {
    /// The files that have changed, or all there are.
    pub fn files_or_all(&self, git: &Git) -> Vec<String> {
        if let Some(files) = &self.files {
            return files.clone();
        }
        let all = git.names(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        // Outside a repository.
        let all = all.unwrap_or_else(|| sluice_engine::list_files(&git.workspace, &[]).unwrap_or_default());
        all.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn everything(note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..Self::default() }
    }
}

/// What has changed since `wanted`, or since the base that the CI system, the upstream of the branch or `origin` name.
///
/// # Errors
/// If `wanted` is no commit.
pub fn changes(git: &Git, wanted: Option<&str>) -> Result<Changes, Problem> {
    if git.line(&["rev-parse", "--is-inside-work-tree"]).as_deref() != Some("true") {
        return match wanted {
            Some(wanted) => Err(no_base(wanted, "the workspace is in no git repository")),
            None => Ok(Changes::everything("the workspace is in no git repository")),
        };
    }
    let (name, base) = match wanted {
        Some(wanted) => match git.commit(wanted) {
            Some(base) => (wanted.to_owned(), base),
            None => return Err(no_base(wanted, "no branch, tag or commit of this clone has that name")),
        },
        None => match found(git) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Changes::everything("nothing tells what to compare with")),
            Err(note) => return Ok(Changes::everything(note)),
        },
    };
    let merge_base = git.line(&["merge-base", &base, "HEAD"]);
    let note = merge_base.is_none().then(|| {
        format!("this clone has no commit that `{name}` and HEAD have in common; the files of both are compared")
    });
    Ok(match files(git, merge_base.as_deref().unwrap_or(&base)) {
        Some(files) => Changes { base: Some(name), files: Some(files), note },
        None => Changes { base: Some(name), ..Changes::everything("git cannot compare the files") },
    })
}

fn no_base(wanted: &str, why: &str) -> Problem {
    Problem::new("usage::no-such-base", format!("there is nothing to compare with at `{wanted}`"))
        .cause(why)
        .help("name a branch, tag or commit, such as `--base origin/main`; a shallow clone has only its latest commits")
}

/// The name of the base and its commit. The error says that a base was named that this clone does not have: to guess
/// another could hide changes.
fn found(git: &Git) -> Result<Option<(String, String)>, String> {
    let target = |name| Some((name, std::env::var(name).ok().filter(|branch| !branch.is_empty())?));
    if let Some((variable, branch)) = TARGETS.into_iter().find_map(target) {
        let name = format!("origin/{}", branch.strip_prefix("refs/heads/").unwrap_or(&branch));
        return match git.commit(&name) {
            Some(commit) => Ok(Some((name, commit))),
            None => Err(format!("`{name}`, which {variable} names, is not in this clone")),
        };
    }
    let upstream = git.line(&["rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}"]);
    let origin = || git.line(&["symbolic-ref", "--short", "-q", "refs/remotes/origin/HEAD"]);
    let known = |name: String| git.commit(&name).map(|commit| (name, commit));
    Ok(upstream.and_then(known).or_else(|| origin().and_then(known)))
}

/// Without a rename being told from a removal and an addition: both names count.
fn files(git: &Git, base: &str) -> Option<Vec<String>> {
    const DIFF: [&str; 8] = [
        "diff",
        "--name-only",
        "-z",
        "--relative",
        "--no-renames",
        "--no-ext-diff",
        "--no-textconv",
        "--ignore-submodules=dirty",
    ];
    let diff = |more: &[&str]| git.names(&[&DIFF, more, &["--"]].concat());
    let mut files = BTreeSet::new();
    files.extend(diff(&[base, "HEAD"])?);
    files.extend(diff(&["--cached", "HEAD"])?);
    files.extend(diff(&[])?);
    files.extend(git.names(&["ls-files", "-z", "--others", "--exclude-standard"])?);
    Some(files.into_iter().collect())
}
