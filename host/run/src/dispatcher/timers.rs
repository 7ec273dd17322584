//! What must have happened by when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tokio::time::Instant;

use crate::scheduler::{CellIndex, JobIndex, StepIndex};

/// Whose time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    Run,
    /// An answer to whether the job may run.
    Approval(JobIndex),
    Cell(CellIndex),
    Step(StepIndex),
    /// The next attempt at a step.
    Retry(StepIndex),
    /// A step in the background must be ready.
    Ready(StepIndex),
}

/// Timers are never taken back: who sets one looks, when it goes off, whether it still means anything.
#[derive(Debug, Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Instant, Timer)>>,
}

impl Timers {
    pub fn set(&mut self, at: Instant, timer: Timer) {
        self.heap.push(Reverse((at, timer)));
    }

    /// Waits for the next timer; for ever if there is none.
    pub async fn next(&mut self) -> (Instant, Timer) {
        let Some(Reverse((at, _))) = self.heap.peek() else { return std::future::pending().await };
        tokio::time::sleep_until(*at).await;
        match self.heap.pop() {
            Some(Reverse(timer)) => timer,
            None => std::future::pending().await,
        }
    }
}
