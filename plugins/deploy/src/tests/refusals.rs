//! What must not reach the disk.

use std::cell::Cell;
use std::rc::Rc;

use tar::EntryType;

use super::archives::{header, stored_zip, tar_gz, tar_of, zip, zip_with_link};
use super::*;
use crate::tree::Tree;

#[test]
fn archives_that_reach_out_of_the_release_are_refused() {
    let link = |kind, name, target| tar_of(&[(header(name, kind, target, 0), "")]);
    let absolute = "is not a relative path with `/` between folders";
    let cases = [
        (tar_gz(&[("ok", ""), ("../up", "")]), "`../up` leads out of its folder".to_owned()),
        (tar_gz(&[("a/../../up", "")]), "`a/../../up` leads out of its folder".to_owned()),
        (tar_gz(&[("/etc/passwd", "")]), format!("`/etc/passwd` {absolute}")),
        (tar_gz(&[("..\\up", "")]), format!("`..\\up` {absolute}")),
        (tar_gz(&[("a\u{1b}[2J", "")]), "`a\\u{1b}[2J` contains a control character".to_owned()),
        (tar_gz(&[("a", "1"), ("./a", "2")]), "`a` is in it twice".to_owned()),
        (link(EntryType::Directory, "../up/", ""), "`../up/` leads out of its folder".to_owned()),
        (link(EntryType::Symlink, "a", "/etc"), "`a` is a symbolic link".to_owned()),
        (link(EntryType::Symlink, "a", "b"), "`a` is a symbolic link".to_owned()),
        (link(EntryType::Link, "a", "../secret"), "`a` is a hard link".to_owned()),
        (link(EntryType::Fifo, "a", ""), "`a` is neither a file nor a folder".to_owned()),
        (link(EntryType::Char, "a", ""), "`a` is neither a file nor a folder".to_owned()),
        (zip(&[("ok", ""), ("../up", "")]), "`../up` leads out of its folder".to_owned()),
        (zip(&[("/etc/passwd", "")]), format!("`/etc/passwd` {absolute}")),
        (zip(&[("a/..\\..\\up", "")]), format!("`a/..\\..\\up` {absolute}")),
        (zip_with_link("a", "/etc"), "`a` is a symbolic link".to_owned()),
    ];
    for (bytes, expected) in cases {
        let site = Site::new();
        let expected = format!("the archive is refused: {expected}");
        let content = archive(bytes);
        let planned = Plan::make(&site.target(), &content, None, 5).unwrap_err();
        assert_eq!(planned.message(), expected);

        // A plan that says otherwise does not help: nothing is left on the disk.
        let plan = site.plan("x", "r1").unwrap();
        let applied = apply(&site.target(), &content, &plan, "key").unwrap_err();
        assert_eq!((applied.message(), site.tree().as_str()), (expected.as_str(), ""));
    }
}

#[test]
fn what_is_no_archive_is_told() {
    let whole = tar_gz(&[("a", "hello")]);
    let zipped = zip(&[("a", "hello")]);
    let neither = "the artifact is neither a `tar.gz` nor a `zip` archive";
    let cases = [
        (b"hello".to_vec(), neither),
        (Vec::new(), neither),
        (whole[..whole.len() / 2].to_vec(), "the archive cannot be read: "),
        (zipped[..zipped.len() / 2].to_vec(), "the archive cannot be read: "),
    ];
    for (bytes, expected) in cases {
        let failure = Tree::of(&archive(bytes)).unwrap_err();
        assert!(failure.message().starts_with(expected), "{failure}");
    }
}

#[test]
fn a_folder_gives_regular_files_only() {
    let from = tempfile::tempdir().unwrap();
    fs::create_dir(from.path().join("sub")).unwrap();
    fs::write(from.path().join("sub/a.txt"), "a").unwrap();
    fs::write(from.path().join("b.log"), "b").unwrap();
    symlink("b.log", from.path().join("link")).unwrap();

    let all = Tree::of(&folder(from.path(), &["**/*"])).unwrap_err();
    assert_eq!(all.message(), format!("`{}` is not a regular file", from.path().join("link").display()));
    let some = Tree::of(&folder(from.path(), &["**/*", "!link", "!**/*.log"])).unwrap();
    assert_eq!(some, Tree::of(&archive(tar_gz(&[("sub/a.txt", "a")]))).unwrap());
    let none = Tree::of(&folder(from.path(), &["*.md"])).unwrap_err();
    assert_eq!(none.message(), format!("no file below `{}` is meant by `files`", from.path().display()));
}

#[test]
fn work_ends_when_told_and_leaves_nothing() {
    let site = Site::new();
    let files = [("a", "1"), ("b", "2"), ("c", "3")];
    let plan = Plan::make(&site.target(), &archive(tar_gz(&files)), None, 5).unwrap();
    let asked = Cell::new(0);
    let content = Content {
        cancelled: Box::new(|| {
            asked.set(asked.get() + 1);
            asked.get() == 3
        }),
        ..archive(tar_gz(&files))
    };
    let failure = apply(&site.target(), &content, &plan, "key").unwrap_err();
    assert_eq!((failure.message(), site.tree().as_str()), ("cancelled", ""));
}

/// However many files there are: for the first bytes, for the end, for the directory, and once for all files.
#[test]
fn a_zip_is_read_few_times() {
    let names: Vec<_> = (0..400).map(|number| format!("{number}.txt")).collect();
    let text = "0123456789".repeat(1_000);
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), text.as_str())).collect();
    let bytes = stored_zip(&files);
    let size = bytes.len() as u64;
    assert!(size > 3 << 20, "as long as several blocks");
    let opened = Rc::new(Cell::new(0));
    let open = Box::new({
        let opened = opened.clone();
        move || {
            opened.set(opened.get() + 1);
            Ok(Box::new(std::io::Cursor::new(bytes.clone())) as Box<dyn std::io::Read>)
        }
    });
    let content = Content { source: Source::Archive { size, open }, cancelled: Box::new(|| false) };
    assert_eq!(Tree::of(&content).unwrap().files(), 400);
    assert_eq!(opened.get(), 4);
}
