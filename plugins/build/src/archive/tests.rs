//! The bytes do not depend on the machine, and other programs can read them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use sluice_sdk::files::Globs;
use tempfile::TempDir;

use super::{Entry, write};
use crate::inputs::{Format, Inputs};
use crate::walk::regular_files;

const FORMATS: [Format; 2] = [Format::TarGz, Format::Zip];
/// 2020-01-02 03:04:06 UTC
const EPOCH: u32 = 1_577_934_246;

fn files() -> BTreeMap<String, Vec<u8>> {
    // A pattern that deflate can neither store nor shrink to nothing.
    let large = (0..300_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> (n % 24)).to_le_bytes()).collect();
    BTreeMap::from([
        ("bin/run".to_owned(), b"#!/bin/sh\necho hello\n".to_vec()),
        ("empty".to_owned(), Vec::new()),
        ("data/large.bin".to_owned(), large),
        ("data/ü/日本語 file.txt".to_owned(), "grüße\n".into()),
        (format!("deep/{}/{}.txt", "d".repeat(120), "f".repeat(150)), b"long".to_vec()),
        (format!("split/{}/{}", "d".repeat(90), "f".repeat(60)), b"in two fields".to_vec()),
    ])
}

/// A folder with those files; `order`, mode and times differ between two calls with different `variant`.
fn folder(variant: u32) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let mut files: Vec<_> = files().into_iter().collect();
    if variant % 2 == 1 {
        files.reverse();
    }
    for (path, content) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(variant) * 1_000_000);
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600 | (variant % 8))).unwrap();
    }
    root
}

fn inputs(format: Format) -> Inputs {
    Inputs {
        files: vec!["**/*".to_owned()],
        exclude: Vec::new(),
        from: ".".to_owned(),
        ignored: true,
        format,
        name: "archive".to_owned(),
        prefix: "app-1.0".to_owned(),
        epoch: EPOCH,
        executable: vec!["bin/*".to_owned()],
        checksums: false,
    }
}

fn entries(inputs: &Inputs, paths: Vec<String>) -> Result<Vec<Entry>, sluice_sdk::Failure> {
    let globs = Globs::new(&inputs.files, &inputs.exclude).unwrap();
    let executable = Globs::new(&inputs.executable, &[]).unwrap();
    Entry::sorted(paths, inputs, &globs, &executable)
}

fn pack(root: &Path, format: Format, reverse: bool) -> Vec<u8> {
    let inputs = inputs(format);
    let mut paths = regular_files(root).unwrap();
    paths.sort();
    if reverse {
        paths.reverse();
    }
    write(format, root, &entries(&inputs, paths).unwrap(), inputs.epoch, Vec::new(), |_| Ok(())).unwrap()
}

#[test]
fn order_times_and_modes_do_not_change_the_bytes() {
    let (one, two) = (folder(1), folder(6));
    for format in FORMATS {
        assert!(pack(one.path(), format, false) == pack(two.path(), format, true), "{format}");
    }
}

/// The digests stand here so that a new version of a library or another machine cannot change them unnoticed.
#[test]
fn the_bytes_are_these() {
    let root = folder(1);
    let digests = FORMATS.map(|format| {
        let hash = Sha256::digest(pack(root.path(), format, false));
        hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    });
    assert_eq!(
        digests,
        [
            "91b20278ca72b6c38cb28b8eba6829fa0d69c81bb1300bb3c899db008c4905b1",
            "f86de872ffbaa3166fce05ed78c932414dfa13d8b310bb345615a59268158629",
        ]
    );
}

