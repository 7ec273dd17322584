//! Confines a program with what Linux has for it, without being root.
//!
//! * [`Confinement`] says what one program may touch; [`Confinement::of`] makes it from the grants of a step.
//! * [`launch`] is what a process of its own does: it restricts one of its threads (Landlock for files, ports, signals;
//!   seccomp for calls), starts the program from there, and ends and reaps everything that the program leaves behind.
//! * [`Abilities::probe`] says what this machine can do of that, by doing it.
//!
//! * [`can_protect`] says whether a launcher can keep places of the workspace from a program that may write the rest.
//!
//! Nothing here is best effort: what a confinement asks for and the kernel cannot do is an error before the program starts.

mod abilities;
mod confinement;
mod grants;
#[cfg(target_os = "linux")]
mod linux;
mod toolchain;

pub use abilities::{Abilities, Ability, Finding};
pub use confinement::{Confinement, Limits, Network, Ports};
pub use grants::{Confined, Surroundings};

#[cfg(target_os = "linux")]
pub use linux::launch::launch;

/// Restricts the calling thread and all that it starts, for good. Call it while there is no other thread.
///
/// # Errors
/// Whatever the confinement asks for and the kernel cannot do, in words.
#[cfg(target_os = "linux")]
pub fn restrict(confinement: &Confinement) -> Result<(), String> {
    linux::protect::protect(confinement)?;
    linux::privileges::restrict()?;
    linux::rules::restrict(confinement, linux::rules::version())?;
    linux::calls::restrict(confinement)
}

/// Whether the kernel holds processes to TCP ports.
pub fn holds_ports() -> bool {
    #[cfg(target_os = "linux")]
    return linux::rules::version() >= linux::rules::PORTS;
    #[cfg(not(target_os = "linux"))]
    false
}

/// Elsewhere nothing is confined.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn restrict(_confinement: &Confinement) -> Result<(), String> {
    Err("processes are confined on Linux only".to_owned())
}

/// Whether a launcher can protect [`Confinement::protected`] here, found out by starting one: `program` with `argument` calls
/// [`launch`].
///
/// # Errors
/// Why not, in words.
pub fn can_protect(program: &std::path::Path, argument: &str) -> Result<(), String> {
    let tried = std::process::Command::new(program).args([argument, TRIAL]).env_clear().output();
    let tried = tried.map_err(|error| error.to_string())?;
    if tried.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&tried.stderr);
    Err(said.trim_end().trim_start_matches(NOT_STARTED_BECAUSE).to_owned())
}

/// What [`launch`] is told, instead of a [`Launch`], to find out whether it could protect something.
const TRIAL: &str = "trial";

/// What [`launch`] is told, as JSON.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Launch {
    pub program: std::path::PathBuf,
    pub confinement: Confinement,
    /// Id of the process that starts the launcher; when it is gone, so is the program.
    pub parent: i32,
    /// How long what the program leaves behind may take to end by itself, in milliseconds.
    pub grace_ms: u64,
}

/// How a launched program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Code(i32),
    Signal(i32),
}

/// Variables with this in front of their name are for the program, without it. So no variable of the program works on the
/// launcher, which is not confined.
pub const FOR_PROGRAM: &str = "+";

/// The exit code of a launcher that could not start the program.
pub const NOT_STARTED: u8 = 125;

/// What the launcher writes to standard error before the reason when it could not start the program.
pub const NOT_STARTED_BECAUSE: &str = "sluice: not started: ";

/// Ends the program and all that it started at once; any other signal is passed on to the program.
pub const END_NOW: nix::sys::signal::Signal = nix::sys::signal::Signal::SIGQUIT;

/// Elsewhere nothing is confined, and so nothing is launched.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn launch(_arguments: impl Iterator<Item = std::ffi::OsString>) -> Result<Ended, String> {
    Err("programs are confined on Linux only".to_owned())
}
