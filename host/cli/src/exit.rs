//! Exit codes, as `docs/command-line.md` lists them.

pub const PASSED: u8 = 0;
pub const FAILED: u8 = 1;
/// The workflow or the command line is wrong, or something was refused before the run.
pub const REFUSED: u8 = 2;
/// Our fault (`EX_SOFTWARE` of sysexits.h).
pub const INTERNAL: u8 = 70;
/// The run waits for an approval that nobody could give here (`EX_TEMPFAIL` of sysexits.h).
pub const PARKED: u8 = 75;
/// 128 and the number of the signal.
pub const INTERRUPTED: u8 = 130;
pub const TERMINATED: u8 = 143;
