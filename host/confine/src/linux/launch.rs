//! The launcher: a process between the host and a confined program.
//!
//! Its main thread is not confined and waits. Another thread confines itself, starts the program, and stays, because the
//! program dies with the thread that started it. So one process is enough, and the program can reach neither of them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getppid, setsid};
use std::os::fd::AsFd;

use crate::linux::{calls, left, privileges, protect, rules};
use crate::{Confinement, END_NOW, Ended, FOR_PROGRAM, Launch, TRIAL};

/// How often descendants that are being ended are looked for where no signal reaches all of them at once.
const ROUND: Duration = Duration::from_millis(10);

/// What the confined thread does for the main thread.
enum Order {
    Signal(Signal),
    /// Says so when the orders before have been obeyed.
    Tell(Sender<()>),
}

/// What starting a program gives: its id, and whether the confined thread can reach exactly what it started.
type Started = Result<(Pid, bool), String>;

/// What a process does that is to run a program confined: `arguments` are a [`Launch`] as JSON, and the program's. Ends
/// after the program and all that it started.
///
/// # Errors
/// Why the program was not started.
pub fn launch(mut arguments: impl Iterator<Item = OsString>) -> Result<Ended, String> {
    let launch = arguments.next().ok_or("the launcher is told nothing")?;
    if launch == TRIAL {
        return protect::trial().map(|()| Ended::Code(0));
    }
    let launch: Launch = serde_json::from_slice(launch.as_bytes()).map_err(|error| error.to_string())?;
    prctl::set_child_subreaper(true).map_err(|error| format!("no subreaper: {error}"))?;
    if getppid() != Pid::from_raw(launch.parent) {
        return Err("the run is gone".to_owned());
    }
    limit(&launch.confinement)?;
    protect::protect(&launch.confinement)?;
    // Before there is a second thread, which then blocks them as well.
    SigSet::all().thread_block().map_err(|error| error.to_string())?;
    let signals = SignalFd::with_flags(&SigSet::all(), SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .map_err(|error| error.to_string())?;
    let ((started, starting), (orders, obey)) = (channel::<Started>(), channel());
    let program_arguments: Vec<OsString> = arguments.collect();
    let (grace, parent) = (Duration::from_millis(launch.grace_ms), Pid::from_raw(launch.parent));
    std::thread::Builder::new()
        .spawn(move || confined(&launch, parent, program_arguments, &started, &obey))
        .map_err(|error| error.to_string())?;
    let (program, reaches_all) = starting.recv().map_err(|_| "the launcher failed".to_owned())??;
    let watch = Watch { program, signals, orders: reaches_all.then_some(orders.clone()), grace, ended: None };
    let ended = watch.see_it_through();
    // Until here: the program would have died with the thread.
    drop(orders);
    Ok(ended)
}

fn limit(confinement: &Confinement) -> Result<(), String> {
    let limits = &confinement.limits;
    for (resource, most) in [
        (Resource::RLIMIT_NPROC, limits.processes),
        (Resource::RLIMIT_NOFILE, limits.open_files),
        (Resource::RLIMIT_FSIZE, limits.file_bytes),
        (Resource::RLIMIT_CORE, limits.core),
    ] {
        let (soft, hard) = getrlimit(resource).map_err(|error| error.to_string())?;
        setrlimit(resource, soft.min(most), hard.min(most)).map_err(|error| format!("a limit: {error}"))?;
    }
    Ok(())
}

/// The confined thread.
fn confined(launch: &Launch, parent: Pid, arguments: Vec<OsString>, started: &Sender<Started>, obey: &Receiver<Order>) {
    let ready = (|| {
        privileges::restrict()?;
        let version = rules::version();
        rules::restrict(&launch.confinement, version)?;
        calls::restrict(&launch.confinement)?;
        let keeps_signals = version >= rules::SIGNALS;
        if keeps_signals && !left::is_out_of_reach(parent) {
            return Err("Landlock: signals are not kept inside".to_owned());
        }
        Ok((start(launch, arguments)?, keeps_signals))
    })();
    // The main thread waits for it.
    let _ = started.send(ready);
    for order in obey {
        match order {
            Order::Signal(signal) => left::signal_domain(signal),
            Order::Tell(sender) => drop(sender.send(())),
        }
    }
}

fn start(launch: &Launch, arguments: Vec<OsString>) -> Result<Pid, String> {
    let mut command = Command::new(&launch.program);
    command.args(arguments).env_clear();
    for (name, value) in std::env::vars_os() {
        if let Some(name) = name.as_bytes().strip_prefix(FOR_PROGRAM.as_bytes()) {
            command.env(std::ffi::OsStr::from_bytes(name), value);
        }
    }
    let launcher = nix::unistd::getpid();
    // SAFETY: the closure runs between fork and exec, where only async-signal-safe functions may be called; it calls
    // prctl(2), getppid(2), setsid(2) and sigprocmask(2), and allocates nothing.
    #[expect(unsafe_code, reason = "the only way to run code between fork and exec")]
    unsafe {
        command.pre_exec(move || {
            prctl::set_pdeathsig(Signal::SIGKILL)?;
            // The launcher may have died before that was said.
            if getppid() != launcher {
                return Err(Errno::ESRCH.into());
            }
            // A group of its own, and no terminal.
            setsid()?;
            SigSet::empty().thread_set_mask()?;
            Ok(())
        });
    }
    let child = command.spawn().map_err(|error| format!("{}: {error}", launch.program.display()))?;
    i32::try_from(child.id()).map(Pid::from_raw).map_err(|error| error.to_string())
}

/// The main thread, when the program runs.
struct Watch {
    program: Pid,
    signals: SignalFd,
    /// To the thread that reaches all descendants at once, if it can.
    orders: Option<Sender<Order>>,
    grace: Duration,
    ended: Option<Ended>,
}

impl Watch {
    /// Waits for the program, then ends what it left behind.
    fn see_it_through(mut self) -> Ended {
        loop {
            let alone = self.reap();
            if let Some(ended) = self.ended {
                if !alone {
                    self.end_the_rest();
                }
                return ended;
            }
            if self.is_asked_to_end_now(PollTimeout::NONE) {
                self.end_now();
            }
        }
    }

    /// What the program left behind may end by itself for a while.
    fn end_the_rest(&mut self) {
        self.signal_all(Signal::SIGTERM);
        let end = Instant::now() + self.grace;
        while !self.reap() {
            let left = end.saturating_duration_since(Instant::now());
            let patience = PollTimeout::try_from(left.min(ROUND)).unwrap_or(PollTimeout::ZERO);
            if left.is_zero() || self.is_asked_to_end_now(patience) {
                return self.end_now();
            }
        }
    }

    /// Ends all of it and returns when nothing is left.
    fn end_now(&mut self) {
        loop {
            self.signal_all(Signal::SIGKILL);
            let patience = PollTimeout::try_from(ROUND).unwrap_or(PollTimeout::ZERO);
            if self.reap() {
                return;
            }
            self.is_asked_to_end_now(patience);
        }
    }

    fn signal_all(&self, signal: Signal) {
        let (told, obeyed) = channel();
        let sent = self.orders.as_ref().is_some_and(|orders| {
            orders.send(Order::Signal(signal)).and_then(|()| orders.send(Order::Tell(told))).is_ok()
        });
        if !sent || obeyed.recv().is_err() {
            left::signal_descendants(signal);
        }
    }

    /// Reads the status of everything that has ended. Says whether nothing is left.
    fn reap(&mut self) -> bool {
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return false,
                Ok(WaitStatus::Exited(pid, code)) if pid == self.program => self.ended = Some(Ended::Code(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == self.program => {
                    self.ended = Some(Ended::Signal(signal as i32));
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return true,
            }
        }
    }

    /// Waits for signals and passes them on to the program. Says whether one of them was [`END_NOW`].
    fn is_asked_to_end_now(&mut self, patience: PollTimeout) -> bool {
        let mut wait = [PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        // What goes wrong here is tried again at the next look.
        let _ = poll(&mut wait, patience);
        let mut now = false;
        while let Ok(Some(signal)) = self.signals.read_signal() {
            match Signal::try_from(signal.ssi_signo as i32) {
                Ok(Signal::SIGCHLD) | Err(_) => {}
                Ok(END_NOW) => now = true,
                Ok(signal) => drop(killpg(self.program, signal)),
            }
        }
        now
    }
}
