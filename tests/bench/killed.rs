//! `just bench killed`: what runners do when they are killed in the middle of a step and run again.
//!
//! The same job for each: one step writes a file line by line, a second one counts its lines. The runner is ended with
//! SIGKILL while the file is being written, alone or with everything that it started, as by a power cut; then it is run
//! again as its users would.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::peer;

const LINES: usize = 100;

/// Lines that are there when the runner is killed.
const WRITTEN: usize = 25;

const GENERATE: &str = "\
echo started >> started
i=0
while [ $i -lt 100 ]; do i=$((i + 1)); echo \"line $i\"; sleep 0.02; done
";

const FILES: [(&str, &str); 6] = [
    ("generate.sh", GENERATE),
    ("input.txt", "input\n"),
    (
        "Makefile",
        "count.txt: data.txt\n\twc -l < data.txt > count.txt\ndata.txt: input.txt\n\tsh generate.sh > data.txt\n",
    ),
    ("justfile", "count: data\n    wc -l < data.txt > count.txt\ndata:\n    sh generate.sh > data.txt\n"),
    (
        "Taskfile.yml",
        "\
version: '3'
tasks:
  data: {cmds: [sh generate.sh > data.txt], sources: [input.txt], generates: [data.txt]}
  count: {deps: [data], cmds: [wc -l < data.txt > count.txt], sources: [data.txt], generates: [count.txt]}
",
    ),
    (
        "mise.toml",
        "\
[tasks.data]
run = 'sh generate.sh > data.txt'
sources = ['input.txt']
outputs = ['data.txt']
[tasks.count]
depends = ['data']
run = 'wc -l < data.txt > count.txt'
sources = ['data.txt']
outputs = ['count.txt']
",
    ),
];

const WORKFLOW: &str = "steps:\n  - run: sh generate.sh > data.txt\n  - run: wc -l < data.txt > count.txt\n";

struct Runner {
    name: &'static str,
    program: PathBuf,
    first: Vec<String>,
    again: Vec<String>,
}

pub fn compare(sluice: &Path) {
    let own = |arguments: &[&str]| arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>();
    let mut runners = vec![Runner {
        name: "sluice",
        program: sluice.to_owned(),
        first: own(&["run", "--plain"]),
        again: own(&["resume", "--plain"]),
    }];
    let peers: [(&'static str, &[&str]); 4] =
        [("make", &["count.txt"]), ("task", &["count"]), ("mise", &["run", "count"]), ("just", &["count"])];
    for (name, arguments) in peers {
        match peer(name, arguments) {
            Some(found) => runners.push(Runner {
                name,
                program: found.program,
                first: found.arguments.clone(),
                again: found.arguments,
            }),
            None => println!("{name} is not installed and is left out"),
        }
    }
    for all in [false, true] {
        let what = if all { "with all that it started" } else { "alone" };
        println!("\nthe runner is killed {what} while a step writes its output, and run again");
        println!("  {:<8}{:>9}  {:<12}{:<15}output of the second run", "", "survived", "second run", "step");
        for runner in &runners {
            println!("  {}", observe(runner, all));
        }
    }
}

fn observe(runner: &Runner, all: bool) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (work, home) = (folder.path().join("work"), folder.path().join("home"));
    [&work, &home].iter().for_each(|path| fs::create_dir(path).expect("a folder"));
    FILES.iter().for_each(|(name, text)| fs::write(work.join(name), text).expect("a file"));
    if runner.name == "sluice" {
        fs::write(work.join("sluice.yaml"), WORKFLOW).expect("a file");
    }
    let command = |arguments: &[String]| {
        let mut command = Command::new(&runner.program);
        command.args(arguments).current_dir(&work).env("HOME", &home).env("MISE_TRUSTED_CONFIG_PATHS", &work);
        command.env_remove("XDG_CACHE_HOME").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let lines = |name: &str| fs::read(work.join(name)).map_or(0, |text| text.split(|byte| *byte == b'\n').count() - 1);

    let mut first = command(&runner.first).spawn().expect("the runner starts");
    let patience = Instant::now() + Duration::from_secs(60);
    while lines("data.txt") < WRITTEN {
        assert!(Instant::now() < patience, "{} writes nothing", runner.name);
        sleep(Duration::from_millis(5));
    }
    // Found before it is dead: its children are not its own then any more, but their environment is.
    first.kill().expect("it lives");
    if all {
        processes_of(&home).into_iter().for_each(kill);
    }
    first.wait().expect("it ends");
    sleep(Duration::from_millis(300));
    let survived = processes_of(&home).len();

    let second = command(&runner.again).status().expect("the runner starts");
    let whole: String = (1..=LINES).map(|line| format!("line {line}\n")).collect();
    let output = fs::read_to_string(work.join("data.txt")).unwrap_or_default();
    let counted = fs::read_to_string(work.join("count.txt")).unwrap_or_default();
    processes_of(&home).into_iter().for_each(kill);
    let verdict = match (second.code(), second.signal()) {
        (Some(0), _) => "passed".to_owned(),
        (Some(code), _) => format!("exit {code}"),
        (_, signal) => format!("signal {signal:?}"),
    };
    let step = if lines("started") > 1 { "ran again" } else { "taken as done" };
    let result = match (output == whole, counted.trim()) {
        (true, "100") => "whole".to_owned(),
        (true, count) => format!("whole, but {count} lines were counted"),
        (false, count) => format!("NOT whole: {count} lines were counted"),
    };
    format!("{:<8}{survived:>9}  {verdict:<12}{step:<15}{result}", runner.name)
}

/// Processes whose environment has this home.
fn processes_of(home: &Path) -> Vec<u32> {
    let wanted = format!("HOME={}", home.display());
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    })
    .collect()
}

fn kill(pid: u32) {
    // It may have ended meanwhile.
    let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
}
