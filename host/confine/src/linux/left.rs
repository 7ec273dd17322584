//! What a program leaves behind: its descendants, wherever they went.

use std::fs;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid};

/// Sends a signal to every process inside the calling thread's Landlock domain but this one. Only for a thread whose
/// domain keeps signals inside: anywhere else this would be every process of the account.
pub fn signal_domain(signal: Signal) {
    // None is left, or none but this one.
    let _ = kill(Pid::from_raw(-1), signal);
}

/// Whether the calling thread's domain keeps signals inside: its parent, of the same account, is out of reach.
pub fn is_out_of_reach(parent: Pid) -> bool {
    kill(parent, None) == Err(Errno::EPERM)
}

/// Sends a signal to all descendants of this process that can be found. What is forked meanwhile is found the next time.
pub fn signal_descendants(signal: Signal) {
    let mut parents = vec![getpid()];
    let processes: Vec<(Pid, Pid)> = processes().collect();
    while let Some(parent) = parents.pop() {
        for (child, _) in processes.iter().filter(|(_, of)| *of == parent) {
            let _ = kill(*child, signal);
            parents.push(*child);
        }
    }
}

/// Every process with its parent.
fn processes() -> impl Iterator<Item = (Pid, Pid)> {
    fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| {
        let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
        Some((Pid::from_raw(pid), Pid::from_raw(parent)))
    })
}
