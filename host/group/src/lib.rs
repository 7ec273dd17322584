//! Runs of one group, one at a time: a queue of locked files in a folder of the user.
//!
//! Each run that wants its turn makes a file with the next free number and keeps it locked as long as it lives. It is its
//! turn when no lower number is locked. The system takes the lock of a process that was killed, so a dead run holds
//! nothing up, and no id of a process is ever trusted. To ask a run to end, a file is put beside its own, which only the
//! run itself looks at.

mod error;
mod files;
mod group;

pub use error::GroupError;
pub use group::{Group, Member, Place, Requests};

#[cfg(test)]
mod tests;
