//! What every source file must have or must not have: a head that says what it owns, no bare `allow`, no note that
//! something is still to do without the issue where it is kept.

use std::path::{Path, PathBuf};

use super::Complaints;
use crate::Result;
use crate::workspace;

/// Complaints about heads and markers of these source files.
pub(super) fn check(sources: &[PathBuf]) -> Result<Complaints> {
    let mut complaints = Vec::new();
    for path in sources {
        complaints.extend(complaints_about(path, &workspace::read(path)?));
    }
    Ok(complaints)
}

fn complaints_about(path: &Path, text: &str) -> Complaints {
    let mut complaints = Vec::new();
    let place = path.display();
    if !text.starts_with("//!") {
        complaints
            .push(format!("{place}:1: begins without `//!`; say what the file owns and what it does not"));
    }
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        // Built from parts, so that this file does not find itself.
        if line.contains(concat!("#[al", "low(")) || line.contains(concat!("#![al", "low(")) {
            let generated = text.starts_with("//! @generated");
            if !generated {
                complaints.push(format!("{place}:{number}: use `expect` with a reason in place of `allow`"));
            }
        }
        for marker in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")] {
            if comment(line).contains(marker) && !names_an_issue(line) {
                complaints
                    .push(format!("{place}:{number}: {marker} without the issue that keeps it (write #123)"));
            }
        }
    }
    complaints
}

/// The comment at the end of a line. A marker elsewhere is text that the program prints.
fn comment(line: &str) -> &str {
    line.find("//").map_or("", |at| &line[at..])
}

/// Whether the line has a `#` followed by a digit.
fn names_an_issue(line: &str) -> bool {
    line.split('#').skip(1).any(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_can_fail() {
        let check = |text: &str| complaints_about(Path::new("a.rs"), text).len();
        assert_eq!(check("//! Owns a.\nfn a() {}\n"), 0);
        assert_eq!(check("fn a() {}\n"), 1);
        assert_eq!(check(concat!("//! Owns a.\n#[al", "low(dead_code)]\n")), 1);
        assert_eq!(check(concat!("//! Owns a.\n// TO", "DO later\n")), 1);
        assert_eq!(check(concat!("//! Owns a.\n// TO", "DO(#12) later\n")), 0);
        assert_eq!(check(concat!("//! Owns a.\nconst A: &str = \"##TO", "DO later\";\n")), 0);
    }
}
