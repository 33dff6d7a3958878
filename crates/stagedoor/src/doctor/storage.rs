//! The data directory, the store in it, and the clock, as far as files show it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use stagedoor_store::Store;

use super::Finding;
use crate::config::{Config, StoreUrl};

/// How far ahead a file's time may be before the clock is taken to be wrong.
const AHEAD: Duration = Duration::from_secs(5 * 60);
/// Seconds since 1970 of a time before which this program cannot run: 2025-01-01.
const EARLIEST: Duration = Duration::from_secs(1_735_689_600);

pub(super) fn examine(config: &Config, running: bool) -> Vec<Finding> {
    if config.store == StoreUrl::Memory {
        let what = "in memory: nothing survives a restart";
        return vec![Finding::ok("store", what), clock(None)];
    }
    let file = config.data_dir.join("stagedoor.redb");
    vec![directory(&config.data_dir), store(&file, running), clock(Some(&file))]
}

fn directory(directory: &Path) -> Finding {
    const CHECK: &str = "data directory";
    let shown = directory.display();
    // Before the first start the directory that it will be made in counts.
    let Some(there) = directory.ancestors().map(or_here).find(|path| path.exists()) else {
        return Finding::error(CHECK, format!("{shown} cannot be made"), "choose another with --data-dir");
    };
    match tempfile::tempfile_in(there) {
        Ok(_) if there == or_here(directory) => Finding::ok(CHECK, format!("{shown} can be written")),
        Ok(_) => Finding::ok(CHECK, format!("{shown} will be made at the first start")),
        Err(error) => Finding::error(
            CHECK,
            format!("{} cannot be written: {error}", there.display()),
            "let this user write there, free space, or choose another with --data-dir",
        ),
    }
}

/// The parent of a bare name is the empty path, which means the working directory.
fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

fn store(file: &Path, running: bool) -> Finding {
    const CHECK: &str = "store";
    let shown = file.display();
    if !file.exists() {
        return Finding::ok(CHECK, format!("{shown} will be made at the first start"));
    }
    match Store::open_embedded(file) {
        Ok(_) => Finding::ok(CHECK, format!("{shown} can be read")),
        Err(_) if running => Finding::ok(CHECK, format!("{shown} is in use by the server that runs here")),
        Err(error) => Finding::error(
            CHECK,
            format!("{shown} cannot be opened: {error}"),
            "end the program that has it open; if it is damaged, restore it from a copy, or move it away to begin anew",
        ),
    }
}

/// Signatures and tokens are good for minutes, so a wrong clock refuses everybody.
fn clock(file: Option<&Path>) -> Finding {
    const CHECK: &str = "clock";
    const ADVICE: &str = "set the clock, e.g. timedatectl set-ntp true";
    let now = SystemTime::now();
    let shown = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    if now < SystemTime::UNIX_EPOCH + EARLIEST {
        return Finding::error(CHECK, format!("it is {shown}, which cannot be"), ADVICE);
    }
    let written = file.and_then(|file| std::fs::metadata(file).ok()?.modified().ok());
    match written.and_then(|written| written.duration_since(now).ok()).filter(|ahead| *ahead > AHEAD) {
        Some(ahead) => {
            let what = format!("it is {shown}, but the store was written {} s later", ahead.as_secs());
            Finding::error(CHECK, what, ADVICE)
        }
        None => Finding::ok(CHECK, format!("it is {shown}")),
    }
}
