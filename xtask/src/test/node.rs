//! The npm packages of the browser tests: `tests/browser/node_modules`, exactly as `package-lock.json` has them.

use crate::Result;
use crate::{process, workspace};

const FOLDER: &str = "tests/browser";

/// Installs when what is there was not installed from the present lock file.
pub(crate) fn install() -> Result {
    let folder = workspace::root().join(FOLDER);
    let wanted = std::fs::read_to_string(folder.join("package-lock.json"))?;
    let installed = folder.join("node_modules/installed-lock.json");
    if std::fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    println!("installing the npm packages of {FOLDER}/package-lock.json");
    process::run(&mut process::command(
        "npm",
        &["ci", "--prefix", FOLDER, "--no-audit", "--no-fund", "--ignore-scripts"],
    ))?;
    Ok(std::fs::write(installed, wanted)?)
}
