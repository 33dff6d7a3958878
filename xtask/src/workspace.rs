//! Where things stand in the checkout, and what `cargo metadata` says about it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Result;
use crate::process;

/// The root folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace").to_path_buf()
}

/// Folders that hold what was built, installed or downloaded, never what was written.
const NOT_OURS: [&str; 5] = ["target", ".git", ".env-test", "node_modules", "__pycache__"];

/// Every file of the checkout with this ending, as paths from the root, sorted.
pub(crate) fn files(ending: &str) -> Result<Vec<PathBuf>> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if entry.file_type()?.is_dir() {
                if !NOT_OURS.iter().any(|skipped| name == *skipped) {
                    folders.push(entry.path());
                }
            } else if name.to_string_lossy().ends_with(ending) {
                found.push(entry.path().strip_prefix(&root)?.to_path_buf());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The text of one file of the checkout.
pub(crate) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(root().join(path)).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// `cargo metadata` of the whole workspace, dependencies included, as the lock file has them.
pub(crate) fn metadata() -> Result<Value> {
    let text = process::output(&mut process::cargo(&["metadata", "--format-version", "1", "--locked"]))?;
    Ok(serde_json::from_str(&text)?)
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
