//! What one rendering may use, and the meter that watches it.

use crate::error::{Failure, RenderError};

/// Bounds of one rendering. The defaults are API Gateway's where it documents one (rounds of a loop, payload size),
/// ours where it does not.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Rounds of one `#foreach`; further elements are left out silently, as Velocity does.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
    pub foreach_rounds_max: usize,
    /// Bytes of output. API Gateway's payload limit.
    pub output_bytes_max: usize,
    /// Nodes evaluated; methods on long values count by what they read and write.
    pub steps_max: u64,
    /// Bytes of all values made during the rendering.
    pub memory_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            foreach_rounds_max: 1000,
            output_bytes_max: 10 * 1024 * 1024,
            steps_max: 5_000_000,
            memory_bytes_max: 128 * 1024 * 1024,
        }
    }
}

/// Macro calls inside macro calls: `velocimacro.max.depth` of Velocity 1.7.
pub(crate) const MACRO_DEPTH_MAX: usize = 20;
/// Blocks, expressions and calls inside each other while rendering. Bounds the stack.
pub(crate) const RENDER_DEPTH_MAX: usize = 160;
/// Blocks and expressions inside each other in a template's text. Bounds the parser's stack.
pub(crate) const PARSE_DEPTH_MAX: usize = 100;
/// Lists and maps inside each other, in JSON read and in values printed.
pub(crate) const VALUE_DEPTH_MAX: usize = 128;
/// Bytes of work that count as one step.
const BYTES_PER_STEP: usize = 32;

/// Counts what a rendering has used.
#[derive(Debug)]
pub(crate) struct Meter {
    steps_left: u64,
    memory_left: usize,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Meter {
        Meter { steps_left: limits.steps_max, memory_left: limits.memory_bytes_max }
    }

    /// One node more.
    pub(crate) fn step(&mut self) -> Result<(), RenderError> {
        self.steps(1)
    }

    pub(crate) fn steps(&mut self, count: u64) -> Result<(), RenderError> {
        self.steps_left = self.steps_left.checked_sub(count).ok_or(Failure::TooManySteps)?;
        Ok(())
    }

    /// Bytes that values may still take.
    pub(crate) fn memory_left(&self) -> usize {
        self.memory_left
    }

    /// Steps that may still be taken.
    pub(crate) fn steps_left(&self) -> u64 {
        self.steps_left
    }

    /// Work that reads `bytes` bytes.
    pub(crate) fn read(&mut self, bytes: usize) -> Result<(), RenderError> {
        self.steps((bytes / BYTES_PER_STEP) as u64)
    }

    /// A new value of `bytes` bytes.
    pub(crate) fn allocate(&mut self, bytes: usize) -> Result<(), RenderError> {
        self.memory_left = self.memory_left.checked_sub(bytes).ok_or(Failure::TooMuchMemory)?;
        self.read(bytes)
    }
}
