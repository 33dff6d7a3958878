//! `cargo xtask ci`: the same script that continuous integration starts, so that the two cannot differ.

use crate::Result;
use crate::process;

/// Runs `.ci/run`.
pub(crate) fn run() -> Result {
    process::run(&mut process::command("bash", &[".ci/run"]))
}
