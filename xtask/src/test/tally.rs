//! How many tests passed and failed, read from the closing lines of the runners while their output passes by.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::Result;
use crate::workspace;

/// Tests counted so far.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl Tally {
    /// Runs a test runner, passes its output on, and adds what its closing lines say.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result {
        let (from, to) = std::io::pipe()?;
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command.stdin(Stdio::null()).stdout(to.try_clone()?).stderr(to).spawn()?;
        // The command holds our ends of the pipe; they must go, or the reading below never ends.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        for line in BufReader::new(from).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            self.add(&line);
        }
        let status = child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("{program}: {status}").into()) }
    }

    /// Adds the counts of a closing line of nextest, `cargo test`, pytest or node; other lines add nothing.
    fn add(&mut self, line: &str) {
        let line = line.trim();
        if let Some(count) = line.strip_prefix("# pass ").and_then(|count| count.parse::<u64>().ok()) {
            self.passed += count;
        } else if let Some(count) = line.strip_prefix("# fail ").and_then(|count| count.parse::<u64>().ok()) {
            self.failed += count;
        } else if is_closing(line) {
            self.passed += count_before(line, "passed");
            self.failed +=
                count_before(line, "failed") + count_before(line, "error") + count_before(line, "errors");
        }
    }

    /// Keeps the counts for the script that prints them as its last line.
    pub(crate) fn keep(&self) -> Result {
        let folder = workspace::target_folder();
        std::fs::create_dir_all(&folder)?;
        Ok(std::fs::write(folder.join("test-counts.txt"), format!("{self}\n"))?)
    }
}

fn is_closing(line: &str) -> bool {
    let pytest =
        line.trim_matches(['=', ' ']).ends_with('s') && line.contains(" in ") && starts_with_count(line);
    line.starts_with("Summary [") || line.starts_with("test result:") || pytest
}

fn starts_with_count(line: &str) -> bool {
    line.trim_start_matches(['=', ' ']).starts_with(|first: char| first.is_ascii_digit())
}

/// The number right before this word, or nought.
fn count_before(line: &str, word: &str) -> u64 {
    let words: Vec<&str> = line.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
    let pairs = words.windows(2);
    pairs.filter(|pair| pair[1] == word).filter_map(|pair| pair[0].parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_each_runner() {
        for (line, passed, failed) in [
            ("     Summary [   0.013s] 5 tests run: 3 passed, 2 failed, 0 skipped", 3, 2),
            (
                "test result: FAILED. 7 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
                7,
                1,
            ),
            ("4 passed, 1 skipped in 3.21s", 4, 0),
            ("=== 1 failed, 4 passed, 2 errors in 3.21s ===", 4, 3),
            ("# pass 6", 6, 0),
            ("# fail 2", 0, 2),
            ("everything passed, nothing failed", 0, 0),
        ] {
            let mut tally = Tally::default();
            tally.add(line);
            assert_eq!(tally, Tally { passed, failed }, "{line}");
        }
    }
}
