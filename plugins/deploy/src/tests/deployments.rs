//! Plan, apply, rollback.

use std::process::Command;

use super::archives::{tar_gz, zip};
use super::*;
use crate::apply::Receipt;
use crate::rollback::rollback;
use crate::tree::{Tree, short};

#[test]
fn the_first_deployment_creates_all() {
    let site = Site::new();
    let plan = site.plan("hello", "v1").unwrap();
    assert_eq!(site.tree(), "", "a plan changes nothing");
    assert_eq!(
        changes(&plan, &site),
        [
            "Action::Create releases/v1: files: 1, content: \
             00971d57aff4dd2b3b1181d2d5ad72ae2b79067b2f4c6e355cbfeaf0d0ba91aa",
            "Action::Create current: leads to `v1`",
        ]
    );
    let applied = site.deploy("hello", "v1");
    assert_eq!(site.tree(), "current -> releases/v1\nreleases/\n  v1/\n    index.html: hello\n");
    assert_eq!(
        applied.receipt,
        Receipt {
            to: site.root.path().display().to_string(),
            release: "v1".to_owned(),
            previous: None,
            changed: true,
            deleted: Vec::new(),
        }
    );
}

#[test]
fn the_same_content_is_no_change() {
    let site = Site::new();
    site.deploy("hello", "v1");
    let plan = site.plan("hello", "v1").unwrap();
    assert_eq!(changes(&plan, &site), Vec::<String>::new());
    assert!(!site.deploy("hello", "v1").receipt.changed);
}

#[test]
fn a_release_never_changes() {
    let site = Site::new();
    site.deploy("one", "v1");
    let failure = site.plan("two", "v1").unwrap_err();
    assert_eq!(failure.message(), format!("`{}/releases/v1` exists with other content", site.root.path().display()));
}

#[test]
fn old_releases_go_but_never_the_new_or_the_previous_one() {
    let site = Site::new();
    for release in ["v1", "v2", "v3"] {
        site.deploy(release, release);
    }
    // Back to the oldest: it is the new one, and `v3` the previous.
    site.deploy("v1", "v1");
    let plan = site.plan("v4", "v4").unwrap();
    assert_eq!(
        changes(&plan, &site)[1..],
        ["Action::Update current: from `v1` to `v4`", "Action::Delete releases/v2: older than those that are kept",]
    );
    assert_eq!(site.deploy("v4", "v4").receipt.deleted, ["v2"]);
    assert_eq!(
        site.tree(),
        "current -> releases/v4\nreleases/\n  v1/\n    index.html: v1\n  v3/\n    index.html: v3\n  v4/\n    \
         index.html: v4\n"
    );
}

#[test]
fn rolling_back_restores_the_link_and_may_be_repeated() {
    let site = Site::new();
    let first = site.deploy("one", "v1").receipt;
    let second = site.deploy("two", "v2").receipt;
    let back = |receipt: &Receipt| rollback(&site.target(), receipt, "key").map_err(|failure| failure.to_string());
    let current = || fs::read_link(site.target().current()).ok().map(|leads| leads.display().to_string());

    assert_eq!(back(&first), Err("cannot roll back `v1`: `current` leads to `v2` by now".to_owned()));
    assert_eq!(back(&second), Ok("`current` leads to `v1` again".to_owned()));
    assert_eq!(current().as_deref(), Some("releases/v1"));
    assert_eq!(back(&second), Ok("nothing to roll back".to_owned()));
    assert_eq!(back(&first), Ok("removed `current`, which led to `v1`".to_owned()));
    assert_eq!(current(), None);
    assert_eq!(back(&first), Ok("nothing to roll back".to_owned()));

    site.deploy("one", "v1");
    let third = site.deploy("two", "v2").receipt;
    fs::remove_dir_all(site.target().release("v1")).unwrap();
    assert_eq!(back(&third), Err("cannot roll back `v2`: the previous release `v1` is gone".to_owned()));
    assert_eq!(current().as_deref(), Some("releases/v2"));
}

#[test]
fn a_changed_world_stops_the_plan() {
    type Meddle = fn(&Site);
    let cases: [(&str, Meddle); 5] = [
        ("`current` leads to `v1`, not to `v2`", |site| {
            site.target().switch("v1", "other").unwrap();
        }),
        ("`current` leads to nothing, not to `v2`", |site| site.target().unlink().unwrap()),
        ("the release `v9` is new", |site| fs::create_dir(site.target().release("v9")).unwrap()),
        ("the release `v2` is gone", |site| fs::remove_dir_all(site.target().release("v2")).unwrap()),
        ("`RELEASE` has other content", |site| fs::create_dir(site.target().release("v3")).unwrap()),
    ];
    for (expected, meddle) in cases {
        let site = Site::new();
        site.deploy("one", "v1");
        site.deploy("two", "v2");
        let plan = site.plan("three", "v3").unwrap();
        meddle(&site);
        let before = site.tree();
        let failure = apply(&site.target(), &text_content("three"), &plan, "key").unwrap_err();
        let message = failure.message().replace(&site.target().release("v3").display().to_string(), "RELEASE");
        assert_eq!(message, format!("something changed since the plan was made: {expected}"));
        assert_eq!(site.tree(), before);
    }
}

