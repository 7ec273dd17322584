//! The file that is scanned, and what its name tells.

/// One file.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    pub path: &'a str,
    pub bytes: &'a [u8],
    pub kind: Kind,
    /// The path says that it belongs to tests or examples.
    pub test: bool,
}

/// What to expect of values without quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `name=value` and `name: value`: a value without quotes is a literal.
    Settings,
    /// A value without quotes is an expression.
    Source,
    /// Written by a package manager: full of digests.
    Lock,
}

const SETTINGS: &[&str] = &[
    "env",
    "ini",
    "cfg",
    "conf",
    "config",
    "properties",
    "yaml",
    "yml",
    "toml",
    "sh",
    "bash",
    "zsh",
    "fish",
    "bat",
    "cmd",
    "tfvars",
    "npmrc",
    "pypirc",
    "netrc",
    "pgpass",
    "dockerfile",
    "txt",
    "md",
    "rst",
    "xml",
    "plist",
    "cnf",
    "envrc",
    "bashrc",
    "zshrc",
    "profile",
    "credentials",
];

const LOCKS: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "packages.lock.json",
    "go.sum",
    "go.work.sum",
    ".cargo-checksum.json",
    "gradle.lockfile",
    "verification-metadata.xml",
    "bun.lockb",
    "cargo.lock.orig",
];

/// Files whose text, if any, is not written by people.
const BINARY: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "webp", "ico", "bmp", "tiff", "pdf", "zip", "gz", "bz2", "xz", "zst", "7z", "jar",
    "woff", "woff2", "ttf", "otf", "eot", "mp3", "mp4", "mov", "avi", "ogg", "wav", "wasm", "so", "dll", "dylib",
    "exe", "rlib", "class", "pyc",
];

impl<'a> File<'a> {
    pub fn new(path: &'a str, bytes: &'a [u8]) -> Self {
        Self { path, bytes, kind: Kind::of(path), test: is_test(path) }
    }
}

impl Kind {
    fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        let extension = extension(&name);
        if LOCKS.contains(&name.as_str()) || extension == "lock" {
            Self::Lock
        } else if SETTINGS.contains(&extension)
            || name.starts_with(".env")
            || name.starts_with("dockerfile")
            || !name.contains('.')
        {
            Self::Settings
        } else {
            Self::Source
        }
    }
}

/// Whether a folder is one for tests, fixtures or examples, or the name of the file is that of a test.
fn is_test(path: &str) -> bool {
    const FOLDERS: &[&str] = &[
        "test",
        "tests",
        "testing",
        "testdata",
        "test-data",
        "test_data",
        "fixtures",
        "examples",
        "spec",
        "specs",
        "mocks",
        "__tests__",
    ];
    let lower = path.to_ascii_lowercase();
    let mut parts = lower.rsplit('/');
    let name = parts.next().unwrap_or_default();
    parts.any(|folder| FOLDERS.contains(&folder))
        || ["_test.", ".test.", "_spec.", ".spec.", "_tests."].iter().any(|mark| name.contains(mark))
        || name.starts_with("test_")
        || ["test.rs", "tests.rs"].contains(&name)
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Whether the name says that the file is not text, so that it need not be read.
pub fn binary_by_name(path: &str) -> bool {
    BINARY.contains(&extension(path).to_ascii_lowercase().as_str())
}

/// Whether the content is not text: a NUL in the first 8,000 bytes, as git decides.
pub fn binary_by_content(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(8000)].contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_kind() {
        for (path, kind) in [
            ("a/.env", Kind::Settings),
            ("a/.env.production", Kind::Settings),
            ("deploy/Dockerfile", Kind::Settings),
            ("Makefile", Kind::Settings),
            ("a.YML", Kind::Settings),
            ("src/lib.rs", Kind::Source),
            ("web/app.min.js", Kind::Source),
            ("Cargo.lock", Kind::Lock),
            ("web/package-lock.json", Kind::Lock),
        ] {
            assert_eq!(Kind::of(path), kind, "{path}");
        }
    }

    #[test]
    fn paths_tell_tests() {
        for path in ["tests/a.rs", "x/testdata/k.pem", "web/login.spec.ts", "a_test.go", "test_a.py", "src/tests.rs"] {
            assert!(is_test(path), "{path}");
        }
        for path in ["src/lib.rs", "src/attestation.rs", "contest/a.rs", "latest.txt"] {
            assert!(!is_test(path), "{path}");
        }
    }

    #[test]
    fn binary_files_are_recognised() {
        assert!(binary_by_name("a/b.PNG") && !binary_by_name("a/png"));
        assert!(binary_by_content(b"ab\0c") && !binary_by_content("é".as_bytes()));
    }
}
