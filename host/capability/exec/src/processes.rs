use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use sluice_confine::END_NOW;
use tokio::time::Instant;

use crate::guard::Guard;

/// How long a process may take to end by itself after it was asked to, unless the step says.
pub const GRACE: Duration = Duration::from_secs(2);
/// How long the system may take to end a process after it was told to.
const KILL_TIME: Duration = Duration::from_secs(1);

/// The variable that marks every process of a step, so that those that left their group are found as well.
pub(crate) const MARK: &str = "SLUICE_STEP_MARK";

/// The processes of one step. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Processes {
    mark: Arc<str>,
    guard: Guard,
    grace: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// What was started and may still live: leaders of groups, and launchers of confined programs.
    started: Vec<Target>,
    started_any: bool,
    /// Whether something may be left that only its mark tells.
    may_leave: bool,
    closed: bool,
}

impl Processes {
    /// `grace` is the time between the request to end and the kill. Fails when the system gives no random numbers.
    pub fn new(guard: Guard, grace: Duration) -> Result<Self, String> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| error.to_string())?;
        let mark = random.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
        Ok(Self { mark, guard, grace, state: Arc::default() })
    }

    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A folder that is removed with the step's programs if this process is killed; otherwise who made it removes it.
    pub fn scratch(&self, folder: &Path) {
        self.guard.scratch(&self.mark, folder);
    }

    /// Runs `start` unless the step is being ended, and remembers the group, or the launcher of a confined program, that it
    /// started.
    pub(crate) fn start<T>(
        &self,
        launched: bool,
        start: impl FnOnce() -> std::io::Result<(T, Pid)>,
    ) -> std::io::Result<(T, Pid)> {
        let mut state = self.state();
        if state.closed {
            return Err(std::io::Error::other("the step is ending"));
        }
        // First, so that nothing starts unknown to the guard.
        self.guard.begin(&self.mark);
        let (child, leader) = start()?;
        let target = if launched { Target::Launcher(leader) } else { Target::Group(leader) };
        self.guard.target(&self.mark, target);
        state.started.push(target);
        state.may_leave |= !launched;
        state.started_any = true;
        Ok((child, leader))
    }

    /// Ends a program, and what it left behind when it ended itself. A launcher that ended by itself has `left_nothing`.
    pub(crate) async fn end_one(&self, leader: Pid, left_nothing: bool) {
        let target = self.state().started.iter().copied().find(|target| target.pid() == leader);
        if let Some(target) = target {
            end(&[target], GRACE).await;
            let mut state = self.state();
            state.started.retain(|other| other.pid() != leader);
            state.may_leave |= !left_nothing;
        }
    }

    /// Asks everything that the step started to end, then makes it end, and lets nothing start any more. Takes at most
    /// about a second more than the grace, and no time when the step ran no program.
    pub async fn end(&self) {
        let (mut targets, started_any, may_leave) = {
            let mut state = self.state();
            state.closed = true;
            (state.started.clone(), state.started_any, state.may_leave)
        };
        if !started_any {
            return;
        }
        if targets.is_empty() && !may_leave {
            return self.guard.end(&self.mark);
        }
        // A launcher ends all that it launched, with nothing left that would have to be found.
        let launchers = targets.extract_if(.., |target| matches!(target, Target::Launcher(_))).collect::<Vec<_>>();
        end(&launchers, self.grace).await;
        targets.extend(marked(&self.mark).into_iter().map(Target::Process));
        end(&targets, self.grace).await;
        // What was forked while the others were ending.
        let late: Vec<Target> = marked(&self.mark).into_iter().map(Target::Process).collect();
        late.iter().for_each(|target| target.signal(Signal::SIGKILL));
        wait(&late, KILL_TIME).await;
        self.state().started.clear();
        self.guard.end(&self.mark);
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Group(Pid),
    Process(Pid),
    /// What launched a confined program and ends all of it.
    Launcher(Pid),
}

impl Target {
    pub(crate) fn pid(self) -> Pid {
        match self {
            Target::Group(pid) | Target::Process(pid) | Target::Launcher(pid) => pid,
        }
    }

    pub(crate) fn signal(self, signal: impl Into<Option<Signal>>) {
        // One that is gone already is what is wanted.
        let _ = match self {
            Target::Group(leader) => killpg(leader, signal),
            Target::Process(pid) | Target::Launcher(pid) => kill(pid, signal),
        };
    }

    pub(crate) fn is_alive(self) -> bool {
        match self {
            Target::Group(leader) => killpg(leader, None) != Err(Errno::ESRCH) && has_living_member(leader),
            Target::Process(pid) | Target::Launcher(pid) => {
                kill(pid, None) != Err(Errno::ESRCH) && status(pid).is_none_or(Status::lives)
            }
        }
    }
}

/// Asks, waits, makes, waits.
async fn end(targets: &[Target], grace: Duration) {
    if targets.iter().any(|target| target.is_alive()) {
        targets.iter().for_each(|target| target.signal(Signal::SIGTERM));
        if !wait(targets, grace).await {
            for target in targets {
                target.signal(if matches!(target, Target::Launcher(_)) { END_NOW } else { Signal::SIGKILL });
            }
            if !wait(targets, KILL_TIME).await {
                targets.iter().for_each(|target| target.signal(Signal::SIGKILL));
                wait(targets, KILL_TIME).await;
            }
        }
    }
}

/// Whether all are gone within the time.
async fn wait(targets: &[Target], time: Duration) -> bool {
    let end = Instant::now() + time;
    let mut pause = Duration::from_millis(1);
    while targets.iter().any(|target| target.is_alive()) {
        if Instant::now() >= end {
            return false;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    true
}

/// Processes of this user whose environment carries the mark. Empty where the system has no `/proc`.
pub(crate) fn marked(mark: &str) -> Vec<Pid> {
    let wanted = format!("{MARK}={mark}");
    processes()
        .filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
        })
        .collect()
}

/// A group that only zombies are left of is gone: they ended, and whoever has to read their status is not here.
/// Where the system has no `/proc`, every group lives.
fn has_living_member(leader: Pid) -> bool {
    let mut members = processes().filter_map(status).filter(|status| status.group == leader).peekable();
    members.peek().is_none() || members.any(Status::lives)
}

fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).map(Pid::from_raw)
}

#[derive(Debug, Clone, Copy)]
struct Status {
    state: char,
    group: Pid,
}

impl Status {
    fn lives(self) -> bool {
        !matches!(self.state, 'Z' | 'X')
    }
}

/// What proc_pid_stat(5) says of a process.
fn status(pid: Pid) -> Option<Status> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The fields follow the name, which stands in parentheses and may itself contain any.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    let group = fields.nth(1)?.parse().ok()?;
    Some(Status { state, group: Pid::from_raw(group) })
}
