//! Rules about package managers.

use std::ops::Range;

use super::*;
use crate::dockerfile::parse::Instruction;
use crate::dockerfile::shell::Command;
use crate::dockerfile::words::Word;
use crate::rule::Rule;

/// How one package manager wants to be used.
struct Manager {
    programs: &'static [&'static str],
    install: &'static [&'static str],
    /// Flags that take the next word with them.
    with_value: &'static [&'static str],
    pin: &'static Rule,
    /// Whether a package has a version, or cannot have one.
    pinned: fn(&str) -> bool,
    /// What a version looks like.
    example: &'static str,
}

const MANAGERS: &[Manager] = &[
    Manager {
        programs: &["apt-get", "apt"],
        install: &["install"],
        with_value: &["-t", "--target-release", "-o", "--option", "-c", "--config-file", "-a", "--host-architecture"],
        pin: &PIN_APT,
        pinned: |name| name.contains(['=', '/']) || name.ends_with(".deb"),
        example: "name=1.2.*",
    },
    Manager {
        programs: &["apk"],
        install: &["add"],
        with_value: &["-t", "--virtual", "-X", "--repository", "-p", "--root", "--arch", "--keys-dir", "--cache-dir"],
        pin: &PIN_APK,
        pinned: |name| name.contains(['=', '<', '>', '~']) || name.ends_with(".apk"),
        example: "name=1.2.3-r0",
    },
    Manager {
        programs: &["yum"],
        install: &["install"],
        with_value: &["-c", "--config", "-d", "-e", "-x"],
        pin: &PIN_YUM,
        pinned: rpm_pinned,
        example: "name-1.2.3",
    },
    Manager {
        programs: &["dnf", "microdnf"],
        install: &["install"],
        with_value: &["-c", "--config", "-x"],
        pin: &PIN_DNF,
        pinned: rpm_pinned,
        example: "name-1.2.3",
    },
    Manager {
        programs: &["zypper"],
        install: &["install", "in"],
        with_value: &["-r", "--repo", "--from", "-t", "--type"],
        pin: &PIN_ZYPPER,
        pinned: |name| name.contains(['=', '<', '>']) || name.ends_with(".rpm"),
        example: "name=1.2.3",
    },
    Manager {
        programs: &["pip", "pip2", "pip3"],
        install: &["install"],
        with_value: &[
            "-r",
            "--requirement",
            "-c",
            "--constraint",
            "-i",
            "--index-url",
            "--extra-index-url",
            "-f",
            "--find-links",
            "-t",
            "--target",
            "--prefix",
            "--root",
            "--src",
            "--trusted-host",
            "--proxy",
            "--timeout",
            "--retries",
            "--platform",
            "--python-version",
            "--implementation",
            "--abi",
            "--progress-bar",
            "--cache-dir",
            "--log",
            "--install-option",
            "--global-option",
            "--no-binary",
            "--only-binary",
            "-e",
            "--editable",
            "--cert",
            "--client-cert",
            "--upgrade-strategy",
            "--exists-action",
        ],
        pin: &PIN_PIP,
        pinned: |name| {
            ["==", "===", "~=", ">=", "<=", ">", "<", "!=", "@"].iter().any(|mark| name.contains(mark))
                || name.contains('/')
                || name == "."
                || [".whl", ".tar.gz", ".zip"].iter().any(|ending| name.ends_with(ending))
        },
        example: "name==1.2.3",
    },
    Manager {
        programs: &["npm"],
        install: &["install", "i", "add"],
        with_value: &["--prefix", "-C", "--registry", "--loglevel", "--cache", "-w", "--workspace", "--omit"],
        pin: &PIN_NPM,
        pinned: npm_pinned,
        example: "name@1.2.3",
    },
    Manager {
        programs: &["gem"],
        install: &["install", "i"],
        with_value: &["-i", "--install-dir", "-n", "--bindir", "-s", "--source", "-P", "--platform", "--document"],
        pin: &PIN_GEM,
        pinned: |name| name.contains(':') || name.ends_with(".gem"),
        example: "name:1.2.3",
    },
    Manager {
        programs: &["go"],
        install: &["install", "get", "run"],
        with_value: &["-C", "-o", "-ldflags", "-tags", "-gcflags", "-mod", "-p"],
        pin: &PIN_GO,
        // Without a host's name in front it is a package of the module itself.
        pinned: |name| {
            let first = name.split('/').next().unwrap_or_default();
            let remote = first.contains('.') && !name.starts_with('.') && name.contains('/');
            !remote || name.split_once('@').is_some_and(|(_, version)| version != "latest")
        },
        example: "example.com/name@v1.2.3",
    },
];

