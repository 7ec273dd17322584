//! Memory, tables and instances of one step, all together.

use sluice_model::Limits;
use wasmtime::ResourceLimiter;

use crate::voice::LimitReached;

/// Core instances, memories and tables that one component may have. Components that embed a language runtime have a
/// dozen.
const INSTANCES: usize = 200;

#[derive(Debug)]
pub struct Limiter {
    memory_left: usize,
    memory_limit: usize,
    elements_left: usize,
    elements_limit: usize,
}

impl Limiter {
    pub fn new(limits: &Limits) -> Self {
        let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        let (memory, elements) = (size(limits.memory_bytes), size(limits.table_elements));
        Self { memory_left: memory, memory_limit: memory, elements_left: elements, elements_limit: elements }
    }
}

impl ResourceLimiter for Limiter {
    /// Ends the step rather than let the allocation fail: few programs live on, and none says why.
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let limit = self.memory_limit;
        take(&mut self.memory_left, current, desired)
            .ok_or_else(|| LimitReached(format!("it needed more than {limit} bytes of memory")).into())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let limit = self.elements_limit;
        take(&mut self.elements_left, current, desired)
            .ok_or_else(|| LimitReached(format!("it needed more than {limit} table elements")).into())
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        INSTANCES
    }

    fn memories(&self) -> usize {
        INSTANCES
    }
}

fn take(left: &mut usize, current: usize, desired: usize) -> Option<bool> {
    *left = left.checked_sub(desired.saturating_sub(current))?;
    Some(true)
}
