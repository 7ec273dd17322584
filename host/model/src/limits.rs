//! What a step may use at most.

use serde::{Deserialize, Serialize};

/// Limits of one step. Each has a guest among the tests that tries to break it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limits {
    /// Wall-clock time of one attempt, in milliseconds; [`Limits::ENDLESS_MS`] for what runs as long as its job.
    #[serde(default = "endless", skip_serializing_if = "is_endless")]
    pub time_ms: u64,
    /// All linear memories together, in bytes.
    pub memory_bytes: u64,
    /// Elements of all tables together.
    pub table_elements: u64,
    /// Open handles: files, streams, resources.
    pub handles: u32,
    /// Everything that the plugin writes to files, in bytes; for a program, the size of one file.
    #[serde(default = "disk")]
    pub disk_bytes: u64,
    /// Everything the step says: log, standard output, findings, outputs, in bytes.
    pub output_bytes: u64,
}

impl Limits {
    /// Longer than anything runs, in milliseconds: a hundred years. Not written out.
    pub const ENDLESS_MS: u64 = 100 * 365 * 24 * 3_600_000;
}

fn disk() -> u64 {
    4 << 30
}

fn endless() -> u64 {
    Limits::ENDLESS_MS
}

fn is_endless(time_ms: &u64) -> bool {
    *time_ms >= Limits::ENDLESS_MS
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time_ms: 10 * 60 * 1000,
            memory_bytes: 1 << 30,
            table_elements: 1_000_000,
            handles: 10_000,
            disk_bytes: disk(),
            output_bytes: 16 << 20,
        }
    }
}
