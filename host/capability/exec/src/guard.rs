//! Ends the programs of a run when the process that runs it is gone: after `kill -9`, nobody else is left to do it.
//!
//! The system ends the program that a step started, but not what that program started. So a second process, which is this
//! program again under another name, holds one end of a pipe and hears which steps have programs. When the pipe closes it
//! ends what is left of them.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::processes::{Target, marked};

/// How often what is left is looked for once the run is gone: programs may be starting others meanwhile.
const ROUNDS: u32 = 20;

/// What each round waits for, in milliseconds.
const PAUSE: u64 = 10;

/// How the guard is started.
#[derive(Debug, Clone)]
pub struct GuardCommand {
    pub program: PathBuf,
    /// Makes the program call [`guard`] with its standard input, and do nothing else.
    pub argument: String,
}

/// The guard of one run, started when its first program is. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    command: Option<Arc<GuardCommand>>,
    process: Arc<Mutex<Option<Child>>>,
}

impl Guard {
    /// `None` guards nothing: programs of a run that is killed may outlive it.
    pub fn new(command: Option<GuardCommand>) -> Self {
        Self { command: command.map(Arc::new), process: Arc::default() }
    }

    /// A program of the step with this mark is about to start.
    pub(crate) fn begin(&self, mark: &str) {
        let Some(command) = &self.command else { return };
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if process.is_none() {
            // Without a guard the run is as good; only its killing is less clean.
            *process = start(command).ok();
        }
        tell(&mut process, &format!("+ {mark}\n"));
    }

    /// A program of the step leads this group, or this process launched it.
    pub(crate) fn target(&self, mark: &str, target: Target) {
        let kind = if matches!(target, Target::Launcher(_)) { 'l' } else { 'g' };
        let line = format!("{kind} {mark} {}\n", target.pid());
        tell(&mut self.process.lock().unwrap_or_else(PoisonError::into_inner), &line);
    }

    /// Programs of the step have their temporary files in this folder.
    pub(crate) fn scratch(&self, mark: &str, folder: &Path) {
        self.begin(mark);
        // One that cannot be told stays where it is.
        if let Some(folder) = folder.to_str().filter(|folder| !folder.contains(char::is_whitespace)) {
            tell(&mut self.process.lock().unwrap_or_else(PoisonError::into_inner), &format!("d {mark} {folder}\n"));
        }
    }

    /// All programs of the step have ended.
    pub(crate) fn end(&self, mark: &str) {
        tell(&mut self.process.lock().unwrap_or_else(PoisonError::into_inner), &format!("- {mark}\n"));
    }
}

fn start(command: &GuardCommand) -> io::Result<Child> {
    Command::new(&command.program)
        .arg(&command.argument)
        .env_clear()
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

fn tell(process: &mut Option<Child>, line: &str) {
    let Some(input) = process.as_mut().and_then(|child| child.stdin.as_mut()) else { return };
    // A guard that was ended by somebody guards nothing more.
    let _ = input.write_all(line.as_bytes());
}

/// What is known of a step with programs.
#[derive(Debug, Default)]
struct Open {
    targets: Vec<Target>,
    folders: Vec<PathBuf>,
}

/// What the guard's process does: hears which steps have programs until `input` ends, then ends these programs.
pub fn guard(input: impl BufRead) {
    let mut open: HashMap<String, Open> = HashMap::new();
    for line in input.lines().map_while(Result::ok) {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("+"), Some(mark), None) => drop(open.entry(mark.to_owned()).or_default()),
            (Some(kind @ ("g" | "l")), Some(mark), Some(leader)) => {
                let leader = leader.parse().ok().filter(|leader| *leader > 1).map(Pid::from_raw);
                let target = leader.map(if kind == "l" { Target::Launcher } else { Target::Group });
                open.entry(mark.to_owned()).or_default().targets.extend(target);
            }
            (Some("d"), Some(mark), Some(folder)) => {
                open.entry(mark.to_owned()).or_default().folders.push(folder.into());
            }
            (Some("-"), Some(mark), None) => drop(open.remove(mark)),
            _ => {}
        }
    }
    end(&open);
    for folder in open.values().flat_map(|open| &open.folders) {
        let _ = std::fs::remove_dir_all(folder);
    }
}

fn end(open: &HashMap<String, Open>) {
    let (launchers, groups): (Vec<Target>, Vec<Target>) =
        open.values().flat_map(|open| &open.targets).partition(|target| matches!(target, Target::Launcher(_)));
    // The system has told them already; they end more than could be found here.
    for _ in 0..ROUNDS {
        let alive: Vec<&Target> = launchers.iter().filter(|launcher| launcher.is_alive()).collect();
        if alive.is_empty() {
            break;
        }
        alive.iter().for_each(|launcher| launcher.signal(sluice_confine::END_NOW));
        std::thread::sleep(Duration::from_millis(PAUSE));
    }
    for _ in 0..ROUNDS {
        let left = open.keys().flat_map(|mark| marked(mark)).map(Target::Process);
        let known = groups.iter().chain(&launchers).copied();
        let left: Vec<Target> = known.chain(left).filter(|target| target.is_alive()).collect();
        if left.is_empty() {
            return;
        }
        left.iter().for_each(|target| target.signal(Signal::SIGKILL));
        std::thread::sleep(Duration::from_millis(PAUSE));
    }
}
