//! One misdeed: its folder, and what came of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::parts::{BOMB, CACHE, NAMES, REGISTRY, TASK, assemble};
use crate::environment::{Environment, guest};
use crate::server::{Misdeed, OK, Server};

/// What nobody may find, in a file outside of the workspace, in a variable and in a secret.
const CANARY: &str = "canary-6d1f0c9e-sings";
const KEYS: [&str; 10] = ["tries", "ends", "says", "hides", "runs", "may-send", "serves", "variable", "names", "needs"];

pub struct Case {
    pub name: String,
    /// What its name begins with.
    pub number: u32,
    pub tries: String,
    /// The exit code.
    pub ends: i32,
    folder: PathBuf,
    /// Its first lines.
    head: Vec<(String, String)>,
}

#[derive(Clone)]
pub enum Verdict {
    /// The whole output.
    Contained(String),
    /// What is wrong, and the whole output.
    NotContained(String),
    /// What it needs is missing.
    Skipped,
}

impl Verdict {
    pub fn name(&self) -> &str {
        match self {
            Self::Contained(_) => "contained",
            Self::NotContained(_) => "NOT CONTAINED",
            Self::Skipped => "skipped",
        }
    }

    pub fn told(&self) -> &str {
        match self {
            Self::Contained(text) | Self::NotContained(text) => text,
            Self::Skipped => "",
        }
    }
}

/// Where a case runs, and what its texts may name.
struct Place {
    environment: Environment,
    server: Server,
    /// A name in a text, and what it stands for.
    names: Vec<(&'static str, String)>,
}

impl Case {
    pub fn read(folder: PathBuf) -> Self {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(folder.join("sluice.yaml")).unwrap_or_else(|error| panic!("{name}: {error}"));
        let head: Vec<(String, String)> = text
            .lines()
            .map_while(|line| line.strip_prefix("# "))
            .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{name}: `{line}` says nothing")))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        head.iter().for_each(|(key, _)| assert!(KEYS.contains(&&**key), "{name}: unknown `{key}`"));
        let one = |key: &str| {
            let found = head.iter().find(|(own, _)| own == key);
            found.map(|(_, value)| value.clone()).unwrap_or_else(|| panic!("{name}: no `{key}`"))
        };
        one("says");
        let number = name.split('-').next().and_then(|number| number.parse().ok());
        Self {
            number: number.unwrap_or_else(|| panic!("{name}: no number")),
            tries: one("tries"),
            ends: one("ends").parse().unwrap(),
            name,
            folder,
            head,
        }
    }

    fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.head.iter().filter(move |(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    pub fn run(&self) -> Verdict {
        if self.all("needs").any(|need| need == "registry") && REGISTRY.is_none() {
            return Verdict::Skipped;
        }
        let mut place = self.place();
        let mut wrong = Vec::new();
        self.script(&place, "setup.sh", &mut wrong);
        assemble(&place.environment.workspace().join("plugins"));
        let workflow = fs::read_to_string(place.environment.workspace().join("sluice.yaml")).unwrap();
        place.environment.write("sluice.yaml", place.named(&workflow));
        let runs = self.all("runs").next().unwrap_or("run");
        let ran = place.environment.sluice(&runs.split(' ').collect::<Vec<_>>());
        // A sentence may be broken within a frame.
        let said = ran.unwrapped().replace("│ ", "");
        if ran.code != self.ends {
            wrong.push(format!("ended with {} and not with {}", ran.code, self.ends));
        }
        let expected = |key| self.all(key).map(|text| place.named(text)).collect::<Vec<_>>();
        wrong.extend(
            expected("says").iter().filter(|text| !said.contains(*text)).map(|text| format!("did not say `{text}`")),
        );
        wrong.extend(expected("hides").iter().filter(|text| said.contains(*text)).map(|text| format!("said `{text}`")));
        let whole = ran.whole();
        if whole.contains(CANARY) {
            wrong.push("the canary is in the output".to_owned());
        }
        if contains(&place.environment.workspace().join(".sluice"), CANARY.as_bytes()) {
            wrong.push("the canary is in the record".to_owned());
        }
        let requests = place.server.requests();
        if self.all("may-send").next().is_none()
            && requests.iter().any(|request| format!("{request:?}").contains(CANARY))
        {
            wrong.push("the canary was sent".to_owned());
        }
        place.environment.variable("REQUESTS", &requests.len().to_string());
        self.script(&place, "check.sh", &mut wrong);
        match wrong.is_empty() {
            true => Verdict::Contained(whole),
            false => Verdict::NotContained(format!("{}\n{whole}", wrong.join("\n"))),
        }
    }

    fn place(&self) -> Place {
        let mut environment = Environment::new();
        let workspace = environment.workspace();
        let outside = workspace.parent().unwrap().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("secret.txt"), CANARY).unwrap();
        fs::create_dir_all(environment.home().join(".ssh")).unwrap();
        fs::write(environment.home().join(".ssh/id_ed25519"), CANARY).unwrap();
        copy(&self.folder, &workspace);
        environment.write("plugins/command.wasm", guest("hostile-command.wasm")).write("plugins/task.wasm", &*TASK);
        environment.write("plugins/bare.wasm", guest("hostile-task.wasm"));
        environment
            .write("plugins/scanner.wasm", guest("scanner.wasm"))
            .write("plugins/thief.wasm", guest("thief.wasm"));
        if self.name.ends_with("compile-bomb") {
            environment.write("plugins/bomb.wasm", &*BOMB);
        }
        let server = self.server();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let mut names =
            vec![("SERVER", server.address.clone()), ("OUTSIDE", text(&outside)), ("WORKSPACE", text(&workspace))];
        environment
            .variable("XDG_CACHE_HOME", &text(CACHE.path()))
            .variable("OUTSIDE", &text(&outside))
            .variable("SERVER", &server.address)
            .variable("AWS_SECRET_ACCESS_KEY", CANARY)
            .variable("SLUICE_SECRET_CANARY", CANARY);
        if let Some(registry) = self.all("needs").next().and(REGISTRY.as_ref()) {
            environment.variable("REGISTRY", &registry.address);
            names.push(("REGISTRY", registry.address.clone()));
        }
        if let Some(told) = self.all("names").next() {
            environment.variable("LD_PRELOAD", &text(&NAMES)).variable("NAMES", told);
            environment.variable("NAMES_LOG", &text(&outside.join("names.log")));
        }
        let mut place = Place { environment, server, names };
        for (name, value) in self.all("variable").map(|text| text.split_once('=').unwrap()) {
            let value = place.named(value).replace("$PATH", &std::env::var("PATH").unwrap());
            place.environment.variable(name, &value);
        }
        place
    }

    fn server(&self) -> Server {
        match self.all("serves").next() {
            None => Server::start(&[OK]),
            Some("an echo") => Server::with(|request| {
                let told = request.header("authorization").unwrap_or_default();
                format!("200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{told}", told.len())
            }),
            Some(serves) => match serves.split_once(' ') {
                Some(("302", location)) => {
                    Server::start(&[&format!("302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")])
                }
                _ => Server::hostile(Misdeed::named(serves).unwrap_or_else(|| panic!("{}: `{serves}`", self.name))),
            },
        }
    }

    fn script(&self, place: &Place, name: &str, wrong: &mut Vec<String>) {
        let environment = &place.environment;
        let path = environment.workspace().join(name);
        if !path.exists() {
            return;
        }
        // Any command of the environment has its variables; only these are wanted.
        let like = environment.command(&["--version"]);
        let mut command = Command::new("sh");
        command.args(["-eu", path.to_str().unwrap()]).current_dir(environment.workspace()).env_clear();
        command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("SLUICE", crate::environment::binary()).env_remove("LD_PRELOAD");
        let output = command.output().unwrap();
        if !output.status.success() {
            let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            wrong.push(format!("{name}: {} {}", output.status, said.concat()));
        }
        let _ = fs::remove_file(path);
    }
}

impl Place {
    fn named(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Whether any file below holds the bytes.
fn contains(folder: &Path, wanted: &[u8]) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => contains(&entry.path(), wanted),
        Ok(kind) if kind.is_file() => {
            let bytes = fs::read(entry.path()).unwrap_or_default();
            bytes.windows(wanted.len()).any(|window| window == wanted)
        }
        _ => false,
    })
}