/// A version after the last `-`, or a file.
fn rpm_pinned(name: &str) -> bool {
    let version = name.rsplit('-').next().unwrap_or_default();
    (name.contains('-') && version.starts_with(|c: char| c.is_ascii_digit()))
        || name.split('-').skip(1).any(|part| part.starts_with(|c: char| c.is_ascii_digit()) && part.contains('.'))
        || name.ends_with(".rpm")
        || name.starts_with('@')
}

/// A version after `@`, or a place that is no registry.
fn npm_pinned(name: &str) -> bool {
    let local = name.starts_with(['.', '/', '~']) || name.ends_with(".tgz") || name.ends_with(".tar.gz");
    let remote = name.contains("://") || name.starts_with("git+") || (name.contains('/') && !name.starts_with('@'));
    local || remote || name.trim_start_matches('@').contains('@')
}

impl Manager {
    /// The packages that a command installs, or nothing if it installs none.
    fn packages<'a>(&self, command: &'a Command) -> Option<Vec<&'a Word>> {
        let words = self.arguments(command)?;
        let (verb, packages) = words.split_first()?;
        self.install.contains(&verb.text.as_str()).then(|| packages.to_vec())
    }

    /// The words that are no flags and no flags' values.
    fn arguments<'a>(&self, command: &'a Command) -> Option<Vec<&'a Word>> {
        let words = if self.programs.contains(&command.program()) {
            command.arguments()
        } else {
            // `python3 -m pip install`
            let python = command.program().starts_with("python") && self.programs.contains(&"pip");
            command.arguments().strip_prefix_words(&["-m", "pip"]).filter(|_| python)?
        };
        let mut found = Vec::new();
        let mut skip = false;
        for word in words {
            if std::mem::take(&mut skip) {
                continue;
            }
            if word.text.starts_with('-') {
                skip = self.with_value.contains(&word.text.as_str());
            } else {
                found.push(word);
            }
        }
        Some(found)
    }
}

trait StripPrefixWords {
    fn strip_prefix_words(&self, prefix: &[&str]) -> Option<&[Word]>;
}

impl StripPrefixWords for [Word] {
    fn strip_prefix_words(&self, prefix: &[&str]) -> Option<&[Word]> {
        let same = self.len() >= prefix.len() && self.iter().zip(prefix).all(|(word, text)| word.text == *text);
        same.then(|| &self[prefix.len()..])
    }
}

pub fn check(model: &Model, found: &mut Vec<Finding>) {
    for (number, run, commands) in model.runs() {
        let layer = Layer { run, commands, shipped: model.shipped(number) };
        for command in commands {
            for manager in MANAGERS {
                let Some(packages) = manager.packages(command) else { continue };
                pin(manager, command, &packages, found);
                match manager.programs[0] {
                    "apt-get" => apt(&layer, command, found),
                    "apk" => apk(&layer, command, found),
                    "yum" => rpm(&layer, command, "yum", &YUM_YES, &YUM_CLEAN, found),
                    "dnf" => rpm(&layer, command, command.program(), &DNF_YES, &DNF_CLEAN, found),
                    "zypper" => zypper(&layer, command, found),
                    "pip" => pip(model, &layer, command, found),
                    _ => {}
                }
            }
            match command.program() {
                "apt-get" | "apt" if command.has(&["update"]) => apt_lists(&layer, command, found),
                "zypper" if command.has(&["dist-upgrade", "dup"]) => found.push(Finding::new(
                    &ZYPPER_DIST_UPGRADE,
                    command.range(),
                    "`zypper dist-upgrade` makes another system of the base image",
                )),
                "yarn" => yarn(&layer, command, found),
                _ => {}
            }
        }
    }
}

