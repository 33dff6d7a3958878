//! The npm packages of the tests, exactly as each folder's `package-lock.json` has them.

use crate::Result;
use crate::{process, workspace};

/// A folder with packages.
pub(crate) struct Packages {
    folder: &'static str,
    /// Whether packages may run programs of theirs when they are installed.
    builds: bool,
}

/// What the browser tests import.
pub(crate) const FOR_BROWSER: Packages = Packages { folder: "tests/browser", builds: false };
/// AWS's runtime client for Node.js, which builds its native part: curl and aws-lambda-cpp, that it brings along. And
/// web frameworks.
pub(crate) const FOR_CLIENTS: Packages = Packages { folder: "tests/clients/nodejs", builds: true };

/// Installs when what is there was not installed from the present lock file.
pub(crate) fn install(Packages { folder, builds }: &Packages) -> Result {
    let root = workspace::root().join(folder);
    let wanted = std::fs::read_to_string(root.join("package-lock.json"))?;
    let installed = root.join("node_modules/installed-lock.json");
    if std::fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    println!("installing the npm packages of {folder}/package-lock.json");
    let mut npm = process::command("npm", &["ci", "--prefix", folder, "--no-audit", "--no-fund"]);
    if *builds {
        // Node.js's headers as they are installed beside it; node-gyp would fetch them.
        let prefix = "path.dirname(path.dirname(process.execPath))";
        let prefix = process::output(&mut process::command("node", &["-p", prefix]))?;
        npm.env("npm_config_nodedir", prefix.trim());
    } else {
        npm.arg("--ignore-scripts");
    }
    process::run(&mut npm)?;
    Ok(std::fs::write(installed, wanted)?)
}
