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
        python::install()
    })?;
    let server = parts::server()?;
    let mut arguments = vec!["tests/bench/run.py"];
    arguments.extend(names.iter().map(String::as_str));
    process::run(process::command(python::interpreter(), &arguments).env("STAGEDOOR_BIN", server))
}
