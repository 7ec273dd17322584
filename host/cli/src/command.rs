//! One module a command. Each returns an exit code.

pub mod approve;
pub mod audit;
pub mod check;
pub mod completions;
pub mod doctor;
pub mod explain;
pub mod grants;
pub mod keys;
pub mod list;
pub mod lock;
pub mod plan;
pub mod plugin;
pub mod policy;
pub mod prune;
pub mod resume;
pub mod rollback;
pub mod run;
pub mod runs;
pub mod schema;
pub mod sign;
pub mod verify;
pub mod watch;
