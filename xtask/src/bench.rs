//! `cargo xtask bench`: installs what the measurements need, builds the server as it is shipped, and starts
//! `tests/bench/run.py`, which measures and prints the table of `docs/performance.md`.

use crate::Result;
use crate::process;
use crate::test::{debian, parts, python};

/// Measures the named figures, or all of them.
pub(crate) fn run(names: &[String]) -> Result {
    process::step("install what the measurements need", || {
        debian::install_missing(&debian::FOR_CLIENTS)?;
        debian::install_missing(&debian::FOR_BENCH)?;
        python::install()?;
        python::install_for_bench()
    })?;
    let (server, load) = (parts::server()?, parts::load()?);
    let mut arguments = vec!["tests/bench/run.py"];
    arguments.extend(names.iter().map(String::as_str));
    let mut python = process::command(python::interpreter(), &arguments);
    process::run(python.env("STAGEDOOR_BIN", server).env("STAGEDOOR_LOAD", load))
}
