use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::time::Instant;

/// How long a process may take to end by itself after it was asked to.
const GRACE: Duration = Duration::from_secs(2);
/// How long the system may take to end a process after it was told to.
const KILL_TIME: Duration = Duration::from_secs(1);

/// The variable that marks every process of a step, so that those that left their group are found as well.
pub(crate) const MARK: &str = "SLUICE_STEP_MARK";

/// The processes of one step. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Processes {
    mark: Arc<str>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Leaders of the groups that may still live.
    groups: Vec<Pid>,
    started_any: bool,
    closed: bool,
}

impl Processes {
    /// Fails when the system gives no random numbers.
    pub fn new() -> Result<Self, String> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| error.to_string())?;
        let mark = random.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
        Ok(Self { mark, state: Arc::default() })
    }

    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `start` unless the step is being ended, and remembers the group that it started.
    pub(crate) fn start<T>(&self, start: impl FnOnce() -> std::io::Result<(T, Pid)>) -> std::io::Result<(T, Pid)> {
        let mut state = self.state();
        if state.closed {
            return Err(std::io::Error::other("the step is ending"));
        }
        let (child, leader) = start()?;
        state.groups.push(leader);
        state.started_any = true;
        Ok((child, leader))
    }

    /// Ends what a program left behind in its group when it ended itself.
    pub(crate) async fn end_group(&self, leader: Pid) {
        end(&[Target::Group(leader)]).await;
        self.state().groups.retain(|group| *group != leader);
    }

    /// Asks everything that the step started to end, then makes it end, and lets nothing start any more. Takes at most
    /// about three seconds, and no time when the step ran no program.
    pub async fn end(&self) {
        let (groups, started_any) = {
            let mut state = self.state();
            state.closed = true;
            (state.groups.clone(), state.started_any)
        };
        if !started_any {
            return;
        }
        let mut targets: Vec<Target> = groups.into_iter().map(Target::Group).collect();
        targets.extend(marked(&self.mark).into_iter().map(Target::Process));
        end(&targets).await;
        // What was forked while the others were ending.
        let late: Vec<Target> = marked(&self.mark).into_iter().map(Target::Process).collect();
        late.iter().for_each(|target| target.signal(Signal::SIGKILL));
        wait(&late, KILL_TIME).await;
        self.state().groups.clear();
    }
}

#[derive(Debug, Clone, Copy)]
enum Target {
    Group(Pid),
    Process(Pid),
}

impl Target {
    fn signal(self, signal: impl Into<Option<Signal>>) {
        // One that is gone already is what is wanted.
        let _ = match self {
            Target::Group(leader) => killpg(leader, signal),
            Target::Process(pid) => kill(pid, signal),
        };
    }

    fn is_alive(self) -> bool {
        match self {
            Target::Group(leader) => killpg(leader, None) != Err(Errno::ESRCH),
            Target::Process(pid) => kill(pid, None) != Err(Errno::ESRCH) && !is_zombie(pid),
        }
    }
}

/// Asks, waits, makes, waits.
async fn end(targets: &[Target]) {
    if targets.iter().any(|target| target.is_alive()) {
        targets.iter().for_each(|target| target.signal(Signal::SIGTERM));
        if !wait(targets, GRACE).await {
            targets.iter().for_each(|target| target.signal(Signal::SIGKILL));
            wait(targets, KILL_TIME).await;
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
fn marked(mark: &str) -> Vec<Pid> {
    let wanted = format!("{MARK}={mark}");
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid: &i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
        })
        .map(Pid::from_raw)
        .collect()
}

/// A zombie has ended; somebody else has to read its status.
fn is_zombie(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the name, which stands in parentheses and may itself contain any.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']))
}