/// One `RUN`.
struct Layer<'a> {
    run: &'a Instruction,
    commands: &'a [Command],
    shipped: bool,
}

impl Layer<'_> {
    /// Whether a cache that BuildKit keeps, or one that it throws away, is mounted at or above a folder.
    fn mounts(&self, folder: &str) -> bool {
        self.run.flags.iter().filter(|flag| flag.name == "mount").any(|flag| {
            let value = flag.value.as_deref().unwrap_or_default();
            let kind = value.split(',').find_map(|part| part.strip_prefix("type="));
            let target = value
                .split(',')
                .find_map(|part| ["target=", "dst=", "destination="].iter().find_map(|key| part.strip_prefix(key)));
            matches!(kind, Some("cache" | "tmpfs"))
                && target.is_some_and(|target| {
                    let target = target.trim_end_matches('/');
                    folder == target || folder.strip_prefix(target).is_some_and(|rest| rest.starts_with('/'))
                })
        })
    }

    /// Whether the same layer removes something below a folder.
    fn removes(&self, folder: &str) -> bool {
        self.commands.iter().any(|command| {
            matches!(command.program(), "rm" | "find")
                && command.arguments().iter().any(|word| word.text.trim_end_matches(['*', '/']) == folder)
        })
    }

    fn runs(&self, program: &str, words: &[&str]) -> bool {
        self.commands
            .iter()
            .any(|command| command.program() == program && words.iter().all(|word| command.has(&[word])))
    }
}

fn pin(manager: &Manager, command: &Command, packages: &[&Word], found: &mut Vec<Finding>) {
    if manager.pin.id == PIN_GEM.id && flag(command, &["-v", "--version"]) {
        return;
    }
    if manager.pin.id == PIN_PIP.id && flag(command, &["-r", "--requirement", "-c", "--constraint"]) {
        return;
    }
    let loose: Vec<&&Word> = packages.iter().filter(|word| !word.dynamic && !(manager.pinned)(&word.text)).collect();
    let (Some(first), Some(last)) = (loose.first(), loose.last()) else { return };
    let range: Range<usize> = first.range.start..last.range.end.max(first.range.end);
    let names: Vec<_> = loose.iter().take(3).map(|word| format!("`{}`", word.text)).collect();
    let more = loose.len().saturating_sub(3);
    let names = names.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() };
    found.push(
        Finding::new(manager.pin, range, format!("{names} without version"))
            .help(format!("write `{}` with the version you tested", manager.example)),
    );
}

/// Whether a flag is given, alone or with `=value`.
fn flag(command: &Command, names: &[&str]) -> bool {
    command.arguments().iter().any(|word| {
        let name = word.text.split('=').next().unwrap_or_default();
        names.contains(&name)
            || names
                .iter()
                .any(|short| short.len() == 2 && !word.text.starts_with("--") && word.text.starts_with(short))
    })
}

/// Whether a letter is among the short flags.
fn letter(command: &Command, letter: char) -> bool {
    let mut words = command.arguments().iter().map(|word| word.text.as_str());
    words.any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains(letter) && !word.contains('='))
}

fn asks(rule: &'static Rule, command: &Command, flag: &str) -> Finding {
    let message = format!("`{}` asks before it installs, and nobody answers", command.program());
    Finding::new(rule, command.range(), message).help(format!("add `{flag}`"))
}

fn apt(layer: &Layer, command: &Command, found: &mut Vec<Finding>) {
    let quiet: usize = command
        .arguments()
        .iter()
        .map(|word| match word.text.as_str() {
            "--quiet" => 1,
            "-q=2" | "--quiet=2" => 2,
            text if text.starts_with('-') && !text.starts_with("--") => text.matches('q').count(),
            _ => 0,
        })
        .sum();
    let yes = letter(command, 'y') || command.has(&["--yes", "--assume-yes"]) || quiet >= 2;
    if !yes && command.program() == "apt-get" {
        found.push(asks(&APT_YES, command, "-y"));
    }
    let lean = command.arguments().iter().any(|word| {
        word.text == "--no-install-recommends" || word.text.to_ascii_lowercase().contains("apt::install-recommends=")
    });
    if !lean && layer.shipped && command.program() == "apt-get" {
        found.push(
            Finding::new(&APT_RECOMMENDS, command.range(), "recommended packages are installed as well")
                .help("add `--no-install-recommends`"),
        );
    }
}