#[test]
fn other_content_than_planned_leaves_no_trace() {
    let site = Site::new();
    site.deploy("one", "v1");
    let before = site.tree();
    let plan = site.plan("two", "v2").unwrap();
    let failure = apply(&site.target(), &text_content("three"), &plan, "key").unwrap_err();
    assert_eq!(failure.message(), "something changed since the plan was made: the files are others");
    assert_eq!(site.tree(), before);
}

/// Whatever an interrupted repetition of the same attempt did, the next one ends at the same place.
#[test]
fn an_interrupted_deployment_is_taken_over() {
    type Interrupted = fn(&Site, &Plan);
    let cases: [Interrupted; 3] = [
        |site, _| {
            let staging = site.target().staging(&short("run/job/step/1"));
            fs::create_dir(&staging).unwrap();
            fs::write(staging.join("half"), "ha").unwrap();
        },
        |site, plan| {
            let release = site.target().release(&plan.release);
            fs::create_dir(&release).unwrap();
            fs::write(release.join("index.html"), "three").unwrap();
            symlink("releases/v3", site.root.path().join(format!("current.tmp-{}", short("run/job/step/1")))).unwrap();
        },
        |site, plan| {
            apply(&site.target(), &text_content("three"), plan, "run/job/step/1").unwrap();
        },
    ];
    for interrupted in cases {
        let site = Site::new();
        for release in ["v0", "v1", "v2"] {
            site.deploy(release, release);
        }
        let plan = site.plan("three", "v3").unwrap();
        assert_eq!(plan.delete, ["v0"]);
        interrupted(&site, &plan);
        let applied = apply(&site.target(), &text_content("three"), &plan, "run/job/step/1").unwrap();
        assert_eq!(applied.receipt.previous.as_deref(), Some("v2"));
        assert_eq!(
            site.tree(),
            "current -> releases/v3\nreleases/\n  v1/\n    index.html: v1\n  v2/\n    index.html: v2\n  v3/\n    \
             index.html: three\n"
        );
    }
}

#[test]
fn leftovers_of_others_are_cleaned_up() {
    let site = Site::new();
    site.deploy("one", "v1");
    fs::create_dir(site.target().staging("dead")).unwrap();
    let plan = site.plan("two", "v2").unwrap();
    assert_eq!(
        changes(&plan, &site).last().unwrap(),
        "Action::Delete releases/.staging-dead: left by an interrupted deployment"
    );
    site.deploy("two", "v2");
    assert!(!site.target().staging("dead").exists());
}

#[test]
fn a_target_that_is_something_else_is_left_alone() {
    type Make = fn(&Path);
    let cases: [(Make, &str); 3] = [
        (|current| fs::write(current, "").unwrap(), "`TO/current` is not a symbolic link"),
        (|current| symlink("/etc", current).unwrap(), "`TO/current` leads to `/etc`, not to a folder in `releases`"),
        (
            |current| symlink("releases/../..", current).unwrap(),
            "`TO/current` leads to `releases/../..`, not to a folder in `releases`",
        ),
    ];
    for (make, expected) in cases {
        let site = Site::new();
        make(&site.target().current());
        let failure = site.plan("one", "v1").unwrap_err();
        assert_eq!(failure.message().replace(&site.root.path().display().to_string(), "TO"), expected);
    }
}

#[test]
fn plans_and_receipts_are_for_one_folder() {
    let site = Site::new();
    let bytes = site.plan("one", "v1").unwrap().to_bytes();
    let to = site.root.path().display().to_string();
    assert_eq!(Plan::from_bytes(&bytes, &to).unwrap(), site.plan("one", "v1").unwrap());
    let other = Plan::from_bytes(&bytes, "other").unwrap_err();
    assert_eq!(other.message(), format!("the plan is for the folder `{to}`, not for `other`"));
    let receipt = site.deploy("one", "v1").receipt;
    assert_eq!(Receipt::from_bytes(&receipt.to_bytes(), &to).unwrap(), receipt);
    assert!(Receipt::from_bytes(b"{}", &to).is_err());
}

/// The name of a release depends on its files alone, and ordinary programs come to the same digest.
#[test]
fn content_has_one_digest_however_it_comes() {
    let files = [("a.txt", "1"), ("b/ü.txt", "2"), ("b.txt", "3")];
    let mut shuffled = files;
    shuffled.reverse();
    let from = tempfile::tempdir().unwrap();
    fs::create_dir(from.path().join("b")).unwrap();
    for (path, text) in files {
        fs::write(from.path().join(path), text).unwrap();
    }
    let script = "find . -type f -printf '%P\\n' | sort | xargs -d '\\n' sha256sum | sha256sum | cut -c -64";
    let output = Command::new("sh").arg("-c").arg(script).env("LC_ALL", "C").current_dir(&from).output().unwrap();
    let expected = String::from_utf8(output.stdout).unwrap();

    let contents = [
        archive(tar_gz(&files)),
        archive(tar_gz(&shuffled)),
        archive(zip(&files)),
        archive(zip(&shuffled)),
        folder(from.path(), &["**/*"]),
    ];
    for content in contents {
        assert_eq!(Tree::of(&content).unwrap().digest(), expected.trim());
    }
    let plan = Plan::make(&Site::new().target(), &folder(from.path(), &["**/*"]), None, 5).unwrap();
    assert_eq!(plan.release, expected[..12]);
}
