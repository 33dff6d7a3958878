//! A file has one reason to change, so hand-written files stay short. The few long ones are listed with their reason.

use std::path::PathBuf;

use super::Complaints;
use crate::Result;
use crate::workspace;

/// Lines that a hand-written file may have.
const LINES_MAX: usize = 800;

/// Longer files and why each may be: only one uniform list is a reason.
const LONG: &[(&str, &str)] = &[];

/// Complaints about files that are too long, and about entries of the list that are no longer needed.
pub(super) fn check(sources: &[PathBuf]) -> Result<Complaints> {
    let mut complaints = Vec::new();
    let mut hand_written = Vec::new();
    for path in sources {
        let text = workspace::read(path)?;
        if text.starts_with("//! @generated") {
            continue;
        }
        let lines = text.lines().count();
        let listed = LONG.iter().any(|(long, _)| path.to_str() == Some(*long));
        match (lines > LINES_MAX, listed) {
            (true, false) => {
                complaints.push(format!("{}: {lines} lines; {LINES_MAX} at most", path.display()))
            }
            (false, true) => {
                complaints.push(format!("{}: no longer long; strike it off the list", path.display()))
            }
            _ => {}
        }
        hand_written.push(lines);
    }
    report(&mut hand_written);
    Ok(complaints)
}

/// Prints how long files are: half of them, nine in ten of them, the longest.
fn report(lines: &mut [usize]) {
    lines.sort_unstable();
    let Some(longest) = lines.last() else { return };
    let share = |tenths: usize| lines[(lines.len() - 1) * tenths / 10];
    println!(
        "tidy: {} files by hand; lines: median {}, nine in ten {}, longest {longest}",
        lines.len(),
        share(5),
        share(9)
    );
}