fn apt_lists(layer: &Layer, command: &Command, found: &mut Vec<Finding>) {
    let lists = "/var/lib/apt/lists";
    if layer.shipped && !layer.removes(lists) && !layer.mounts(lists) {
        found.push(
            Finding::new(&APT_LISTS, command.range(), "the package lists stay in the image")
                .help("end the same `RUN` with `rm -rf /var/lib/apt/lists/*`"),
        );
    }
}

fn apk(layer: &Layer, command: &Command, found: &mut Vec<Finding>) {
    let cache = "/var/cache/apk";
    if layer.shipped && !command.has(&["--no-cache"]) && !layer.mounts(cache) && !layer.removes(cache) {
        found.push(
            Finding::new(&APK_CACHE, command.range(), "the package index stays in the image").help("add `--no-cache`"),
        );
    }
}

fn rpm(
    layer: &Layer,
    command: &Command,
    name: &str,
    yes: &'static Rule,
    clean: &'static Rule,
    found: &mut Vec<Finding>,
) {
    if !letter(command, 'y') && !command.has(&["--assumeyes"]) {
        found.push(asks(yes, command, "-y"));
    }
    let cache = format!("/var/cache/{name}");
    if layer.shipped && !layer.runs(name, &["clean", "all"]) && !layer.removes(&cache) && !layer.mounts(&cache) {
        found.push(
            Finding::new(clean, command.range(), format!("the cache of `{name}` stays in the image"))
                .help(format!("end the same `RUN` with `{name} clean all`")),
        );
    }
}

fn zypper(layer: &Layer, command: &Command, found: &mut Vec<Finding>) {
    let yes = letter(command, 'n') || letter(command, 'y');
    if !yes && !command.has(&["--non-interactive", "--no-confirm"]) {
        found.push(asks(&ZYPPER_YES, command, "--non-interactive"));
    }
    let cleans = layer.runs("zypper", &["clean"]) || layer.runs("zypper", &["cc"]);
    if layer.shipped && !cleans && !layer.mounts("/var/cache/zypp") && !layer.removes("/var/cache/zypp") {
        found.push(
            Finding::new(&ZYPPER_CLEAN, command.range(), "the cache of `zypper` stays in the image")
                .help("end the same `RUN` with `zypper clean --all`"),
        );
    }
}

fn pip(model: &Model, layer: &Layer, command: &Command, found: &mut Vec<Finding>) {
    let switched_off = model.named("ENV").any(|(_, env)| {
        env.range.start < layer.run.range.start && env.rest().trim_start().starts_with("PIP_NO_CACHE_DIR")
            || env.words(model.file.escape).iter().any(|word| word.text.starts_with("PIP_NO_CACHE_DIR="))
    });
    let cached = command.has(&["--no-cache-dir", "--no-cache"])
        || layer.run.rest().contains("PIP_NO_CACHE_DIR=")
        || layer.mounts("/root/.cache/pip")
        || layer.mounts("~/.cache/pip")
        || layer.runs("pip", &["cache", "purge"])
        || layer.runs("pip3", &["cache", "purge"]);
    if layer.shipped && !switched_off && !cached {
        found.push(
            Finding::new(&PIP_CACHE, command.range(), "the cache of `pip` stays in the image")
                .help("add `--no-cache-dir`"),
        );
    }
}

fn yarn(layer: &Layer, command: &Command, found: &mut Vec<Finding>) {
    let installs = command.arguments().first().is_some_and(|word| matches!(word.text.as_str(), "install" | "add"));
    let cache = "/usr/local/share/.cache/yarn";
    if installs && layer.shipped && !layer.runs("yarn", &["cache", "clean"]) && !layer.mounts(cache) {
        found.push(
            Finding::new(&YARN_CACHE, command.range(), "the cache of `yarn` stays in the image")
                .help("end the same `RUN` with `yarn cache clean`"),
        );
    }
}
