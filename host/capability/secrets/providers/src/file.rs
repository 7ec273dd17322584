//! A file that nobody else can read.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::unistd::getuid;

use crate::{Fetched, LONGEST, Machine, Reason, text};

pub async fn read(path: &str, machine: &Machine) -> Fetched {
    let file = machine.path(path)?;
    let ended = tokio::task::spawn_blocking(move || read_here(&file)).await;
    ended.unwrap_or_else(|error| Err(Reason::new(error.to_string())))
}

fn read_here(path: &Path) -> Fetched {
    let unreadable =
        |error: std::io::Error| Reason::new(format!("cannot read `{}`", path.display())).cause(error.to_string());
    // Opening a FIFO would wait for somebody who writes to it.
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path).map_err(unreadable)?;
    check(&file, path)?;
    let mut bytes = Vec::new();
    file.take(LONGEST as u64 + 3).read_to_end(&mut bytes).map_err(unreadable)?;
    text(bytes)
}

/// Your own file must be yours alone, as `ssh` wants it of a key; one that somebody else gave you, such as a mounted
/// secret, is as they made it.
fn check(file: &File, path: &Path) -> Result<(), Reason> {
    let shown = path.display();
    let found =
        file.metadata().map_err(|error| Reason::new(format!("cannot read `{shown}`")).cause(error.to_string()))?;
    if !found.is_file() {
        return Err(Reason::new(format!("`{shown}` is not a file")));
    }
    let mode = found.mode() & 0o777;
    if found.uid() == getuid().as_raw() && mode & 0o077 != 0 {
        return Err(Reason::new(format!("others than you can read or change `{shown}`: its mode is {mode:04o}"))
            .help(format!("chmod 600 {shown}")));
    }
    Ok(())
}
