//! The Python environment of the tests: `.env-test/venv`, made from `tests/clients/requirements.txt`, every package
//! pinned by version and hash.

use std::path::PathBuf;

use crate::Result;
use crate::{process, workspace};

const REQUIREMENTS: &str = "tests/clients/requirements.txt";
const REQUIREMENTS_OF_BENCH: &str = "tests/bench/requirements.txt";

/// The environment's own `python`.
pub(crate) fn interpreter() -> PathBuf {
    environment().join("bin/python")
}

fn environment() -> PathBuf {
    workspace::root().join(".env-test/venv")
}

/// Makes or renews the environment when it does not hold what the locked list says.
pub(crate) fn install() -> Result {
    let wanted = workspace::read(REQUIREMENTS.as_ref())?;
    let installed = environment().join("installed-requirements.txt");
    if std::fs::read_to_string(&installed).is_ok_and(|found| found == wanted) && works() {
        return Ok(());
    }
    println!("installing the Python packages of {REQUIREMENTS} into .env-test/venv");
    process::run(&mut process::command("python3", &["-m", "venv", "--clear", ".env-test/venv"]))?;
    pip_install(REQUIREMENTS)?;
    Ok(std::fs::write(installed, wanted)?)
}

/// Adds what only the measurements start.
pub(crate) fn install_for_bench() -> Result {
    pip_install(REQUIREMENTS_OF_BENCH)
}

fn pip_install(list: &str) -> Result {
    let pip =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", list];
    process::run(&mut process::command(interpreter(), &pip))
}

/// A changed system Python breaks an environment made with the old one.
fn works() -> bool {
    process::output(&mut process::command(interpreter(), &["-c", "import boto3, aiortc, pytest"])).is_ok()
}
