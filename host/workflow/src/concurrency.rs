//! `concurrency`: runs that are never under way at once.

use std::fmt;

use crate::template::Template;

/// The group of a workflow's runs, and what happens while another run of it is under way.
#[derive(Debug, Clone)]
pub struct Concurrency {
    /// Its name, from what is known before the run.
    pub group: Template,
    pub when_busy: WhenBusy,
    /// The longest that a run waits; for ever without it.
    pub wait_timeout_ms: Option<u64>,
}

/// What a run does while another one of its group is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenBusy {
    /// Begins when all that came before have ended.
    #[default]
    Wait,
    /// Asks all that came before to end in order, and then begins.
    CancelRunning,
    /// Is refused.
    Fail,
}

impl WhenBusy {
    pub const ALL: [Self; 3] = [Self::Wait, Self::CancelRunning, Self::Fail];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::CancelRunning => "cancel-running",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for WhenBusy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