#[test]
fn other_programs_find_what_was_packed() {
    let root = folder(3);
    let out = tempfile::tempdir().unwrap();
    let tar = out.path().join("archive.tar.gz");
    let zip = out.path().join("archive.zip");
    fs::write(&tar, pack(root.path(), Format::TarGz, false)).unwrap();
    fs::write(&zip, pack(root.path(), Format::Zip, false)).unwrap();

    let unpacked = |name: &str| {
        let folder = out.path().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    };
    let (by_tar, by_unzip, by_python) = (unpacked("tar"), unpacked("unzip"), unpacked("python"));
    run(Command::new("tar").arg("-xzf").arg(&tar).arg("-C").arg(&by_tar));
    compare(&by_tar, true);
    if present("unzip") {
        run(Command::new("unzip").env("LC_ALL", "C.UTF-8").arg("-q").arg(&zip).arg("-d").arg(&by_unzip));
        compare(&by_unzip, true);
    }
    if present("python3") {
        // `data` is the filter that refuses anything unusual; `testzip` checks every checksum.
        let script = "import sys, tarfile, zipfile\n\
            with tarfile.open(sys.argv[1]) as t: t.extractall(sys.argv[3] + '/t', filter='data')\n\
            with zipfile.ZipFile(sys.argv[2]) as z: assert z.testzip() is None; z.extractall(sys.argv[3] + '/z')\n";
        run(Command::new("python3").arg("-c").arg(script).arg(&tar).arg(&zip).arg(&by_python));
        compare(&by_python.join("t"), true);
        compare(&by_python.join("z"), false); // Python's zipfile sets neither modes nor times.
    }
}

fn present(program: &str) -> bool {
    Command::new(program).arg("-h").output().is_ok()
}

fn run(command: &mut Command) {
    let output = command.env("TZ", "UTC").output().unwrap();
    // A warning counts as well: nothing is expected on the error stream.
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{command:?}: {stderr}");
}

fn compare(unpacked: &Path, metadata: bool) {
    let root = unpacked.join("app-1.0");
    let mut paths = regular_files(&root).unwrap();
    paths.sort();
    assert_eq!(paths, files().into_keys().collect::<Vec<_>>(), "{}", unpacked.display());
    for (path, content) in files() {
        let file = root.join(&path);
        assert!(fs::read(&file).unwrap() == content, "{}", file.display());
        if metadata {
            let found = fs::metadata(&file).unwrap();
            let expected = if path == "bin/run" { 0o755 } else { 0o644 };
            assert_eq!(found.permissions().mode() & 0o777, expected, "{}", file.display());
            let modified = found.modified().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            assert_eq!(modified.as_secs(), u64::from(EPOCH), "{}", file.display());
        }
    }
}

#[test]
fn names_that_mean_different_files_elsewhere_are_refused() {
    let paths = ["ok", "a/../b", "/etc/passwd", "a\\b"].map(String::from).to_vec();
    let mut inputs = inputs(Format::Zip);
    inputs.prefix.clear();
    let failure = entries(&inputs, paths).unwrap_err();
    assert_eq!(failure.message(), "not a portable name in an archive: `a/../b`, `/etc/passwd`, `a\\b`");
}

#[test]
fn nothing_to_pack_is_a_failure() {
    let mut inputs = inputs(Format::Zip);
    inputs.files = vec!["*.nothing".to_owned(), "dist/**".to_owned()];
    let failure = entries(&inputs, vec!["a".to_owned()]).unwrap_err();
    assert_eq!(failure.message(), "no file below `.` matches `*.nothing`, `dist/**`");
}

#[test]
fn an_unreadable_file_is_told_by_name() {
    let entry = Entry { path: "gone".to_owned(), name: "gone".to_owned(), executable: false };
    for format in FORMATS {
        let error = write(format, Path::new("/nonexistent"), std::slice::from_ref(&entry), 0, Vec::new(), |_| Ok(()))
            .unwrap_err();
        assert_eq!(error.to_string(), "cannot read `gone`: No such file or directory (os error 2)");
    }
}

#[test]
fn work_ends_when_told() {
    let root = folder(1);
    let inputs = inputs(Format::TarGz);
    let entries = entries(&inputs, regular_files(root.path()).unwrap()).unwrap();
    let before = |done| if done == 2 { Err(std::io::Error::other("cancelled")) } else { Ok(()) };
    let error = write(Format::TarGz, root.path(), &entries, 0, Vec::new(), before).unwrap_err();
    assert_eq!(error.to_string(), "cancelled");
}
