//! A hermetic place to run the binary in.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A workspace with a home and a cache of its own; gone when dropped.
pub struct Environment {
    root: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

/// What a command did.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

pub fn binary() -> PathBuf {
    let path = std::env::var_os("SLUICE_BIN").map_or_else(|| repository().join("target/release/sluice"), PathBuf::from);
    assert!(path.is_file(), "{} is missing; run `just build`", path.display());
    path
}

/// A component that `just guests` builds.
pub fn guest(name: &str) -> Vec<u8> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
    fs::read(target.join("guests").join(name)).unwrap_or_else(|error| panic!("{name}: {error}; run `just guests`"))
}

impl Environment {
    pub fn new() -> Self {
        let environment = Self { root: tempfile::tempdir().unwrap(), variables: Vec::new() };
        for folder in ["work", "home", "cache"] {
            fs::create_dir(environment.root.path().join(folder)).unwrap();
        }
        environment
    }

    pub fn workspace(&self) -> PathBuf {
        self.root.path().join("work")
    }

    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Writes a file of the workspace.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.workspace().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.workspace().join(path)).unwrap()
    }

    pub fn variable(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .current_dir(self.workspace())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.root.path().join("home"))
            .env("XDG_CACHE_HOME", self.root.path().join("cache"))
            .env("LANG", "C.UTF-8")
            .env("GIT_CEILING_DIRECTORIES", self.root.path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    pub fn sluice<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ran {
        let Ran { code, stdout, stderr } = Ran::of(self.command(arguments).output().unwrap());
        Ran { code, stdout: self.steady(&stdout), stderr: self.steady(&stderr) }
    }

    /// Replaces what differs from run to run or from build to build: folders, run ids, durations, digests.
    fn steady(&self, text: &str) -> String {
        let root = self.root.path().canonicalize().unwrap();
        let text = text.replace(&*root.to_string_lossy(), "[ROOT]");
        steady_digests(&steady_durations(&steady_run_ids(&text)))
    }
}

impl Ran {
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Exit code and both streams, for snapshots.
    pub fn whole(&self) -> String {
        let mut text = format!("exit code: {}\n", self.code);
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text.push_str(&format!("----- {name}\n{}\n", stream.trim_end()));
            }
        }
        text
    }

    /// Both streams as one line, so that a sentence is found wherever the terminal's width broke it.
    pub fn unwrapped(&self) -> String {
        [&*self.stdout, &*self.stderr].concat().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    pub fn exits_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.whole());
        self
    }

    /// Every line of standard output as JSON.
    pub fn events(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}

/// `20261121-094512-7f3a` -> `[RUN]`
fn steady_run_ids(text: &str) -> String {
    let is_id = |word: &str| {
        let parts: Vec<&str> = word.split('-').collect();
        matches!(parts.as_slice(), [date, time, random]
            if date.len() == 8 && time.len() == 6 && random.len() >= 4
                && date.bytes().chain(time.bytes()).all(|b| b.is_ascii_digit())
                && random.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    replace_words(text, |c| c.is_ascii_alphanumeric() || c == '-', |word| is_id(word).then_some("[RUN]"))
}

/// `0.12s`, `15ms`, `1m02s` -> `[TIME]`; a duration in backticks is part of a help and stays.
fn steady_durations(text: &str) -> String {
    let is_duration = |word: &str| {
        let Some(number) = word.strip_suffix("ms").or_else(|| word.strip_suffix('s')) else { return false };
        number.starts_with(|c: char| c.is_ascii_digit())
            && number.chars().all(|c| c.is_ascii_digit() || c == '.' || c == 'm')
    };
    replace_words(
        text,
        |c| c.is_ascii_alphanumeric() || c == '.' || c == '`',
        |word| is_duration(word).then_some("[TIME]"),
    )
}

/// 12 or 64 hex digits -> `[DIGEST]`
fn steady_digests(text: &str) -> String {
    let is_digest = |word: &str| matches!(word.len(), 12 | 64) && word.bytes().all(|b| b.is_ascii_hexdigit());
    replace_words(text, |c| c.is_ascii_alphanumeric(), |word| is_digest(word).then_some("[DIGEST]"))
}

fn replace_words(
    text: &str,
    part_of_word: impl Fn(char) -> bool,
    replacement: impl Fn(&str) -> Option<&'static str>,
) -> String {
    let mut result = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().chain(['\0']) {
        if part_of_word(c) {
            word.push(c);
            continue;
        }
        result.push_str(replacement(&word).unwrap_or(&word));
        word.clear();
        if c != '\0' {
            result.push(c);
        }
    }
    result
}

#[test]
fn what_differs_from_run_to_run_is_replaced() {
    assert_eq!(steady_run_ids("run 20261121-094512-7f3a ended"), "run [RUN] ended");
    assert_eq!(steady_digests("plan d711ebc98dc4 ok"), "plan [DIGEST] ok");
    assert_eq!(steady_durations("lint 0.12s, 15ms, 1m02s, steps"), "lint [TIME], [TIME], [TIME], steps");
}
